//! Steps that fail: tried again, given up, taken back, cancelled.

use std::time::Duration;

use stowage_control::{OperationState, WriteOptions};
use stowage_domain::{Bytes, NamespaceState};
use stowage_ports::provider::ErrorKind;

use crate::support::{Live, Way, World, namespace, new_namespace, operator, project, wait_done};

async fn start(live: &Live) -> stowage_domain::OperationName {
    let started = live.control.create_namespace(&operator(), new_namespace("data", 100), WriteOptions::default()).await;
    started.unwrap().operation.unwrap().name
}

#[tokio::test(start_paused = true)]
async fn a_failing_step_shows_its_reason_and_next_retry_and_succeeds_when_the_backend_is_back() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    world.backend.fail_always("create-namespace", Some(ErrorKind::Unreachable));
    let name = start(&live).await;
    let waiting = live.control.wait_operation(&operator(), &name, Duration::from_secs(30)).await.unwrap();
    assert_eq!(waiting.state, OperationState::Retrying);
    assert!(waiting.attempts > 3);
    assert_eq!(waiting.last_error.unwrap().reason, "PROVIDER_UNREACHABLE");
    let shown = live.control.get_namespace(&operator(), &namespace("data")).await.unwrap().value;
    assert!(shown.next_retry_at.is_some() && !shown.state_reason.is_empty());
    world.backend.fail_always("create-namespace", None);
    assert_eq!(wait_done(&live.control, &name).await.state, OperationState::Succeeded);
    let shown = live.control.get_namespace(&operator(), &namespace("data")).await.unwrap().value;
    assert_eq!((shown.state, shown.next_retry_at, shown.state_reason.as_str()), (NamespaceState::Ready, None, ""));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_refunds_nothing_until_the_backend_can_be_looked_at() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    world.backend.fail_always("create-namespace", Some(ErrorKind::Ambiguous));
    world.backend.fail_always("find", Some(ErrorKind::Unreachable));
    let name = start(&live).await;
    // The deadline of the step is fifteen minutes; what follows has none.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let undoing = live.control.get_operation(&operator(), &name).await.unwrap();
    assert_eq!(undoing.state, OperationState::Compensating);
    let ledger = live.control.project_ledger(&operator(), &project("vision")).await.unwrap();
    assert_eq!(ledger.reserved, Bytes(100));
    world.backend.fail_always("find", None);
    let failed = wait_done(&live.control, &name).await;
    assert_eq!((failed.state, failed.error.unwrap().reason.as_str()), (OperationState::Failed, "PROVIDER_AMBIGUOUS"));
    let ledger = live.control.project_ledger(&operator(), &project("vision")).await.unwrap();
    assert_eq!(ledger.reserved, Bytes(0));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_is_not_tried_again() {
    for (kind, calls) in [
        (ErrorKind::Invalid(Vec::new()), 1),
        (ErrorKind::PermissionDenied, 1),
        (ErrorKind::ForeignOwner("them".into()), 1),
        (ErrorKind::Internal, 3),
        (ErrorKind::Other("new".into()), 3),
    ] {
        let world = World::new(Way::Direct).await;
        let live = world.open(None).await;
        world.backend.fail_always("create-namespace", Some(kind.clone()));
        let name = start(&live).await;
        assert_eq!(wait_done(&live.control, &name).await.state, OperationState::Failed);
        let made = world.backend.calls().iter().filter(|call| *call == "create-namespace").count();
        assert_eq!(made, calls, "{kind:?}");
        live.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_create_is_taken_back() {
    let world = World::new(Way::Node).await;
    let live = world.open_without_agent(None).await;
    let name = start(&live).await;
    live.control.wait_operation(&operator(), &name, Duration::from_secs(1)).await.unwrap();
    let refused = live
        .control
        .delete_namespace(&operator(), &namespace("data"), stowage_domain::DataPolicy::Purge, WriteOptions::default())
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), "OPERATION_IN_PROGRESS");
    live.control.cancel_operation(&operator(), &name).await.unwrap();
    // What was begun is removed by a node, so one must come.
    let agent = async { world.agent.run(&live.control).await };
    let operation = tokio::select! {
        () = agent => panic!("the agent ends"),
        operation = wait_done(&live.control, &name) => operation,
    };
    assert_eq!(operation.state, OperationState::Cancelled);
    assert!({
        let holds = world.backend.holds.lock().unwrap();
        holds.namespaces.is_empty() && holds.tree.is_empty()
    });
    let shown = live.control.get_namespace(&operator(), &namespace("data")).await.unwrap().value;
    assert_eq!((shown.state, shown.reserved), (NamespaceState::Failed, Bytes(0)));
    let again = live.control.cancel_operation(&operator(), &name).await;
    assert!(again.is_ok(), "a repeat is answered the same");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_tried_until_the_backend_lets_go() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    wait_done(&live.control, &start(&live).await).await;
    world.backend.fail_always("delete-namespace", Some(ErrorKind::InUse("a client".into())));
    let started = live
        .control
        .delete_namespace(&operator(), &namespace("data"), stowage_domain::DataPolicy::Purge, WriteOptions::default())
        .await
        .unwrap();
    let name = started.operation.unwrap().name;
    tokio::time::sleep(Duration::from_secs(7200)).await;
    assert!(!live.control.get_operation(&operator(), &name).await.unwrap().done());
    world.backend.fail_always("delete-namespace", None);
    assert_eq!(wait_done(&live.control, &name).await.state, OperationState::Succeeded);
    live.stop().await;
}
