//! What a host tells of itself: metrics for Prometheus, and log lines that lead from a call to its HTTP exchanges.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::net::TcpListener;

use serde_json::{Value, json};
use stowage_e2e::{Region, http};

/// Beginnings of lines that must be there after a provider was added and a namespace made.
const METRICS: &[&str] = &[
    "plugin_call_seconds_bucket{",
    "plugin_cpu_seconds_bucket{",
    "plugin_memory_peak_bytes_bucket{",
    "plugin_http_exchanges_total{",
    "plugin_http_seconds_bucket{",
    "grpc_requests_total{",
    "grpc_seconds_bucket{",
    "engine_pool_component_instances ",
    "engine_pool_memories ",
    "stowage_operations_total{",
];

/// An address that nobody listens on.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A span's field, in the innermost span of that name.
fn field<'a>(line: &'a Value, span: &str, name: &str) -> Option<&'a str> {
    let spans = line["spans"].as_array()?;
    spans.iter().rev().find(|own| own["name"] == span)?[name].as_str()
}

#[test]
fn metrics_of_calls_plugins_exchanges_and_the_engine_are_served() {
    let listen = free_address();
    let mut region =
        Region::start_with("live-4.4.22", |config| format!("{config}\n[metrics]\nlisten = \"{listen}\"\n"));
    region.add_weka();
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/measured --class scratch --quota 1MiB").success();
    let metrics = http::text(&json!({ "method": "GET", "url": format!("http://{listen}/metrics") }));
    for name in METRICS {
        assert!(metrics.lines().any(|line| line.starts_with(name)), "no {name} in\n{metrics}");
    }
    let created = "method=\"/stowage.v1.NamespaceService/CreateNamespace\",code=\"OK\"} 1";
    assert!(metrics.contains(created), "the create was not counted once:\n{metrics}");
    assert!(!metrics.contains("acme"), "a tenant's name is a label, which lets callers grow the label set");
}

#[test]
fn each_log_line_is_json_and_a_trace_leads_from_the_call_to_the_exchange() {
    let mut region = Region::start_with("live-4.4.22", |config| {
        format!("{config}\n[log]\nfilter = \"info,stowage_api=debug,stowage_egress=debug\"\n")
    });
    region.add_weka();
    region.add_node("node-a");
    region.operator.run("provider probe weka").success();
    let operation = region.operator.json("ns create acme/vision/traced --class scratch --quota 1MiB --no-wait");
    let operation = operation["name"].as_str().unwrap().to_owned();
    region.operator.run(&format!("op wait {operation}")).success();
    let log = region.host_log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in the line {line:?}")))
        .collect();
    let leads = |path: &[(&str, &str, &str)]| {
        lines.iter().any(|line| {
            let names: Vec<_> = line["spans"].as_array().into_iter().flatten().map(|span| &span["name"]).collect();
            let mut rest = names.iter();
            path.iter().all(|(span, key, value)| {
                rest.any(|name| *name == span) && field(line, span, key).is_some_and(|own| own == *value)
            })
        })
    };
    assert!(
        leads(&[
            ("grpc", "method", "/stowage.v1.ProviderService/ProbeProvider"),
            ("plugin.call", "provider", "weka"),
            ("http.exchange", "exchange", "cluster.get"),
        ]),
        "no line leads from the probe to an exchange:\n{log}"
    );
    let call = lines
        .iter()
        .find(|line| field(line, "grpc", "method") == Some("/stowage.v1.NamespaceService/CreateNamespace"))
        .and_then(|line| field(line, "grpc", "call_id"))
        .expect("a line of the create");
    assert!(
        leads(&[
            ("operation", "call_id", call),
            ("plugin.call", "request_id", &operation),
            ("http.exchange", "exchange", "quotas.put"),
        ]),
        "no line leads from the create to its quota:\n{log}"
    );
}
