//! Opening an engine: what every embedded one needs and can fail with.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use stowage_ports::store::StoreError;

use super::Grouping;

/// How an embedded store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes of memory for cached pages; default 256 MiB. What an engine takes beside it is in
    /// `docs/adr/0003-state-store.md`.
    pub cache_bytes: u64,
    /// How commits share syncs.
    pub grouping: Grouping,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 256 << 20, grouping: Grouping::default() }
    }
}

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made or synced.
    #[error("the state directory {} cannot be used: {error}; check that it is a directory on a writable disk", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// Another process has it.
    #[error("the state directory {} is in use by another process: stop that one first", .0.display())]
    InUse(PathBuf),
    /// The engine cannot open its files.
    #[error("the state in {} cannot be opened: {error}", path.display())]
    Engine {
        /// The directory.
        path: PathBuf,
        /// The engine's answer.
        error: StoreError,
    },
    /// It opened, and its version does not read, or no thread can be started.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the directory, with its parents, if it is missing.
///
/// # Errors
/// [`OpenError::Directory`].
pub fn make_directory(directory: &Path) -> Result<(), OpenError> {
    std::fs::create_dir_all(directory).map_err(|error| unusable(directory, error))
}

/// Makes the names of new files in `directory`, and its own name, survive a power cut.
///
/// # Errors
/// [`OpenError::Directory`].
pub fn sync_directory(directory: &Path) -> Result<(), OpenError> {
    let sync = || {
        File::open(directory)?.sync_all()?;
        match directory.canonicalize()?.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    };
    sync().map_err(|error| unusable(directory, error))
}

fn unusable(directory: &Path, error: io::Error) -> OpenError {
    OpenError::Directory { path: directory.to_owned(), error }
}
