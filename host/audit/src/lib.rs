//! The audit: who did what on which resource, and how it was decided.
//!
//! An entry is a row of the same transaction as its change, so there is no change without an entry and no entry without a
//! change. Entries stand in order of time; [`page`] reads them oldest first.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};
use stowage_domain::UnixMillis;
use stowage_ports::store::Version;
use stowage_store::{Cursor, Error, Page, Record, Segments, Tables, Transaction};

/// How it was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was allowed and accepted.
    Accepted,
    /// It was carried out.
    Done,
    /// It failed or was taken back.
    Failed,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: UnixMillis,
    /// Tells entries of the same millisecond apart.
    pub id: String,
    /// Who: the verified subject, or `stowage` for what the host does by itself.
    pub actor: String,
    /// What, such as `storage.namespace.create`.
    pub action: String,
    /// On which resource.
    pub resource: String,
    /// How it was decided.
    pub outcome: Outcome,
    /// Why: the grant, the role or the error's stable reason; never a secret.
    #[serde(default)]
    pub reason: String,
    /// The API call's id.
    #[serde(default)]
    pub request_id: String,
    /// The operation that carries it out.
    #[serde(default)]
    pub operation: String,
}

impl Record for Entry {
    const TABLE: &'static str = "audit";

    fn key(&self) -> Segments {
        Segments::new().number(self.at.0).text(&self.id)
    }
}

/// Adds the entry to the change that it tells of.
pub fn write(change: &mut Transaction, entry: &Entry) {
    change.put(entry);
}

/// Entries oldest first.
///
/// # Errors
/// As [`Tables::page`].
pub async fn page(tables: &Tables, cursor: Option<&Cursor>, limit: usize) -> Result<Page<(Entry, Version)>, Error> {
    tables.page::<Entry>(&Segments::new(), cursor, limit).await
}
