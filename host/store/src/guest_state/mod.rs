//! An adapter's own state: a small key-value space, and numbers that must not collide.
//!
//! Every provider instance has a space of its own; its name is the first segment of each key, so no instance can name
//! another's keys. The space is limited in bytes and keys. The use is counted once, by a scan, and then kept in memory: a
//! row for it would make every write of an instance conflict with every other. Therefore hold one [`StoreGuestState`] per
//! instance, for as long as the instance lives.

mod limits;
mod pools;
mod space;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use async_trait::async_trait;
pub use limits::GuestLimits;
use stowage_ports::{
    guest_state::{GuestState, GuestStateError},
    store::{CommitError, Store},
};

/// The state of one provider instance, kept in the host's store.
pub struct StoreGuestState {
    space: space::Space,
    pools: BTreeMap<String, pools::Pool>,
}

impl StoreGuestState {
    /// The state of the instance with this name; `pools` are the number ranges that its configuration grants.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        instance: &str,
        limits: GuestLimits,
        pools: BTreeMap<String, RangeInclusive<u32>>,
    ) -> Self {
        let pool = |(name, range): (String, _)| {
            let pool = pools::Pool::new(Arc::clone(&store), instance, &name, range);
            (name, pool)
        };
        let pools = pools.into_iter().map(pool).collect();
        Self { space: space::Space::new(store, instance, limits), pools }
    }

    fn pool(&self, name: &str) -> Result<&pools::Pool, GuestStateError> {
        self.pools.get(name).ok_or_else(|| GuestStateError::NoPool(name.to_owned()))
    }
}

impl std::fmt::Debug for StoreGuestState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreGuestState").field("pools", &self.pools.keys()).finish_non_exhaustive()
    }
}

#[async_trait]
impl GuestState for StoreGuestState {
    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, GuestStateError> {
        self.space.get(key).await
    }

    async fn set(&self, key: &str, value: Vec<u8>, if_version: Option<u64>) -> Result<u64, GuestStateError> {
        self.space.set(key, value, if_version).await
    }

    async fn delete(&self, key: &str, if_version: Option<u64>) -> Result<(), GuestStateError> {
        self.space.delete(key, if_version).await
    }

    async fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, GuestStateError> {
        self.space.keys(prefix, after, limit).await
    }

    async fn take(&self, pool: &str, owner: &str) -> Result<u32, GuestStateError> {
        limits::check_key(owner)?;
        self.pool(pool)?.take(owner).await
    }

    async fn give_back(&self, pool: &str, owner: &str) -> Result<(), GuestStateError> {
        limits::check_key(owner)?;
        self.pool(pool)?.give_back(owner).await
    }
}

fn failed(error: impl Into<CommitError>) -> GuestStateError {
    GuestStateError::Store(error.into().to_string())
}
