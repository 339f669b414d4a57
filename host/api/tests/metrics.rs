//! What a call leaves in the metrics. One test, since the recorder is the process's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use stowage_ports::Role;
use support::{Host, identity, raw};

/// Counts, by name and labels.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>);

struct Samples(Arc<AtomicU64>);

impl HistogramFn for Samples {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counts {
    fn cell(&self, key: &Key) -> Arc<AtomicU64> {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{} {}", key.name(), labels.join(","));
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }

    fn read(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap().iter().map(|(key, cell)| (key.clone(), cell.load(Ordering::SeqCst))).collect()
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Samples(self.cell(key))))
    }
}

#[tokio::test]
async fn calls_are_counted_by_method_and_code_and_a_caller_cannot_grow_the_labels() {
    let counts = Counts::default();
    metrics::set_global_recorder(counts.clone()).unwrap();
    let host = Host::start(&[identity("root", &[Role::Operator], None, None)]).await;
    let list = "/stowage.v1.TenantService/ListTenants";
    let token = Some(host.token("root"));
    raw::call(&host.channel, list, Vec::new(), token).await.unwrap();
    raw::call(&host.channel, list, Vec::new(), token).await.unwrap();
    raw::call(&host.channel, list, Vec::new(), None).await.unwrap_err();
    for invented in ["/stowage.v1.TenantService/A", "/b.B/B"] {
        raw::call(&host.channel, invented, Vec::new(), token).await.unwrap_err();
    }
    let seen: BTreeMap<String, u64> = counts.read().into_iter().filter(|(key, _)| key.starts_with("grpc_")).collect();
    let expected = [
        (format!("grpc_requests_total method={list},code=OK"), 2),
        (format!("grpc_requests_total method={list},code=UNAUTHENTICATED"), 1),
        ("grpc_requests_total method=other,code=UNIMPLEMENTED".to_owned(), 2),
        (format!("grpc_seconds method={list}"), 3),
        ("grpc_seconds method=other".to_owned(), 2),
    ];
    assert_eq!(seen, expected.into());
}
