//! Places for calls: fewer than the pool has, so that a full host makes a caller wait and never meets a pool error.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A call's place: the provider's own and the engine's. Both are given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
    pub(crate) waited: Duration,
}

/// Which queue was full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The provider's own calls.
    Provider,
    /// All providers together.
    Host,
}

/// Takes a place of the provider and then one of the host, within `patience` for both.
///
/// In this order: a provider whose backend hangs waits at its own door and never holds a place of the host meanwhile.
pub(crate) async fn take(own: &Arc<Semaphore>, shared: &Arc<Semaphore>, patience: Duration) -> Result<Place, Full> {
    if let Ok(first) = Arc::clone(own).try_acquire_owned()
        && let Ok(second) = Arc::clone(shared).try_acquire_owned()
    {
        return Ok(Place { _own: first, _shared: second, waited: Duration::ZERO });
    }
    let since = Instant::now();
    let first = wait(own, patience).await.ok_or(Full::Provider)?;
    let second = wait(shared, patience.saturating_sub(since.elapsed())).await.ok_or(Full::Host)?;
    Ok(Place { _own: first, _shared: second, waited: since.elapsed() })
}

async fn wait(places: &Arc<Semaphore>, patience: Duration) -> Option<OwnedSemaphorePermit> {
    tokio::time::timeout(patience, Arc::clone(places).acquire_owned()).await.ok()?.ok()
}
