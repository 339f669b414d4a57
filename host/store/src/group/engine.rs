//! What an embedded engine does below the committer.

use stowage_ports::store::{Applied, Key, KeyRange, StoreError, Version, Versioned};

/// An ordered map on a disk. Reads come from many threads; [`Engine::persist`] from one.
pub trait Engine: Send + Sync + std::fmt::Debug + 'static {
    /// One durable value.
    ///
    /// # Errors
    /// Disk trouble, or bytes that do not read back.
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError>;

    /// Up to `limit` durable pairs of the range in key order, as of one moment: never half of a commit. The range is not
    /// empty.
    ///
    /// # Errors
    /// As [`Engine::get`].
    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError>;

    /// The version of the last commit that is in the engine; 0 when it is new.
    ///
    /// # Errors
    /// As [`Engine::get`].
    fn version(&self) -> Result<Version, StoreError>;

    /// Applies the commits in order and makes them durable together with the last one's version. After a crash in the
    /// middle, all of them are there or none. Reads see them only once they are durable.
    ///
    /// # Errors
    /// Disk trouble; the committer then uses the engine no more.
    fn persist(&self, batch: &[Applied]) -> Result<(), StoreError>;
}
