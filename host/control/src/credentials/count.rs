//! How many keys a provider may hold for us: taken before it is asked, given back when they have ended.
//!
//! Two rows for each credential: the provider's and its parent's. Backends bound both (WEKA: 5000 live sessions and 5000
//! service accounts in a cluster, 100 service accounts under one user), and a refusal here names the limit while the
//! backend may only say that something failed.

use serde::{Deserialize, Serialize};
use stowage_domain::{Capability, ParentName, ProviderName};
use stowage_ports::store::Version;
use stowage_store::{Record, Segments, Tables, Transaction};

use super::{Credential, CredentialKind};
use crate::{ControlError, Result, Status, providers::bound};

/// Keys under one name: a provider's, or a parent's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyCount {
    of: String,
    /// Temporary credentials that may be live.
    pub(super) sessions: u64,
    /// Service accounts that may be there.
    pub(super) accounts: u64,
}

impl Record for KeyCount {
    const TABLE: &'static str = "key-count";

    fn key(&self) -> Segments {
        Segments::of([&self.of])
    }
}

/// What a provider allows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bounds {
    at_provider: Option<u64>,
    at_parent: Option<u64>,
}

impl Bounds {
    /// Those of the capability that issues the kind.
    pub(super) fn of(capability: &Capability, kind: CredentialKind) -> Self {
        match kind {
            CredentialKind::Temporary => Self { at_provider: bound(capability, "session.max-live"), at_parent: None },
            CredentialKind::ServiceAccount => Self {
                at_provider: bound(capability, "key.max"),
                at_parent: bound(capability, "key.max-per-principal"),
            },
        }
    }
}

struct CountAt {
    row: KeyCount,
    version: Option<Version>,
}

impl CountAt {
    async fn read(tables: &Tables, of: String) -> Result<Self> {
        Ok(match tables.get::<KeyCount>(&Segments::of([&of])).await? {
            Some((row, version)) => Self { row, version: Some(version) },
            None => Self { row: KeyCount { of, ..KeyCount::default() }, version: None },
        })
    }

    fn write(self, change: &mut Transaction) {
        match (self.version, self.row.sessions + self.row.accounts) {
            (Some(version), 0) => change.delete::<KeyCount>(&self.row.key(), version),
            (Some(version), _) => change.replace(&self.row, version),
            (None, 0) => change,
            (None, _) => change.create(&self.row),
        };
    }
}

fn of_kind(row: &mut KeyCount, kind: CredentialKind) -> &mut u64 {
    match kind {
        CredentialKind::Temporary => &mut row.sessions,
        CredentialKind::ServiceAccount => &mut row.accounts,
    }
}

async fn rows(tables: &Tables, provider: &ProviderName, parent: &ParentName) -> Result<[CountAt; 2]> {
    Ok([CountAt::read(tables, provider.to_string()).await?, CountAt::read(tables, parent.to_string()).await?])
}

/// Takes a place for one more key of the credential.
pub(super) async fn take(
    tables: &Tables,
    change: &mut Transaction,
    credential: &mut Credential,
    bounds: Bounds,
) -> Result<()> {
    let limits = [bounds.at_provider, bounds.at_parent];
    for (mut at, limit) in rows(tables, &credential.provider, &credential.parent()).await?.into_iter().zip(limits) {
        let used = of_kind(&mut at.row, credential.kind);
        if let Some(limit) = limit.filter(|limit| *used >= *limit) {
            return Err(full(&at.row.of, credential.kind, limit));
        }
        *used += 1;
        at.write(change);
    }
    credential.keys += 1;
    Ok(())
}

/// Gives all places of the credential back, once: nothing of it works any more.
pub(super) async fn give_back(tables: &Tables, change: &mut Transaction, credential: &mut Credential) -> Result<()> {
    give_back_all(tables, change, std::slice::from_mut(credential)).await
}

/// Gives one place back, of which the credential's record knows already.
pub(super) async fn give_back_one(tables: &Tables, change: &mut Transaction, credential: &Credential) -> Result<()> {
    for mut at in rows(tables, &credential.provider, &credential.parent()).await? {
        let used = of_kind(&mut at.row, credential.kind);
        *used = used.saturating_sub(1);
        at.write(change);
    }
    Ok(())
}

/// The same for several beneath one parent.
pub(super) async fn give_back_all(
    tables: &Tables,
    change: &mut Transaction,
    credentials: &mut [Credential],
) -> Result<()> {
    let Some(first) = credentials.first() else { return Ok(()) };
    for mut at in rows(tables, &first.provider, &first.parent()).await? {
        for credential in credentials.iter() {
            let used = of_kind(&mut at.row, credential.kind);
            *used = used.saturating_sub(u64::from(credential.keys));
        }
        at.write(change);
    }
    for credential in credentials {
        credential.keys = 0;
    }
    Ok(())
}

fn full(of: &str, kind: CredentialKind, limit: u64) -> ControlError {
    let (reason, what) = match kind {
        CredentialKind::Temporary => ("SESSIONS_EXHAUSTED", "live temporary credentials"),
        CredentialKind::ServiceAccount => ("SERVICE_ACCOUNTS_EXHAUSTED", "service accounts"),
    };
    let description = format!("{what}: used {limit}, limit {limit}");
    let message = format!("{of} has no room for another: {description}; revoke some, or wait until some expire");
    let mut error = ControlError::new(Status::ResourceExhausted, reason, message).with("limit", limit);
    error.0.quotas.push(crate::QuotaViolation { subject: of.to_owned(), description });
    error
}

impl crate::Control {
    /// Temporary credentials and service accounts that a provider may hold for this host.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`, `NOT_FOUND`.
    pub async fn provider_keys(&self, caller: &crate::Caller, name: &ProviderName) -> Result<(u64, u64)> {
        self.get_provider(caller, name).await?;
        let row = CountAt::read(&self.tables, name.to_string()).await?.row;
        Ok((row.sessions, row.accounts))
    }
}
