//! Closing and opening again.

use stowage_ports::store::StoreError;

use super::*;

pub async fn state_and_version_survive_a_restart(site: Arc<Site>) {
    let store = site.open();
    store.commit(writes([put("a", "1"), put("b", "1")])).await.unwrap();
    let version = store.commit(writes([put("a", "2"), delete("b")])).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = site.open();
    assert_eq!(store.version(), version);
    assert_eq!(all(&store).await, [("a".into(), "2".into())]);
    assert_eq!(store.get(b"a").await.unwrap().unwrap().version, version);
}

pub async fn state_survives_being_dropped_without_close(site: Arc<Site>) {
    for n in 0..3 {
        let store = site.open();
        assert_eq!(store.version(), Version(n));
        store.commit(writes([put(&n.to_string(), "x")])).await.unwrap();
    }
    assert_eq!(all(&site.open()).await.len(), 3);
}

pub async fn versions_go_on_after_a_restart(site: Arc<Site>) {
    let store = site.open();
    store.commit(writes([put("a", "1")])).await.unwrap();
    // The last commit leaves no row behind, so that only its version can tell.
    let last = store.commit(writes([delete("a")])).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = site.open();
    assert_eq!(store.version(), last);
    assert_eq!(store.commit(writes([put("a", "2")])).await, Ok(Version(last.0 + 1)));
}

pub async fn a_closed_store_says_so(site: Arc<Site>) {
    let store = site.open();
    store.commit(writes([put("a", "1")])).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(store.get(b"a").await, Err(StoreError::Closed));
    assert_eq!(store.scan(KeyRange::prefix(b""), 1).await, Err(StoreError::Closed));
    assert_eq!(store.commit(writes([put("a", "2")])).await, Err(CommitError::Store(StoreError::Closed)));
    assert_eq!(store.close().await, Ok(()), "closing twice is no error");
    // Closed means free for the next one, though this one is still held.
    assert_eq!(value(&site.open(), "a").await.as_deref(), Some("1"));
}
