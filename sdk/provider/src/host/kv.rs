//! Small durable state of this provider instance, with compare-and-set.
//!
//! For what a backend cannot hold itself. Two calls may run at once in two instances, so a change reads a version and
//! writes over that version: [`change`] does both, and answers `conflict-retry` when another call was first.

use serde::{Serialize, de::DeserializeOwned};

use super::outside;
pub use crate::contract::types::StateError;
use crate::{Result, error};

/// A value and the version that it was read at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// For the compare-and-set.
    pub version: u64,
}

/// The version of what is not there yet.
pub const ABSENT: u64 = 0;

/// Reads bytes and their version.
pub fn get(key: &str) -> std::result::Result<Option<(Vec<u8>, u64)>, StateError> {
    outside::kv_get(key)
}

/// Writes bytes; with `if_version` only over that version. Answers the new version.
pub fn set(key: &str, value: &[u8], if_version: Option<u64>) -> std::result::Result<u64, StateError> {
    outside::kv_set(key, value, if_version)
}

/// Removes a value; with `if_version` only that version. Absent is done.
pub fn delete(key: &str, if_version: Option<u64>) -> std::result::Result<(), StateError> {
    outside::kv_delete(key, if_version)
}

/// Up to `limit` keys that begin with `prefix` and come after `after`, in order.
pub fn keys(prefix: &str, after: Option<&str>, limit: u32) -> std::result::Result<Vec<String>, StateError> {
    outside::kv_keys(prefix, after, limit)
}

/// Reads a value that was written as JSON.
pub fn load<T: DeserializeOwned>(key: &str) -> Result<Option<Versioned<T>>> {
    let Some((bytes, version)) = get(key)? else { return Ok(None) };
    let value = serde_json::from_slice(&bytes)
        .map_err(|e| error::internal(format_args!("the state at {key:?} does not fit: {e}")))?;
    Ok(Some(Versioned { value, version }))
}

/// Writes a value as JSON; with `if_version` only over that version ([`ABSENT`]: only if it is not there yet).
pub fn store<T: Serialize>(key: &str, value: &T, if_version: Option<u64>) -> Result<u64> {
    let bytes = serde_json::to_vec(value).map_err(|e| error::internal(format_args!("cannot write {key:?}: {e}")))?;
    Ok(set(key, &bytes, if_version)?)
}

/// Reads, changes and writes over the version that was read. `None` in `change` is a value that is not there yet.
pub fn change<T, R>(key: &str, change: impl FnOnce(Option<T>) -> Result<(T, R)>) -> Result<R>
where
    T: Serialize + DeserializeOwned,
{
    let (before, version) = load::<T>(key)?.map_or((None, ABSENT), |v| (Some(v.value), v.version));
    let (after, answer) = change(before)?;
    store(key, &after, Some(version))?;
    Ok(answer)
}
