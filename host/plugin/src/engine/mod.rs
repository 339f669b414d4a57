//! One engine for the process: the runtime, the linker, the queue and the artefact cache.

mod config;
mod pool;
pub(crate) mod queue;
mod ticker;

use std::path::PathBuf;
use std::sync::Arc;

use stowage_ports::{Clock, Exchange, GuestState, Provider};
use tokio::sync::Semaphore;
use wasmtime::component::Linker;

pub use pool::PoolUse;
pub(crate) use ticker::TICK;

use crate::admission::{self, AdmitOptions, Admitted};
use crate::cache::{Cache, CacheStats};
use crate::call::CallState;
use crate::error::{AdmitError, EngineError};
use crate::imports;
use crate::limits::{CallLimits, EngineLimits};
use crate::provider::{Bare, Instance};

/// How an engine is set up.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Limits of the process.
    pub limits: EngineLimits,
    /// Directory of the artefact cache; without one every admission compiles.
    pub cache: Option<PathBuf>,
}

/// What an admitted component is joined with.
pub struct Binding {
    /// The provider's name in this host, for logs and metrics.
    pub provider: String,
    /// Its configuration.
    pub config: serde_json::Value,
    /// Its way out.
    pub exchange: Arc<dyn Exchange>,
    /// Its durable state.
    pub state: Arc<dyn GuestState>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// What one of its calls may use.
    pub limits: CallLimits,
}

/// The engine. A clone is the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) runtime: wasmtime::Engine,
    pub(crate) linker: Linker<CallState>,
    pub(crate) limits: EngineLimits,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) cache: Cache,
}

impl Engine {
    /// Sets the engine up and starts its epoch thread, which ends with the last clone.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        options.limits.check()?;
        let refused = |error: wasmtime::Error| EngineError::Runtime(format!("{error:#}"));
        let runtime = wasmtime::Engine::new(&config::configuration(&options.limits)).map_err(refused)?;
        let linker = imports::linker(&runtime).map_err(refused)?;
        let cache = Cache::open(options.cache, &runtime)?;
        ticker::start(&runtime)?;
        let places = usize::try_from(options.limits.concurrent_calls).unwrap_or(256);
        let inner = Inner { runtime, linker, limits: options.limits, places: Arc::new(Semaphore::new(places)), cache };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Reads a component: digest, world, description, configuration schema. Compiles it, unless the cache has it.
    ///
    /// Does not block the runtime: compilation runs on a blocking thread.
    pub async fn admit(&self, wasm: &[u8], options: AdmitOptions) -> Result<Admitted, AdmitError> {
        admission::admit(self, wasm, options).await
    }

    /// Joins an admitted component with one backend. Checks the configuration against the plugin's schema.
    pub fn bind(&self, admitted: &Admitted, binding: Binding) -> Result<Arc<dyn Provider>, AdmitError> {
        Ok(Arc::new(Instance::new(self, admitted, binding)?))
    }

    /// The same without anything around its calls, for measurements.
    pub fn bare(&self, admitted: &Admitted, binding: Binding) -> Result<Bare, AdmitError> {
        Ok(Bare(Instance::new(self, admitted, binding)?))
    }

    /// The runtime, for measurements under the same configuration.
    #[must_use]
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.runtime
    }

    /// Limits of the process.
    #[must_use]
    pub fn limits(&self) -> &EngineLimits {
        &self.inner.limits
    }

    /// Hits, misses and rejections of the artefact cache since the start.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        self.inner.cache.stats()
    }

    /// What the pool holds now. The gauges `engine_pool_*` are set from it once a second.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        pool::read(&self.inner.runtime)
    }

    /// Calls that run now.
    #[must_use]
    pub fn calls_in_flight(&self) -> u64 {
        let free = u64::try_from(self.inner.places.available_permits()).unwrap_or(u64::MAX);
        self.inner.limits.concurrent_calls.saturating_sub(free)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}
