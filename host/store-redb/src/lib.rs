//! The second embedded state store: redb 4 behind the shared committer.
//!
//! redb is a copy-on-write B-tree in one file: readers work on snapshots, a commit syncs the file with `fdatasync` before
//! it is visible. It passes the same suite as the default, so that the choice between them is a line in the configuration;
//! `docs/adr/0003-state-store.md` has the numbers.

mod engine;

use std::path::{Path, PathBuf};

pub use engine::RedbEngine;
use stowage_ports::store::StoreError;
use stowage_store::group::{GroupCommit, Grouping};

/// A state store on redb.
pub type RedbStore = GroupCommit<RedbEngine>;

/// How the store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes of memory for cached pages; default 256 MiB.
    pub cache_bytes: usize,
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
        error: std::io::Error,
    },
    /// Another process has it.
    #[error("the state directory {} is in use by another process: stop that one first", .0.display())]
    InUse(PathBuf),
    /// redb cannot open its file.
    #[error("redb cannot open {}: {error}", path.display())]
    Engine {
        /// The file.
        path: PathBuf,
        /// redb's answer.
        error: StoreError,
    },
    /// The store opened, and its state does not read.
    #[error(transparent)]
    Store(StoreError),
}

/// Opens the store in `directory`, which is made when it is missing. One process at a time may have it open.
///
/// # Errors
/// See [`OpenError`].
pub fn open(directory: &Path, options: Options) -> Result<RedbStore, OpenError> {
    let engine = RedbEngine::open(directory, options.cache_bytes)?;
    GroupCommit::start(engine, options.grouping).map_err(OpenError::Store)
}
