//! Durable state: ordered keys, versioned values, one atomic commit.
//!
//! The rule that the host's safety rests on: when `commit` has answered, the writes survive a power cut, and they were
//! applied only if every precondition held at that moment. An engine may batch many commits behind one sync, but may
//! never answer before it. Versions grow by commit and are shared by all keys of the store, like etcd's `mod_revision`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_stream::Stream;

/// An ordered key, never empty. Keys compare as bytes; typed tables above lay them out so that every list is one range.
pub type Key = Bytes;

/// The commit that last wrote a key. Grows by one for each commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u64);

/// A value with the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The bytes as written.
    pub value: Bytes,
    /// The commit that wrote them.
    pub version: Version,
}

/// Keys from `start` (inclusive) to `end` (exclusive).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// First key that may be in the range.
    pub start: Key,
    /// First key that is after it.
    pub end: Key,
}

impl KeyRange {
    /// Every key that begins with `prefix`. A prefix of only `0xff` bytes, or none, has no upper neighbour and ends at
    /// 64 bytes of `0xff`, above every key that the typed tables make.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        let mut end = prefix.to_vec();
        while end.last() == Some(&0xff) {
            end.pop();
        }
        if let Some(last) = end.last_mut() {
            *last = last.saturating_add(1);
        } else {
            end = vec![0xff; 64];
        }
        Self { start: Bytes::copy_from_slice(prefix), end: end.into() }
    }

    /// The part of the range that comes after `key`: where a page that ended with `key` goes on.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        let mut next = key.to_vec();
        next.push(0);
        if next.as_slice() > self.start.as_ref() {
            self.start = next.into();
        }
        self
    }

    /// Whether `key` is in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.start.as_ref() && key < self.end.as_ref()
    }
}

/// What must still be true when the commit is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// The key has no value.
    Absent(Key),
    /// The key's value was written by this very commit.
    At(Key, Version),
    /// No key of the range has a value.
    EmptyRange(KeyRange),
}

/// One change of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Writes the value, whatever was there.
    Put(Key, Bytes),
    /// Removes the key; removing an absent key is no error.
    Delete(Key),
}

impl Write {
    /// The key that this write touches.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }
}

/// A set of changes that happens whole or not at all. At most [`Commit::MAX_WRITES`] writes; without any it only checks its
/// preconditions and answers the current version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// All must hold.
    pub preconditions: Vec<Precondition>,
    /// Applied in order, at one version.
    pub writes: Vec<Write>,
}

impl Commit {
    /// etcd refuses transactions of more than 128 operations by default; staying under 100 keeps every engine able.
    pub const MAX_WRITES: usize = 100;
}

/// Why a commit changed nothing.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum CommitError {
    /// The precondition with this index does not hold: read again and decide anew.
    #[error("precondition {0} of the commit does not hold: the state was changed by someone else; read again")]
    Conflict(usize),
    /// More writes than [`Commit::MAX_WRITES`].
    #[error("a commit of {0} writes is over the limit of {max}: split it", max = Commit::MAX_WRITES)]
    TooLarge(usize),
    /// A write to the empty key, which engines keep for themselves or refuse.
    #[error("a commit writes to the empty key: every key needs at least one byte")]
    EmptyKey,
    /// The engine failed; whether the writes survive a restart is unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The engine failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// Disk or network trouble.
    #[error("the state store failed: {0}; check its disk, then restart the host")]
    Io(String),
    /// Stored bytes do not read back.
    #[error("the state store holds bytes that do not read back: {0}; restore from a backup")]
    Corrupt(String),
    /// The store was closed.
    #[error("the state store is closed: the host is stopping")]
    Closed,
}

/// One applied commit, as watchers see it.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The commit's version.
    pub version: Version,
    /// Its writes.
    pub writes: Arc<[Write]>,
}

/// What a watcher receives.
#[derive(Debug, Clone)]
pub enum WatchItem {
    /// A commit with at least one write in the watched range.
    Applied(Applied),
    /// The watcher fell behind or asked for a version that is no longer kept: scan again, then watch from the version of
    /// the scan.
    Lost,
}

/// A boxed stream of watch items.
pub type Watch = std::pin::Pin<Box<dyn Stream<Item = WatchItem> + Send>>;

/// An engine that keeps the state.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// One value.
    async fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError>;

    /// Up to `limit` pairs of the range in key order.
    async fn scan(&self, range: KeyRange, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError>;

    /// Applies the commit if every precondition holds; answers only when it is durable.
    async fn commit(&self, commit: Commit) -> Result<Version, CommitError>;

    /// The version of the last commit.
    fn version(&self) -> Version;

    /// Commits after `from` that touch the range, in order.
    fn watch(&self, range: KeyRange, from: Version) -> Watch;

    /// Syncs and closes; later calls answer [`StoreError::Closed`].
    async fn close(&self) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_range_holds_its_keys_and_not_the_next_prefix() {
        let range = KeyRange::prefix(b"ns/");
        assert!(range.contains(b"ns/a"));
        assert!(!range.contains(b"ns0"));
        assert!(!range.contains(b"ns"));
    }

    #[test]
    fn after_starts_behind_the_last_key_of_a_page() {
        let range = KeyRange::prefix(b"ns/").after(b"ns/a");
        assert!(!range.contains(b"ns/a"));
        assert!(range.contains(b"ns/a\0"));
        assert!(range.contains(b"ns/b"));
    }
}
