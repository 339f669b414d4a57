//! Parents: the principal beneath which all credentials on one project's namespaces hang at one provider.
//!
//! Its record and its owner token are durable before the provider hears of it, and its password is in the secret store
//! before the call that tells it: a crash at any point is followed by the same call with the same name, mark and
//! password. Its own policy is an envelope over the project's buckets, so a credential that were ever too wide ends
//! there. A retired one is forgotten with its password; the next need makes another with another mark.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stowage_domain::{OperationName, ParentName, Project, Provider, UnixMillis};
use stowage_policy::iam;
use stowage_ports::provider::{AttachPoint, NativeRef, Policy, PrincipalKind, PrincipalSpec};
use stowage_store::Transaction;

use super::{
    plan::{policy_limit, unwritable},
    rows::{PROVIDER_PARENTS, provider_parent},
};
use crate::{
    Caller, Control, ControlError, Operation, OperationState, Purpose, Result, Status, StepName, Stored, convert, ids,
    operations::{CallKind, Called, Flow, Stepping, progress, sort},
    rows::{Reads, Writes},
};

/// How long a request waits for the making or retiring of a parent.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Where a parent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ParentState {
    /// It may be at the provider.
    Making,
    /// Credentials can be issued beneath it.
    Ready,
    /// It is being ended.
    Retiring,
}

/// The principal of a project at a provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Parent {
    pub(super) name: ParentName,
    /// Its name at the provider.
    pub(super) principal: String,
    /// Its mark there.
    pub(super) owner: String,
    pub(super) state: ParentState,
    pub(super) native: Option<Vec<u8>>,
    /// The operation that makes or ends it now.
    pub(super) operation: Option<OperationName>,
    created_at: UnixMillis,
    pub(super) updated_at: UnixMillis,
}

impl Parent {
    /// The adapter's reference, if credentials can be issued beneath it.
    pub(super) fn usable(&self) -> Option<NativeRef> {
        (self.state == ParentState::Ready).then(|| self.native.clone().map(NativeRef)).flatten()
    }
}

impl Control {
    /// The usable parent of a project at a provider, made if there is none.
    pub(super) async fn ensure_parent(&self, caller: &Caller, name: &ParentName) -> Result<Stored<Parent>> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.tables.find::<Parent>(name).await?;
            if let Some(parent) = &found
                && parent.value.usable().is_some()
            {
                return Ok(parent.clone());
            }
            let running = found.as_ref().and_then(|parent| parent.value.operation.clone());
            let operation = match running {
                Some(operation) => operation,
                None => match self.begin_parent(caller, name, found).await {
                    Ok(operation) => operation,
                    // Another request has begun it.
                    Err(error) if matches!(error.status(), Status::Aborted | Status::AlreadyExists) => continue,
                    Err(error) => return Err(error),
                },
            };
            let left = end.saturating_duration_since(tokio::time::Instant::now());
            let done = self.wait_operation(&Caller::host(), &operation, left).await?;
            match (done.done(), done.error) {
                (true, None) => {}
                (true, Some(problem)) => return Err(ControlError(Box::new(problem))),
                (false, _) => return Err(not_yet(name, &operation, done.last_error)),
            }
        }
    }

    async fn begin_parent(
        &self,
        caller: &Caller,
        name: &ParentName,
        found: Option<Stored<Parent>>,
    ) -> Result<OperationName> {
        let now = self.now();
        let mut change = Transaction::new();
        let provider = name.provider_name();
        let purpose = Purpose::EnsureParent { parent: name.clone() };
        let operation = self.intend(caller, purpose, &name.project_name(), Some(provider.clone()))?;
        match found {
            Some(Stored { value: mut parent, version }) => {
                parent.operation = Some(operation.name.clone());
                parent.updated_at = now;
                change.update(&parent, version);
            }
            None => {
                change.unchanged(&self.tables.read::<Project>(&name.project_name()).await?);
                change.insert(&Parent {
                    name: name.clone(),
                    principal: format!("sw-{}", ids::project8(&self.config.installation, &name.project_name())),
                    owner: format!("stw-{}", ids::digest(20, &[&self.config.installation, &ids::uid()])),
                    state: ParentState::Making,
                    native: None,
                    operation: Some(operation.name.clone()),
                    created_at: now,
                    updated_at: now,
                });
                change.index(PROVIDER_PARENTS, &provider_parent(name), &name.to_string());
            }
        }
        self.write_intent(&mut change, caller, &operation, None);
        change.commit(&self.tables).await?;
        self.queue.wake(&operation.name.operation);
        Ok(operation.name)
    }

    pub(super) async fn parent_of(&self, name: &ParentName) -> Result<Stored<Parent>> {
        self.tables.find::<Parent>(name).await?.ok_or_else(|| {
            ControlError::new(Status::Internal, "PARENT_LOST", format!("{name} has an operation and no record"))
        })
    }

    pub(crate) async fn step_ensure_principal(&self, operation: &mut Operation, name: &ParentName) -> Result<Stepping> {
        let Stored { value: mut parent, version } = self.parent_of(name).await?;
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Flow::Retry { problem: error.0, after: None, few: false }.alone()),
        };
        let project = self.tables.read::<Project>(&name.project_name()).await?.value;
        let secret = match self.make_principal_secret(&name.provider_name(), &parent.principal).await {
            Ok(secret) => secret,
            Err(error) => return Ok(Flow::retry(error).alone()),
        };
        let spec = PrincipalSpec {
            name: parent.principal.clone(),
            kind: PrincipalKind::Parent,
            parent: None,
            posix: Some(convert::posix(project.posix)),
            secret: Some(secret.to_string()),
            extensions: Vec::new(),
        };
        let (cx, mut call) = (operation.context(), operation.call());
        call.owner.clone_from(&parent.owner);
        let answer = self.guard(operation, provider.ensure_principal(&cx, &call, &spec)).await;
        let native = match sort(operation, CallKind::Make, answer) {
            Called::Value(made) => match progress(made) {
                Ok(native) => native,
                Err(flow) => return Ok(flow.alone()),
            },
            Called::Gone => return Ok(Flow::Again.alone()),
            // Made or not, the same call under the same mark is safe.
            Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
        };
        parent.native = Some(native.0);
        parent.updated_at = self.now();
        let mut change = Transaction::new();
        change.update(&parent, version);
        Ok((Flow::Next(StepName::ApplyEnvelope), change))
    }

    pub(crate) async fn step_apply_envelope(&self, operation: &mut Operation, name: &ParentName) -> Result<Stepping> {
        let Stored { value: mut parent, version } = self.parent_of(name).await?;
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Flow::Retry { problem: error.0, after: None, few: false }.alone()),
        };
        let record = self.tables.read::<Provider>(&name.provider_name()).await?.value;
        let bucket_prefix = ids::project8(&self.config.installation, &name.project_name());
        let envelope = policy_limit(&record)
            .and_then(|limit| iam::envelope(&bucket_prefix, limit).map_err(|error| unwritable(&error)));
        let document = match envelope {
            Ok(document) => document,
            Err(error) => return Ok(Flow::fail(error).alone()),
        };
        let Some(native) = parent.native.clone().map(NativeRef) else {
            return Ok(
                Flow::fail(ControlError::new(Status::Internal, "PARENT_LOST", "it has no native object")).alone()
            );
        };
        let (cx, mut call) = (operation.context(), operation.call());
        call.owner.clone_from(&parent.owner);
        let (policy, at) = (Policy::IamJson(document.into_bytes()), AttachPoint::Principal(native));
        let answer = self.guard(operation, provider.apply_policy(&cx, &call, Some(&policy), &at)).await;
        match sort(operation, CallKind::Change, answer) {
            Called::Value(changed) => {
                if let Err(flow) = progress(changed) {
                    return Ok(flow.alone());
                }
            }
            Called::Gone => return Ok(Flow::Again.alone()),
            Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
        }
        parent.state = ParentState::Ready;
        parent.operation = None;
        parent.updated_at = self.now();
        let mut change = Transaction::new();
        change.update(&parent, version);
        Ok((Flow::End { state: OperationState::Succeeded, response: None }, change))
    }

    /// It could not be made or ended now. The record stays: it may be at the provider.
    pub(crate) async fn parent_failed(&self, name: &ParentName, change: &mut Transaction) -> Result<()> {
        if let Some(Stored { value: mut parent, version }) = self.tables.find::<Parent>(name).await? {
            parent.operation = None;
            parent.updated_at = self.now();
            change.update(&parent, version);
        }
        Ok(())
    }
}

pub(super) fn not_yet(name: &ParentName, operation: &OperationName, last: Option<crate::Problem>) -> ControlError {
    let why = last.map(|problem| format!(": {}", problem.message)).unwrap_or_default();
    let message = format!("{operation} has not done its part on {name} yet{why}; repeat the request");
    ControlError::new(Status::Unavailable, "PARENT_NOT_READY", message)
        .with("operation", operation)
        .retry_after(Duration::from_secs(5))
}
