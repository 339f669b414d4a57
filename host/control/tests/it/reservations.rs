//! Reservations under a race.

use std::sync::Arc;

use stowage_audit::Outcome;
use stowage_control::WriteOptions;
use stowage_domain::Bytes;

use crate::support::{Way, World, new_namespace, operator, project, request};

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

#[tokio::test(start_paused = true)]
async fn creates_that_come_together_share_commits_and_each_is_answered_by_itself() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..8 {
        let control = Arc::clone(&live.control);
        // The fourth is over the quota, the sixth and seventh are the same request, the eighth takes the first's name.
        let (id, bytes) = match n {
            3 => ("n3".to_owned(), 900),
            6 => ("n5".to_owned(), 10),
            7 => ("n0".to_owned(), 11),
            n => (format!("n{n}"), 10),
        };
        let options = if n == 5 || n == 6 { request("same") } else { WriteOptions::default() };
        asked
            .spawn(async move { (n, control.create_namespace(&operator(), new_namespace(&id, bytes), options).await) });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(n, _)| *n);
    let reason = |n: usize| answers[n].1.as_ref().map_err(|error| error.reason().to_owned()).map(|_| ());
    assert_eq!(reason(3), Err("PROJECT_QUOTA".to_owned()));
    assert_eq!(reason(7), Err("ALREADY_EXISTS".to_owned()));
    let name = |n: usize| answers[n].1.as_ref().unwrap().operation.as_ref().unwrap().name.clone();
    assert_eq!(name(5), name(6));
    for n in [0, 1, 2, 4] {
        assert_eq!(reason(n), Ok(()));
    }
    let ledger = live.control.project_ledger(&operator(), &project("vision")).await.unwrap();
    assert_eq!((ledger.reserved, ledger.namespaces), (Bytes(50), 5));
    let tables =
        stowage_store::schema::open(Arc::clone(&world.store) as Arc<dyn stowage_ports::Store>, &[]).await.unwrap();
    let entries = stowage_audit::page(&tables, None, 1000).await.unwrap().items;
    let mut commits: Vec<_> = entries
        .iter()
        .filter(|(entry, _)| entry.action == "storage.namespace.create" && entry.outcome == Outcome::Accepted)
        .map(|(_, version)| *version)
        .collect();
    assert_eq!(commits.len(), 5);
    commits.dedup();
    assert_eq!(commits.len(), 1, "all five were accepted by one commit");
    live.stop().await;
}
