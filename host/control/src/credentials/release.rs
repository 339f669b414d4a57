//! What becomes of credentials when their workload is released, or a grant that they rest on is taken back: service
//! accounts are ended, temporary ones are told of with the time of their end.

use stowage_domain::{GrantName, WorkloadName};
use stowage_store::{Index, Segments, Transaction};

use super::{
    Credential, CredentialKind, CredentialState,
    rows::{GRANT_CREDENTIALS, WORKLOAD_CREDENTIALS, set_due},
};
use crate::{
    Caller, Control, ControlError, Item, Operation, PageRequest, Result, Status,
    rows::{Reads, Writes},
};

/// The most credentials that one operation shows one by one.
const MOST_ITEMS: usize = 1000;

impl Control {
    /// Ends the service accounts of a workload; `true` when none is left.
    pub(crate) async fn end_workload_credentials(
        &self,
        operation: &mut Operation,
        workload: &WorkloadName,
    ) -> Result<bool> {
        self.end_each(operation, WORKLOAD_CREDENTIALS, &workload.to_string()).await
    }

    /// The same for what rests on a grant.
    pub(crate) async fn end_grant_credentials(&self, operation: &mut Operation, grant: &GrantName) -> Result<bool> {
        self.end_each(operation, GRANT_CREDENTIALS, &grant.to_string()).await
    }

    async fn end_each(&self, operation: &mut Operation, index: Index, of: &str) -> Result<bool> {
        let mut caller = Caller::host();
        caller.identity.subject.clone_from(&operation.requester);
        caller.call_id.clone_from(&operation.call_id);
        let mut done = true;
        for stored in self.open_credentials(index, &Segments::of([of]), usize::MAX).await? {
            tell(operation, &stored.value);
            if stored.value.kind == CredentialKind::ServiceAccount {
                self.begin_revoke(&caller, stored, Some(operation)).await?;
                done = false;
            }
        }
        for item in &mut operation.items {
            let Ok(name) = stowage_domain::CredentialName::parse(&item.resource) else { continue };
            if let Some(credential) = self.tables.find::<Credential>(&name).await? {
                *item = item_of(&credential.value, self.now());
            }
        }
        Ok(done)
    }

    /// Drops the records of a project's credentials that have ended; an error names one that has not.
    pub(crate) async fn forget_credentials(&self, project: &stowage_domain::ProjectName) -> Result<()> {
        let prefix = Segments::of([project.tenant.as_str(), project.project.as_str()]);
        loop {
            let page = PageRequest { size: 20, token: String::new() };
            let found = self.tables.list::<Credential>(&prefix, &page).await?.items;
            if found.is_empty() {
                return Ok(());
            }
            let mut change = Transaction::new();
            for stored in &found {
                if !stored.value.state.ended() {
                    let what = format!("{} has not ended: revoke it, or wait until it expires", stored.value.name);
                    return Err(ControlError::precondition("PROJECT_NOT_EMPTY", project, what));
                }
                set_due(&mut change, &mut stored.value.clone(), None);
                change.remove::<Credential>(&stored.value.name, stored.version);
            }
            change.commit(&self.tables).await?;
        }
    }
}

fn tell(operation: &mut Operation, credential: &Credential) {
    let resource = credential.name.to_string();
    let known = operation.items.iter().any(|item| item.resource == resource);
    if !known && operation.items.len() < MOST_ITEMS {
        operation.items.push(Item { resource, state: "revoking".to_owned(), problem: None });
    }
}

/// A credential's end state in a word, and what its reader must know.
fn item_of(credential: &Credential, now: stowage_domain::UnixMillis) -> Item {
    let (word, problem) = match (credential.state_at(now), credential.expires_at) {
        (CredentialState::Revoked, _) => ("revoked", None),
        (CredentialState::Expired, _) => ("expired", None),
        (CredentialState::Failed, _) => ("failed", None),
        (CredentialState::Issuing | CredentialState::Live, Some(end)) => {
            let left = end.since(now).0.div_ceil(1000);
            let message = format!(
                "{} works on until it expires in {left} s: its provider ends temporary credentials by their time",
                credential.name
            );
            let problem = ControlError::new(Status::FailedPrecondition, "EXPIRES_NATURALLY", message)
                .with("expire_time_ms", end.0);
            ("expires-naturally", Some(*problem.0))
        }
        (CredentialState::Issuing | CredentialState::Live, None) => ("revoking", None),
    };
    Item { resource: credential.name.to_string(), state: word.to_owned(), problem }
}
