//! An adapter's state, over the engine in memory.

use std::collections::BTreeSet;

use stowage_ports::{
    guest_state::{GuestState, GuestStateError},
    store::Store,
};

use super::*;
use crate::memory::MemoryDisk;

const SMALL: GuestLimits = GuestLimits { bytes: 100, keys: 3, value_bytes: 60 };

fn state(store: &Arc<dyn Store>, instance: &str, limits: GuestLimits, numbers: RangeInclusive<u32>) -> StoreGuestState {
    StoreGuestState::new(Arc::clone(store), instance, limits, BTreeMap::from([("ids".into(), numbers)]))
}

fn small() -> (Arc<dyn Store>, StoreGuestState) {
    let store: Arc<dyn Store> = Arc::new(MemoryDisk::default().open());
    let small = state(&store, "weka-a", SMALL, 100..=199);
    (store, small)
}

fn full(what: &'static str, limit: u64) -> GuestStateError {
    GuestStateError::Full { what, limit }
}

#[tokio::test]
async fn values_are_versioned_and_zero_means_not_there_yet() {
    let (_, state) = small();
    assert_eq!(state.get("job").await.unwrap(), None);
    let first = state.set("job", b"1".to_vec(), Some(0)).await.unwrap();
    assert_eq!(state.get("job").await.unwrap(), Some((b"1".to_vec(), first)));
    let conflict = Err(GuestStateError::Conflict("job".into()));
    assert_eq!(state.set("job", b"2".to_vec(), Some(0)).await, conflict);
    let second = state.set("job", b"2".to_vec(), Some(first)).await.unwrap();
    assert!(second > first);
    assert_eq!(state.set("job", b"3".to_vec(), Some(first)).await, conflict);
    state.set("job", b"4".to_vec(), None).await.unwrap();
    assert_eq!(state.delete("job", Some(second)).await, Err(GuestStateError::Conflict("job".into())));
    state.delete("job", None).await.unwrap();
    state.delete("job", None).await.unwrap();
    state.delete("job", Some(0)).await.unwrap();
    assert_eq!(state.get("job").await.unwrap(), None);
}

#[tokio::test]
async fn instances_do_not_see_each_other() {
    let (store, a) = small();
    let other = state(&store, "weka-a/job", SMALL, 100..=199);
    a.set("job/1", b"a".to_vec(), None).await.unwrap();
    a.take("ids", "owner").await.unwrap();
    assert_eq!(other.get("1").await.unwrap(), None);
    assert_eq!(other.keys("", None, 10).await.unwrap(), Vec::<String>::new());
    other.give_back("ids", "owner").await.unwrap();
    assert_eq!(other.take("ids", "other").await.unwrap(), 100, "pools are per instance");
}

#[tokio::test]
async fn keys_are_listed_by_prefix_in_order_with_a_cursor() {
    let (store, _) = small();
    let state = state(&store, "b", GuestLimits::default(), 1..=1);
    for key in ["job/2", "job/1", "job", "joc", "job/3", "a"] {
        state.set(key, Vec::new(), None).await.unwrap();
    }
    assert_eq!(state.keys("job/", None, 2).await.unwrap(), ["job/1", "job/2"]);
    assert_eq!(state.keys("job/", Some("job/2"), 2).await.unwrap(), ["job/3"]);
    assert_eq!(state.keys("", None, 100).await.unwrap(), ["a", "job", "job/1", "job/2", "job/3", "joc"]);
    assert_eq!(state.keys("", None, 0).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn each_limit_is_enforced_and_named() {
    let (_, state) = small();
    assert_eq!(state.set("k", vec![0; 61], None).await, Err(full("value bytes", 60)));
    for bad in ["", &"k".repeat(257)] {
        assert_eq!(state.set(bad, Vec::new(), None).await, Err(full("key length", 256)));
        assert_eq!(state.get(bad).await, Err(full("key length", 256)));
        assert_eq!(state.take("ids", bad).await, Err(full("key length", 256)));
    }
    state.set("a", vec![0; 60], None).await.unwrap();
    assert_eq!(state.set("b", vec![0; 60], None).await, Err(full("bytes", 100)));
    state.set("b", vec![0; 38], None).await.unwrap();
    assert_eq!(state.set("b", vec![0; 39], None).await, Err(full("bytes", 100)));
    state.set("a", vec![0; 10], None).await.unwrap();
    state.set("c", Vec::new(), None).await.unwrap();
    assert_eq!(state.set("d", Vec::new(), None).await, Err(full("keys", 3)));
    state.delete("c", None).await.unwrap();
    state.set("d", vec![0; 49], None).await.unwrap();
    assert_eq!(state.set("d", vec![0; 50], None).await, Err(full("bytes", 100)));
}

#[tokio::test]
async fn the_longest_key_and_the_fullest_space_are_allowed() {
    let (store, _) = small();
    let state = state(&store, "b", GuestLimits { bytes: 300, keys: 1, value_bytes: 44 }, 1..=1);
    state.set(&"k".repeat(256), vec![0; 44], None).await.unwrap();
    state.set(&"k".repeat(256), vec![1; 44], None).await.unwrap();
}

#[tokio::test]
async fn the_use_is_counted_again_after_a_restart() {
    let disk = MemoryDisk::default();
    let store: Arc<dyn Store> = Arc::new(disk.open());
    let first = state(&store, "a", SMALL, 1..=1);
    first.set("a", vec![0; 60], None).await.unwrap();
    drop((store, first));
    let store: Arc<dyn Store> = Arc::new(disk.open());
    let second = state(&store, "a", SMALL, 1..=1);
    assert_eq!(second.set("b", vec![0; 39], None).await, Err(full("bytes", 100)));
    second.set("b", vec![0; 38], None).await.unwrap();
}

#[tokio::test]
async fn a_failed_write_takes_no_room() {
    let (_, state) = small();
    for _ in 0..50 {
        assert!(state.set("a", vec![0; 50], Some(9)).await.is_err());
    }
    state.set("a", vec![0; 60], None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_writers_stay_within_the_limits() {
    let store: Arc<dyn Store> = Arc::new(MemoryDisk::default().open());
    let limits = GuestLimits { bytes: 10_000, keys: 10, value_bytes: 1000 };
    let shared = Arc::new(state(&store, "a", limits, 1..=1));
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let state = Arc::clone(&shared);
            tokio::spawn(async move { state.set(&format!("{n}"), vec![0; 10], None).await.is_ok() })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        stored += usize::from(task.await.unwrap());
    }
    assert_eq!(stored, 10);
    assert_eq!(shared.keys("", None, 100).await.unwrap().len(), 10);
}

#[tokio::test]
async fn an_owner_keeps_its_number_until_it_gives_it_back() {
    let (store, state) = small();
    let number = state.take("ids", "ns-1").await.unwrap();
    assert_eq!(state.take("ids", "ns-1").await.unwrap(), number);
    let restarted = self::state(&store, "weka-a", SMALL, 100..=199);
    assert_eq!(restarted.take("ids", "ns-1").await.unwrap(), number);
    assert_ne!(restarted.take("ids", "ns-2").await.unwrap(), number);
    restarted.give_back("ids", "ns-1").await.unwrap();
    restarted.give_back("ids", "ns-1").await.unwrap();
    assert_ne!(state.take("ids", "ns-2").await.unwrap(), number);
}

#[tokio::test]
async fn a_number_given_back_is_the_last_to_be_used_again() {
    let (store, _) = small();
    let state = state(&store, "a", SMALL, 7..=9);
    assert_eq!(state.take("ids", "a").await.unwrap(), 7);
    state.give_back("ids", "a").await.unwrap();
    assert_eq!(state.take("ids", "b").await.unwrap(), 8);
    assert_eq!(state.take("ids", "c").await.unwrap(), 9);
    assert_eq!(state.take("ids", "d").await.unwrap(), 7);
    assert_eq!(state.take("ids", "e").await, Err(full("pool", 3)));
    state.give_back("ids", "c").await.unwrap();
    assert_eq!(state.take("ids", "e").await.unwrap(), 9);
}

#[tokio::test]
async fn a_pool_that_reaches_the_largest_number_ends_there() {
    let (store, _) = small();
    let state = state(&store, "a", SMALL, u32::MAX - 1..=u32::MAX);
    assert_eq!(state.take("ids", "a").await.unwrap(), u32::MAX - 1);
    assert_eq!(state.take("ids", "b").await.unwrap(), u32::MAX);
    assert_eq!(state.take("ids", "c").await, Err(full("pool", 2)));
}

#[tokio::test]
async fn a_pool_that_is_not_configured_is_named() {
    let (_, state) = small();
    let error = state.take("uids", "a").await.unwrap_err();
    assert_eq!(error, GuestStateError::NoPool("uids".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_takers_on_two_hosts_get_the_whole_pool_without_a_collision() {
    let store: Arc<dyn Store> = Arc::new(MemoryDisk::default().open());
    let hosts = [0, 1].map(|_| Arc::new(state(&store, "a", SMALL, 1..=600)));
    let tasks: Vec<_> = (0..600)
        .map(|n| {
            let host = Arc::clone(&hosts[n % 2]);
            // Every owner asks twice at once; it must get one number.
            tokio::spawn(async move {
                let owner = format!("ns-{n}");
                let (one, two) = tokio::join!(host.take("ids", &owner), host.take("ids", &owner));
                assert_eq!(one, two);
                one.unwrap()
            })
        })
        .collect();
    let mut numbers = BTreeSet::new();
    for task in tasks {
        numbers.insert(task.await.unwrap());
    }
    assert_eq!(numbers, (1..=600).collect());
    assert_eq!(hosts[0].take("ids", "one more").await, Err(full("pool", 600)));
}
