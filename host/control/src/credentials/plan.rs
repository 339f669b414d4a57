//! Deciding on a credential: what is asked, what is held, what the provider allows. Reads only.

use std::time::Duration;

use stowage_domain::{Capability, Namespace, Project, Protocol, Provider, UnixMillis, Workload, WorkloadState};
use stowage_policy::{
    Document, IamError, ObjectAccess, ObjectRefusal,
    iam::{self, USUAL_LIMIT},
    objects::decide,
};
use stowage_store::Transaction;

use super::{CredentialKind, IssueCredential, count::Bounds};
use crate::{
    Caller, Control, ControlError, Result, Status, Stored, WriteOptions,
    providers::{bound, ready, serves, word},
    rows::{Reads, Writes},
};

/// How long a temporary credential works when its caller doesn't say.
const USUAL_TTL: u64 = 3600;
/// The bounds of a provider that names none, in seconds.
const SHORTEST_TTL: u64 = 1;
const LONGEST_TTL: u64 = 12 * 3600;
/// Constraints of `policy`.
const DIALECT: &str = "policy.dialect";
const MAX_BYTES: &str = "policy.max-bytes";

/// A decision, with the records that it rests on.
pub(super) struct Plan {
    pub(super) namespace: Stored<Namespace>,
    workload: Option<Stored<Workload>>,
    pub(super) access: ObjectAccess,
    pub(super) bounds: Bounds,
    pub(super) document: Document,
    pub(super) bucket: String,
    /// How long it is to work; `None` for a service account.
    pub(super) ttl: Option<Duration>,
}

impl Control {
    /// Decides on a credential as on a mount: from what the project, the workload and those whom it acts for hold.
    pub(super) async fn plan_credential(&self, caller: &Caller, command: &IssueCredential) -> Result<Plan> {
        let now = self.now();
        let workload = match &command.workload {
            Some(name) => Some(self.active_workload(command, name).await?),
            None => None,
        };
        let namespace = self.tables.read::<Namespace>(&command.namespace).await?;
        let held = match &workload {
            Some(workload) => self.held_by_workload(&workload.value, &command.namespace).await?,
            None => self.held_by_caller(caller, &command.project, &command.namespace).await?,
        };
        let access = decide(&command.prefix, &command.actions, &held).map_err(|refusal| refused(command, &refusal))?;
        if !namespace.value.state.usable() || namespace.value.native.is_none() {
            let what = format!("it is {:?}", namespace.value.state);
            return Err(ControlError::precondition("NAMESPACE_NOT_READY", &command.namespace, what));
        }
        let provider = self.tables.read::<Provider>(&namespace.value.provider).await?;
        serves(&provider.value, Protocol::S3)?;
        let Some(bucket) = namespace.value.bucket().map(str::to_owned) else {
            let what = "it cannot be reached over S3: add the protocol to the namespace first";
            return Err(ControlError::precondition("PROTOCOL_NOT_ENABLED", &command.namespace, what));
        };
        let issues = ready(&provider.value, kind_capability(command.kind))?;
        let limit = policy_limit(&provider.value)?;
        let document =
            iam::credential(&bucket, &command.prefix, &command.actions, limit).map_err(|e| unwritable(&e))?;
        let ttl = match command.kind {
            CredentialKind::Temporary => {
                Some(Duration::from_secs(ttl(command.ttl, issues, access.until, now, &provider.value)?))
            }
            CredentialKind::ServiceAccount if command.ttl.is_some() => {
                let rule = "a service account has none: it works until it is revoked or its workload is released";
                return Err(ControlError::field("ttl", rule));
            }
            CredentialKind::ServiceAccount => None,
        };
        let bounds = Bounds::of(issues, command.kind);
        Ok(Plan { namespace, workload, access, bounds, document, bucket, ttl })
    }

    async fn active_workload(
        &self,
        command: &IssueCredential,
        name: &stowage_domain::WorkloadName,
    ) -> Result<Stored<Workload>> {
        if name.project_name() != command.project {
            return Err(ControlError::field("credential.workload", format!("must be one of {}", command.project)));
        }
        let workload = self.tables.read::<Workload>(name).await?;
        if workload.value.state != WorkloadState::Active {
            let what = format!("it is {:?}", workload.value.state);
            return Err(ControlError::precondition("WORKLOAD_RELEASED", name, what));
        }
        Ok(workload)
    }

    /// The decision holds only while everything is as it was read.
    pub(super) async fn hold_to(&self, plan: &Plan, command: &IssueCredential, change: &mut Transaction) -> Result<()> {
        for grant in &plan.access.grants {
            change.unchanged(&self.tables.read::<stowage_domain::Grant>(grant).await?);
        }
        match &plan.workload {
            Some(workload) => change.unchanged(workload),
            None => change.unchanged(&self.tables.read::<Project>(&command.project).await?),
        }
        change.unchanged(&plan.namespace);
        Ok(())
    }
}

/// Checks what needs no state.
pub(super) fn check(command: &IssueCredential, _options: &WriteOptions) -> Result<()> {
    if command.kind == CredentialKind::ServiceAccount && command.workload.is_none() {
        let rule = "is required for a service account: its release ends the account";
        return Err(ControlError::field("credential.workload", rule));
    }
    Ok(())
}

const fn kind_capability(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Temporary => "credentials.session",
        CredentialKind::ServiceAccount => "credentials.access-key",
    }
}

/// The most bytes that a provider's policy may have.
pub(super) fn policy_limit(provider: &Provider) -> Result<u64> {
    let policy = ready(provider, "policy")?;
    match word(policy, DIALECT) {
        Some("iam-json") | None => Ok(bound(policy, MAX_BYTES).unwrap_or(USUAL_LIMIT)),
        Some(other) => {
            let message = format!("{} takes policies in {other:?}, which this host does not write", provider.name);
            Err(ControlError::new(Status::Unimplemented, "POLICY_DIALECT", message))
        }
    }
}

/// How long a temporary credential works: as asked, or as long as was measured to be wise, or an hour, within the provider's
/// bounds and the grants' end.
fn ttl(
    asked: Option<u64>,
    capability: &Capability,
    until: Option<UnixMillis>,
    now: UnixMillis,
    provider: &Provider,
) -> Result<u64> {
    let shortest = bound(capability, "session.min-ttl").unwrap_or(SHORTEST_TTL).max(1);
    let longest = bound(capability, "session.max-ttl").unwrap_or(LONGEST_TTL).min(u64::from(u32::MAX));
    let left = until.map(|end| end.since(now).0 / 1000);
    if left.is_some_and(|left| left < shortest) {
        let what = format!(
            "the grants end in {} s, and the shortest credential of {} works for {shortest} s",
            left.unwrap_or(0),
            provider.name
        );
        return Err(ControlError::precondition("GRANT_ENDS_TOO_SOON", &provider.name, what));
    }
    match asked {
        Some(asked) if !(shortest..=longest).contains(&asked) => {
            let rule = format!("{asked} s must be from {shortest} s to {longest} s at {}", provider.name);
            Err(ControlError::field("ttl", rule))
        }
        Some(asked) => match left {
            Some(left) if asked > left => {
                Err(ControlError::field("ttl", format!("{asked} s outlives the grants, which end in {left} s")))
            }
            _ => Ok(asked),
        },
        None => {
            let usual = bound(capability, "session.default-ttl").unwrap_or(USUAL_TTL);
            let usual = usual.clamp(shortest, longest.max(shortest));
            Ok(left.map_or(usual, |left| usual.min(left)))
        }
    }
}

/// A refusal with the field of the request.
fn refused(command: &IssueCredential, refusal: &ObjectRefusal) -> ControlError {
    let field = match refusal {
        ObjectRefusal::NothingAsked | ObjectRefusal::Admin => {
            return ControlError::field("credential.actions", refusal.to_string());
        }
        ObjectRefusal::NoGrant { .. } => "credential.prefix",
        ObjectRefusal::Missing { .. } => "credential.actions",
    };
    let who = command.workload.as_ref().map_or_else(|| command.project.to_string(), ToString::to_string);
    let message = format!("{who} may not have a credential for {}: {refusal}", command.namespace);
    let mut error = ControlError::new(Status::PermissionDenied, "CREDENTIAL_NOT_GRANTED", message)
        .with("remedy", "ask the namespace's project for a grant of what is missing, or for a narrower credential");
    error.0.fields.push(crate::FieldViolation { field: field.to_owned(), description: refusal.to_string() });
    error
}

pub(super) fn unwritable(error: &IamError) -> ControlError {
    match error {
        IamError::TooLarge { bytes, limit } => {
            let mut out = ControlError::new(Status::ResourceExhausted, "POLICY_TOO_LARGE", error.to_string())
                .with("bytes", bytes)
                .with("limit", limit);
            out.0
                .quotas
                .push(crate::QuotaViolation { subject: "policy.max-bytes".into(), description: error.to_string() });
            out
        }
        IamError::Prefix(_) => ControlError::field("credential.prefix", error.to_string()),
        IamError::Actions => ControlError::field("credential.actions", error.to_string()),
        IamError::Bucket(_) | IamError::Unwritable => {
            ControlError::new(Status::Internal, "POLICY_BROKEN", error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use stowage_domain::{CapabilityState, Standing, capability::ConstraintValue};

    use super::*;

    fn session(min: u64, max: u64) -> Capability {
        Capability {
            id: "credentials.session".into(),
            state: CapabilityState::Supported,
            standing: Standing::Declared,
            constraints: vec![
                ("session.min-ttl".into(), ConstraintValue::Seconds(min)),
                ("session.max-ttl".into(), ConstraintValue::Seconds(max)),
            ],
        }
    }

    #[test]
    fn a_lifetime_lies_within_the_providers_bounds_and_the_grants_end() {
        let provider: Provider = serde_json::from_value(serde_json::json!({
            "name": "providers/p", "uid": "u", "plugin": "x", "plugin_digest": "", "config": "{}", "state": "active",
            "created_at": 0, "updated_at": 0
        }))
        .unwrap();
        let now = UnixMillis(1_000_000);
        let ttl = |asked, min, max, left: Option<u64>| {
            ttl(asked, &session(min, max), left.map(|left| UnixMillis(now.0 + left * 1000)), now, &provider)
        };
        assert_eq!(ttl(None, 900, 604_800, None).unwrap(), 3600);
        assert_eq!(ttl(None, 900, 1800, None).unwrap(), 1800);
        assert_eq!(ttl(None, 7200, 9000, None).unwrap(), 7200);
        assert_eq!(ttl(None, 900, 9000, Some(1000)).unwrap(), 1000);
        assert_eq!(ttl(None, 900, 9000, Some(899)).unwrap_err().reason(), "GRANT_ENDS_TOO_SOON");
        assert_eq!(ttl(Some(9000), 900, 9000, None).unwrap(), 9000);
        for wrong in
            [ttl(Some(9001), 900, 9000, None), ttl(Some(899), 900, 9000, None), ttl(Some(2000), 900, 9000, Some(1999))]
        {
            assert_eq!(wrong.unwrap_err().0.fields[0].field, "ttl");
        }
    }
}
