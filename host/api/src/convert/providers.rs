//! Providers, what they can do, and how full they are.

use std::collections::BTreeMap;

use stowage_control::Measurement;
use stowage_domain::{
    Bytes, Capability, CapabilityState, Provider, ProviderState, Standing,
    capability::ConstraintValue,
    provider::{ComponentHealth, Counter, EndpointBinding, Health},
};
use stowage_ports::provider::{Finding, FindingLevel, ProbeMode};
use stowage_proto::{struct_to_json, v1};

use super::{labels_to, time, unknown_value};
use crate::refusal::Refusal;

/// A provider of the contract.
pub(crate) fn to(provider: &Provider, reserved: Bytes, etag: String) -> v1::Provider {
    let state = match provider.state {
        ProviderState::Active => v1::ProviderState::Active,
        ProviderState::Cordoned => v1::ProviderState::Cordoned,
    };
    let probe = provider.probe.as_ref();
    let capacity = provider.capacity();
    v1::Provider {
        name: provider.name.to_string(),
        uid: provider.uid.clone(),
        plugin: format!("plugins/{}", provider.plugin),
        plugin_digest: provider.plugin_digest.clone(),
        config: config_to(&provider.config),
        endpoints: provider
            .endpoints
            .iter()
            .map(|(purpose, binding)| (purpose.clone(), endpoint_to(binding)))
            .collect(),
        secrets: provider.secrets.clone(),
        region: provider.region.clone(),
        labels: labels_to(&provider.labels),
        state: state.into(),
        state_reason: provider.state_reason.clone(),
        health: health_to(&provider.health()).0.into(),
        components: probe.map(|probe| probe.components.iter().map(component_to).collect()).unwrap_or_default(),
        native_version: probe.map(|probe| probe.native_version.clone()).unwrap_or_default(),
        instance_id: probe.map(|probe| probe.instance_id.clone()).unwrap_or_default(),
        probe_time: probe.map(|probe| time::to(probe.at)),
        capacity: Some(v1::ProviderCapacity {
            total_bytes: capacity.map(|(total, _)| total.0),
            reserved_bytes: reserved.0,
            used_bytes: capacity.map(|(_, used)| used.0),
        }),
        create_time: Some(time::to(provider.created_at)),
        update_time: Some(time::to(provider.updated_at)),
        etag,
    }
}

fn config_to(json: &str) -> Option<prost_types::Struct> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    value.as_object().map(stowage_proto::json_to_struct)
}

/// The configuration as JSON text.
pub(crate) fn config_from(config: Option<prost_types::Struct>) -> String {
    serde_json::Value::Object(config.as_ref().map(struct_to_json).unwrap_or_default()).to_string()
}

/// The id in `plugins/{plugin}`.
pub(crate) fn plugin_from(field: &str, name: &str) -> Result<String, Refusal> {
    let id = name.strip_prefix("plugins/").filter(|id| stowage_domain::ids::is_id(id));
    id.map(str::to_owned)
        .ok_or_else(|| Refusal::field(field, format!("{name:?} must be written as plugins/{{plugin}}")))
}

fn endpoint_to(binding: &EndpointBinding) -> v1::EndpointBinding {
    v1::EndpointBinding {
        urls: binding.urls.clone(),
        allowed_ranges: binding.allowed_ranges.clone(),
        ca_pem: binding.ca_pem.clone(),
        plain_http: binding.plain_http,
    }
}

/// Endpoints by purpose.
pub(crate) fn endpoints_from(endpoints: BTreeMap<String, v1::EndpointBinding>) -> BTreeMap<String, EndpointBinding> {
    let one = |(purpose, binding): (String, v1::EndpointBinding)| {
        let v1::EndpointBinding { urls, allowed_ranges, ca_pem, plain_http } = binding;
        (purpose, EndpointBinding { urls, allowed_ranges, ca_pem, plain_http })
    };
    endpoints.into_iter().map(one).collect()
}

fn health_to(health: &Health) -> (v1::HealthState, &str) {
    match health {
        Health::Ok => (v1::HealthState::Ok, ""),
        Health::Degraded(why) => (v1::HealthState::Degraded, why),
        Health::Down(why) => (v1::HealthState::Down, why),
        Health::Unknown => (v1::HealthState::Unknown, ""),
    }
}

fn component_to(part: &ComponentHealth) -> v1::ComponentHealth {
    let (state, reason) = health_to(&part.health);
    v1::ComponentHealth { component: part.component.clone(), state: state.into(), reason: reason.to_owned() }
}

/// One ability, with where the knowledge comes from.
pub(crate) fn capability_to(capability: &Capability) -> v1::Capability {
    let (state, reason, remedy) = match &capability.state {
        CapabilityState::Supported => (v1::CapabilityState::Supported, "", ""),
        CapabilityState::Unsupported => (v1::CapabilityState::Unsupported, "", ""),
        CapabilityState::Unavailable { reason, remedy } => {
            (v1::CapabilityState::Unavailable, reason.as_str(), remedy.as_str())
        }
        CapabilityState::Unknown => (v1::CapabilityState::Unknown, "", ""),
    };
    let (basis, at, evidence) = match &capability.standing {
        Standing::Declared => (v1::CapabilityBasis::Declared, None, ""),
        Standing::Probed { at, evidence } => (v1::CapabilityBasis::Probed, Some(*at), evidence.as_str()),
        Standing::Refuted { at, evidence } => (v1::CapabilityBasis::Refuted, Some(*at), evidence.as_str()),
    };
    v1::Capability {
        id: capability.id.clone(),
        state: state.into(),
        basis: basis.into(),
        constraints: capability.constraints.iter().map(|(key, value)| (key.clone(), constraint_to(value))).collect(),
        evidence: evidence.to_owned(),
        reason: reason.to_owned(),
        remedy: remedy.to_owned(),
        observe_time: at.map(time::to),
    }
}

fn constraint_to(value: &ConstraintValue) -> v1::CapabilityValue {
    use v1::capability_value::Kind;
    let kind = match value.clone() {
        ConstraintValue::Flag(flag) => Kind::Flag(flag),
        ConstraintValue::Number(number) => Kind::Number(number),
        ConstraintValue::Seconds(seconds) => Kind::Seconds(seconds),
        ConstraintValue::Text(text) => Kind::Text(text),
        ConstraintValue::Set(mut values) => {
            values.sort();
            Kind::Set(v1::TextSet { values })
        }
    };
    v1::CapabilityValue { kind: Some(kind) }
}

/// One measurement of an ability.
pub(crate) fn measurement_from((index, measurement): (usize, v1::Measurement)) -> Result<Measurement, Refusal> {
    let field = |name: &str| format!("measurements[{index}].{name}");
    let confirmed = match v1::MeasurementVerdict::try_from(measurement.verdict) {
        Ok(v1::MeasurementVerdict::Confirmed) => true,
        Ok(v1::MeasurementVerdict::Refuted) => false,
        Ok(v1::MeasurementVerdict::Unspecified) => return Err(Refusal::field(field("verdict"), "is needed")),
        Err(_) => return Err(unknown_value(&field("verdict"), measurement.verdict)),
    };
    let constraint = |(key, value): (String, v1::CapabilityValue)| {
        use v1::capability_value::Kind;
        let value = match value.kind {
            Some(Kind::Flag(flag)) => ConstraintValue::Flag(flag),
            Some(Kind::Number(number)) => ConstraintValue::Number(number),
            Some(Kind::Seconds(seconds)) => ConstraintValue::Seconds(seconds),
            Some(Kind::Text(text)) => ConstraintValue::Text(text),
            Some(Kind::Set(set)) => ConstraintValue::Set(set.values),
            None => return Err(Refusal::field(field(&format!("constraints[{key}]")), "needs a value")),
        };
        Ok((key, value))
    };
    Ok(Measurement {
        capability: measurement.capability,
        confirmed,
        evidence: measurement.evidence,
        constraints: measurement.constraints.into_iter().map(constraint).collect::<Result<_, _>>()?,
    })
}

/// One counter.
pub(crate) fn counter_to(counter: &Counter) -> v1::Counter {
    v1::Counter {
        counter: counter.name.clone(),
        used: counter.used,
        limit: counter.limit,
        unit: counter.unit.clone(),
        observe_time: Some(time::to(counter.observed_at)),
    }
}

/// One finding of a preflight.
pub(crate) fn finding_to(finding: &Finding) -> v1::Finding {
    let level = match &finding.level {
        FindingLevel::Pass => v1::FindingLevel::Pass,
        FindingLevel::Note | FindingLevel::Other(_) => v1::FindingLevel::Note,
        FindingLevel::Warn => v1::FindingLevel::Warn,
        FindingLevel::Fail => v1::FindingLevel::Fail,
    };
    v1::Finding {
        check: finding.check.clone(),
        level: level.into(),
        asked: finding.asked.clone(),
        seen: finding.seen.clone(),
        follows: finding.follows.clone(),
        remedy: finding.remedy.clone().unwrap_or_default(),
    }
}

/// Whether a backend may be changed while asking.
pub(crate) fn mode_from(number: i32) -> Result<ProbeMode, Refusal> {
    match v1::ProbeMode::try_from(number) {
        Ok(v1::ProbeMode::Unspecified | v1::ProbeMode::ReadOnly) => Ok(ProbeMode::ReadOnly),
        Ok(v1::ProbeMode::Mutating) => Ok(ProbeMode::Mutating),
        Err(_) => Err(unknown_value("mode", number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_json_text_inside() {
        let text = config_from(config_to(r#"{"filesystem":"prod","port":14000}"#));
        assert_eq!(text, r#"{"filesystem":"prod","port":14000}"#);
        assert_eq!(config_from(None), "{}");
    }

    #[test]
    fn a_plugin_is_named_by_its_resource_name() {
        assert_eq!(plugin_from("provider.plugin", "plugins/fake").unwrap(), "fake");
        for bad in ["fake", "plugins/", "plugins/../x", "plugins/a/b"] {
            assert!(plugin_from("provider.plugin", bad).is_err(), "{bad}");
        }
    }
}
