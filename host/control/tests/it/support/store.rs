//! A store in memory that answers at once (a thread behind it would let paused time run on), and one that crashes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use stowage_ports::store::{
    Commit, CommitError, Key, KeyRange, Precondition, Store, StoreError, Version, Versioned, Watch, Write,
};

#[derive(Default)]
struct State {
    rows: BTreeMap<Key, Versioned>,
    version: Version,
}

/// The whole port but watches, which the use cases do without.
#[derive(Default)]
pub(crate) struct MemoryStore {
    state: Mutex<State>,
    commits: AtomicUsize,
}

impl MemoryStore {
    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        Ok(self.state.lock().unwrap().rows.get(key).cloned())
    }

    async fn scan(&self, range: KeyRange, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError> {
        let state = self.state.lock().unwrap();
        let rows = state.rows.range(range.start..range.end).take(limit);
        Ok(rows.map(|(key, row)| (key.clone(), row.clone())).collect())
    }

    async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
        // Others run between a decision and its commit, as they would on a disk.
        tokio::task::yield_now().await;
        if commit.writes.len() > Commit::MAX_WRITES {
            return Err(CommitError::TooLarge(commit.writes.len()));
        }
        let mut state = self.state.lock().unwrap();
        for (index, precondition) in commit.preconditions.iter().enumerate() {
            let holds = match precondition {
                Precondition::Absent(key) => !state.rows.contains_key(key),
                Precondition::At(key, version) => state.rows.get(key).is_some_and(|row| row.version == *version),
                Precondition::EmptyRange(range) => {
                    state.rows.range(range.start.clone()..range.end.clone()).next().is_none()
                }
            };
            if !holds {
                return Err(CommitError::Conflict(index));
            }
        }
        let version = Version(state.version.0 + 1);
        state.version = version;
        for write in commit.writes {
            match write {
                Write::Put(key, value) => {
                    state.rows.insert(key, Versioned { value, version });
                }
                Write::Delete(key) => {
                    state.rows.remove(&key);
                }
            }
        }
        self.commits.fetch_add(1, Ordering::SeqCst);
        Ok(version)
    }

    fn version(&self) -> Version {
        self.state.lock().unwrap().version
    }

    fn watch(&self, _range: KeyRange, _from: Version) -> Watch {
        Box::pin(tokio_stream::pending())
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// When the host dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Just before the commit with this number, from 0.
    Before(usize),
    /// Just after it: it is durable and nobody is told.
    After(usize),
}

/// The store as one life of the host sees it. After the crash nothing is read or written any more.
pub(crate) struct CrashStore {
    inner: Arc<MemoryStore>,
    crash: Option<Crash>,
    seen: AtomicUsize,
    dead: AtomicBool,
}

impl CrashStore {
    pub(crate) fn new(inner: Arc<MemoryStore>, crash: Option<Crash>) -> Self {
        Self { inner, crash, seen: AtomicUsize::new(0), dead: AtomicBool::new(false) }
    }

    pub(crate) fn dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.dead() { Err(StoreError::Closed) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for CrashStore {
    async fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.alive()?;
        self.inner.get(key).await
    }

    async fn scan(&self, range: KeyRange, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError> {
        self.alive()?;
        self.inner.scan(range, limit).await
    }

    async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
        self.alive()?;
        let number = self.seen.fetch_add(1, Ordering::SeqCst);
        if self.crash == Some(Crash::Before(number)) {
            self.dead.store(true, Ordering::SeqCst);
            return Err(StoreError::Closed.into());
        }
        let done = self.inner.commit(commit).await;
        if self.crash == Some(Crash::After(number)) {
            self.dead.store(true, Ordering::SeqCst);
            return Err(StoreError::Closed.into());
        }
        self.alive()?;
        done
    }

    fn version(&self) -> Version {
        self.inner.version()
    }

    fn watch(&self, range: KeyRange, from: Version) -> Watch {
        self.inner.watch(range, from)
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
