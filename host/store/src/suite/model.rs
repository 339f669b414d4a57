//! Random work, compared with an ordered map.

use std::collections::BTreeMap;

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use stowage_ports::store::Versioned;

use super::*;

/// Sequences that are tried. Each commit costs a sync, so they are few and long.
const CASES: u32 = 24;

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Condition>, Vec<Write>),
    /// Several commits in flight together; the model finds the order by their versions.
    Group(Vec<Vec<Write>>),
    Scan(KeyRange, usize),
    Restart,
}

#[derive(Debug, Clone)]
enum Condition {
    Absent(Key),
    /// The key is as it is, or, if `false`, as it was one commit ago.
    Current(Key, bool),
    Empty(KeyRange),
}

#[derive(Debug, Default)]
struct Model {
    rows: BTreeMap<Key, Versioned>,
    version: Version,
}

impl Model {
    fn holds(&self, condition: &Precondition) -> bool {
        match condition {
            Precondition::Absent(key) => !self.rows.contains_key(key),
            Precondition::At(key, version) => self.rows.get(key).is_some_and(|row| row.version == *version),
            Precondition::EmptyRange(range) => !self.rows.keys().any(|key| range.contains(key)),
        }
    }

    fn commit(&mut self, commit: &Commit) -> Result<Version, CommitError> {
        if let Some(failing) = commit.preconditions.iter().position(|condition| !self.holds(condition)) {
            return Err(CommitError::Conflict(failing));
        }
        if !commit.writes.is_empty() {
            self.version.0 += 1;
        }
        for write in &commit.writes {
            match write {
                Write::Put(key, value) => {
                    let row = Versioned { value: value.clone(), version: self.version };
                    self.rows.insert(key.clone(), row);
                }
                Write::Delete(key) => {
                    self.rows.remove(key);
                }
            }
        }
        Ok(self.version)
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Vec<(Key, Versioned)> {
        let rows = self.rows.iter().filter(|(key, _)| range.contains(key)).take(limit);
        rows.map(|(key, row)| (key.clone(), row.clone())).collect()
    }

    fn precondition(&self, condition: &Condition) -> Precondition {
        match condition {
            Condition::Absent(key) => Precondition::Absent(key.clone()),
            Condition::Empty(range) => Precondition::EmptyRange(range.clone()),
            Condition::Current(key, current) => {
                let version = self.rows.get(key).map_or(self.version, |row| row.version);
                Precondition::At(key.clone(), if *current { version } else { Version(version.0.saturating_sub(1)) })
            }
        }
    }
}

/// Few keys, so that steps meet; bytes at both ends and around a separator.
fn any_key() -> impl Strategy<Value = Key> {
    let byte = prop_oneof![Just(0u8), Just(b'a'), Just(b'b'), Just(0xff)];
    prop::collection::vec(byte, 1..3).prop_map(Bytes::from)
}

fn any_range() -> impl Strategy<Value = KeyRange> {
    prop_oneof![
        3 => any_key().prop_map(|prefix| KeyRange::prefix(&prefix)),
        2 => (any_key(), any_key()).prop_map(|(start, end)| KeyRange { start, end }),
        1 => Just(KeyRange::prefix(b"")),
    ]
}

fn any_write() -> impl Strategy<Value = Write> {
    let any_value = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from),
        1 => (any::<u8>(), 0usize..40_000).prop_map(|(byte, len)| Bytes::from(vec![byte; len])),
    ];
    prop_oneof![
        3 => (any_key(), any_value).prop_map(|(key, value)| Write::Put(key, value)),
        1 => any_key().prop_map(Write::Delete),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let condition = prop_oneof![
        any_key().prop_map(Condition::Absent),
        (any_key(), prop::bool::weighted(0.8)).prop_map(|(key, current)| Condition::Current(key, current)),
        any_range().prop_map(Condition::Empty),
    ];
    let some_writes = || prop::collection::vec(any_write(), 0..6);
    prop_oneof![
        8 => (prop::collection::vec(condition, 0..3), some_writes()).prop_map(|(c, w)| Step::Commit(c, w)),
        2 => prop::collection::vec(prop::collection::vec(any_write(), 1..4), 2..6).prop_map(Step::Group),
        4 => (any_range(), 0usize..6).prop_map(|(range, limit)| Step::Scan(range, limit)),
        1 => Just(Step::Restart),
    ]
}

pub async fn an_engine_behaves_as_an_ordered_map(site: Arc<Site>) {
    let runtime = tokio::runtime::Handle::current();
    // The runner is not async; it has a thread of its own and steps into the runtime for each case.
    let run = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(Config { failure_persistence: None, cases: CASES, ..Config::default() });
        runner.run(&prop::collection::vec(any_step(), 1..30), |steps| runtime.block_on(play(&site, steps)))
    });
    if let Err(error) = run.await.unwrap() {
        panic!("{error}");
    }
}

/// Each case goes on in the same store, which it first empties: less to wait for, and more history in the engine.
async fn play(site: &Site, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut store = site.open();
    let left = store.scan(KeyRange::prefix(b""), Commit::MAX_WRITES).await.unwrap();
    store.commit(writes(left.into_iter().map(|(key, _)| Write::Delete(key)))).await.unwrap();
    let mut model = Model { rows: BTreeMap::new(), version: store.version() };
    for step in steps {
        match step {
            Step::Commit(conditions, writes) => {
                let preconditions = conditions.iter().map(|condition| model.precondition(condition)).collect();
                let commit = Commit { preconditions, writes };
                let want = model.commit(&commit);
                prop_assert_eq!(store.commit(commit).await, want);
            }
            Step::Group(group) => {
                let tasks: Vec<_> = group
                    .into_iter()
                    .map(writes)
                    .map(|commit| {
                        let store = Arc::clone(&store);
                        tokio::spawn(async move { (store.commit(commit.clone()).await.unwrap(), commit) })
                    })
                    .collect();
                let mut done = Vec::new();
                for task in tasks {
                    done.push(task.await.unwrap());
                }
                done.sort_by_key(|(version, _)| *version);
                for (version, commit) in done {
                    prop_assert_eq!(model.commit(&commit), Ok(version));
                }
            }
            Step::Scan(range, limit) => {
                let want = model.scan(&range, limit);
                prop_assert_eq!(store.scan(range, limit).await.unwrap(), want);
            }
            Step::Restart => {
                drop(store);
                store = site.open();
            }
        }
        prop_assert_eq!(store.version(), model.version);
    }
    let everything = KeyRange::prefix(b"");
    for (key, row) in &model.rows {
        let found = store.get(key).await.unwrap();
        prop_assert_eq!(found.as_ref(), Some(row));
    }
    prop_assert_eq!(store.scan(everything.clone(), 1000).await.unwrap(), model.scan(&everything, 1000));
    Ok(())
}
