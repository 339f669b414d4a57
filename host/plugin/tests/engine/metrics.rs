//! The metrics that an operator reads.

use metrics_exporter_prometheus::PrometheusBuilder;
use stowage_plugin::{CallLimits, EngineLimits};
use stowage_ports::provider::ProbeMode;

use crate::support::{World, admit, cx, engine, probe_fails, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_limits_traps_the_pool_and_the_cache_are_counted() {
    let page = PrometheusBuilder::new().install_recorder().unwrap();
    let engine = engine(EngineLimits::default());
    let well = World::default().provider(&engine, "well_behaved").await;
    well.probe(&cx(), ProbeMode::ReadOnly).await.unwrap();
    let endless =
        World::with(CallLimits { cpu_ms: 10, ..CallLimits::default() }).provider(&engine, "endless_loop").await;
    probe_fails(&endless).await;
    let trap = World::default().provider(&engine, "trap").await;
    probe_fails(&trap).await;
    admit(&engine, "trap").await.unwrap();
    for line in [
        r#"plugin_call_seconds_count{provider="well-behaved",function="health.probe",outcome="ok"} 1"#,
        r#"plugin_call_seconds_count{provider="endless-loop",function="health.probe",outcome="plugin"} 1"#,
        r#"plugin_cpu_seconds_count{provider="well-behaved",function="health.probe"} 1"#,
        r#"plugin_queue_seconds_count{provider="well-behaved",function="health.probe"} 1"#,
        r#"plugin_memory_peak_bytes_count{provider="well-behaved",function="health.probe"} 1"#,
        r#"plugin_limit_hits_total{provider="endless-loop",limit="limit.cpu"} 1"#,
        r#"plugin_traps_total{provider="trap",code="unreachable"} 1"#,
        "artefact_cache_hits_total ",
        "engine_pool_component_instances 0",
    ] {
        until(line, || page.render().contains(line)).await;
    }
}
