//! What goes wrong when a store is opened, and how sled's errors become the port's.

use std::path::PathBuf;

use stowage_ports::store::StoreError;

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made or synced.
    #[error("the state directory {} cannot be used: {error}; check that it is a directory on a writable disk", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's answer.
        error: std::io::Error,
    },
    /// Another process has it.
    #[error("the state directory {} is in use by another process: stop that one first", .0.display())]
    InUse(PathBuf),
    /// sled cannot open its files.
    #[error("sled cannot open {}: {error}", path.display())]
    Engine {
        /// The directory.
        path: PathBuf,
        /// sled's answer.
        error: StoreError,
    },
    /// The store opened, and its state does not read.
    #[error(transparent)]
    Store(StoreError),
}

pub(crate) fn from_sled(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { at, .. } => StoreError::Corrupt(format!("sled reports corruption at {at:?}")),
        other => StoreError::Io(other.to_string()),
    }
}
