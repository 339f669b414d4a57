//! What a call gives: values, typed errors, receipts; and that nothing is left for the next one.

use std::sync::Arc;

use serde_json::json;
use stowage_ports::provider::{Call, ErrorKind, Fault, NamespaceSpec, NativeRef, ProbeMode, Progress};

use crate::support::{FakeExchange, World, cx, engine};
use stowage_plugin::EngineLimits;

fn spec(name: &str) -> NamespaceSpec {
    NamespaceSpec {
        tenant: NativeRef(Vec::new()),
        project: "p".to_owned(),
        name: name.to_owned(),
        physical_id: format!("id-{name}"),
        protocols: Vec::new(),
        limits: Vec::new(),
        prefixes: Vec::new(),
        posix: None,
        labels: Vec::new(),
        extensions: Vec::new(),
    }
}

fn call() -> Call {
    Call { owner: "op-1".to_owned(), attempt: 1, ..Call::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_is_made_and_found_through_the_port() {
    let engine = engine(EngineLimits::default());
    let provider = World::default().provider(&engine, "well_behaved").await;
    assert_eq!(provider.interfaces(), ["namespaces"]);
    let made = provider.create_namespace(&cx(), &call(), &spec("a")).await.unwrap();
    assert_eq!(made.value, Progress::Done(NativeRef(b"id-a".to_vec())));
    assert_eq!(made.receipt.host_calls, 1);
    assert!(made.receipt.cpu_ns > 0 && made.receipt.cpu_ns <= made.receipt.wall_ns, "{:?}", made.receipt);
    assert!(made.receipt.memory_peak_bytes > 0);
    let found = provider.find_namespace(&cx(), "op-1").await.unwrap();
    assert_eq!(found.value, Some(NativeRef(b"id-a".to_vec())));
    assert_eq!(provider.find_namespace(&cx(), "op-2").await.unwrap().value, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_the_adapter_keeps_its_kind_and_code() {
    let engine = engine(EngineLimits::default());
    let provider = World::default().provider(&engine, "well_behaved").await;
    let failure = provider.inspect_namespace(&cx(), &NativeRef(b"gone".to_vec())).await.unwrap_err();
    assert_eq!(failure.error.kind, ErrorKind::NotFound);
    assert_eq!(failure.error.native_code.as_deref(), Some("E404"));
    assert_eq!(failure.fault, Fault::Caller);
    assert!(failure.receipt.wall_ns > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_the_adapter_leaves_out_is_unsupported() {
    let engine = engine(EngineLimits::default());
    let provider = World::default().provider(&engine, "well_behaved").await;
    let failure = provider.purge_namespace(&cx(), &call(), &NativeRef(b"a".to_vec())).await.unwrap_err();
    assert!(matches!(failure.error.kind, ErrorKind::Unsupported(_)), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guest_gets_the_configuration_that_was_checked() {
    let engine = engine(EngineLimits::default());
    let world = World { config: json!({ "greeting": "hello" }), ..World::default() };
    let provider = world.provider(&engine, "well_behaved").await;
    let findings = provider.preflight(&cx(), ProbeMode::ReadOnly).await.unwrap();
    assert_eq!(findings.value[0].seen, "hello");
    assert_eq!(findings.receipt.log_lines, (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_secret_in_an_answer_is_masked() {
    let engine = engine(EngineLimits::default());
    let exchange = FakeExchange { secrets: vec!["hunter2".to_owned()], ..FakeExchange::default() };
    let world =
        World { exchange: Arc::new(exchange), config: json!({ "greeting": "it is hunter2" }), ..World::default() };
    let provider = world.provider(&engine, "well_behaved").await;
    let findings = provider.preflight(&cx(), ProbeMode::ReadOnly).await.unwrap();
    assert_eq!(findings.value[0].seen, "it is ***");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_that_holds_a_secret_is_refused() {
    let engine = engine(EngineLimits::default());
    let exchange = FakeExchange { secrets: vec!["hunter2".to_owned()], ..FakeExchange::default() };
    let world = World { exchange: Arc::new(exchange), ..World::default() };
    let provider = world.provider(&engine, "well_behaved").await;
    let failure = provider.create_namespace(&cx(), &call(), &spec("hunter2")).await.unwrap_err();
    assert_eq!(failure.error.native_code.as_deref(), Some("contract"));
    assert!(!failure.error.message.contains("hunter2"), "{}", failure.error.message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_answers_are_named_and_unknown_ones_stay_unknown() {
    let engine = engine(EngineLimits::default());
    let provider = World::default().provider(&engine, "bad_answers").await;
    for (name, field) in
        [("long-ref", "done"), ("empty-ref", "done"), ("long-handle", "job.handle"), ("twice", "needs-node.steps")]
    {
        let failure = provider.create_namespace(&cx(), &call(), &spec(name)).await.unwrap_err();
        assert_eq!(failure.error.native_code.as_deref(), Some("contract"), "{name}");
        assert!(failure.error.message.contains(field), "{name}: {}", failure.error.message);
        assert_eq!(failure.fault, Fault::Plugin);
    }
    let unknown = provider.create_namespace(&cx(), &call(), &spec("unknown")).await.unwrap();
    assert_eq!(unknown.value, Progress::Other("teleported".to_owned()));
    let strange = provider.create_namespace(&cx(), &call(), &spec("x")).await.unwrap_err();
    assert_eq!(strange.error.kind, ErrorKind::Other("weather".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_carries_the_owner_the_mode_and_the_remaining_time() {
    let engine = engine(EngineLimits::default());
    let world = World::default();
    let provider = world.provider(&engine, "hang_in_host_call").await;
    let safe = stowage_ports::provider::CallContext { safe_only: true, ..cx() };
    let called = provider.probe(&safe, ProbeMode::ReadOnly).await.unwrap();
    assert_eq!(called.receipt.exchanges, 1);
    let asked = world.exchange.asked.lock();
    let (context, request) = &asked[0];
    assert!(context.safe_only);
    assert_eq!(context.request_id, "test");
    assert!(context.remaining < std::time::Duration::from_secs(60));
    assert_eq!(request.exchange, "hang");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_use_the_pool_and_leave_it_empty() {
    let engine = engine(EngineLimits { concurrent_calls: 16, ..EngineLimits::default() });
    let provider = World::default().provider(&engine, "well_behaved").await;
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let provider = provider.clone();
            tokio::spawn(async move { provider.probe(&cx(), ProbeMode::ReadOnly).await.unwrap().receipt })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(engine.pool_use().component_instances, 0);
    assert_eq!(engine.calls_in_flight(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_guest_wrote_into_its_memory_is_there_in_its_next_call() {
    let engine = engine(EngineLimits::default());
    let provider = World::default().provider(&engine, "keeps_state").await;
    for call in 0..20 {
        let findings = provider.preflight(&cx(), ProbeMode::ReadOnly).await.unwrap().value;
        let seen: Vec<_> = findings.iter().map(|finding| (finding.check.as_str(), finding.seen.as_str())).collect();
        assert_eq!(seen, [("static", "0"), ("heap", "0")], "call {call} finds what another left");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guest_s_time_is_the_host_s_clock_and_its_rest_is_that_of_the_call() {
    let engine = engine(EngineLimits::default());
    let world = World::default();
    let provider = world.provider(&engine, "reads_clock").await;
    let read = async |deadline: Option<std::time::Duration>| {
        let context = stowage_ports::provider::CallContext { deadline, ..cx() };
        let findings = provider.preflight(&context, ProbeMode::ReadOnly).await.unwrap().value;
        let number = |index: usize| findings[index].seen.parse::<u64>().unwrap();
        (number(0), number(1))
    };
    let (now, budget) = read(None).await;
    assert_eq!(now, 1_700_000_000_000);
    world.clock.advance_ms(5_000);
    let (later, short) = read(Some(std::time::Duration::from_secs(3))).await;
    assert_eq!(later, 1_700_000_005_000);
    assert!(short <= 3_000 && budget > 3_000, "the caller's deadline counts: {short} of {budget} ms");
}
