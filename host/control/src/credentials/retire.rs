//! Retiring a parent: nothing new from the first commit on, then its end at the provider, then what hung beneath it.

use stowage_domain::{ParentName, ProjectName, ProviderName};
use stowage_ports::provider::{NativeRef, Revocation, RevokeScope};
use stowage_store::{Segments, Transaction};

use super::{
    CredentialState, Parent,
    count::give_back_all,
    parents::{PATIENCE, ParentState, not_yet},
    revoke::in_flight,
    rows::{PARENT_CREDENTIALS, PROVIDER_PARENTS, parent_key, provider_parent},
};
use crate::{
    Caller, Control, ControlError, Operation, OperationState, PageRequest, Purpose, Result, Status, StepName, Stored,
    operations::{CallKind, Called, Flow, Stepping, progress, sort},
    rows::{Reads, Writes},
};

/// Credentials that one commit forgets; up to six writes each.
const AT_ONCE: usize = 12;

impl Control {
    /// Ends a parent and everything beneath it, and waits for that. From the first commit on nothing new is issued.
    pub(crate) async fn retire_parent(&self, caller: &Caller, name: &ParentName) -> Result<()> {
        let operation = loop {
            let Some(Stored { value: mut parent, version }) = self.tables.find::<Parent>(name).await? else {
                return Ok(());
            };
            if let Some(running) = parent.operation.clone() {
                if parent.state == ParentState::Retiring {
                    break running;
                }
                let done = self.wait_operation(&Caller::host(), &running, PATIENCE).await?;
                if !done.done() {
                    return Err(not_yet(name, &running, done.last_error));
                }
                continue;
            }
            let purpose = Purpose::RetireParent { parent: name.clone() };
            let operation = self.intend(caller, purpose, &name.project_name(), Some(name.provider_name()))?;
            parent.state = ParentState::Retiring;
            parent.operation = Some(operation.name.clone());
            parent.updated_at = self.now();
            let mut change = Transaction::new();
            change.update(&parent, version);
            self.write_intent(&mut change, caller, &operation, None);
            match change.commit(&self.tables).await {
                Ok(_) => {
                    self.queue.wake(&operation.name.operation);
                    break operation.name;
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        };
        let done = self.wait_operation(&Caller::host(), &operation, PATIENCE).await?;
        match (done.done(), done.error) {
            (true, None) => Ok(()),
            (true, Some(problem)) => Err(ControlError(Box::new(problem))),
            (false, _) => Err(not_yet(name, &operation, done.last_error)),
        }
    }

    pub(crate) async fn step_retire_principal(&self, operation: &mut Operation, name: &ParentName) -> Result<Stepping> {
        let parent = self.parent_of(name).await?.value;
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Flow::Retry { problem: error.0, after: None, few: false }.alone()),
        };
        let cx = operation.context();
        let native = match parent.native.clone().map(NativeRef) {
            Some(native) => native,
            // An answer that was lost may have made it.
            None => {
                let answer = self.guard(operation, provider.find_principal(&cx, &parent.owner)).await;
                match sort(operation, CallKind::Look, answer) {
                    Called::Value(Some(native)) => native,
                    Called::Value(None) | Called::Gone => return Ok(Flow::Next(StepName::ForgetParent).alone()),
                    Called::Flow(Flow::Fail(problem)) => {
                        return Ok(Flow::Retry { problem, after: None, few: false }.alone());
                    }
                    Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
                }
            }
        };
        let mut call = operation.call();
        call.owner.clone_from(&parent.owner);
        let all = RevokeScope::PrincipalAll;
        let answer = self.guard(operation, provider.revoke_credential(&cx, &call, &native, &all)).await;
        match sort(operation, CallKind::Remove, answer) {
            Called::Value(Revocation::Revoked(_)) | Called::Gone => {}
            Called::Value(Revocation::Pending(job)) => return Ok(Flow::Job(job).alone()),
            Called::Value(Revocation::Other(word)) => {
                let message = format!("the provider answered {word:?}, which this host does not know");
                let error = ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message);
                return Ok(Flow::Retry { problem: error.0, after: None, few: false }.alone());
            }
            // Deleting the principal ends what hangs beneath it.
            Called::Flow(Flow::Fail(problem)) if problem.status == Status::Unimplemented => {}
            Called::Flow(Flow::Fail(problem)) => return Ok(Flow::Retry { problem, after: None, few: false }.alone()),
            Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
        }
        let answer = self.guard(operation, provider.delete_principal(&cx, &call, &native)).await;
        Ok(match sort(operation, CallKind::Remove, answer) {
            Called::Value(removed) => match progress(removed) {
                Ok(_) => Flow::Next(StepName::ForgetParent),
                Err(flow) => flow,
            },
            Called::Gone => Flow::Next(StepName::ForgetParent),
            Called::Flow(Flow::Fail(problem)) => Flow::Retry { problem, after: None, few: false },
            Called::Flow(flow) | Called::Unknown(flow) => flow,
        }
        .alone())
    }

    /// What hung beneath it, some in each commit; then its password and its record.
    pub(crate) async fn step_forget_parent(&self, _operation: &mut Operation, name: &ParentName) -> Result<Stepping> {
        let mut change = Transaction::new();
        let beneath = self.open_credentials(PARENT_CREDENTIALS, &parent_key(name), AT_ONCE).await?;
        let now = self.now();
        for stored in &beneath {
            if let Some(until) = stored.value.may_come_until().filter(|until| *until > now) {
                return Ok(in_flight(&stored.value, until.since(now)).alone());
            }
        }
        if !beneath.is_empty() {
            let mut ended = Vec::with_capacity(beneath.len());
            let mut versions = Vec::with_capacity(beneath.len());
            for stored in beneath {
                let mut credential = stored.value;
                self.forget_sealed(&mut credential).await?;
                self.close(&mut credential, CredentialState::Revoked, "its parent was revoked", &mut change);
                versions.push(stored.version);
                ended.push(credential);
            }
            give_back_all(&self.tables, &mut change, &mut ended).await?;
            for (credential, version) in ended.iter().zip(versions) {
                change.update(credential, version);
            }
            return Ok((Flow::Again, change));
        }
        let stored = self.parent_of(name).await?;
        if let Err(error) = self.forget_principal_secret(&name.provider_name(), &stored.value.principal).await {
            return Ok(Flow::Retry { problem: error.0, after: None, few: false }.alone());
        }
        change.remove::<Parent>(name, stored.version);
        change.unindex(PROVIDER_PARENTS, &provider_parent(name));
        Ok((Flow::End { state: OperationState::Succeeded, response: None }, change))
    }

    /// Retires every parent of a project that is being deleted.
    pub(crate) async fn retire_parents_of(&self, caller: &Caller, project: &ProjectName) -> Result<()> {
        let prefix = Segments::of([project.tenant.as_str(), project.project.as_str()]);
        let page = PageRequest { size: 1000, token: String::new() };
        for parent in self.tables.list::<Parent>(&prefix, &page).await?.items {
            self.retire_parent(caller, &parent.value.name).await?;
        }
        Ok(())
    }

    /// Retires every parent at a provider that is being deleted.
    pub(crate) async fn retire_parents_at(&self, caller: &Caller, provider: &ProviderName) -> Result<()> {
        let prefix = Segments::of([provider.provider.as_str()]);
        loop {
            let found = self.tables.entries(PROVIDER_PARENTS, &prefix, None, 100).await?.items;
            for (_, name, _) in &found {
                self.retire_parent(caller, &ParentName::parse(name)?).await?;
            }
            if found.is_empty() {
                return Ok(());
            }
        }
    }
}
