//! The native twin: the same adapter as an ordinary crate, for unit tests and for measuring what the sandbox costs.
//!
//! On targets other than WebAssembly the host's functions go to the [`NativeHost`] that [`with_host`] has installed on the
//! thread; without one they panic, as they would trap in a component without imports. [`MemoryHost`] is such a host.

mod memory;

use std::{cell::RefCell, sync::Arc};

use crate::contract::{
    http::{HttpError, Request, Response},
    types::StateError,
};
pub use crate::{
    bindings::imports::stowage::provider::log::Level,
    native::memory::{Answerer, LogLine, MemoryHost},
};

/// Stands in for the host.
pub trait NativeHost: Send + Sync {
    /// Sends a request along an exchange.
    fn send(&self, request: &Request) -> Result<Response, HttpError>;
    /// Takes a log line.
    fn log(&self, level: Level, message: &str, fields: &[(String, String)]);
    /// Unix milliseconds.
    fn now_ms(&self) -> u64;
    /// What is left of the call, in milliseconds.
    fn deadline_remaining_ms(&self) -> u64;
    /// The configuration as JSON text.
    fn config(&self) -> String;
    /// Reads a value and its version.
    fn kv_get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, StateError>;
    /// Writes a value; with `if_version` only over that version, where 0 means "not there yet".
    fn kv_set(&self, key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64, StateError>;
    /// Removes a value under the same rule.
    fn kv_delete(&self, key: &str, if_version: Option<u64>) -> Result<(), StateError>;
    /// Up to `limit` keys with the prefix and after `after`, in order.
    fn kv_keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, StateError>;
    /// The owner's number of the pool.
    fn take(&self, pool: &str, owner: &str) -> Result<u32, StateError>;
    /// Gives it back.
    fn give_back(&self, pool: &str, owner: &str) -> Result<(), StateError>;
}

thread_local! {
    static HOST: RefCell<Option<Arc<dyn NativeHost>>> = const { RefCell::new(None) };
}

/// Runs `work` with this host on the thread, and puts back the one that was there before, even when `work` panics.
pub fn with_host<R>(host: Arc<dyn NativeHost>, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<dyn NativeHost>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            HOST.with(|slot| *slot.borrow_mut() = before);
        }
    }
    let _restore = Restore(HOST.with(|slot| slot.borrow_mut().replace(host)));
    work()
}

/// Calls the thread's host.
#[allow(clippy::panic, reason = "stands for the trap of a component whose imports are not there; native tests only")]
pub(crate) fn current<R>(call: impl FnOnce(&dyn NativeHost) -> R) -> R {
    let host = HOST.with(|slot| slot.borrow().clone());
    match host {
        Some(host) => call(host.as_ref()),
        None => panic!("no host on this thread: run the adapter inside `with_host`"),
    }
}
