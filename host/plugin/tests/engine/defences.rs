//! One test for each defence. Throughout each, a neighbour's calls keep working.

use std::sync::Arc;
use std::time::Duration;

use stowage_plugin::{CallLimits, EngineLimits};
use stowage_ports::provider::{CallContext, ErrorKind, Fault, ProbeMode};

use crate::support::{FakeExchange, World, beside_a_neighbour, cx, engine, probe_fails, until, wall};

/// The guest is stopped by `code`, and it is the plugin's fault.
async fn is_stopped(guest: &str, limits: CallLimits, code: &str) -> stowage_ports::provider::Failure {
    let engine = engine(EngineLimits::default());
    let hostile = World::with(limits).provider(&engine, guest).await;
    let failure = beside_a_neighbour(&engine, probe_fails(&hostile)).await;
    assert_eq!(failure.error.native_code.as_deref(), Some(code), "{failure:?}");
    assert_eq!((failure.fault, &failure.error.kind), (Fault::Plugin, &ErrorKind::Internal));
    until("the pool is empty again", || engine.pool_use().component_instances == 0).await;
    failure
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_ends_at_its_cpu_budget() {
    let limits = CallLimits { cpu_ms: 50, ..CallLimits::default() };
    let failure = is_stopped("endless_loop", limits, "limit.cpu").await;
    assert!(failure.receipt.cpu_ns >= 50_000_000, "{:?}", failure.receipt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn computing_in_memory_fills_counts_as_cpu_time() {
    is_stopped("bulk_loop", CallLimits { cpu_ms: 50, ..CallLimits::default() }, "limit.cpu").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_ends_at_its_sum() {
    let limits = CallLimits { memory_bytes: 16 << 20, ..CallLimits::default() };
    let failure = is_stopped("memory_hog", limits, "limit.memory").await;
    assert!(failure.receipt.memory_peak_bytes <= 16 << 20, "{:?}", failure.receipt);
    assert!(failure.receipt.memory_peak_bytes > 8 << 20, "{:?}", failure.receipt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_memories_have_one_sum() {
    let failure = is_stopped("many_memories", CallLimits::default(), "limit.memory").await;
    assert!(failure.receipt.memory_peak_bytes > 60 << 20, "three of four fitted: {:?}", failure.receipt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_end_at_their_sum() {
    is_stopped("table_growth", CallLimits::default(), "limit.table-elements").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_recursion_ends_at_the_stack() {
    is_stopped("deep_recursion", CallLimits::default(), "limit.stack").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_ends_its_own_call_only() {
    let failure = is_stopped("trap", CallLimits::default(), "trap").await;
    assert!(failure.receipt.log_lines.0 > 0, "the panic's message went into the log: {:?}", failure.receipt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exit_ends_its_own_call_only() {
    is_stopped("exit", CallLimits::default(), "exit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_flood_is_cut_and_counted() {
    let engine = engine(EngineLimits::default());
    let hostile = World::default().provider(&engine, "log_flood").await;
    let called = beside_a_neighbour(&engine, hostile.probe(&cx(), ProbeMode::ReadOnly)).await.unwrap();
    let (written, dropped) = called.receipt.log_lines;
    assert_eq!(written, 100);
    assert_eq!(dropped, 1 + 3 * 2000 - 100, "the log, standard output and standard error share one limit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_result_is_refused() {
    is_stopped("huge_result", CallLimits::default(), "limit.result").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_argument_is_refused() {
    is_stopped("huge_transfer", CallLimits::default(), "limit.transfer").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_host_calls_is_stopped() {
    is_stopped("host_call_flood", CallLimits::default(), "limit.host-calls").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_exchanges_is_stopped() {
    let failure = is_stopped("exchange_flood", CallLimits::default(), "limit.exchanges").await;
    assert_eq!(failure.receipt.exchanges, 257, "the one over the limit was asked for and not made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_handles_is_stopped() {
    is_stopped("handle_flood", CallLimits::default(), "limit.handles").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hoard_of_randomness_is_refused() {
    is_stopped("random_hog", CallLimits::default(), "limit.random").await;
}

fn hanging(limits: CallLimits) -> World {
    World { exchange: Arc::new(FakeExchange { hangs: true, ..FakeExchange::default() }), ..World::with(limits) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_in_a_host_call_ends_at_the_wall_budget() {
    let engine = engine(EngineLimits::default());
    let hostile = hanging(wall(100)).provider(&engine, "hang_in_host_call").await;
    let failure = beside_a_neighbour(&engine, probe_fails(&hostile)).await;
    assert_eq!(failure.error.native_code.as_deref(), Some("limit.wall"));
    assert_eq!(failure.error.kind, ErrorKind::Ambiguous, "the backend may have acted");
    assert_eq!(failure.fault, Fault::Backend, "the guest only waited");
    until("the store was dropped", || engine.pool_use().component_instances == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_in_a_host_call_is_not_cpu_time() {
    let engine = engine(EngineLimits::default());
    let limits = CallLimits { cpu_ms: 20, wall_ms: 300, ..CallLimits::default() };
    let hostile = hanging(limits).provider(&engine, "hang_in_host_call").await;
    let failure = probe_fails(&hostile).await;
    assert_eq!(failure.error.native_code.as_deref(), Some("limit.wall"), "not limit.cpu: {failure:?}");
    assert!(failure.receipt.cpu_ns < 20_000_000, "{:?}", failure.receipt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callers_deadline_ends_a_call() {
    let engine = engine(EngineLimits::default());
    let hostile = hanging(CallLimits::default()).provider(&engine, "hang_in_host_call").await;
    let cx = CallContext { deadline: Some(Duration::from_millis(50)), ..cx() };
    let failure = hostile.probe(&cx, ProbeMode::ReadOnly).await.unwrap_err();
    assert_eq!(failure.error.native_code.as_deref(), Some("limit.deadline"));
    assert_eq!((failure.fault, failure.error.kind), (Fault::Caller, ErrorKind::Ambiguous));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_hangs_cannot_take_every_place() {
    let engine = engine(EngineLimits { concurrent_calls: 8, queue_ms: 50, ..EngineLimits::default() });
    let limits = CallLimits { concurrent_calls: 4, wall_ms: 2000, ..CallLimits::default() };
    let world = hanging(limits);
    let hostile = world.provider(&engine, "hang_in_host_call").await;
    let hung: Vec<_> = (0..4)
        .map(|_| {
            let hostile = hostile.clone();
            tokio::spawn(async move { probe_fails(&hostile).await })
        })
        .collect();
    until("four calls hang", || world.exchange.asked.lock().len() == 4).await;
    let fifth = beside_a_neighbour(&engine, probe_fails(&hostile)).await;
    assert_eq!(fifth.error.native_code.as_deref(), Some("limit.queue"));
    assert_eq!((fifth.fault, fifth.error.kind), (Fault::Host, ErrorKind::Throttled(None)));
    for call in hung {
        assert_eq!(call.await.unwrap().error.native_code.as_deref(), Some("limit.wall"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_environment_no_argument_and_no_input() {
    let engine = engine(EngineLimits::default());
    let hostile = World::default().provider(&engine, "environment").await;
    let called = beside_a_neighbour(&engine, hostile.preflight(&cx(), ProbeMode::ReadOnly)).await.unwrap();
    for finding in called.value {
        assert_eq!(finding.seen, "0", "{}", finding.check);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_breaks_the_contract_is_refused() {
    let engine = engine(EngineLimits::default());
    let hostile = World::default().provider(&engine, "bad_answers").await;
    let probe = beside_a_neighbour(&engine, probe_fails(&hostile)).await;
    assert_eq!(probe.error.native_code.as_deref(), Some("contract"));
    assert!(probe.error.message.contains("instance-id"), "{}", probe.error.message);
    let preflight = hostile.preflight(&cx(), ProbeMode::ReadOnly).await.unwrap_err();
    assert!(preflight.error.message.contains("finding.check"), "{}", preflight.error.message);
}
