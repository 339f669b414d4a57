//! Records with their version, and pages of them.

use stowage_ports::store::Version;
use stowage_store::Cursor;

use crate::{ControlError, Result, Status};

/// A record as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<T> {
    /// The record.
    pub value: T,
    /// The commit that wrote it.
    pub version: Version,
}

impl<T> Stored<T> {
    /// Changes with every change.
    #[must_use]
    pub fn etag(&self) -> String {
        self.version.0.to_string()
    }

    /// Refuses when a given etag holds no more.
    pub(crate) fn check_etag(&self, etag: Option<&str>, name: impl std::fmt::Display) -> Result<()> {
        match etag {
            Some(etag) if etag != self.etag() => {
                let message =
                    format!("{name} was changed since: its etag is {:?}, not {etag:?}; read it again", self.etag());
                Err(ControlError::new(Status::Aborted, "ETAG_MISMATCH", message))
            }
            _ => Ok(()),
        }
    }
}

impl<T> From<(T, Version)> for Stored<T> {
    fn from((value, version): (T, Version)) -> Self {
        Self { value, version }
    }
}

/// Which part of a list.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// At most so many items; 0 for 100.
    pub size: usize,
    /// Where the last page ended; empty for the first.
    pub token: String,
}

impl PageRequest {
    pub(crate) const fn limit(&self) -> usize {
        if self.size == 0 {
            100
        } else if self.size > 1000 {
            1000
        } else {
            self.size
        }
    }

    pub(crate) fn cursor(&self) -> Result<Option<Cursor>> {
        if self.token.is_empty() { Ok(None) } else { Ok(Some(Cursor::from_token(&self.token)?)) }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; empty at the end.
    pub next: String,
}

impl<T> Listed<T> {
    pub(crate) fn of(items: Vec<T>, next: Option<Cursor>) -> Self {
        Self { items, next: next.map(|cursor| cursor.token()).unwrap_or_default() }
    }
}
