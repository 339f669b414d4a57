//! Between the domain's words and the provider port's.

use stowage_domain::{
    Bytes, Capability, CapabilityState, DataPolicy, Limits, PosixIdentity, Protocol, Seconds, Standing, UnixMillis,
    capability::ConstraintValue,
    provider::{ComponentHealth, Counter, Health, Probe},
};
use stowage_policy::Mode;
use stowage_ports::provider as port;

pub(crate) fn limits(limits: &Limits) -> Vec<port::Limit> {
    let limit = |dimension, enforcement, value| port::Limit {
        dimension,
        scope: port::LimitScope::Namespace,
        enforcement,
        value,
        extensions: Vec::new(),
    };
    let mut all = vec![limit(port::Dimension::Bytes, port::Enforcement::Block, limits.hard_bytes.0)];
    if let Some(soft) = limits.soft_bytes {
        let enforcement = match limits.soft_grace {
            Some(grace) => port::Enforcement::SoftThenBlock(grace.0),
            None => port::Enforcement::Notify,
        };
        all.push(limit(port::Dimension::Bytes, enforcement, soft.0));
    }
    if let Some(inodes) = limits.hard_inodes {
        all.push(limit(port::Dimension::Inodes, port::Enforcement::Block, inodes));
    }
    all
}

/// The limits in force; `None` when the provider tells no hard byte limit.
pub(crate) fn effective(all: &[port::Limit]) -> Option<Limits> {
    let bytes = |wanted: fn(&port::Enforcement) -> bool| {
        all.iter().find(|limit| limit.dimension == port::Dimension::Bytes && wanted(&limit.enforcement))
    };
    let hard = bytes(|enforcement| *enforcement == port::Enforcement::Block)?;
    let soft = bytes(|e| matches!(e, port::Enforcement::SoftThenBlock(_) | port::Enforcement::Notify));
    let inodes = all.iter().find(|limit| limit.dimension == port::Dimension::Inodes);
    Some(Limits {
        hard_bytes: Bytes(hard.value),
        soft_bytes: soft.map(|limit| Bytes(limit.value)),
        soft_grace: soft.and_then(|limit| match limit.enforcement {
            port::Enforcement::SoftThenBlock(grace) => Some(Seconds(grace)),
            _ => None,
        }),
        hard_inodes: inodes.map(|limit| limit.value),
    })
}

pub(crate) fn protocols(all: &[Protocol]) -> Vec<port::Protocol> {
    let one = |protocol: &Protocol| match protocol {
        Protocol::Posix => port::Protocol::Posix,
        Protocol::S3 => port::Protocol::S3,
    };
    all.iter().map(one).collect()
}

pub(crate) fn posix(identity: PosixIdentity) -> port::PosixIdentity {
    port::PosixIdentity { uid: identity.uid, gid: identity.gid, mode: identity.mode }
}

pub(crate) fn data_policy(data: DataPolicy) -> port::DataPolicy {
    match data {
        DataPolicy::Keep => port::DataPolicy::Keep,
        DataPolicy::Purge => port::DataPolicy::Purge,
    }
}

pub(crate) fn access_mode(mode: Mode) -> port::AccessMode {
    match mode {
        Mode::ReadOnly => port::AccessMode::ReadOnly,
        Mode::ReadWrite => port::AccessMode::ReadWrite,
    }
}

pub(crate) fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> port::Extensions {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn state(state: &port::CapabilityState) -> CapabilityState {
    match state {
        port::CapabilityState::Supported => CapabilityState::Supported,
        port::CapabilityState::Unsupported => CapabilityState::Unsupported,
        port::CapabilityState::Unavailable(why) => {
            CapabilityState::Unavailable { reason: why.reason.clone(), remedy: why.remedy.clone() }
        }
        port::CapabilityState::Unknown | port::CapabilityState::Other(_) => CapabilityState::Unknown,
    }
}

fn constraints(all: &[(String, port::Value)]) -> Vec<(String, ConstraintValue)> {
    let value = |value: &port::Value| match value {
        port::Value::Flag(flag) => ConstraintValue::Flag(*flag),
        port::Value::Number(number) => ConstraintValue::Number(*number),
        port::Value::Seconds(seconds) => ConstraintValue::Seconds(*seconds),
        port::Value::Text(text) | port::Value::Other(text) => ConstraintValue::Text(text.clone()),
        port::Value::Set(set) => ConstraintValue::Set(set.clone()),
    };
    all.iter().map(|(key, v)| (key.clone(), value(v))).collect()
}

/// What is declared alone.
#[must_use]
pub(crate) fn declared(all: &[port::Capability]) -> Vec<Capability> {
    let one = |capability: &port::Capability| Capability {
        id: capability.id.clone(),
        state: state(&capability.state),
        standing: Standing::Declared,
        constraints: constraints(&capability.constraints),
    };
    let mut capabilities: Vec<Capability> = all.iter().map(one).collect();
    capabilities.sort_by(|a, b| a.id.cmp(&b.id));
    capabilities
}

/// What is declared, confirmed or refuted by what a probe found. A probe that cannot tell leaves the declaration.
pub(crate) fn probed(declared_all: &[port::Capability], found: &[port::Capability], at: UnixMillis) -> Vec<Capability> {
    let mut all = declared(declared_all);
    for capability in found {
        let found_state = state(&capability.state);
        let evidence = capability.evidence.clone().unwrap_or_default();
        let before = all.iter_mut().find(|one| one.id == capability.id);
        let refutes = before.as_ref().is_some_and(|one| one.state == CapabilityState::Supported)
            && !matches!(found_state, CapabilityState::Supported | CapabilityState::Unknown);
        let standing = match found_state {
            CapabilityState::Unknown if before.is_some() => continue,
            _ if refutes => Standing::Refuted { at, evidence },
            _ => Standing::Probed { at, evidence },
        };
        let next = Capability {
            id: capability.id.clone(),
            state: found_state,
            standing,
            constraints: constraints(&capability.constraints),
        };
        match before {
            Some(one) => *one = next,
            None => all.push(next),
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

pub(crate) fn probe(report: &port::ProbeReport, at: UnixMillis) -> Probe {
    let health = |state: &port::HealthState| match state {
        port::HealthState::Ok => Health::Ok,
        port::HealthState::Degraded(why) => Health::Degraded(why.clone()),
        port::HealthState::Down(why) => Health::Down(why.clone()),
        port::HealthState::Unknown | port::HealthState::Other(_) => Health::Unknown,
    };
    Probe {
        at,
        native_version: report.native_version.clone(),
        instance_id: report.instance_id.clone(),
        components: report
            .health
            .iter()
            .map(|part| ComponentHealth { component: part.component.clone(), health: health(&part.state) })
            .collect(),
        counters: report
            .counters
            .iter()
            .map(|counter| Counter {
                name: counter.name.clone(),
                used: counter.used,
                limit: counter.limit,
                unit: counter.unit.clone(),
                observed_at: UnixMillis(counter.observed_at),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_survive_the_way_to_a_provider_and_back() {
        let asked = Limits {
            hard_bytes: Bytes(100),
            soft_bytes: Some(Bytes(80)),
            soft_grace: Some(Seconds(60)),
            hard_inodes: Some(7),
        };
        assert_eq!(effective(&limits(&asked)), Some(asked));
        assert_eq!(effective(&[]), None);
    }

    #[test]
    fn a_probe_confirms_refutes_or_leaves_a_declaration() {
        let capability = |id: &str, state: port::CapabilityState| port::Capability {
            id: id.into(),
            state,
            constraints: Vec::new(),
            evidence: Some("seen".into()),
            extensions: Vec::new(),
        };
        use port::CapabilityState::{Supported, Unknown, Unsupported};
        let declared = [capability("a", Supported), capability("b", Supported), capability("c", Supported)];
        let found = [capability("a", Supported), capability("b", Unsupported), capability("c", Unknown)];
        let all = probed(&declared, &found, UnixMillis(1));
        assert!(matches!(all[0].standing, Standing::Probed { .. }) && all[0].usable());
        assert!(matches!(all[1].standing, Standing::Refuted { .. }) && !all[1].usable());
        assert!(matches!(all[2].standing, Standing::Declared) && all[2].usable());
    }
}
