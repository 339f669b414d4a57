//! The sum of an instance's memories and tables.
//!
//! The runtime's own limits hold for each memory: two memories of 64 KiB pass a limit of 64 KiB. Here every growth counts
//! against one sum. A refused growth traps, because a guest that is told "no" aborts with a message of its own and the
//! limit would not be seen.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use wasmtime::ResourceLimiter;

use super::{LimitHit, Meter};
use crate::limits::CallLimits;

pub(crate) struct InstanceMemory {
    meter: Arc<Meter>,
    bytes: u64,
    elements: u64,
    max_bytes: u64,
    max_elements: u64,
    max_instances: usize,
    max_memories: usize,
    max_tables: usize,
}

impl InstanceMemory {
    pub(crate) fn new(meter: Arc<Meter>, limits: &CallLimits) -> Self {
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            meter,
            bytes: 0,
            elements: 0,
            max_bytes: limits.memory_bytes,
            max_elements: limits.table_elements,
            max_instances: count(limits.core_instances),
            max_memories: count(limits.memories),
            max_tables: count(limits.tables),
        }
    }
}

fn grown(sum: u64, current: usize, desired: usize) -> u64 {
    let more = u64::try_from(desired.saturating_sub(current)).unwrap_or(u64::MAX);
    sum.saturating_add(more)
}

impl ResourceLimiter for InstanceMemory {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let sum = grown(self.bytes, current, desired);
        if sum > self.max_bytes {
            return Err(LimitHit::Memory.into());
        }
        self.bytes = sum;
        self.meter.memory_peak.fetch_max(sum, Ordering::Relaxed);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(LimitHit::Memory.into())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let sum = grown(self.elements, current, desired);
        if sum > self.max_elements {
            return Err(LimitHit::TableElements.into());
        }
        self.elements = sum;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(LimitHit::TableElements.into())
    }

    fn instances(&self) -> usize {
        self.max_instances
    }

    fn tables(&self) -> usize {
        self.max_tables
    }

    fn memories(&self) -> usize {
        self.max_memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_limited_by_their_sum() {
        let limits = CallLimits { memory_bytes: 1 << 20, ..CallLimits::default() };
        let meter = Arc::new(Meter::new());
        let mut memory = InstanceMemory::new(Arc::clone(&meter), &limits);
        assert!(memory.memory_growing(0, 600 << 10, None).is_ok());
        let second = memory.memory_growing(0, 600 << 10, None);
        let hit = second.err().and_then(|error| error.downcast_ref::<LimitHit>().copied());
        assert_eq!(hit, Some(LimitHit::Memory), "each fits alone, both do not");
        assert!(memory.memory_growing(600 << 10, 1 << 20, None).is_ok());
        assert_eq!(meter.memory_peak.load(Ordering::Relaxed), 1 << 20);
    }
}
