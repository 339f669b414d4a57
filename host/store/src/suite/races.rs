//! Many at once.

use std::collections::BTreeSet;

use super::*;

async fn join<T: Send + 'static>(tasks: impl IntoIterator<Item = tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::new();
    for task in tasks {
        results.push(soon(task).await.unwrap());
    }
    results
}

pub async fn of_many_racing_to_create_a_key_exactly_one_wins(site: Arc<Site>) {
    let store = site.open();
    let tasks: Vec<_> = (0..64)
        .map(|racer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mine = [put("prize", &racer.to_string()), put(&format!("mark/{racer}"), "x")];
                store.commit(when([Precondition::Absent(key("prize"))], mine)).await
            })
        })
        .collect();
    let results = join(tasks).await;
    let winners: Vec<_> = (0..64).filter(|racer| results[*racer].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(CommitError::Conflict(0)))));
    let winner = winners[0].to_string();
    assert_eq!(all(&store).await, [(format!("mark/{winner}"), "x".into()), ("prize".into(), winner)]);
}

pub async fn compare_and_set_loses_no_increment(site: Arc<Site>) {
    let store = site.open();
    store.commit(writes([put("count", "0")])).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut done = 0;
                while done < 5 {
                    let row = store.get(b"count").await.unwrap().unwrap();
                    let count: u32 = std::str::from_utf8(&row.value).unwrap().parse().unwrap();
                    let next = put("count", &(count + 1).to_string());
                    match store.commit(when([Precondition::At(key("count"), row.version)], [next])).await {
                        Ok(_) => done += 1,
                        Err(CommitError::Conflict(0)) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    join(tasks).await;
    assert_eq!(value(&store, "count").await.as_deref(), Some("40"));
}

pub async fn readers_never_see_half_of_a_commit(site: Arc<Site>) {
    let store = site.open();
    let pair = |n: u32| writes([put("pair/a", &n.to_string()), put("pair/b", &n.to_string())]);
    store.commit(pair(0)).await.unwrap();
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 1..=100 {
                store.commit(pair(n)).await.unwrap();
            }
        })
    };
    let mut seen = BTreeSet::new();
    while !writer.is_finished() {
        let rows = store.scan(KeyRange::prefix(b"pair/"), 10).await.unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].1, rows[1].1);
        seen.insert(rows[0].1.version);
    }
    join([writer]).await;
    assert_eq!(value(&store, "pair/a").await.as_deref(), Some("100"));
}

pub async fn an_empty_range_guards_against_a_racing_insert(site: Arc<Site>) {
    let store = site.open();
    for round in 0..20 {
        let project = format!("project/{round}");
        let inside = format!("ns/{round}/a");
        let version = store.commit(writes([put(&project, "x")])).await.unwrap();
        let insert = when([Precondition::At(key(&project), version)], [put(&inside, "x")]);
        let children = KeyRange::prefix(format!("ns/{round}/").as_bytes());
        let remove = when([Precondition::EmptyRange(children)], [delete(&project)]);
        let (inserted, removed) = tokio::join!(store.commit(insert), store.commit(remove));
        assert!(inserted.is_ok() != removed.is_ok(), "a namespace without its project: {inserted:?} {removed:?}");
        assert_eq!(value(&store, &project).await.is_some(), value(&store, &inside).await.is_some());
    }
}

pub async fn commits_in_flight_together_get_versions_of_their_own(site: Arc<Site>) {
    let store = site.open();
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let name = format!("{n:03}");
                let version = store.commit(writes([put(&name, "x")])).await.unwrap();
                // Durable and visible by the time it is answered.
                assert_eq!(store.get(name.as_bytes()).await.unwrap().unwrap().version, version);
                assert!(store.version() >= version);
                version
            })
        })
        .collect();
    let versions: BTreeSet<_> = join(tasks).await.into_iter().collect();
    assert_eq!(versions, (1..=200).map(Version).collect());
}
