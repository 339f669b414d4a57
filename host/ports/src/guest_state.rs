//! What the host keeps for an adapter: a small durable key-value space and numbers that must not collide.

use async_trait::async_trait;

/// Why a guest's state call failed; the text reaches the guest.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum GuestStateError {
    /// The compare-and-set did not match.
    #[error("version conflict on {0:?}: read it again")]
    Conflict(String),
    /// The instance's space is full.
    #[error("{what} is over the instance's limit of {limit}")]
    Full {
        /// What was counted: `bytes`, `keys`, `key length` or `pool`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// Not a pool that the configuration names.
    #[error("there is no pool {0:?}: name it in the provider's `pools`")]
    NoPool(String),
    /// The state store failed.
    #[error("the state store failed: {0}")]
    Store(String),
}

/// The state of one provider instance.
#[async_trait]
pub trait GuestState: Send + Sync + 'static {
    /// A value and its version.
    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, GuestStateError>;
    /// Writes a value; with `if_version` only over that version, where 0 means "not there yet". Answers the new version.
    async fn set(&self, key: &str, value: Vec<u8>, if_version: Option<u64>) -> Result<u64, GuestStateError>;
    /// Removes a value under the same rule.
    async fn delete(&self, key: &str, if_version: Option<u64>) -> Result<(), GuestStateError>;
    /// Up to `limit` keys that begin with `prefix` and come after `after`, in order.
    async fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, GuestStateError>;
    /// The owner's number of the pool: the same one each time it asks.
    async fn take(&self, pool: &str, owner: &str) -> Result<u32, GuestStateError>;
    /// Gives the owner's number back.
    async fn give_back(&self, pool: &str, owner: &str) -> Result<(), GuestStateError>;
}
