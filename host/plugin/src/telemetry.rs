//! Metrics. Labels are closed sets: provider, function, outcome, limit, trap code.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Histogram, counter, gauge, histogram};
use stowage_ports::provider::{Fault, Receipt};

use crate::engine::PoolUse;

/// The histograms of one function of one provider, looked up once.
pub(crate) struct FunctionMetrics {
    calls: [Histogram; 5],
    cpu: Histogram,
    queue: Histogram,
    memory: Histogram,
}

impl FunctionMetrics {
    pub(crate) fn new(provider: &str, function: &'static str) -> Arc<Self> {
        let provider = provider.to_owned();
        let calls = ["ok", "caller", "backend", "plugin", "host"].map(|outcome| {
            histogram!("plugin_call_seconds", "provider" => provider.clone(), "function" => function, "outcome" => outcome)
        });
        Arc::new(Self {
            calls,
            cpu: histogram!("plugin_cpu_seconds", "provider" => provider.clone(), "function" => function),
            queue: histogram!("plugin_queue_seconds", "provider" => provider.clone(), "function" => function),
            memory: histogram!("plugin_memory_peak_bytes", "provider" => provider, "function" => function),
        })
    }

    pub(crate) fn record(&self, receipt: &Receipt, fault: Option<Fault>) {
        let [ok, caller, backend, plugin, host] = &self.calls;
        let call = match fault {
            None => ok,
            Some(Fault::Caller) => caller,
            Some(Fault::Backend) => backend,
            Some(Fault::Plugin) => plugin,
            Some(Fault::Host) => host,
        };
        call.record(seconds(receipt.wall_ns));
        self.cpu.record(seconds(receipt.cpu_ns));
        self.queue.record(seconds(receipt.queue_ns));
        self.memory.record(receipt.memory_peak_bytes as f64);
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

/// The label of a fault.
pub(crate) const fn outcome(fault: Option<Fault>) -> &'static str {
    match fault {
        None => "ok",
        Some(Fault::Caller) => "caller",
        Some(Fault::Backend) => "backend",
        Some(Fault::Plugin) => "plugin",
        Some(Fault::Host) => "host",
    }
}

pub(crate) fn limit_hit(provider: &str, limit: &'static str) {
    counter!("plugin_limit_hits_total", "provider" => provider.to_owned(), "limit" => limit).increment(1);
}

pub(crate) fn trapped(provider: &str, code: &'static str) {
    counter!("plugin_traps_total", "provider" => provider.to_owned(), "code" => code).increment(1);
}

pub(crate) fn artefact(what: &'static str) {
    match what {
        "hits" => counter!("artefact_cache_hits_total").increment(1),
        "misses" => counter!("artefact_cache_misses_total").increment(1),
        _ => counter!("artefact_cache_rejects_total").increment(1),
    }
}

pub(crate) fn compiled(took: Duration) {
    histogram!("engine_compile_seconds").record(took.as_secs_f64());
}

pub(crate) fn pool(used: &PoolUse) {
    gauge!("engine_pool_component_instances").set(used.component_instances as f64);
    gauge!("engine_pool_core_instances").set(used.core_instances as f64);
    gauge!("engine_pool_memories").set(used.memories as f64);
    gauge!("engine_pool_tables").set(used.tables as f64);
    gauge!("engine_pool_stacks").set(used.stacks as f64);
    gauge!("engine_pool_idle_memory_bytes").set(used.idle_memory_bytes as f64);
}
