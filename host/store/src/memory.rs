//! An engine without a disk, for tests of what stands above the store: the whole port, and nothing durable.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use parking_lot::RwLock;
use stowage_ports::store::{Applied, Key, KeyRange, StoreError, Version, Versioned, Write};

use crate::group::{Engine, GroupCommit, Grouping};

/// A disk that is memory. Open it again after dropping the store to play a restart.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk(Arc<RwLock<State>>);

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<Key, Versioned>,
    version: Version,
    broken: bool,
}

impl MemoryDisk {
    /// Opens a store over what the disk holds.
    ///
    /// # Panics
    /// When the system has no thread left.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support fails by panicking")]
    pub fn open(&self) -> GroupCommit<Self> {
        GroupCommit::start(self.clone(), Grouping::default()).expect("start a thread")
    }

    /// From now on (or no longer), every write fails as on a full disk.
    pub fn set_broken(&self, broken: bool) {
        self.0.write().broken = broken;
    }
}

impl Engine for MemoryDisk {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        Ok(self.0.read().rows.get(key).cloned())
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError> {
        let state = self.0.read();
        let bounds = (Bound::Included(&range.start), Bound::Excluded(&range.end));
        let rows = state.rows.range::<Key, _>(bounds).take(limit);
        Ok(rows.map(|(key, found)| (key.clone(), found.clone())).collect())
    }

    fn version(&self) -> Result<Version, StoreError> {
        Ok(self.0.read().version)
    }

    fn persist(&self, batch: &[Applied]) -> Result<(), StoreError> {
        let mut state = self.0.write();
        if state.broken {
            return Err(StoreError::Io("no space left on device".into()));
        }
        for commit in batch {
            for write in commit.writes.iter() {
                match write {
                    Write::Put(key, value) => {
                        let row = Versioned { value: value.clone(), version: commit.version };
                        state.rows.insert(key.clone(), row);
                    }
                    Write::Delete(key) => {
                        state.rows.remove(key);
                    }
                }
            }
            state.version = commit.version;
        }
        Ok(())
    }
}
