//! Watching.

use futures_util::StreamExt;
use stowage_ports::store::Watch;

use super::*;

async fn next(watch: &mut Watch) -> WatchItem {
    soon(watch.next()).await.expect("the watch ended")
}

async fn applied(watch: &mut Watch) -> (Version, Vec<Write>) {
    match next(watch).await {
        WatchItem::Applied(commit) => (commit.version, commit.writes.to_vec()),
        WatchItem::Lost => panic!("the watch is lost"),
    }
}

pub async fn a_watch_delivers_commits_of_its_range_in_order(site: Arc<Site>) {
    let store = site.open();
    let mut watch = store.watch(KeyRange::prefix(b"ns/"), store.version());
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0..30 {
                store.commit(writes([put("other", "x")])).await.unwrap();
                store.commit(writes([put("ns/a", &n.to_string()), put("beside", "x")])).await.unwrap();
            }
            store.commit(writes([delete("ns/a")])).await.unwrap()
        })
    };
    let mut last = Version(0);
    for n in 0..30 {
        let (version, seen) = applied(&mut watch).await;
        assert!(version > last);
        assert!(seen.contains(&put("ns/a", &n.to_string())), "{seen:?}");
        last = version;
    }
    let end = soon(writer).await.unwrap();
    assert_eq!(applied(&mut watch).await, (end, vec![delete("ns/a")]));
}

pub async fn a_watch_resumes_after_the_version_it_was_given(site: Arc<Site>) {
    let store = site.open();
    let mut versions = Vec::new();
    for n in 0..5 {
        versions.push(store.commit(writes([put("a", &n.to_string())])).await.unwrap());
    }
    let mut watch = store.watch(KeyRange::prefix(b"a"), versions[1]);
    for (n, version) in versions.iter().enumerate().skip(2) {
        assert_eq!(applied(&mut watch).await, (*version, vec![put("a", &n.to_string())]));
    }
    let refused = store.commit(when([Precondition::Absent(key("a"))], [put("a", "never")])).await;
    assert!(refused.is_err());
    let later = store.commit(writes([put("a", "later")])).await.unwrap();
    assert_eq!(applied(&mut watch).await, (later, vec![put("a", "later")]));
}

pub async fn a_watch_from_before_the_restart_is_lost_and_from_now_is_not(site: Arc<Site>) {
    let store = site.open();
    let old = store.commit(writes([put("a", "1")])).await.unwrap();
    store.commit(writes([put("a", "2")])).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = site.open();
    let mut lost = store.watch(KeyRange::prefix(b"a"), old);
    assert!(matches!(next(&mut lost).await, WatchItem::Lost));
    let mut current = store.watch(KeyRange::prefix(b"a"), store.version());
    let version = store.commit(writes([put("a", "3")])).await.unwrap();
    assert_eq!(applied(&mut current).await, (version, vec![put("a", "3")]));
    let mut future = store.watch(KeyRange::prefix(b"a"), Version(version.0 + 1));
    assert!(matches!(next(&mut future).await, WatchItem::Lost));
}

pub async fn a_watch_ends_when_the_store_is_closed(site: Arc<Site>) {
    let store = site.open();
    let mut watch = store.watch(KeyRange::prefix(b"a"), store.version());
    store.close().await.unwrap();
    assert!(soon(watch.next()).await.is_none());
    assert!(soon(store.watch(KeyRange::prefix(b"a"), store.version()).next()).await.is_none());
}
