//! What each knob of the runtime is worth: one call of `identity.describe` in a fresh instance, under configurations that
//! differ in one thing from the line before or from the host's own.
//!
//! The call needs no import, so that every import may trap and nothing of the host is measured. The baseline of each line is
//! the host's own configuration.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker, Val};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use super::Setting;
use crate::adapter;
use crate::report::Figure;
use crate::rounds::{Subject, interleaved};

pub(super) const FIGURES: [&str; 8] = [
    "tuning_host",
    "tuning_on_demand",
    "tuning_pooling",
    "tuning_keep_resident",
    "tuning_pagemap_scan",
    "tuning_stack_16k",
    "tuning_stack_not_zeroed",
    "tuning_no_copy_on_write",
];

const KIB: usize = 1 << 10;

/// What differs.
#[derive(Debug, Clone, Copy)]
struct Knobs {
    pooling: bool,
    /// Bytes of memories and tables that stay mapped.
    resident: (usize, usize),
    pagemap_scan: bool,
    /// Bytes of stacks that stay mapped; `None` leaves what was on them.
    stack: Option<usize>,
    copy_on_write: bool,
}

/// The host's own, see `host/plugin/src/engine/config.rs`.
const HOST: Knobs = Knobs {
    pooling: true,
    resident: (256 * KIB, 64 * KIB),
    pagemap_scan: true,
    stack: Some(64 * KIB),
    copy_on_write: true,
};
const POOLING: Knobs = Knobs { resident: (0, 0), pagemap_scan: false, stack: Some(0), ..HOST };

/// In the order of [`FIGURES`].
const LINES: [Knobs; 8] = [
    HOST,
    Knobs { pooling: false, ..HOST },
    POOLING,
    Knobs { pagemap_scan: false, ..HOST },
    Knobs { pagemap_scan: true, resident: (256 * KIB, 64 * KIB), ..POOLING },
    Knobs { stack: Some(16 * KIB), ..HOST },
    Knobs { stack: None, ..HOST },
    Knobs { copy_on_write: false, ..HOST },
];

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let wasm = adapter::component("fake")?;
    let sides: Vec<Arc<dyn Subject>> = LINES
        .iter()
        .map(|knobs| Ok(Arc::new(Describing::new(*knobs, &wasm).map_err(|e| anyhow!("{knobs:?}: {e:#}"))?) as _))
        .collect::<Result<_>>()?;
    let paces = interleaved(setting.plan, 1, &sides).await?;
    let host = paces.first().context("no lines")?.p50;
    Ok(FIGURES.iter().zip(&paces).map(|(name, pace)| Figure::by(*name, pace.p50, "µs", host)).collect())
}

struct Describing {
    engine: Engine,
    pre: InstancePre<()>,
    describe: ComponentExportIndex,
}

impl Describing {
    fn new(knobs: Knobs, wasm: &[u8]) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            .concurrency_support(false)
            .epoch_interruption(true)
            .async_stack_size(1 << 20)
            .max_wasm_stack(512 * KIB)
            .async_stack_zeroing(knobs.stack.is_some())
            .memory_init_cow(knobs.copy_on_write)
            .wasm_memory64(false);
        if knobs.pooling {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(knobs)));
        }
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component)?;
        let interface = component.get_export_index(None, "stowage:provider/identity@0.1.0");
        let describe = interface.and_then(|interface| component.get_export_index(Some(&interface), "describe"));
        let describe = describe.ok_or_else(|| wasmtime::format_err!("no describe"))?;
        Ok(Self { pre: linker.instantiate_pre(&component)?, engine, describe })
    }

    async fn describe(&self) -> wasmtime::Result<()> {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(1 << 40);
        let instance = self.pre.instantiate_async(&mut store).await?;
        let missing = || wasmtime::format_err!("no describe");
        let describe = instance.get_func(&mut store, self.describe).ok_or_else(missing)?;
        describe.call_async(&mut store, &[], &mut [Val::Bool(false)]).await
    }
}

fn pool(knobs: Knobs) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(64)
        .total_stacks(64)
        .total_core_instances(1024)
        .total_memories(256)
        .total_tables(512)
        .max_memory_size(64 << 20)
        .decommit_batch_size(8)
        .linear_memory_keep_resident(knobs.resident.0)
        .table_keep_resident(knobs.resident.1)
        .async_stack_keep_resident(knobs.stack.unwrap_or(0))
        .pagemap_scan(if knobs.pagemap_scan { Enabled::Auto } else { Enabled::No });
    pool
}

#[async_trait]
impl Subject for Describing {
    async fn once(&self) -> Result<()> {
        self.describe().await.map_err(|error| anyhow!("{error:#}"))
    }
}
