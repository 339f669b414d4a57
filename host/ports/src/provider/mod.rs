//! The Provider port: one configured backend, as the use cases see it.
//!
//! These types mirror the plugin contract (`wit/`), but belong to no version of it: the engine maps each released major
//! onto them. Times are Unix milliseconds, sizes bytes, durations seconds, as in the contract.

mod access;
mod answer;
mod audit;
mod call;
mod describe;
mod error;
mod health;
mod limits;
mod mounts;
mod namespaces;
mod port;

pub use access::*;
pub use answer::*;
pub use audit::*;
pub use call::*;
pub use describe::*;
pub use error::*;
pub use health::*;
pub use limits::*;
pub use mounts::*;
pub use namespaces::*;
pub use port::*;

/// Registered keys with text values: how records grow without a new version.
pub type Extensions = Vec<(String, String)>;

/// The adapter's own reference to a native object: opaque, at most 1 KiB, stored as is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct NativeRef(pub Vec<u8>);

impl NativeRef {
    /// Longest reference that the host stores.
    pub const MAX_BYTES: usize = 1024;
}

impl std::fmt::Debug for NativeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NativeRef({})", String::from_utf8_lossy(&self.0))
    }
}

/// Opaque paging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the last page ended.
    pub cursor: Option<Vec<u8>>,
    /// At most so many items.
    pub limit: u32,
}

/// One page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Vec<u8>>,
}
