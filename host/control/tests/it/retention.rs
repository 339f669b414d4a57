//! What is forgotten after its time, and what is not.

use std::time::Duration;

use stowage_control::{ListOperations, OperationFilter, OperationState, PageRequest};

use crate::support::{Live, Way, World, namespace, new_namespace, operator, project, request, wait_done};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn operations(live: &Live, of: OperationFilter) -> usize {
    let command = ListOperations { of, unfinished_only: false, page: PageRequest::default() };
    live.control.list_operations(&operator(), command).await.unwrap().items.len()
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_forgotten_thirty_days_after_its_end_and_its_namespace_stays() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let lists = [
        OperationFilter::All,
        OperationFilter::Tenant(project("vision").tenant_name()),
        OperationFilter::Project(project("vision")),
    ];
    let many = 45;
    for n in 0..many {
        let made = new_namespace(&format!("n{n}"), 10);
        let started = live.control.create_namespace(&operator(), made, Default::default()).await.unwrap();
        wait_done(&live.control, &started.operation.unwrap().name).await;
    }
    live.stop().await;
    tokio::time::advance(29 * DAY).await;
    let live = world.open_without_agent(None).await;
    tokio::time::sleep(Duration::from_secs(1800)).await;
    for list in lists.clone() {
        assert_eq!(operations(&live, list).await, many);
    }
    live.stop().await;
    tokio::time::advance(DAY).await;
    let live = world.open_without_agent(None).await;
    tokio::time::sleep(Duration::from_secs(1800)).await;
    for list in lists {
        assert_eq!(operations(&live, list).await, 0);
    }
    live.control.get_namespace(&operator(), &namespace("n0")).await.unwrap();
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_has_not_ended_is_kept() {
    let world = World::new(Way::Node).await;
    let live = world.open_without_agent(None).await;
    let started = live.control.create_namespace(&operator(), new_namespace("data", 10), Default::default()).await;
    let name = started.unwrap().operation.unwrap().name;
    let waiting = live.control.wait_operation(&operator(), &name, Duration::from_secs(1)).await.unwrap();
    assert_eq!((waiting.state, waiting.ended_at), (OperationState::WaitingNode, None));
    live.stop().await;
    tokio::time::advance(31 * DAY).await;
    // The round comes before anything that could end it.
    let control = world.open_idle().await;
    control.start().await.unwrap();
    tokio::task::yield_now().await;
    control.get_operation(&operator(), &name).await.unwrap();
    control.stop(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_id_is_answered_as_before_for_a_day_and_is_new_again_after_it() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let create = async || live.control.create_namespace(&operator(), new_namespace("data", 10), request("once")).await;
    let first = create().await.unwrap().operation.unwrap().name;
    assert_eq!(wait_done(&live.control, &first).await.state, OperationState::Succeeded);
    tokio::time::sleep(DAY - Duration::from_secs(60)).await;
    assert_eq!(create().await.unwrap().operation.unwrap().name, first);
    tokio::time::sleep(Duration::from_secs(1800)).await;
    assert_eq!(create().await.unwrap_err().reason(), "ALREADY_EXISTS");
    live.stop().await;
}
