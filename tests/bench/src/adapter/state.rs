//! A provider's state in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use stowage_ports::{GuestState, GuestStateError};
use tokio::sync::Semaphore;

/// State in memory, with a gate before each read.
pub(crate) struct MemoryState {
    values: Mutex<BTreeMap<String, (Vec<u8>, u64)>>,
    /// Reads wait for a permit here; `None` lets all through.
    gate: Option<Semaphore>,
    waiting: AtomicU64,
}

impl MemoryState {
    /// Answers at once.
    pub(crate) fn open() -> Self {
        Self { values: Mutex::default(), gate: None, waiting: AtomicU64::new(0) }
    }

    /// Holds every read until the process ends.
    pub(crate) fn shut() -> Self {
        Self { gate: Some(Semaphore::new(0)), ..Self::open() }
    }

    /// Reads that have come to the gate.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }
}

fn check(key: &str, found: u64, wanted: Option<u64>) -> Result<(), GuestStateError> {
    match wanted {
        Some(wanted) if wanted != found => Err(GuestStateError::Conflict(key.to_owned())),
        _ => Ok(()),
    }
}

#[async_trait]
impl GuestState for MemoryState {
    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, GuestStateError> {
        if let Some(gate) = &self.gate {
            let closed = |_| GuestStateError::Store("the gate is closed".to_owned());
            self.waiting.fetch_add(1, Ordering::Relaxed);
            gate.acquire().await.map_err(closed)?.forget();
        }
        Ok(self.values.lock().get(key).cloned())
    }

    async fn set(&self, key: &str, value: Vec<u8>, if_version: Option<u64>) -> Result<u64, GuestStateError> {
        let mut values = self.values.lock();
        let found = values.get(key).map_or(0, |(_, version)| *version);
        check(key, found, if_version)?;
        values.insert(key.to_owned(), (value, found + 1));
        Ok(found + 1)
    }

    async fn delete(&self, key: &str, if_version: Option<u64>) -> Result<(), GuestStateError> {
        let mut values = self.values.lock();
        check(key, values.get(key).map_or(0, |(_, version)| *version), if_version)?;
        values.remove(key);
        Ok(())
    }

    async fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, GuestStateError> {
        let values = self.values.lock();
        let keys =
            values.keys().filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after));
        Ok(keys.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    async fn take(&self, pool: &str, _: &str) -> Result<u32, GuestStateError> {
        Err(GuestStateError::NoPool(pool.to_owned()))
    }

    async fn give_back(&self, _: &str, _: &str) -> Result<(), GuestStateError> {
        Ok(())
    }
}
