//! States on show: the configuration's `show` puts any state of the contract into answers that observe.
//!
//! The key is the name of the contract's variant, the value the name of its case, with a detail after a colon where the case
//! has one: `{"lifecycle": "hidden", "health-state": "degraded:slow"}`. On one namespace the label `fake.show.lifecycle`
//! does the same for `lifecycle`, `limit-state` and `basis`.

use stowage_provider_sdk::prelude::*;

use crate::config::Config;

fn wrong(variant: &str, text: &str) -> Error {
    error::invalid(&format!("show.{variant}"), format_args!("{text:?} is not a case of {variant}"))
}

fn split(text: &str) -> (&str, String) {
    let (case, detail) = text.split_once(':').unwrap_or((text, ""));
    (case, if detail.is_empty() { "on demand".to_owned() } else { detail.to_owned() })
}

fn time(variant: &str, text: &str, detail: &str) -> Result<u64> {
    detail.parse().map_err(|_| wrong(variant, text))
}

/// What is on show for a variant, by a namespace's label or by the configuration.
fn text<'a>(config: &'a Config, labels: &'a [(String, String)], variant: &str) -> Option<&'a str> {
    lookup(labels, &format!("fake.show.{variant}")).or_else(|| config.show.get(variant).map(String::as_str))
}

/// The lifecycle on show, or the real one.
pub(crate) fn lifecycle(config: &Config, labels: &[(String, String)], real: Lifecycle) -> Result<Lifecycle> {
    let Some(text) = text(config, labels, "lifecycle") else { return Ok(real) };
    let (case, detail) = split(text);
    Ok(match case {
        "creating" => Lifecycle::Creating,
        "ready" => Lifecycle::Ready,
        "hidden" => Lifecycle::Hidden,
        "deleting" => Lifecycle::Deleting,
        "recoverable" => Lifecycle::Recoverable(time("lifecycle", text, &detail)?),
        "gone" => Lifecycle::Gone,
        "unknown" => Lifecycle::Unknown,
        "other" => Lifecycle::Other(detail),
        _ => return Err(wrong("lifecycle", text)),
    })
}

/// The limit state on show, or the real one.
pub(crate) fn limit_state(config: &Config, labels: &[(String, String)], real: LimitState) -> Result<LimitState> {
    let Some(text) = text(config, labels, "limit-state") else { return Ok(real) };
    let (case, detail) = split(text);
    Ok(match case {
        "ok" => LimitState::Ok,
        "soft" => LimitState::Soft,
        "grace" => LimitState::Grace(time("limit-state", text, &detail)?),
        "grace-expired" => LimitState::GraceExpired,
        "hard" => LimitState::Hard,
        "unknown" => LimitState::Unknown,
        "other" => LimitState::Other(detail),
        _ => return Err(wrong("limit-state", text)),
    })
}

/// The basis on show, or `logical`.
pub(crate) fn basis(config: &Config, labels: &[(String, String)]) -> Result<Basis> {
    let Some(text) = text(config, labels, "basis") else { return Ok(Basis::Logical) };
    let (case, detail) = split(text);
    Ok(match case {
        "logical" => Basis::Logical,
        "physical" => Basis::Physical,
        "effective" => Basis::Effective,
        "unknown" => Basis::Unknown,
        "other" => Basis::Other(detail),
        _ => return Err(wrong("basis", text)),
    })
}

/// The mount state on show, or the real one.
pub(crate) fn mount_state(config: &Config, real: MountState) -> Result<MountState> {
    let Some(text) = text(config, &[], "mount-state") else { return Ok(real) };
    let (case, detail) = split(text);
    Ok(match case {
        "requested" => MountState::Requested,
        "mounted" => MountState::Mounted,
        "stale" => MountState::Stale,
        "failed" => MountState::Failed(detail),
        "revoked" => MountState::Revoked,
        "other" => MountState::Other(detail),
        _ => return Err(wrong("mount-state", text)),
    })
}

/// Who enforces the mode: on show, or the mount option alone.
pub(crate) fn enforced_by(config: &Config) -> Result<EnforcedBy> {
    let Some(text) = text(config, &[], "enforced-by") else { return Ok(EnforcedBy::MountOptionOnly) };
    let (case, detail) = split(text);
    Ok(match case {
        "server-policy" => EnforcedBy::ServerPolicy,
        "credential" => EnforcedBy::Credential,
        "mount-option-only" => EnforcedBy::MountOptionOnly,
        "other" => EnforcedBy::Other(detail),
        _ => return Err(wrong("enforced-by", text)),
    })
}

/// The health on show, or `ok`.
pub(crate) fn health_state(config: &Config) -> Result<HealthState> {
    let Some(text) = text(config, &[], "health-state") else { return Ok(HealthState::Ok) };
    let (case, detail) = split(text);
    Ok(match case {
        "ok" => HealthState::Ok,
        "degraded" => HealthState::Degraded(detail),
        "down" => HealthState::Down(detail),
        "unknown" => HealthState::Unknown,
        "other" => HealthState::Other(detail),
        _ => return Err(wrong("health-state", text)),
    })
}

/// The state on show of every capability, if there is one.
pub(crate) fn capability_state(config: &Config, id: &str) -> Result<Option<CapabilityState>> {
    let Some(text) = text(config, &[], "capability-state") else { return Ok(None) };
    let (case, detail) = split(text);
    Ok(Some(match case {
        "supported" => CapabilityState::Supported,
        "unsupported" => CapabilityState::Unsupported,
        "unavailable" => CapabilityState::Unavailable(NotReady {
            capability: id.to_owned(),
            reason: detail,
            remedy: "remove `show.capability-state` from the configuration".to_owned(),
        }),
        "unknown" => CapabilityState::Unknown,
        "other" => CapabilityState::Other(detail),
        _ => return Err(wrong("capability-state", text)),
    }))
}

/// The level on show of one more finding, if there is one.
pub(crate) fn finding_level(config: &Config) -> Result<Option<FindingLevel>> {
    let Some(text) = text(config, &[], "finding-level") else { return Ok(None) };
    let (case, detail) = split(text);
    Ok(Some(match case {
        "pass" => FindingLevel::Pass,
        "note" => FindingLevel::Note,
        "warn" => FindingLevel::Warn,
        "fail" => FindingLevel::Fail,
        "other" => FindingLevel::Other(detail),
        _ => return Err(wrong("finding-level", text)),
    }))
}
