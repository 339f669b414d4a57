//! sled as an [`Engine`].

use std::{collections::BTreeMap, path::Path};

use bytes::Bytes;
use parking_lot::RwLock;
use stowage_ports::store::{Applied, Key, KeyRange, StoreError, Version, Versioned, Write};
use stowage_store::group::{Engine, OpenError, make_directory, sync_directory};

use crate::{files::Files, shadow::Shadow};

/// The row of the last commit's version. The port refuses empty keys, so it is in nobody's way, and being in the same tree
/// it is part of the same atomic batch.
const VERSION_ROW: &[u8] = b"";

/// sled writes an item of more than a quarter of a segment to a file of its own, and one item is a whole node of up to 17
/// rows when it is consolidated. With 4 MiB, rows of up to 60 KiB stay in the log; with sled's own 512 KiB, of 7 KiB.
const SEGMENT_BYTES: usize = 4 << 20;

/// A sled database with durable batches.
#[derive(Debug)]
pub struct SledEngine {
    files: Files,
    db: sled::Db,
    shadow: RwLock<Shadow>,
}

impl SledEngine {
    pub(crate) fn open(directory: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        make_directory(directory)?;
        let config = sled::Config::new()
            .path(directory)
            .cache_capacity(cache_bytes)
            .segment_size(SEGMENT_BYTES)
            // Flushing is the committer's work.
            .flush_every_ms(None);
        let path = || directory.to_owned();
        let db = config.open().map_err(|error| match failed(error) {
            StoreError::Io(text) if text.contains("could not acquire lock") => OpenError::InUse(path()),
            error => OpenError::Engine { path: path(), error },
        })?;
        db.flush().map_err(failed)?;
        let files = Files::open(directory).map_err(|error| OpenError::Directory { path: path(), error })?;
        sync_directory(directory)?;
        Ok(Self { files, db, shadow: RwLock::default() })
    }

    fn stored(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.db.get(key).map_err(failed)?.map(|row| decode(&row)).transpose()
    }

    /// Writes the batch; readers still see what was before.
    fn stage(&self, batch: &[Applied]) -> Result<(), StoreError> {
        let mut before = BTreeMap::new();
        let mut writes = sled::Batch::default();
        for commit in batch {
            for write in commit.writes.iter() {
                if !before.contains_key(write.key()) {
                    before.insert(write.key().clone(), self.stored(write.key())?);
                }
                match write {
                    Write::Put(key, value) => writes.insert(key.as_ref(), encode(commit.version, value)),
                    Write::Delete(key) => writes.remove(key.as_ref()),
                }
            }
            writes.insert(VERSION_ROW, encode(commit.version, &[]));
        }
        let mut shadow = self.shadow.write();
        *shadow = Shadow::new(before);
        self.db.apply_batch(writes).map_err(failed)
    }

    /// Makes what was staged durable and shows it.
    fn harden(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(failed)?;
        self.files.sync().map_err(|error| StoreError::Io(error.to_string()))?;
        *self.shadow.write() = Shadow::default();
        Ok(())
    }
}

impl Engine for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        if key == VERSION_ROW {
            return Ok(None);
        }
        let shadow = self.shadow.read();
        match shadow.get(key) {
            Some(before) => Ok(before),
            None => self.stored(key),
        }
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError> {
        let shadow = self.shadow.read();
        let stored = self.db.range(range.start.as_ref()..range.end.as_ref()).filter_map(|row| match row {
            Ok((key, _)) if key == VERSION_ROW => None,
            Ok((key, row)) => Some(decode(&row).map(|row| (Bytes::copy_from_slice(&key), row))),
            Err(error) => Some(Err(failed(error))),
        });
        shadow.scan(stored, range, limit)
    }

    fn version(&self) -> Result<Version, StoreError> {
        Ok(self.stored(VERSION_ROW)?.map_or(Version(0), |row| row.version))
    }

    fn persist(&self, batch: &[Applied]) -> Result<(), StoreError> {
        self.stage(batch)?;
        self.harden()
    }
}

fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { at, .. } => StoreError::Corrupt(format!("sled reports corruption at {at:?}")),
        other => StoreError::Io(other.to_string()),
    }
}

/// A row is the version in eight bytes, big end first, and the value.
fn encode(version: Version, value: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(value.len().saturating_add(8));
    row.extend_from_slice(&version.0.to_be_bytes());
    row.extend_from_slice(value);
    row
}

fn decode(row: &[u8]) -> Result<Versioned, StoreError> {
    let (version, value) =
        row.split_first_chunk().ok_or_else(|| StoreError::Corrupt("a row without its version".into()))?;
    Ok(Versioned { value: Bytes::copy_from_slice(value), version: Version(u64::from_be_bytes(*version)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(version: u64, writes: Vec<Write>) -> Applied {
        Applied { version: Version(version), writes: writes.into() }
    }

    fn put(key: &'static str, value: &'static str) -> Write {
        Write::Put(Bytes::from_static(key.as_bytes()), Bytes::from_static(value.as_bytes()))
    }

    fn delete(key: &'static str) -> Write {
        Write::Delete(Bytes::from_static(key.as_bytes()))
    }

    fn seen(engine: &SledEngine, limit: usize) -> Vec<(String, String)> {
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let rows = engine.scan(&KeyRange::prefix(b""), limit).unwrap();
        rows.iter().map(|(key, row)| (text(key), text(&row.value))).collect()
    }

    #[test]
    fn readers_see_nothing_of_a_batch_before_it_is_durable_and_then_all() {
        let directory = tempfile::tempdir().unwrap();
        let engine = SledEngine::open(directory.path(), 1 << 20).unwrap();
        engine.persist(&[commit(1, vec![put("b", "1"), put("d", "1"), put("f", "1")])]).unwrap();
        let before = seen(&engine, 10);

        engine
            .stage(&[commit(2, vec![put("a", "2"), delete("b"), put("d", "2"), delete("f"), put("g", "2")])])
            .unwrap();
        assert_eq!(seen(&engine, 10), before);
        for limit in 1..=3 {
            assert_eq!(seen(&engine, limit), before[..limit]);
        }
        assert_eq!(engine.get(b"a").unwrap(), None);
        assert_eq!(engine.get(b"d").unwrap().unwrap().version, Version(1));
        assert_eq!(engine.get(b"f").unwrap().unwrap().version, Version(1));

        engine.harden().unwrap();
        let want = [("a", "2"), ("d", "2"), ("g", "2")].map(|(key, value)| (key.into(), value.into()));
        assert_eq!(seen(&engine, 10), want);
    }

    #[test]
    fn the_version_row_is_no_row_of_the_state() {
        let directory = tempfile::tempdir().unwrap();
        let engine = SledEngine::open(directory.path(), 1 << 20).unwrap();
        engine.persist(&[commit(7, vec![put("a", "1")])]).unwrap();
        assert_eq!(engine.get(VERSION_ROW).unwrap(), None);
        assert_eq!(seen(&engine, 10).len(), 1);
        assert_eq!(engine.version().unwrap(), Version(7));
    }

    #[test]
    fn rows_of_sixty_kibibytes_make_no_files_beside_the_log() {
        let directory = tempfile::tempdir().unwrap();
        let engine = SledEngine::open(directory.path(), 1 << 20).unwrap();
        for version in 1..200u64 {
            let key = Bytes::from(format!("{:03}", version % 40));
            let value = Bytes::from(vec![b'x'; 60 << 10]);
            engine.stage(&[commit(version, vec![Write::Put(key, value)])]).unwrap();
        }
        engine.harden().unwrap();
        assert_eq!(std::fs::read_dir(directory.path().join("blobs")).unwrap().count(), 0);
    }
}
