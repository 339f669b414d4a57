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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use stowage_ports::store::{Commit, CommitError, Store};

    use super::*;

    fn disk() -> impl Fn(&Path) -> Arc<dyn Store> {
        let disk = MemoryDisk::default();
        move |_| Arc::new(disk.open())
    }

    crate::engine_suite!(disk());

    fn put(key: &'static str) -> Commit {
        let key = Key::from_static(key.as_bytes());
        Commit { preconditions: Vec::new(), writes: vec![Write::Put(key, Key::from_static(b"x"))] }
    }

    #[tokio::test]
    async fn after_a_failed_write_everything_is_refused_until_the_store_is_opened_again() {
        let disk = MemoryDisk::default();
        let store = disk.open();
        store.commit(put("a")).await.unwrap();
        disk.set_broken(true);
        let error = store.commit(put("b")).await.unwrap_err();
        assert!(matches!(&error, CommitError::Store(StoreError::Io(text)) if text.contains("no space")), "{error}");
        disk.set_broken(false);
        assert_eq!(store.commit(put("c")).await, Err(error));
        assert_eq!(store.version(), Version(1));
        assert!(store.get(b"a").await.unwrap().is_some(), "reads go on");
        drop(store);
        let store = disk.open();
        assert_eq!(store.commit(put("d")).await, Ok(Version(2)));
        assert_eq!(store.get(b"c").await.unwrap(), None);
    }
}
