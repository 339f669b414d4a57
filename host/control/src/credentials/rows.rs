//! How credentials and parents are laid out in the store.

use stowage_domain::{CredentialName, ParentName, UnixMillis};
use stowage_store::{Index, Segments, Transaction};

use super::{Credential, CredentialState, Parent};
use crate::{
    Control, Result, Stored,
    rows::{EXPIRIES, Keyed, Reads, expiry_key},
};

/// Credentials that have not ended, by parent.
pub(super) const PARENT_CREDENTIALS: Index = Index("credentials-by-parent");
/// Credentials that have not ended, by workload.
pub(super) const WORKLOAD_CREDENTIALS: Index = Index("credentials-by-workload");
/// Credentials that have not ended, by grant.
pub(super) const GRANT_CREDENTIALS: Index = Index("credentials-by-grant");
/// Parents by provider.
pub(crate) const PROVIDER_PARENTS: Index = Index("parents-by-provider");

impl Keyed for Credential {
    const TABLE: &'static str = "credential";
    type Name = CredentialName;

    fn name(&self) -> &Self::Name {
        &self.name
    }

    fn key_of(name: &Self::Name) -> Segments {
        Segments::of([name.tenant.as_str(), name.project.as_str(), name.credential.as_str()])
    }
}

impl Keyed for Parent {
    const TABLE: &'static str = "parent";
    type Name = ParentName;

    fn name(&self) -> &Self::Name {
        &self.name
    }

    fn key_of(name: &Self::Name) -> Segments {
        Segments::of([name.tenant.as_str(), name.project.as_str(), name.provider.as_str()])
    }
}

pub(super) fn parent_key(name: &ParentName) -> Segments {
    Segments::of([&name.to_string()])
}

pub(super) fn provider_parent(name: &ParentName) -> Segments {
    Segments::of([name.provider.as_str(), &name.to_string()])
}

fn keys(credential: &Credential) -> Vec<(Index, Segments)> {
    let name = credential.name.to_string();
    let below = |of: String| Segments::of([&of, &name]);
    let mut keys = vec![(PARENT_CREDENTIALS, below(credential.parent().to_string()))];
    keys.extend(credential.workload.iter().map(|workload| (WORKLOAD_CREDENTIALS, below(workload.to_string()))));
    keys.extend(credential.grants.iter().map(|grant| (GRANT_CREDENTIALS, below(grant.to_string()))));
    keys
}

/// Puts a credential that has not ended into the lists, and takes it out of those that it was in before.
pub(super) fn index_credential(change: &mut Transaction, before: Option<&Credential>, credential: &Credential) {
    let name = credential.name.to_string();
    let now = keys(credential);
    let gone = before.map(keys).unwrap_or_default().into_iter().filter(|key| !now.contains(key));
    for (index, key) in gone {
        change.unindex(index, &key);
    }
    for (index, key) in now {
        change.index(index, &key, &name);
    }
}

/// Takes a credential that has ended out of the lists.
pub(super) fn unindex_credential(change: &mut Transaction, credential: &Credential) {
    for (index, key) in keys(credential) {
        change.unindex(index, &key);
    }
}

/// Says when the host looks at a credential next.
pub(super) fn set_due(change: &mut Transaction, credential: &mut Credential, due: Option<UnixMillis>) {
    if credential.due_at == due {
        return;
    }
    if let Some(at) = credential.due_at {
        change.unindex(EXPIRIES, &expiry_key(at, &credential.name));
    }
    if let Some(at) = due {
        change.index(EXPIRIES, &expiry_key(at, &credential.name), "");
    }
    credential.due_at = due;
}

impl Control {
    /// Up to so many credentials that have not ended, of one list.
    pub(super) async fn open_credentials(
        &self,
        index: Index,
        of: &Segments,
        most: usize,
    ) -> Result<Vec<Stored<Credential>>> {
        let mut open = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.tables.entries(index, of, cursor.as_ref(), most.min(1000)).await?;
            for (_, name, _) in &page.items {
                open.extend(self.tables.find::<Credential>(&CredentialName::parse(name)?).await?);
            }
            cursor = page.next;
            if cursor.is_none() || open.len() >= most {
                return Ok(open);
            }
        }
    }

    /// Writes down that a credential has ended: out of every list, and to be forgotten after a time. The ledgers and the
    /// record itself are the caller's part of the change.
    pub(super) fn close(
        &self,
        credential: &mut Credential,
        state: CredentialState,
        reason: &str,
        change: &mut Transaction,
    ) {
        let now = self.now();
        unindex_credential(change, credential);
        credential.state = state;
        reason.clone_into(&mut credential.state_reason);
        credential.operation = None;
        credential.updated_at = now;
        if state == CredentialState::Revoked {
            credential.revoked_at = Some(now);
        }
        // As long as operations and request ids: a repeat finds what it made.
        let kept = self.config.operation_retention.max(self.config.request_retention);
        set_due(change, credential, Some(now.plus(kept.millis())));
    }
}
