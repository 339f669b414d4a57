//! The default state store: sled 0.34 behind the shared committer.
//!
//! Two things of sled need care, and are the reason for this crate:
//!
//! - Its `flush` calls `sync_file_range`, which sends pages to the disk and neither file size nor block map nor the disk's
//!   own cache. So [`SledEngine`] syncs the files itself after each batch (module `files`), once for all commits in it.
//! - A write is visible to readers before it is durable. So readers get the old values of what is being written until the
//!   sync is done (module `shadow`); scans see whole batches only.
//!
//! The numbers are in `docs/adr/0003-state-store.md`.

mod engine;
mod files;
mod shadow;

use std::path::Path;

pub use engine::SledEngine;
use stowage_store::group::GroupCommit;
pub use stowage_store::group::{OpenError, Options};

/// A state store on sled.
pub type SledStore = GroupCommit<SledEngine>;

/// Opens the store in `directory`, which is made when it is missing. One process at a time may have it open.
///
/// # Errors
/// See [`OpenError`]. Blocks while sled reads its log: 1.4 s for 2 million small keys.
pub fn open(directory: &Path, options: Options) -> Result<SledStore, OpenError> {
    let engine = SledEngine::open(directory, options.cache_bytes)?;
    Ok(GroupCommit::start(engine, options.grouping)?)
}
