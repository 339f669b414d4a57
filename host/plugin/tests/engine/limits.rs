//! Walks the table of limits: every row has a case that hits it.

use std::sync::Arc;

use stowage_plugin::limits::{self, Row};
use stowage_plugin::{AdmitError, AdmitOptions, CallLimits, Engine, EngineLimits, EngineOptions};
use stowage_ports::provider::ProbeMode;

use crate::support::{FakeExchange, World, admit, cx, engine, probe_fails, until, wasm};

fn hanging(limits: CallLimits) -> World {
    World { exchange: Arc::new(FakeExchange { hangs: true, ..FakeExchange::default() }), ..World::with(limits) }
}

/// The code that a probe of the guest ends with.
async fn code(world: World, guest: &str) -> String {
    let provider = world.provider(&engine(EngineLimits::default()), guest).await;
    format!("`{}`", probe_fails(&provider).await.error.native_code.unwrap_or_default())
}

/// What a guest is refused with at admission.
async fn refused(limits: CallLimits, guest: &str) -> AdmitError {
    let options = AdmitOptions { limits, ..AdmitOptions::default() };
    engine(EngineLimits::default()).admit(&wasm(guest), options).await.unwrap_err()
}

/// The code when every place of the engine or the provider is taken by a hanging call.
async fn queued(host: EngineLimits, own: CallLimits) -> String {
    let engine = engine(host);
    let world = hanging(own);
    let provider = world.provider(&engine, "hang_in_host_call").await;
    let hung = tokio::spawn({
        let provider = provider.clone();
        async move { provider.probe(&cx(), ProbeMode::ReadOnly).await }
    });
    until("one call hangs", || world.exchange.asked.lock().len() == 1).await;
    let failure = probe_fails(&provider).await;
    hung.abort();
    format!("`{}`", failure.error.native_code.unwrap_or_default())
}

async fn hit_by_call(row: &Row) -> String {
    let base = CallLimits::default();
    match row.name {
        "cpu_ms" => code(World::with(CallLimits { cpu_ms: 10, ..base }), "endless_loop").await,
        "wall_ms" => code(hanging(CallLimits { wall_ms: 20, ..base }), "hang_in_host_call").await,
        "memory_bytes" => code(World::with(CallLimits { memory_bytes: 4 << 20, ..base }), "memory_hog").await,
        "table_elements" => code(World::with(CallLimits { table_elements: 200, ..base }), "table_growth").await,
        "handles" => code(World::with(CallLimits { handles: 16, ..base }), "handle_flood").await,
        "transfer_bytes" => code(World::with(CallLimits { transfer_bytes: 1 << 20, ..base }), "huge_transfer").await,
        "result_bytes" => code(World::with(CallLimits { result_bytes: 1 << 20, ..base }), "huge_result").await,
        "host_calls" => code(World::with(CallLimits { host_calls: 16, ..base }), "host_call_flood").await,
        "exchanges" => code(World::with(CallLimits { exchanges: 1, ..base }), "exchange_flood").await,
        "random_bytes" => code(World::with(CallLimits { random_bytes: 1024, ..base }), "random_hog").await,
        "memories" => match refused(CallLimits { memories: 3, ..base }, "many_memories").await {
            AdmitError::Needs { limit_name: "memories", .. } => "`limit.memories`".to_owned(),
            other => other.to_string(),
        },
        "tables" => match refused(CallLimits { tables: 1, ..base }, "table_growth").await {
            AdmitError::Needs { limit_name: "tables", .. } => "`limit.tables`".to_owned(),
            other => other.to_string(),
        },
        "core_instances" => match refused(CallLimits { core_instances: 1, ..base }, "well_behaved").await {
            AdmitError::Describe { code, .. } => format!("`{code}`"),
            other => other.to_string(),
        },
        "concurrent_calls" => {
            let host = EngineLimits { queue_ms: 20, ..EngineLimits::default() };
            queued(host, CallLimits { concurrent_calls: 1, ..base }).await
        }
        "log_lines" => {
            let limits = CallLimits { log_lines: 3, ..base };
            let provider = World::with(limits).provider(&engine(EngineLimits::default()), "log_flood").await;
            let receipt = provider.probe(&cx(), ProbeMode::ReadOnly).await.unwrap().receipt;
            assert_eq!(receipt.log_lines.0, 3);
            if receipt.log_lines.1 > 0 { "dropped and counted".to_owned() } else { String::new() }
        }
        "log_line_bytes" => {
            let longest = crate::support::longest_log_line(CallLimits { log_line_bytes: 100, ..base }).await;
            if longest == 100 { "cut".to_owned() } else { format!("{longest} bytes") }
        }
        other => panic!("no case hits the limit `{other}`"),
    }
}

async fn hit_by_engine(row: &Row) -> String {
    let base = EngineLimits::default();
    match row.name {
        "concurrent_calls" => {
            queued(EngineLimits { concurrent_calls: 1, queue_ms: 20, ..base }, CallLimits::default()).await
        }
        "queue_ms" => queued(EngineLimits { concurrent_calls: 1, queue_ms: 0, ..base }, CallLimits::default()).await,
        "stack_bytes" => {
            let engine =
                Engine::new(EngineOptions { limits: EngineLimits { stack_bytes: 65_536, ..base }, cache: None })
                    .unwrap();
            let provider = World::default().provider(&engine, "deep_recursion").await;
            format!("`{}`", probe_fails(&provider).await.error.native_code.unwrap_or_default())
        }
        name @ ("component_bytes" | "describe_cpu_ms" | "describe_wall_ms" | "description_bytes") => {
            let (limits, guest) = match name {
                "component_bytes" => (EngineLimits { component_bytes: 1024, ..base }, "minimal"),
                "describe_cpu_ms" => (EngineLimits { describe_cpu_ms: 10, ..base }, "describe_loop"),
                "describe_wall_ms" => {
                    (EngineLimits { describe_wall_ms: 10, describe_cpu_ms: 10_000, ..base }, "describe_loop")
                }
                _ => (EngineLimits { description_bytes: 4096, ..base }, "long_description"),
            };
            let error = admit(&engine(limits), guest).await.unwrap_err();
            let fits = match (&error, name) {
                (AdmitError::TooLarge { .. }, "component_bytes") => true,
                (AdmitError::Describe { code, .. }, "describe_cpu_ms") => code == "limit.cpu",
                (AdmitError::Describe { code, .. }, "describe_wall_ms") => code == "limit.wall",
                (AdmitError::Describe { code, .. }, "description_bytes") => code == "limit.result",
                _ => false,
            };
            if fits { "refused at admission".to_owned() } else { error.to_string() }
        }
        "config_bytes" => {
            let engine = engine(EngineLimits { config_bytes: 64, ..base });
            let admitted = admit(&engine, "any_config").await.unwrap();
            let world = World { config: serde_json::json!({ "a": "x".repeat(100) }), ..World::default() };
            match world.bind(&engine, &admitted) {
                Err(AdmitError::Config { problem, .. }) if problem.contains("config_bytes") => {
                    "refused at binding".to_owned()
                }
                other => format!("{:?}", other.err()),
            }
        }
        other => panic!("no case hits the limit `{other}`"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_limit_of_a_call_is_enforced() {
    for row in CallLimits::ROWS {
        assert_eq!(hit_by_call(row).await, row.on_hit, "{}", row.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_limit_of_the_engine_is_enforced() {
    for row in EngineLimits::ROWS {
        assert_eq!(hit_by_engine(row).await, row.on_hit, "{}", row.name);
    }
}

#[test]
fn a_row_gives_default_range_schema_and_documentation() {
    let page = limits::markdown();
    let sets = [
        (CallLimits::ROWS, CallLimits::schema(), serde_json::to_value(CallLimits::default()).unwrap()),
        (EngineLimits::ROWS, EngineLimits::schema(), serde_json::to_value(EngineLimits::default()).unwrap()),
    ];
    for (rows, schema, defaults) in sets {
        assert_eq!(rows.len(), defaults.as_object().unwrap().len());
        for row in rows {
            assert!((row.min..=row.max).contains(&row.default), "{}", row.name);
            assert_eq!(defaults[row.name], row.default, "{}", row.name);
            assert_eq!(schema["properties"][row.name]["maximum"], row.max, "{}", row.name);
            assert!(page.contains(&format!("| `{}` | {} |", row.name, row.default)), "{}", row.name);
        }
    }
}

/// `STOWAGE_WRITE_DOCS=1` writes the page anew.
#[test]
fn the_documentation_is_the_table() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/limits.md");
    if std::env::var_os("STOWAGE_WRITE_DOCS").is_some() {
        std::fs::write(&path, limits::markdown()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert_eq!(page, limits::markdown(), "run the test with STOWAGE_WRITE_DOCS=1");
}

#[test]
fn a_value_out_of_its_range_is_refused_by_name() {
    let error = CallLimits { cpu_ms: 0, ..CallLimits::default() }.check().unwrap_err();
    assert_eq!(error.to_string(), "limit `cpu_ms` is 0 milliseconds, but must be from 1 to 60000");
    let unknown: Result<CallLimits, _> = serde_json::from_str(r#"{ "cpu_millis": 5 }"#);
    assert!(unknown.unwrap_err().to_string().contains("cpu_millis"));
}
