//! Ending a credential before its time, with an honest answer about what a provider can.
//!
//! A service account is deleted. A temporary credential is ended alone where the provider can; most cannot, and then the
//! answer is an error that says when it ends by itself and which others would end with it if the whole parent were
//! revoked. That is done only when it is asked for by name, and only by who may act for the project that owns the parent:
//! the credentials beneath it may be other projects'.

use std::time::Duration;

use stowage_audit::Outcome;
use stowage_domain::{CredentialName, Millis};
use stowage_ports::provider::{Call, CallContext, NativeRef, Revocation, RevokeScope};
use stowage_store::Transaction;

use super::{
    Credential, CredentialKind, CredentialState,
    count::give_back,
    record::SETTLE,
    rows::{PARENT_CREDENTIALS, parent_key, set_due},
};
use crate::{
    Caller, Control, ControlError, Operation, OperationState, PreconditionViolation, Problem, Purpose, Result, Status,
    Stored, WriteOptions,
    operations::{CallKind, Called, Flow, Stepping, sort},
    rows::{Reads, Request, Writes},
};

/// How long a request waits for the provider.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most credentials that a refusal names.
const MOST_NAMED: usize = 50;

impl Control {
    /// Ends a credential; `whole_parent` ends everything beneath its parent.
    ///
    /// # Errors
    /// `SESSION_NOT_REVOCABLE` with the time of its end and the others beneath its parent; `PARENT_OF_ANOTHER` when the
    /// parent is a foreign project's; `NOT_FOUND`, what the provider answered.
    pub async fn revoke_credential(
        &self,
        caller: &Caller,
        name: &CredentialName,
        whole_parent: bool,
        options: WriteOptions,
    ) -> Result<Stored<Credential>> {
        let request = Request::new(caller, &options, "revoke-credential", &(name, whole_parent), self.now())?;
        let stored = self.get_credential(caller, name).await?;
        if stored.value.state_at(self.now()).ended() && !whole_parent {
            return Ok(stored);
        }
        if whole_parent {
            self.revoke_beneath(caller, &stored.value, &request).await?;
        } else if stored.value.kind == CredentialKind::ServiceAccount {
            self.revoke_account(caller, stored).await?;
        } else {
            self.revoke_session(caller, stored, &request).await?;
        }
        self.tables.read::<Credential>(name).await
    }

    async fn revoke_beneath(&self, caller: &Caller, credential: &Credential, request: &Request) -> Result<()> {
        let parent = credential.parent();
        let owner = parent.project_name();
        if caller.may_touch(&owner).is_err() {
            let message = format!("{parent} belongs to {owner}: only who acts for that project may revoke it");
            return Err(ControlError::new(Status::PermissionDenied, "PARENT_OF_ANOTHER", message));
        }
        // One that has ended hangs beneath no parent: a repeat must not end what was issued beneath the next.
        if credential.state.ended() {
            return Ok(());
        }
        if request.answered(&self.tables).await?.is_none() {
            let mut change = Transaction::new();
            request.claim(&mut change, &credential.name);
            self.audit(&mut change, caller, "storage.credential.revoke-parent", &parent, Outcome::Accepted, "");
            change.commit(&self.tables).await?;
        }
        self.retire_parent(caller, &parent).await
    }

    async fn revoke_account(&self, caller: &Caller, stored: Stored<Credential>) -> Result<()> {
        let name = stored.value.name.clone();
        let operation = self.begin_revoke(caller, stored, None).await?;
        let done = self.wait_operation(&Caller::host(), &operation.name, PATIENCE).await?;
        match (done.done(), done.error) {
            (true, None) => Ok(()),
            (true, Some(problem)) => Err(ControlError(Box::new(problem))),
            (false, _) => {
                let why = done.last_error.map(|problem| format!(": {}", problem.message)).unwrap_or_default();
                let message = format!("{name} is being revoked by {}, which goes on{why}", operation.name);
                Err(ControlError::new(Status::Unavailable, "REVOKE_GOES_ON", message).with("operation", operation.name))
            }
        }
    }

    /// Begins to end a service account, or joins the operation that does.
    pub(super) async fn begin_revoke(
        &self,
        caller: &Caller,
        mut stored: Stored<Credential>,
        parent: Option<&Operation>,
    ) -> Result<Operation> {
        loop {
            if let Some(running) = &stored.value.operation {
                return Ok(self.tables.read::<Operation>(running).await?.value);
            }
            let credential = &stored.value;
            let purpose = Purpose::RevokeCredential {
                credential: credential.name.clone(),
                parent: parent.map(|parent| parent.name.clone()),
            };
            let provider = Some(credential.provider.clone());
            let operation = self.intend(caller, purpose, &credential.name.project_name(), provider)?;
            let mut next = credential.clone();
            let mut change = Transaction::new();
            // The operation looks after it from here on.
            set_due(&mut change, &mut next, None);
            next.operation = Some(operation.name.clone());
            next.updated_at = self.now();
            change.update(&next, stored.version);
            self.write_intent(&mut change, caller, &operation, None);
            match change.commit(&self.tables).await {
                Ok(_) => {
                    self.queue.wake(&operation.name.operation);
                    return Ok(operation);
                }
                Err(error) if error.is_conflict() => {
                    stored = self.tables.read::<Credential>(&stored.value.name).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) async fn step_revoke_credential(
        &self,
        operation: &mut Operation,
        name: &CredentialName,
    ) -> Result<Stepping> {
        let succeeded = Flow::End { state: OperationState::Succeeded, response: None };
        let Some(Stored { value: mut credential, version }) = self.tables.find::<Credential>(name).await? else {
            return Ok(succeeded.alone());
        };
        if credential.state.ended() {
            return Ok(succeeded.alone());
        }
        let now = self.now();
        if let Some(until) = credential.may_come_until().filter(|until| *until > now) {
            return Ok(in_flight(&credential, until.since(now)).alone());
        }
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Flow::Retry { problem: error.0, after: None, few: false }.alone()),
        };
        let cx = operation.context();
        let again = |problem: Box<Problem>| Flow::Retry { problem, after: None, few: false }.alone();
        // After a lost answer there may be keys that the record does not know, beside or instead of the one that it does.
        let known = credential.native.take().map(NativeRef);
        let native = match &known {
            Some(native) => Some(native.clone()),
            None => {
                let answer = self.guard(operation, provider.find_credential(&cx, &credential.owner)).await;
                match sort(operation, CallKind::Look, answer) {
                    Called::Value(found) => found.map(|info| info.native),
                    Called::Gone => None,
                    Called::Flow(Flow::Fail(problem)) => return Ok(again(problem)),
                    Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
                }
            }
        };
        if let Some(native) = &native {
            let mut call = operation.call();
            call.owner.clone_from(&credential.owner);
            let answer = provider.revoke_credential(&cx, &call, native, &RevokeScope::Credential);
            match sort(operation, CallKind::Remove, self.guard(operation, answer).await) {
                Called::Value(Revocation::Revoked(_)) | Called::Gone => {}
                Called::Value(Revocation::Pending(job)) => return Ok(Flow::Job(job).alone()),
                Called::Value(Revocation::Other(word)) => {
                    let message = format!("the provider answered {word:?}, which this host does not know");
                    return Ok(again(ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message).0));
                }
                Called::Flow(Flow::Fail(problem)) => return Ok(again(problem)),
                Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
            }
            if known.is_none() || credential.keys > 1 {
                // There may be more of it.
                let mut change = Transaction::new();
                change.update(&credential, version);
                return Ok((Flow::Again, change));
            }
        }
        if let Err(error) = self.forget_sealed(&mut credential).await {
            return Ok(Flow::retry(error).alone());
        }
        let mut change = Transaction::new();
        self.close(&mut credential, CredentialState::Revoked, "", &mut change);
        give_back(&self.tables, &mut change, &mut credential).await?;
        change.update(&credential, version);
        Ok((succeeded, change))
    }

    /// It could not be ended now: it stays live, and can be asked for again.
    pub(crate) async fn revoke_failed(
        &self,
        name: &CredentialName,
        change: &mut Transaction,
        problem: &Problem,
    ) -> Result<()> {
        if let Some(Stored { value: mut credential, version }) = self.tables.find::<Credential>(name).await? {
            credential.operation = None;
            credential.state_reason = format!("it could not be revoked: {}", problem.message);
            credential.updated_at = self.now();
            if credential.state == CredentialState::Issuing {
                let again = self.now().plus(SETTLE);
                set_due(change, &mut credential, Some(again));
            }
            change.update(&credential, version);
        }
        Ok(())
    }

    async fn revoke_session(&self, caller: &Caller, stored: Stored<Credential>, request: &Request) -> Result<()> {
        let Stored { value: mut credential, version } = stored;
        let provider = self.provider(&credential.provider).await?;
        let Some(native) = credential.native.clone().map(NativeRef).filter(|_| credential.keys == 1) else {
            // What nobody knows cannot be ended by itself.
            return Err(self.not_revocable(caller, &credential, "an answer of the provider was lost").await?);
        };
        let call = Call { owner: credential.owner.clone(), attempt: 1, ..Call::default() };
        let cx = CallContext { request_id: caller.call_id.clone(), deadline: Some(PATIENCE), safe_only: false };
        let asked = provider.revoke_credential(&cx, &call, &native, &RevokeScope::Session);
        match self.guard_at(&credential.provider, asked).await {
            Ok(called) => match called.value {
                Revocation::Revoked(revoked) if revoked.scope == RevokeScope::Session => {}
                // A job of the provider's goes on; the caller asks again.
                Revocation::Pending(_) | Revocation::Revoked(_) | Revocation::Other(_) => {
                    let message = format!(
                        "{} has not said that {} has ended; repeat the request",
                        credential.provider, credential.name
                    );
                    return Err(ControlError::new(Status::Unavailable, "REVOKE_GOES_ON", message));
                }
            },
            Err(failure) => match failure.error.kind {
                stowage_ports::provider::ErrorKind::NotFound => {}
                stowage_ports::provider::ErrorKind::Unsupported(_) => {
                    return Err(self.not_revocable(caller, &credential, "it cannot end one by itself").await?);
                }
                _ => return Err(ControlError::provider(&credential.provider, &failure.error)),
            },
        }
        self.forget_sealed(&mut credential).await?;
        let mut change = Transaction::new();
        self.close(&mut credential, CredentialState::Revoked, "", &mut change);
        give_back(&self.tables, &mut change, &mut credential).await?;
        change.update(&credential, version);
        request.claim(&mut change, &credential.name);
        self.audit(&mut change, caller, "storage.credential.revoke", &credential.name, Outcome::Done, "");
        change.commit(&self.tables).await?;
        Ok(())
    }

    /// The honest answer, with both choices.
    async fn not_revocable(&self, caller: &Caller, credential: &Credential, why: &str) -> Result<ControlError> {
        let end = credential.expires_at.unwrap_or_default();
        let beneath = self.open_credentials(PARENT_CREDENTIALS, &parent_key(&credential.parent()), usize::MAX).await?;
        let others: Vec<&Credential> =
            beneath.iter().map(|stored| &stored.value).filter(|other| other.name != credential.name).collect();
        let message = format!(
            "{} cannot be revoked at {} ({why}): wait until it expires in {} s, or revoke its whole parent, which ends {} \
             others too",
            credential.name,
            credential.provider,
            end.since(self.now()).0.div_ceil(1000),
            others.len()
        );
        let mut error = ControlError::new(Status::FailedPrecondition, "SESSION_NOT_REVOCABLE", message)
            .with("choices", "wait,revoke_parent")
            .with("expire_time_ms", end.0)
            .with("also_ends_count", others.len());
        // Those of projects that the caller may not see are counted and not named.
        let visible = others.into_iter().filter(|other| caller.may_touch(&other.name.project_name()).is_ok());
        for other in visible.take(MOST_NAMED) {
            error.0.preconditions.push(PreconditionViolation {
                kind: "ALSO_ENDS".to_owned(),
                subject: other.name.to_string(),
                description: other.scope(),
            });
        }
        Ok(error)
    }
}

/// A request to the provider may still be under way: what it makes is looked for when that is over.
pub(super) fn in_flight(credential: &Credential, left: Millis) -> Flow {
    let message = format!("{} is being issued, or was until its answer was lost", credential.name);
    let problem = ControlError::new(Status::Unavailable, "CREDENTIAL_IN_FLIGHT", message).0;
    Flow::Retry { problem, after: Some(left), few: false }
}
