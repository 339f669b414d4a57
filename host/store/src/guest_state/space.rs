//! The key-value space of an instance.

use std::sync::Arc;

use bytes::Bytes;
use stowage_ports::{
    guest_state::GuestStateError,
    store::{Commit, CommitError, Precondition, Store, Version, Versioned, Write},
};
use tokio::sync::OnceCell;

use super::{
    failed,
    limits::{GuestLimits, Meter, Use, check_key},
};
use crate::Segments;

const TABLE: &str = "guest-kv";
/// How often a write without a version is tried anew when others write the same key.
const ATTEMPTS: u32 = 100;
/// Rows of one scan while the use is counted; their values are in memory together.
const COUNT_PAGE: usize = 64;

pub(super) struct Space {
    store: Arc<dyn Store>,
    prefix: Segments,
    limits: GuestLimits,
    meter: OnceCell<Meter>,
}

impl Space {
    pub(super) fn new(store: Arc<dyn Store>, instance: &str, limits: GuestLimits) -> Self {
        Self { store, prefix: Segments::of([TABLE, instance]), limits, meter: OnceCell::new() }
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, GuestStateError> {
        check_key(key)?;
        Ok(self.read(key).await?.map(|found| (found.value.to_vec(), found.version.0)))
    }

    pub(super) async fn set(&self, key: &str, value: Vec<u8>, if_version: Option<u64>) -> Result<u64, GuestStateError> {
        check_key(key)?;
        if value.len() as u64 > self.limits.value_bytes {
            return Err(GuestStateError::Full { what: "value bytes", limit: self.limits.value_bytes });
        }
        self.change(key, Some(value.into()), if_version).await.map(|version| version.0)
    }

    pub(super) async fn delete(&self, key: &str, if_version: Option<u64>) -> Result<(), GuestStateError> {
        check_key(key)?;
        self.change(key, None, if_version).await.map(|_| ())
    }

    pub(super) async fn keys(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, GuestStateError> {
        let mut range = self.prefix.clone().range_of_text(prefix);
        if let Some(after) = after {
            range = range.after(&self.key(after).key());
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(crate::Tables::MAX_PAGE);
        let rows = self.store.scan(range, limit).await.map_err(failed)?;
        Ok(rows.iter().filter_map(|(key, _)| Segments::parse(key)?.text_at(2)).collect())
    }

    /// Reads the key, reserves the room, and commits on the condition that the key is as read.
    async fn change(
        &self,
        key: &str,
        value: Option<Bytes>,
        if_version: Option<u64>,
    ) -> Result<Version, GuestStateError> {
        let meter = self.meter().await?;
        let conflict = || GuestStateError::Conflict(key.to_owned());
        for _ in 0..ATTEMPTS {
            let found = self.read(key).await?;
            let at = found.as_ref().map_or(0, |found| found.version.0);
            if if_version.is_some_and(|wanted| wanted != at) {
                return Err(conflict());
            }
            if found.is_none() && value.is_none() {
                return Ok(Version(0));
            }
            let old = found.as_ref().map_or(Use::default(), |found| Use::of(key, found.value.len()));
            let new = value.as_ref().map_or(Use::default(), |value| Use::of(key, value.len()));
            meter.reserve(old, new)?;
            let stored = self.key(key).key();
            let commit = Commit {
                preconditions: vec![match &found {
                    Some(found) => Precondition::At(stored.clone(), found.version),
                    None => Precondition::Absent(stored.clone()),
                }],
                writes: vec![match &value {
                    Some(value) => Write::Put(stored, value.clone()),
                    None => Write::Delete(stored),
                }],
            };
            match self.store.commit(commit).await {
                Ok(version) => {
                    meter.release(old);
                    return Ok(version);
                }
                Err(CommitError::Conflict(_)) => meter.release(new),
                Err(error) => {
                    meter.release(new);
                    return Err(failed(error));
                }
            }
        }
        Err(conflict())
    }

    async fn read(&self, key: &str) -> Result<Option<Versioned>, GuestStateError> {
        self.store.get(&self.key(key).key()).await.map_err(failed)
    }

    fn key(&self, key: &str) -> Segments {
        self.prefix.clone().text(key)
    }

    async fn meter(&self) -> Result<&Meter, GuestStateError> {
        self.meter
            .get_or_try_init(|| async {
                let mut used = Use::default();
                let mut range = self.prefix.range();
                loop {
                    let rows = self.store.scan(range.clone(), COUNT_PAGE).await.map_err(failed)?;
                    for (key, found) in &rows {
                        let key = Segments::parse(key).and_then(|key| key.text_at(2)).unwrap_or_default();
                        used.add(Use::of(&key, found.value.len()));
                    }
                    match rows.last() {
                        Some((key, _)) if rows.len() == COUNT_PAGE => range = range.after(key),
                        _ => return Ok(Meter::new(self.limits, used)),
                    }
                }
            })
            .await
    }
}
