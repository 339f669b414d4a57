//! Principals and policies in the state.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::*;

use crate::{config::Config, credentials, state};

/// A principal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) parent: Option<Vec<u8>>,
    /// Set by `revoke` with the scope `future-only`: nothing is issued any more.
    pub(crate) closed: bool,
}

pub(crate) fn key(name: &str) -> String {
    format!("principal/{name}")
}

/// The principal of a reference, or `not-found`.
pub(crate) fn of(native: &[u8]) -> Result<host::kv::Versioned<Principal>> {
    let name = state::text(native, "principal")?;
    host::kv::load(&key(name))?.ok_or_else(|| error::not_found(format_args!("principal {name}")))
}

/// Removes it with its policy and everything that was issued to it.
pub(crate) fn remove(name: &str) -> Result<()> {
    let Some(found) = host::kv::load::<Principal>(&key(name))? else { return Ok(()) };
    credentials::end(|c| c.principal == name.as_bytes())?;
    host::kv::delete(&policy_key(&AttachPoint::Principal(name.as_bytes().to_vec()))?, None)?;
    host::kv::delete(&key(name), None)?;
    state::unmark("principal", &found.value.owner)
}

/// Where the policy of an attach point is kept.
pub(crate) fn policy_key(at: &AttachPoint) -> Result<String> {
    let point = |kind: &str, native: &[u8]| Ok(format!("policy/{kind}/{}", state::text(native, "at")?));
    match at {
        AttachPoint::Principal(native) => point("principal", native),
        AttachPoint::Key(native) => point("key", native),
        AttachPoint::Namespace(native) => point("namespace", native),
        AttachPoint::Session => Err(error::invalid("at", "a session takes its policy when it is issued")),
        AttachPoint::Other(word) => Err(error::invalid("at", format_args!("{word:?} is not an attach point here"))),
    }
}

/// Size and losses of a policy; an IAM document must be JSON.
pub(crate) fn plan(config: &Config, policy: &Policy) -> Result<PolicyPlan> {
    let (bytes, losses) = match policy {
        Policy::IamJson(document) => {
            serde_json::from_slice::<serde_json::Value>(document)
                .map_err(|e| error::invalid("policy", format_args!("is not JSON: {e}")))?;
            (document.len(), vec![])
        }
        // As large as the document that a backend would make of it; keys beneath a prefix cannot be listed apart.
        Policy::Native(grants) => {
            let lossy = grants.iter().any(|g| !g.prefix.is_empty() && g.privileges.contains(&Privilege::ListKeys));
            let losses = if lossy { vec!["keys are listed for the whole namespace".to_owned()] } else { vec![] };
            (grants.len().saturating_mul(180).saturating_add(40), losses)
        }
        Policy::Other(word) => return Err(error::invalid("policy", format_args!("{word:?} is not a dialect here"))),
    };
    Ok(PolicyPlan { bytes: u32::try_from(bytes).unwrap_or(u32::MAX), max_bytes: config.policy_max_bytes, losses })
}

/// Refuses a policy that is too large.
pub(crate) fn check(config: &Config, policy: &Policy) -> Result<()> {
    let plan = plan(config, policy)?;
    if plan.bytes > plan.max_bytes {
        return Err(error::too_large("policy.bytes", plan.bytes.into(), plan.max_bytes.into()));
    }
    Ok(())
}
