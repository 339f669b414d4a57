//! What can go wrong above the port.

use std::fmt;

use stowage_ports::store::{Commit, StoreError};

/// Why a precondition did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictReason {
    /// It was to be created and is there already.
    Exists,
    /// It was changed or deleted since it was read.
    Changed,
    /// A range that had to be empty is not.
    NotEmpty,
}

impl fmt::Display for ConflictReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exists => "exists already",
            Self::Changed => "was changed by someone else; read it again",
            Self::NotEmpty => "must be empty and is not",
        })
    }
}

/// A read or a change failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Nothing was changed, because the state is not what the transaction was decided on.
    #[error("{table} {key:?} {reason}")]
    Conflict {
        /// The table (or index) of the failed precondition.
        table: &'static str,
        /// The key or key prefix, for messages.
        key: String,
        /// What was found.
        reason: ConflictReason,
    },
    /// More writes than a commit may hold.
    #[error("a transaction of {0} writes is over the limit of {max}: split it", max = Commit::MAX_WRITES)]
    TooLarge(usize),
    /// A row that a newer program wrote.
    #[error("{table} {key:?} was written with schema {found} and this program knows {known}: run the newer program")]
    Newer {
        /// Its table.
        table: &'static str,
        /// Its key.
        key: String,
        /// The version that the row carries.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// A row that does not read back as its type.
    #[error("{table} {key:?} does not read back ({reason}); restore the state store from a backup")]
    Unreadable {
        /// Its table.
        table: &'static str,
        /// Its key.
        key: String,
        /// The parser's words, which name fields and never values.
        reason: String,
    },
    /// A record that cannot be written as JSON, or whose key breaks a rule.
    #[error("a record of {table} cannot be stored: {reason}")]
    Unwritable {
        /// Its table.
        table: &'static str,
        /// Why.
        reason: String,
    },
    /// A cursor that did not come from a page of this list.
    #[error("the page token does not belong to this list: start again without one")]
    Cursor,
    /// The engine failed. After a commit, whether it was applied is unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// Whether reading again and deciding anew may succeed.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}
