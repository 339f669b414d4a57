//! The runtime's knobs. Each line that departs from wasmtime's default says why.

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy};

use crate::limits::EngineLimits;

/// Largest slot of a linear memory: the upper end of `memory_bytes`, so that the sum is always hit first.
const MEMORY_SLOT_BYTES: usize = 256 << 20;
/// Largest table: the upper end of `table_elements`.
const TABLE_SLOT_ELEMENTS: usize = 100_000;
/// Bytes of a used memory slot that stay mapped for the next call. With the pagemap scan only written pages are
/// cleared; 256 KiB measured best (16 to 18 µs a call; 0 KiB: 45 µs).
const MEMORY_KEEP_RESIDENT: usize = 256 << 10;
/// The same for tables and stacks.
const TABLE_KEEP_RESIDENT: usize = 64 << 10;
const STACK_KEEP_RESIDENT: usize = 64 << 10;
/// Places beyond the semaphore, for admissions and for stores that are being dropped.
const SPARE_PLACES: u32 = 16;

/// The one configuration of the process.
pub(crate) fn configuration(limits: &EngineLimits) -> Config {
    let stack = usize::try_from(limits.stack_bytes).unwrap_or(512 << 10);
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)))
        // Costs 0.5 µs a call and is only needed for the asynchronous component model, which the contract does not use.
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(stack)
        .async_stack_size(stack + (512 << 10))
        // Tenants share one pool: nothing of a call may be found on the stack of the next.
        .async_stack_zeroing(true)
        .memory_init_cow(true)
        .table_lazy_init(true)
        .parallel_compilation(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false);
    config
}

fn pool(limits: &EngineLimits) -> PoolingAllocationConfig {
    let places = u32::try_from(limits.concurrent_calls).unwrap_or(256).saturating_add(SPARE_PLACES);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(places)
        .total_stacks(places)
        .total_core_instances(places.saturating_mul(16))
        .total_memories(places.saturating_mul(4))
        .total_tables(places.saturating_mul(8))
        .max_core_instances_per_component(64)
        .max_memories_per_component(16)
        .max_tables_per_component(32)
        .max_memories_per_module(16)
        .max_tables_per_module(16)
        .max_memory_size(MEMORY_SLOT_BYTES)
        .table_elements(TABLE_SLOT_ELEMENTS)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_unused_warm_slots(places)
        .decommit_batch_size(8)
        .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT)
        .table_keep_resident(TABLE_KEEP_RESIDENT)
        .async_stack_keep_resident(STACK_KEEP_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    pool
}
