//! redb as an [`Engine`].

use std::path::Path;

use bytes::Bytes;
use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition};
use stowage_ports::store::{Applied, Key, KeyRange, StoreError, Version, Versioned, Write};
use stowage_store::group::{Engine, OpenError, make_directory, sync_directory};

/// Key to version and value.
const ROWS: TableDefinition<'_, &[u8], (u64, &[u8])> = TableDefinition::new("rows");
/// `version`: that of the last commit.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const VERSION: &str = "version";

/// A redb database.
#[derive(Debug)]
pub struct RedbEngine {
    db: Database,
}

impl RedbEngine {
    pub(crate) fn open(directory: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        make_directory(directory)?;
        let cache_bytes = usize::try_from(cache_bytes).unwrap_or(usize::MAX);
        let path = directory.join("state.redb");
        let db = Database::builder().set_cache_size(cache_bytes).create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => OpenError::InUse(directory.to_owned()),
            other => OpenError::Engine { path: directory.to_owned(), error: failed(other) },
        })?;
        let engine = Self { db };
        // Readers expect the tables to be there.
        engine.write(&[])?;
        sync_directory(directory)?;
        Ok(engine)
    }

    fn write(&self, batch: &[Applied]) -> Result<(), StoreError> {
        let transaction = self.db.begin_write().map_err(failed)?;
        {
            let mut rows = transaction.open_table(ROWS).map_err(failed)?;
            let mut meta = transaction.open_table(META).map_err(failed)?;
            for commit in batch {
                for write in commit.writes.iter() {
                    match write {
                        Write::Put(key, value) => {
                            rows.insert(key.as_ref(), (commit.version.0, value.as_ref())).map_err(failed)?;
                        }
                        Write::Delete(key) => {
                            rows.remove(key.as_ref()).map_err(failed)?;
                        }
                    }
                }
                meta.insert(VERSION, commit.version.0).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }
}

impl Engine for RedbEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        let rows = self.db.begin_read().map_err(failed)?.open_table(ROWS).map_err(failed)?;
        Ok(rows.get(key).map_err(failed)?.map(|row| versioned(row.value())))
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError> {
        let rows = self.db.begin_read().map_err(failed)?.open_table(ROWS).map_err(failed)?;
        let found = rows.range(range.start.as_ref()..range.end.as_ref()).map_err(failed)?;
        found
            .take(limit)
            .map(|row| {
                let (key, row) = row.map_err(failed)?;
                Ok((Bytes::copy_from_slice(key.value()), versioned(row.value())))
            })
            .collect()
    }

    fn version(&self) -> Result<Version, StoreError> {
        let meta = self.db.begin_read().map_err(failed)?.open_table(META).map_err(failed)?;
        Ok(Version(meta.get(VERSION).map_err(failed)?.map_or(0, |row| row.value())))
    }

    fn persist(&self, batch: &[Applied]) -> Result<(), StoreError> {
        self.write(batch)
    }
}

fn versioned((version, value): (u64, &[u8])) -> Versioned {
    Versioned { value: Bytes::copy_from_slice(value), version: Version(version) }
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Corrupted(text) => StoreError::Corrupt(text),
        other => StoreError::Io(other.to_string()),
    }
}
