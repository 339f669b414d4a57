//! What the pool holds, as numbers and as gauges.

/// A reading of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolUse {
    /// Component instances in use.
    pub component_instances: u64,
    /// Core instances in use.
    pub core_instances: u64,
    /// Linear memories in use.
    pub memories: u64,
    /// Tables in use.
    pub tables: u64,
    /// Stacks in use.
    pub stacks: u64,
    /// Bytes that idle memory slots keep resident for the next call.
    pub idle_memory_bytes: u64,
}

pub(crate) fn read(runtime: &wasmtime::Engine) -> PoolUse {
    let Some(metrics) = runtime.pooling_allocator_metrics() else { return PoolUse::default() };
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let used = PoolUse {
        component_instances: metrics.component_instances(),
        core_instances: metrics.core_instances(),
        memories: wide(metrics.memories()),
        tables: wide(metrics.tables()),
        stacks: wide(metrics.stacks()),
        idle_memory_bytes: wide(metrics.unused_memory_bytes_resident()),
    };
    crate::telemetry::pool(&used);
    used
}
