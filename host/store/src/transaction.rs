//! One change of the state, decided on versioned reads, applied whole or not at all.
//!
//! ```
//! # use serde::{Deserialize, Serialize};
//! # use stowage_store::{Error, Record, Segments, Tables, Transaction};
//! #[derive(Serialize, Deserialize)]
//! struct Project { name: String, used: u64 }
//!
//! impl Record for Project {
//!     const TABLE: &'static str = "project";
//!     fn key(&self) -> Segments { Segments::of([&self.name]) }
//! }
//!
//! async fn charge(tables: &Tables, name: &str, bytes: u64) -> Result<(), Error> {
//!     let Some((mut project, version)) = tables.get::<Project>(&Segments::of([name])).await? else { return Ok(()) };
//!     project.used += bytes;
//!     let mut change = Transaction::new();
//!     change.replace(&project, version);
//!     change.commit(tables).await.map(|_| ())
//! }
//! ```

use bytes::Bytes;
use stowage_ports::store::{Commit, CommitError, KeyRange, Precondition, Version, Write};

use crate::{ConflictReason, Error, Index, Record, Segments, Tables, record, tables::table_key};

/// A change under construction. A record that cannot be encoded is reported by [`Transaction::commit`].
#[derive(Debug, Default)]
#[must_use = "a transaction changes nothing before it is committed"]
pub struct Transaction {
    commit: Commit,
    /// Per precondition: whose it is.
    origins: Vec<Origin>,
    failed: Option<Error>,
}

#[derive(Debug)]
struct Origin {
    table: &'static str,
    key: Segments,
    reason: ConflictReason,
}

impl Transaction {
    /// A change that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a record that must not be there yet.
    pub fn create<R: Record>(&mut self, record: &R) -> &mut Self {
        let key = record.key();
        self.require_absent::<R>(&key);
        self.put(record)
    }

    /// Writes over the record that was read at `version`.
    pub fn replace<R: Record>(&mut self, record: &R, version: Version) -> &mut Self {
        let key = record.key();
        self.require::<R>(&key, version);
        self.put(record)
    }

    /// Writes a record, whatever was there.
    pub fn put<R: Record>(&mut self, record: &R) -> &mut Self {
        match record::encode(record) {
            Ok(value) => self.write(R::TABLE, &record.key(), Some(value)),
            Err(error) => self.fail(error),
        }
    }

    /// Deletes the record that was read at `version`.
    pub fn delete<R: Record>(&mut self, key: &Segments, version: Version) -> &mut Self {
        self.require::<R>(key, version);
        self.write(R::TABLE, key, None)
    }

    /// Deletes whatever is there, if anything.
    pub fn discard<R: Record>(&mut self, key: &Segments) -> &mut Self {
        self.write(R::TABLE, key, None)
    }

    /// Holds only while the record is as it was read at `version`.
    pub fn require<R: Record>(&mut self, key: &Segments, version: Version) -> &mut Self {
        let at = Precondition::At(table_key(R::TABLE, key).key(), version);
        self.precondition(at, R::TABLE, key, ConflictReason::Changed)
    }

    /// Holds only while there is no such record.
    pub fn require_absent<R: Record>(&mut self, key: &Segments) -> &mut Self {
        let absent = Precondition::Absent(table_key(R::TABLE, key).key());
        self.precondition(absent, R::TABLE, key, ConflictReason::Exists)
    }

    /// Holds only while no record's key begins with `prefix`; for example, no namespace in a project to be deleted.
    pub fn require_empty<R: Record>(&mut self, prefix: &Segments) -> &mut Self {
        self.empty(table_key(R::TABLE, prefix).range(), R::TABLE, prefix)
    }

    /// Writes an index row, whatever was there.
    pub fn index(&mut self, index: Index, key: &Segments, text: &str) -> &mut Self {
        self.write(index.0, key, Some(Bytes::copy_from_slice(text.as_bytes())))
    }

    /// Writes an index row that must not be there yet: a unique name, or the first use of a request id.
    pub fn claim(&mut self, index: Index, key: &Segments, text: &str) -> &mut Self {
        let absent = Precondition::Absent(table_key(index.0, key).key());
        self.precondition(absent, index.0, key, ConflictReason::Exists);
        self.index(index, key, text)
    }

    /// Removes an index row, if it is there.
    pub fn unindex(&mut self, index: Index, key: &Segments) -> &mut Self {
        self.write(index.0, key, None)
    }

    /// Holds only while the index row is as it was read at `version`.
    pub fn require_entry(&mut self, index: Index, key: &Segments, version: Version) -> &mut Self {
        let at = Precondition::At(table_key(index.0, key).key(), version);
        self.precondition(at, index.0, key, ConflictReason::Changed)
    }

    /// Holds only while no index row's key begins with `prefix`.
    pub fn require_no_entry(&mut self, index: Index, prefix: &Segments) -> &mut Self {
        self.empty(table_key(index.0, prefix).range(), index.0, prefix)
    }

    /// How many writes there are; [`Commit::MAX_WRITES`] is the limit.
    #[must_use]
    pub fn len(&self) -> usize {
        self.commit.writes.len()
    }

    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commit.writes.is_empty()
    }

    /// Applies the change; answers when it is durable.
    ///
    /// # Errors
    /// [`Error::Conflict`] names the first precondition that does not hold, and nothing was changed. After
    /// [`Error::Store`] it is unknown whether the change was made.
    pub async fn commit(self, tables: &Tables) -> Result<Version, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        tables.store().commit(self.commit).await.map_err(|error| match error {
            CommitError::Conflict(index) => match self.origins.into_iter().nth(index) {
                Some(Origin { table, key, reason }) => Error::Conflict { table, key: key.to_string(), reason },
                None => Error::Conflict { table: "", key: String::new(), reason: ConflictReason::Changed },
            },
            CommitError::TooLarge(writes) => Error::TooLarge(writes),
            CommitError::EmptyKey => Error::Unwritable { table: "", reason: error.to_string() },
            CommitError::Store(error) => Error::Store(error),
        })
    }

    fn write(&mut self, table: &'static str, key: &Segments, value: Option<Bytes>) -> &mut Self {
        if *key == Segments::new() {
            return self.fail(Error::Unwritable { table, reason: "its key has no segment".into() });
        }
        let key = table_key(table, key).key();
        self.commit.writes.push(match value {
            Some(value) => Write::Put(key, value),
            None => Write::Delete(key),
        });
        self
    }

    fn empty(&mut self, range: KeyRange, table: &'static str, prefix: &Segments) -> &mut Self {
        self.precondition(Precondition::EmptyRange(range), table, prefix, ConflictReason::NotEmpty)
    }

    fn precondition(
        &mut self,
        precondition: Precondition,
        table: &'static str,
        key: &Segments,
        reason: ConflictReason,
    ) -> &mut Self {
        self.commit.preconditions.push(precondition);
        self.origins.push(Origin { table, key: key.clone(), reason });
        self
    }

    fn fail(&mut self, error: Error) -> &mut Self {
        self.failed.get_or_insert(error);
        self
    }
}
