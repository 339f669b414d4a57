//! A host in memory, for an adapter's own tests.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Level, NativeHost};
use crate::contract::{
    http::{HttpError, Request, Response},
    types::StateError,
};

/// Answers exchanges in a test.
pub type Answerer = Box<dyn Fn(&Request) -> Result<Response, HttpError> + Send + Sync>;

/// A log line that an adapter wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Level.
    pub level: Level,
    /// Message.
    pub message: String,
    /// Fields.
    pub fields: Vec<(String, String)>,
}

/// State in a map, a clock that stands until it is set, and exchanges answered by a function. Its rules of compare-and-set
/// are the host's own.
pub struct MemoryHost {
    config: String,
    now_ms: AtomicU64,
    versions: AtomicU64,
    values: Mutex<BTreeMap<String, (Vec<u8>, u64)>>,
    numbers: Mutex<BTreeMap<String, BTreeMap<String, u32>>>,
    sent: Mutex<Vec<Request>>,
    lines: Mutex<Vec<LogLine>>,
    answerer: Answerer,
}

impl MemoryHost {
    /// With this configuration (JSON text); every exchange is unreachable.
    #[must_use]
    pub fn new(config: &str) -> Self {
        Self {
            config: config.to_owned(),
            now_ms: AtomicU64::new(1_700_000_000_000),
            versions: AtomicU64::new(1),
            values: Mutex::default(),
            numbers: Mutex::default(),
            sent: Mutex::default(),
            lines: Mutex::default(),
            answerer: Box::new(|_| Err(HttpError::Unreachable("no backend in this test".to_owned()))),
        }
    }

    /// Answers exchanges with this function.
    #[must_use]
    pub fn answering(
        mut self,
        answerer: impl Fn(&Request) -> Result<Response, HttpError> + Send + Sync + 'static,
    ) -> Self {
        self.answerer = Box::new(answerer);
        self
    }

    /// Sets the clock.
    pub fn set_now_ms(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Every request that was sent, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<Request> {
        held(&self.sent).clone()
    }

    /// Every log line, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        held(&self.lines).clone()
    }

    /// The keys of the state and their values.
    #[must_use]
    pub fn state(&self) -> BTreeMap<String, Vec<u8>> {
        held(&self.values).iter().map(|(k, (v, _))| (k.clone(), v.clone())).collect()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(found: u64, if_version: Option<u64>) -> Result<(), StateError> {
    if if_version.is_some_and(|wanted| wanted != found) { Err(StateError::Conflict) } else { Ok(()) }
}

impl NativeHost for MemoryHost {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        held(&self.sent).push(request.clone());
        (self.answerer)(request)
    }
    fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
        held(&self.lines).push(LogLine { level, message: message.to_owned(), fields: fields.to_vec() });
    }
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }
    fn deadline_remaining_ms(&self) -> u64 {
        30_000
    }
    fn config(&self) -> String {
        self.config.clone()
    }
    fn kv_get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, StateError> {
        Ok(held(&self.values).get(key).cloned())
    }
    fn kv_set(&self, key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64, StateError> {
        let mut values = held(&self.values);
        check(values.get(key).map_or(0, |(_, v)| *v), if_version)?;
        let version = self.versions.fetch_add(1, Ordering::Relaxed);
        values.insert(key.to_owned(), (value.to_vec(), version));
        Ok(version)
    }
    fn kv_delete(&self, key: &str, if_version: Option<u64>) -> Result<(), StateError> {
        let mut values = held(&self.values);
        check(values.get(key).map_or(0, |(_, v)| *v), if_version)?;
        values.remove(key);
        Ok(())
    }
    fn kv_keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, StateError> {
        let values = held(&self.values);
        let keys = values.keys().filter(|k| k.starts_with(prefix) && after.is_none_or(|a| k.as_str() > a));
        Ok(keys.take(limit as usize).cloned().collect())
    }
    fn take(&self, pool: &str, owner: &str) -> Result<u32, StateError> {
        let mut numbers = held(&self.numbers);
        let pool = numbers.entry(pool.to_owned()).or_default();
        let next = (1..).find(|n| !pool.values().any(|taken| taken == n)).unwrap_or(1);
        Ok(*pool.entry(owner.to_owned()).or_insert(next))
    }
    fn give_back(&self, pool: &str, owner: &str) -> Result<(), StateError> {
        if let Some(pool) = held(&self.numbers).get_mut(pool) {
            pool.remove(owner);
        }
        Ok(())
    }
}
