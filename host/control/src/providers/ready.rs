//! Whether a provider can do what is asked of it now, and within which bounds.
//!
//! "Not ready" is an answer: a capability that a probe found unavailable carries its own stable reason, such as
//! `S3_NOT_ENABLED`, and what the operator must do, and both reach the caller as they are.

use stowage_domain::{
    Capability, CapabilityState, Protocol, Provider,
    capability::{ConstraintValue, satisfies},
};

use crate::{ControlError, Result};

/// The capability of this id, if it can be built upon now.
pub(crate) fn ready<'a>(provider: &'a Provider, id: &str) -> Result<&'a Capability> {
    let found = provider.capabilities.iter().find(|capability| capability.id == id);
    match found {
        Some(capability) if capability.usable() => Ok(capability),
        Some(Capability { state: CapabilityState::Unavailable { reason, remedy }, .. }) => {
            Err(ControlError::precondition(reason, &provider.name, remedy.clone()).with("capability", id))
        }
        _ => {
            let why = satisfies(&provider.capabilities, id).err().unwrap_or_else(|| format!("{id} cannot be used"));
            Err(ControlError::precondition("CAPABILITY_MISSING", &provider.name, why).with("capability", id))
        }
    }
}

/// The same for a protocol of namespaces.
pub(crate) fn serves(provider: &Provider, protocol: Protocol) -> Result<()> {
    ready(provider, &format!("namespaces.{}", protocol.word())).map(|_| ())
}

/// A number or duration in seconds among a capability's constraints.
pub(crate) fn bound(capability: &Capability, key: &str) -> Option<u64> {
    capability.constraints.iter().find(|(name, _)| name == key).and_then(|(_, value)| match value {
        ConstraintValue::Number(number) | ConstraintValue::Seconds(number) => Some(*number),
        ConstraintValue::Flag(_) | ConstraintValue::Text(_) | ConstraintValue::Set(_) => None,
    })
}

/// A word among a capability's constraints.
pub(crate) fn word<'a>(capability: &'a Capability, key: &str) -> Option<&'a str> {
    capability.constraints.iter().find(|(name, _)| name == key).and_then(|(_, value)| match value {
        ConstraintValue::Text(text) => Some(text.as_str()),
        _ => None,
    })
}
