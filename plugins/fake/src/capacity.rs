//! The capacity that all byte limits share.
//!
//! The counter and the namespace are two values, and a call may be stopped between the two writes. So the counter keeps what
//! it has granted until the namespace shows it: a repeated call finds its own grant and takes nothing twice.
//! Counter-example: a bare number, which a crash after it was raised and before the namespace was written raises for good.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::*;

use crate::{config::Config, state};

const KEY: &str = "capacity";

/// The counter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Capacity {
    /// Bytes that are taken.
    pub(crate) used: u64,
    /// Grants that their namespaces may not show yet: from how much to how much.
    open: BTreeMap<String, (u64, u64)>,
}

/// Takes or gives back what lies between `from` and `to` for this namespace, once.
pub(crate) fn reserve(config: &Config, id: &str, from: u64, to: u64) -> Result<()> {
    if from == to {
        return Ok(());
    }
    state::change::<Capacity, ()>(KEY, |found| {
        let mut book = found.unwrap_or_default();
        if let Some((before, after)) = book.open.remove(id) {
            if (before, after) == (from, to) {
                book.open.insert(id.to_owned(), (before, after));
                return Ok((book, ()));
            }
            // A change that was given up for another one, unless the namespace shows it.
            if before == from {
                book.used = book.used.saturating_sub(after).saturating_add(before);
            }
        }
        let used = book.used.saturating_sub(from).saturating_add(to);
        if to > from && used > config.capacity_bytes {
            return Err(error::capacity_exhausted("capacity.bytes", book.used, config.capacity_bytes));
        }
        book.used = used;
        let mut open = BTreeMap::new();
        for (other, grant) in book.open {
            let shown =
                host::kv::load::<state::Namespace>(&state::Namespace::key(&other))?.map_or(0, |n| n.value.reserved);
            if shown != grant.1 {
                open.insert(other, grant);
            }
        }
        open.insert(id.to_owned(), (from, to));
        Ok((Capacity { used, open }, ()))
    })
}

/// Bytes that are taken.
pub(crate) fn used() -> Result<u64> {
    Ok(host::kv::load::<Capacity>(KEY)?.map_or(0, |v| v.value.used))
}
