//! The second embedded state store: redb 4 behind the shared committer.
//!
//! redb is a copy-on-write B-tree in one file: readers work on snapshots, a commit syncs the file with `fdatasync` before
//! it is visible. It passes the same suite as the default, so that the choice between them is a line in the configuration;
//! `docs/adr/0003-state-store.md` has the numbers.

mod engine;

use std::path::Path;

pub use engine::RedbEngine;
use stowage_store::group::GroupCommit;
pub use stowage_store::group::{OpenError, Options};

/// A state store on redb.
pub type RedbStore = GroupCommit<RedbEngine>;

/// Opens the store in `directory`, which is made when it is missing. One process at a time may have it open.
///
/// # Errors
/// See [`OpenError`]. Blocks while redb repairs a file that was not closed: 4 s for 2 million small keys.
pub fn open(directory: &Path, options: Options) -> Result<RedbStore, OpenError> {
    let engine = RedbEngine::open(directory, options.cache_bytes)?;
    Ok(GroupCommit::start(engine, options.grouping)?)
}
