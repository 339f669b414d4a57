//! Numbers that must not collide, held by the host: the same owner gets the same number each time it asks.

use super::outside;
use crate::Result;

/// The owner's number of the pool. Pools are named in the provider's configuration.
pub fn take(pool: &str, owner: &str) -> Result<u32> {
    Ok(outside::take(pool, owner)?)
}

/// Gives the owner's number back; it may then be given to another.
pub fn give_back(pool: &str, owner: &str) -> Result<()> {
    Ok(outside::give_back(pool, owner)?)
}
