//! Capabilities, health, counters, findings; limits and usage.

use super::{Breach, FromGuest, Reader, ToGuest, exports, port, wit};

impl FromGuest<exports::health::ProbeReport> for port::ProbeReport {
    fn from_guest(answer: exports::health::ProbeReport, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            native_version: reader.text(answer.native_version),
            instance_id: reader.id("probe-report.instance-id", answer.instance_id)?,
            capabilities: Vec::from_guest(answer.capabilities, reader)?,
            health: Vec::from_guest(answer.health, reader)?,
            counters: Vec::from_guest(answer.counters, reader)?,
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<wit::Capability> for port::Capability {
    fn from_guest(answer: wit::Capability, reader: &Reader<'_>) -> Result<Self, Breach> {
        let constraints = answer.constraints.into_iter();
        let constraints =
            constraints.map(|(key, value)| Ok((reader.text(key), port::Value::from_guest(value, reader)?)));
        Ok(Self {
            id: reader.id("capability.id", answer.id)?,
            state: port::CapabilityState::from_guest(answer.state, reader)?,
            constraints: constraints.collect::<Result<_, Breach>>()?,
            evidence: reader.maybe(answer.evidence),
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<wit::CapabilityState> for port::CapabilityState {
    fn from_guest(answer: wit::CapabilityState, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(match answer {
            wit::CapabilityState::Supported => Self::Supported,
            wit::CapabilityState::Unsupported => Self::Unsupported,
            wit::CapabilityState::Unavailable(why) => Self::Unavailable(port::NotReady::from_guest(why, reader)?),
            wit::CapabilityState::Unknown => Self::Unknown,
            wit::CapabilityState::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<wit::Value> for port::Value {
    fn from_guest(answer: wit::Value, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(match answer {
            wit::Value::Flag(flag) => Self::Flag(flag),
            wit::Value::Number(number) => Self::Number(number),
            wit::Value::Seconds(seconds) => Self::Seconds(seconds),
            wit::Value::Text(text) => Self::Text(reader.text(text)),
            wit::Value::Set(words) => Self::Set(reader.texts(words)),
            wit::Value::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<wit::ComponentHealth> for port::ComponentHealth {
    fn from_guest(answer: wit::ComponentHealth, reader: &Reader<'_>) -> Result<Self, Breach> {
        let state = match answer.state {
            wit::HealthState::Ok => port::HealthState::Ok,
            wit::HealthState::Degraded(why) => port::HealthState::Degraded(reader.text(why)),
            wit::HealthState::Down(why) => port::HealthState::Down(reader.text(why)),
            wit::HealthState::Unknown => port::HealthState::Unknown,
            wit::HealthState::Other(text) => port::HealthState::Other(reader.text(text)),
        };
        Ok(Self { component: reader.text(answer.component), state })
    }
}

impl FromGuest<wit::Counter> for port::Counter {
    fn from_guest(answer: wit::Counter, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            name: reader.id("counter.name", answer.name)?,
            used: answer.used,
            limit: answer.limit,
            unit: reader.text(answer.unit_name),
            observed_at: answer.observed_at,
        })
    }
}

impl FromGuest<wit::Finding> for port::Finding {
    fn from_guest(answer: wit::Finding, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            check: reader.id("finding.check", answer.check)?,
            level: port::FindingLevel::from_guest(answer.level, reader)?,
            asked: reader.text(answer.asked),
            seen: reader.text(answer.seen),
            follows: reader.text(answer.follows),
            remedy: reader.maybe(answer.remedy),
        })
    }
}

impl ToGuest<wit::Limit> for port::Limit {
    fn to_guest(&self) -> wit::Limit {
        wit::Limit {
            dimension: self.dimension.to_guest(),
            scope: self.scope.to_guest(),
            enforcement: match &self.enforcement {
                port::Enforcement::Block => wit::Enforcement::Block,
                port::Enforcement::SoftThenBlock(seconds) => wit::Enforcement::SoftThenBlock(*seconds),
                port::Enforcement::Notify => wit::Enforcement::Notify,
                port::Enforcement::Other(text) => wit::Enforcement::Other(text.clone()),
            },
            value: self.value,
            extensions: self.extensions.clone(),
        }
    }
}

impl FromGuest<wit::Limit> for port::Limit {
    fn from_guest(answer: wit::Limit, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            dimension: port::Dimension::from_guest(answer.dimension, reader)?,
            scope: port::LimitScope::from_guest(answer.scope, reader)?,
            enforcement: match answer.enforcement {
                wit::Enforcement::Block => port::Enforcement::Block,
                wit::Enforcement::SoftThenBlock(seconds) => port::Enforcement::SoftThenBlock(seconds),
                wit::Enforcement::Notify => port::Enforcement::Notify,
                wit::Enforcement::Other(text) => port::Enforcement::Other(reader.text(text)),
            },
            value: answer.value,
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<wit::Usage> for port::Usage {
    fn from_guest(answer: wit::Usage, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            dimension: port::Dimension::from_guest(answer.dimension, reader)?,
            used: answer.used,
            uncertainty: answer.uncertainty,
            basis: port::Basis::from_guest(answer.basis, reader)?,
            state: match answer.state {
                wit::LimitState::Ok => port::LimitState::Ok,
                wit::LimitState::Soft => port::LimitState::Soft,
                wit::LimitState::Grace(until) => port::LimitState::Grace(until),
                wit::LimitState::GraceExpired => port::LimitState::GraceExpired,
                wit::LimitState::Hard => port::LimitState::Hard,
                wit::LimitState::Unknown => port::LimitState::Unknown,
                wit::LimitState::Other(text) => port::LimitState::Other(reader.text(text)),
            },
            observed_at: answer.observed_at,
        })
    }
}
