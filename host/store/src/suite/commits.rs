//! Commits and preconditions, one after the other.

use super::*;

pub async fn a_commit_is_one_version_for_all_its_writes(site: Arc<Site>) {
    let store = site.open();
    let version = store.commit(writes([put("a", "1"), put("b", "2"), delete("c")])).await.unwrap();
    assert_eq!(store.get(b"a").await.unwrap().unwrap().version, version);
    assert_eq!(store.get(b"b").await.unwrap().unwrap().version, version);
}

pub async fn of_two_writes_to_one_key_the_later_counts(site: Arc<Site>) {
    let store = site.open();
    store
        .commit(writes([put("a", "1"), put("a", "2"), put("b", "1"), delete("b"), delete("c"), put("c", "3")]))
        .await
        .unwrap();
    assert_eq!(all(&store).await, [("a".into(), "2".into()), ("c".into(), "3".into())]);
}

pub async fn a_deleted_key_is_absent_and_deleting_it_again_is_no_error(site: Arc<Site>) {
    let store = site.open();
    store.commit(writes([put("a", "1")])).await.unwrap();
    store.commit(writes([delete("a")])).await.unwrap();
    assert_eq!(store.get(b"a").await.unwrap(), None);
    store.commit(writes([delete("a")])).await.unwrap();
    store.commit(when([Precondition::Absent(key("a"))], [put("a", "2")])).await.unwrap();
    assert_eq!(value(&store, "a").await.as_deref(), Some("2"));
}

pub async fn a_conflict_names_the_first_failing_precondition_and_changes_nothing(site: Arc<Site>) {
    let store = site.open();
    let version = store.commit(writes([put("a", "1")])).await.unwrap();
    let conditions = [
        Precondition::At(key("a"), version),
        Precondition::Absent(key("a")),
        Precondition::EmptyRange(KeyRange::prefix(b"a")),
    ];
    let refused = store.commit(when(conditions, [put("a", "2"), put("b", "2")])).await;
    assert_eq!(refused, Err(CommitError::Conflict(1)));
    assert_eq!(all(&store).await, [("a".into(), "1".into())]);
    assert_eq!(store.version(), version);
}

pub async fn at_holds_for_the_very_version_only(site: Arc<Site>) {
    let store = site.open();
    let first = store.commit(writes([put("a", "1")])).await.unwrap();
    let second = store.commit(when([Precondition::At(key("a"), first)], [put("a", "2")])).await.unwrap();
    for stale in [first, Version(0), Version(second.0 + 1)] {
        let refused = store.commit(when([Precondition::At(key("a"), stale)], [put("a", "3")])).await;
        assert_eq!(refused, Err(CommitError::Conflict(0)));
    }
    store.commit(writes([delete("a")])).await.unwrap();
    let refused = store.commit(when([Precondition::At(key("a"), second)], [put("a", "4")])).await;
    assert_eq!(refused, Err(CommitError::Conflict(0)), "a deleted key is at no version");
}

pub async fn an_empty_range_precondition_sees_inserts_and_deletes(site: Arc<Site>) {
    let store = site.open();
    let empty = || Precondition::EmptyRange(KeyRange::prefix(b"ns/"));
    store.commit(when([empty()], [put("ns0", "neighbour"), put("ns", "neighbour")])).await.unwrap();
    store.commit(when([empty()], [put("ns/a", "1"), put("ns/b", "1")])).await.unwrap();
    store.commit(writes([delete("ns/a")])).await.unwrap();
    assert_eq!(store.commit(when([empty()], [put("x", "1")])).await, Err(CommitError::Conflict(0)));
    store.commit(writes([delete("ns/b")])).await.unwrap();
    store.commit(when([empty()], [put("x", "1")])).await.unwrap();
}

pub async fn a_commit_without_writes_checks_its_preconditions(site: Arc<Site>) {
    let store = site.open();
    let version = store.commit(writes([put("a", "1")])).await.unwrap();
    assert_eq!(store.commit(when([Precondition::At(key("a"), version)], [])).await, Ok(version));
    assert_eq!(store.commit(when([Precondition::Absent(key("a"))], [])).await, Err(CommitError::Conflict(0)));
}

pub async fn a_commit_over_the_limit_is_refused_and_the_limit_itself_is_not(site: Arc<Site>) {
    let store = site.open();
    let many = |count: usize| writes((0..count).map(|n| put(&format!("{n:03}"), "x")));
    let over = Commit::MAX_WRITES + 1;
    assert_eq!(store.commit(many(over)).await, Err(CommitError::TooLarge(over)));
    assert_eq!(all(&store).await, []);
    store.commit(many(Commit::MAX_WRITES)).await.unwrap();
    assert_eq!(all(&store).await.len(), Commit::MAX_WRITES);
}

pub async fn a_write_to_the_empty_key_is_refused(site: Arc<Site>) {
    let store = site.open();
    for write in [put("", "x"), delete("")] {
        assert_eq!(store.commit(writes([put("a", "1"), write])).await, Err(CommitError::EmptyKey));
    }
    assert_eq!(all(&store).await, []);
}
