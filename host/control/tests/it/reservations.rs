//! Reservations under a race.

use std::sync::Arc;

use stowage_control::WriteOptions;
use stowage_domain::Bytes;

use crate::support::{Way, World, new_namespace, operator, project};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creates_that_race_for_room_for_some_exactly_so_many_succeed() {
    let world = World::new(Way::Direct).await;
    // Two hosts over the same state: inside one the turns would hide what the preconditions must hold.
    let lives = [world.open_without_agent(None).await, world.open_without_agent(None).await];
    let mut racing = tokio::task::JoinSet::new();
    for n in 0..40 {
        let control = Arc::clone(&lives[n % 2].control);
        racing.spawn(async move {
            control.create_namespace(&operator(), new_namespace(&format!("n{n}"), 100), WriteOptions::default()).await
        });
    }
    let outcomes = racing.join_all().await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 8, "the project's quota of 800 bytes has room for 8 of 100");
    for error in lost {
        assert_eq!(error.unwrap_err().reason(), "PROJECT_QUOTA");
    }
    let ledger = lives[0].control.project_ledger(&operator(), &project("vision")).await.unwrap();
    assert_eq!((ledger.reserved, ledger.namespaces), (Bytes(800), 8));
    for live in lives {
        live.stop().await;
    }
}
