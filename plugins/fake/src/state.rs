//! Where the fake keeps what it made: JSON in the host's `kv`.
//!
//! | key | value |
//! |---|---|
//! | `ns/ID` | a namespace, by its physical id |
//! | `owner/KIND/OWNER` | the name of what bears this mark |
//! | `tenant/NAME`, `snap/ID/NAME`, `principal/NAME`, `policy/POINT`, `credential/ID`, `plan/ID` | the same for the others |
//! | `job/HANDLE`, `count/FUNCTION/OWNER` | native jobs and demands that count |
//! | `capacity`, `audit/target`, `event/NUMBER` | capacity, audit |

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use stowage_provider_sdk::prelude::*;

/// How often a compare-and-set is tried before the host is asked to come again. It runs in memory, so this is no waiting.
const TRIES: u32 = 64;

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Namespace {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) tenant: Vec<u8>,
    /// Beneath the root.
    pub(crate) path: String,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) limits: Vec<Limit>,
    /// Bytes that it holds of the capacity.
    pub(crate) reserved: u64,
    pub(crate) revision: u64,
    pub(crate) used_bytes: u64,
    pub(crate) used_inodes: u64,
    pub(crate) rules: Vec<Extensions>,
    pub(crate) labels: Extensions,
}

impl Namespace {
    pub(crate) fn key(id: &str) -> String {
        format!("ns/{id}")
    }

    /// The namespace of a reference, or `not-found`.
    pub(crate) fn of(native: &[u8]) -> Result<host::kv::Versioned<Self>> {
        let id = text(native, "ref")?;
        host::kv::load(&Self::key(id))?.ok_or_else(|| error::not_found(format_args!("namespace {id}")))
    }

    /// Writes it over the version that was read, with its next revision.
    pub(crate) fn save(mut self, version: u64) -> Result<Self> {
        self.revision += 1;
        host::kv::store(&Self::key(&self.id), &self, Some(version))?;
        Ok(self)
    }
}

/// A reference of the fake's own as text.
pub(crate) fn text<'a>(native: &'a [u8], field: &str) -> Result<&'a str> {
    std::str::from_utf8(native).map_err(|_| error::invalid(field, "is not a reference that this adapter gave"))
}

/// Remembers what bears the mark.
pub(crate) fn mark(kind: &str, owner: &str, name: &str) -> Result<()> {
    host::kv::store(&format!("owner/{kind}/{owner}"), &name, None)?;
    Ok(())
}

/// What bears the mark.
pub(crate) fn marked(kind: &str, owner: &str) -> Result<Option<String>> {
    Ok(host::kv::load(&format!("owner/{kind}/{owner}"))?.map(|v| v.value))
}

/// Forgets the mark.
pub(crate) fn unmark(kind: &str, owner: &str) -> Result<()> {
    Ok(host::kv::delete(&format!("owner/{kind}/{owner}"), None)?)
}

/// Reads, changes and writes; tries again when another call was first.
pub(crate) fn change<T, R>(key: &str, change: impl Fn(Option<T>) -> Result<(T, R)>) -> Result<R>
where
    T: Serialize + DeserializeOwned,
{
    let mut tries = 0;
    loop {
        match host::kv::change(key, &change) {
            Err(lost) if lost.kind == error::ErrorKind::ConflictRetry && tries < TRIES => tries += 1,
            answer => return answer,
        }
    }
}

/// A page of everything beneath a prefix, in the order of the keys.
pub(crate) fn list<T: DeserializeOwned>(prefix: &str, page: &PageRequest) -> Result<(Vec<T>, Option<Vec<u8>>)> {
    let size = page.size();
    let after = page.after()?;
    if after.is_some_and(|a| !a.starts_with(prefix)) {
        return Err(error::invalid("page.cursor", "is not one that this adapter gave for this list"));
    }
    let wanted = u32::try_from(size).unwrap_or(u32::MAX).saturating_add(1);
    let mut keys = host::kv::keys(prefix, after, wanted)?;
    let more = keys.len() > size;
    keys.truncate(size);
    let next = if more { keys.last().map(|k| k.clone().into_bytes()) } else { None };
    let mut items = Vec::with_capacity(keys.len());
    for key in keys {
        // One that was removed since its key was listed is simply not there.
        if let Some(found) = host::kv::load(&key)? {
            items.push(found.value);
        }
    }
    Ok((items, next))
}

/// Everything beneath a prefix.
pub(crate) fn all<T: DeserializeOwned>(prefix: &str) -> Result<Vec<T>> {
    let mut page = PageRequest { cursor: None, limit: page::MAX_ITEMS };
    let mut everything = Vec::new();
    loop {
        let (items, next) = list(prefix, &page)?;
        everything.extend(items);
        if next.is_none() {
            return Ok(everything);
        }
        page.cursor = next;
    }
}
