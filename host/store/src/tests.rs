//! The typed layer as a whole, over the engine in memory.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use stowage_ports::store::{Commit, Precondition, Version, Write};

use crate::{
    Change, ConflictReason, Cursor, Error, Index, Record, Segments, Tables, Transaction,
    memory::MemoryDisk,
    schema::{self, Migration, OpenError},
};

const BY_OWNER: Index = Index("namespace-by-owner");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Namespace {
    project: String,
    name: String,
    bytes: u64,
}

impl Record for Namespace {
    const TABLE: &'static str = "namespace";

    fn key(&self) -> Segments {
        Segments::of([&self.project, &self.name])
    }
}

fn namespace(project: &str, name: &str) -> Namespace {
    Namespace { project: project.into(), name: name.into(), bytes: 1 }
}

async fn tables() -> Tables {
    schema::open(Arc::new(MemoryDisk::default().open()), &[]).await.unwrap()
}

async fn create(tables: &Tables, record: &Namespace) -> Result<Version, Error> {
    let mut change = Transaction::new();
    change.create(record);
    change.commit(tables).await
}

#[tokio::test]
async fn what_was_created_reads_back_and_cannot_be_created_twice() {
    let tables = tables().await;
    let row = namespace("p", "a");
    let version = create(&tables, &row).await.unwrap();
    assert_eq!(tables.get::<Namespace>(&row.key()).await.unwrap(), Some((row.clone(), version)));
    let conflict = create(&tables, &row).await.unwrap_err();
    let want = Error::Conflict { table: "namespace", key: "p/a".into(), reason: ConflictReason::Exists };
    assert_eq!(conflict, want);
    assert_eq!(conflict.to_string(), "namespace \"p/a\" exists already");
}

#[tokio::test]
async fn a_stale_read_can_neither_replace_nor_delete() {
    let tables = tables().await;
    let mut row = namespace("p", "a");
    let old = create(&tables, &row).await.unwrap();
    row.bytes = 2;
    let mut change = Transaction::new();
    change.replace(&row, old);
    let new = change.commit(&tables).await.unwrap();

    row.bytes = 3;
    let mut replace = Transaction::new();
    replace.replace(&row, old);
    let mut delete = Transaction::new();
    delete.delete::<Namespace>(&row.key(), old);
    let mut require = Transaction::new();
    require.put(&namespace("p", "b")).require::<Namespace>(&row.key(), old);
    for stale in [replace, delete, require] {
        let error = stale.commit(&tables).await.unwrap_err();
        assert!(matches!(error, Error::Conflict { reason: ConflictReason::Changed, .. }), "{error}");
    }
    assert_eq!(tables.get::<Namespace>(&row.key()).await.unwrap().unwrap().0.bytes, 2);
    assert_eq!(tables.version(), new);

    let mut delete = Transaction::new();
    delete.delete::<Namespace>(&row.key(), new);
    delete.commit(&tables).await.unwrap();
    assert_eq!(tables.get::<Namespace>(&row.key()).await.unwrap(), None);
}

#[tokio::test]
async fn a_project_with_a_namespace_is_not_empty_and_its_neighbour_is() {
    let tables = tables().await;
    create(&tables, &namespace("p/q", "a")).await.unwrap();
    create(&tables, &namespace("pp", "a")).await.unwrap();
    let remove = |project: &'static str| {
        let mut change = Transaction::new();
        change.require_empty::<Namespace>(&Segments::of([project]));
        change
    };
    remove("p").commit(&tables).await.unwrap();
    let error = remove("p/q").commit(&tables).await.unwrap_err();
    assert!(matches!(error, Error::Conflict { reason: ConflictReason::NotEmpty, .. }), "{error}");
}

#[tokio::test]
async fn pages_of_a_project_hold_its_namespaces_in_order_and_no_others() {
    let tables = tables().await;
    for name in ["c", "a", "e", "b", "d"] {
        create(&tables, &namespace("p", name)).await.unwrap();
        create(&tables, &namespace("p2", name)).await.unwrap();
    }
    let prefix = Segments::of(["p"]);
    let mut names = String::new();
    let mut cursor = None;
    loop {
        let page = tables.page::<Namespace>(&prefix, cursor.as_ref(), 2).await.unwrap();
        assert!(page.items.len() <= 2);
        names.extend(page.items.iter().map(|(row, _)| row.name.clone()));
        let Some(next) = page.next else { break };
        cursor = Some(Cursor::from_token(&next.token()).unwrap());
    }
    assert_eq!(names, "abcde");
    let page = tables.page::<Namespace>(&prefix, None, 5).await.unwrap();
    assert_eq!((page.items.len(), page.next), (5, None), "a full last page has no next one");
}

#[tokio::test]
async fn a_token_of_another_list_is_refused() {
    let tables = tables().await;
    for name in ["a", "b"] {
        create(&tables, &namespace("p", name)).await.unwrap();
    }
    let page = tables.page::<Namespace>(&Segments::of(["p"]), None, 1).await.unwrap();
    let cursor = page.next.unwrap();
    let other = tables.page::<Namespace>(&Segments::of(["q"]), Some(&cursor), 1).await;
    assert_eq!(other.unwrap_err(), Error::Cursor);
    assert_eq!(Cursor::from_token("not a token!").unwrap_err(), Error::Cursor);
}

#[tokio::test]
async fn a_walk_sees_every_row_once() {
    let tables = tables().await;
    let rows = Tables::MAX_PAGE + 1;
    for first in (0..rows).step_by(Commit::MAX_WRITES) {
        let mut change = Transaction::new();
        for n in first..(first + Commit::MAX_WRITES).min(rows) {
            change.create(&namespace("p", &format!("{n:05}")));
        }
        change.commit(&tables).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut walk = tables.walk::<Namespace>(Segments::new());
    while let Some(page) = walk.next().await.unwrap() {
        seen.extend(page.into_iter().map(|(row, _)| row.name));
    }
    assert_eq!(seen, (0..rows).map(|n| format!("{n:05}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_index_lists_in_its_own_order_and_a_claim_is_unique() {
    let tables = tables().await;
    let mut change = Transaction::new();
    change.index(BY_OWNER, &Segments::of(["eve", "2"]), "p/b");
    change.index(BY_OWNER, &Segments::of(["eve", "1"]), "p/c");
    change.claim(BY_OWNER, &Segments::of(["mallory"]), "p/a");
    let version = change.commit(&tables).await.unwrap();

    let entries = tables.entries(BY_OWNER, &Segments::of(["eve"]), None, 10).await.unwrap();
    let entry = |number: &str, text: &str| (Segments::of(["eve", number]), text.to_owned(), version);
    assert_eq!(entries.items, [entry("1", "p/c"), entry("2", "p/b")]);
    let mallory = Segments::of(["mallory"]);
    assert_eq!(tables.lookup(BY_OWNER, &mallory).await.unwrap(), Some(("p/a".into(), version)));

    let mut again = Transaction::new();
    again.claim(BY_OWNER, &mallory, "p/z");
    assert!(again.commit(&tables).await.unwrap_err().is_conflict());
    let mut stale = Transaction::new();
    stale.require_entry(BY_OWNER, &mallory, Version(version.0 + 1));
    assert!(stale.commit(&tables).await.unwrap_err().is_conflict());
    let mut free = Transaction::new();
    free.require_entry(BY_OWNER, &mallory, version).unindex(BY_OWNER, &mallory);
    free.commit(&tables).await.unwrap();
    let mut none = Transaction::new();
    none.require_no_entry(BY_OWNER, &mallory).claim(BY_OWNER, &mallory, "p/z");
    none.commit(&tables).await.unwrap();
}

#[tokio::test]
async fn the_conflict_names_the_failing_one_of_many_preconditions_and_nothing_is_written() {
    let tables = tables().await;
    create(&tables, &namespace("p", "b")).await.unwrap();
    let mut change = Transaction::new();
    change.create(&namespace("p", "a")).index(BY_OWNER, &Segments::of(["x"]), "y").create(&namespace("p", "b"));
    assert_eq!(change.len(), 3);
    let error = change.commit(&tables).await.unwrap_err();
    assert!(matches!(&error, Error::Conflict { key, .. } if key == "p/b"), "{error}");
    assert_eq!(tables.get::<Namespace>(&Segments::of(["p", "a"])).await.unwrap(), None);
    assert_eq!(tables.lookup(BY_OWNER, &Segments::of(["x"])).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_without_segments_is_refused() {
    let mut change = Transaction::new();
    change.index(BY_OWNER, &Segments::new(), "x");
    let error = change.commit(&tables().await).await.unwrap_err();
    assert!(matches!(error, Error::Unwritable { table: "namespace-by-owner", .. }), "{error}");
}

#[tokio::test]
async fn changes_of_a_table_arrive_as_rows_and_deletions() {
    let tables = tables().await;
    let mut changes = tables.changes::<Namespace>(&Segments::of(["p"]), tables.version());
    let row = namespace("p", "a");
    let mut change = Transaction::new();
    change.create(&row).create(&namespace("q", "a")).index(BY_OWNER, &Segments::of(["x"]), "y");
    let created = change.commit(&tables).await.unwrap();
    let mut change = Transaction::new();
    change.delete::<Namespace>(&row.key(), created);
    let deleted = change.commit(&tables).await.unwrap();
    assert_eq!(changes.next().await, Some(Change::Put(row.clone(), created)));
    assert_eq!(changes.next().await, Some(Change::Deleted(row.key(), deleted)));
    let mut future = tables.changes::<Namespace>(&Segments::new(), Version(u64::MAX));
    assert_eq!(future.next().await, Some(Change::Lost));
    assert_eq!(future.next().await, None);
}

#[tokio::test]
async fn an_unreadable_row_is_reported_and_the_watch_goes_on() {
    let tables = tables().await;
    let mut changes = tables.changes::<Namespace>(&Segments::of(["p"]), tables.version());
    let key = Segments::of(["namespace", "p", "a"]).key();
    let junk = Commit { preconditions: Vec::new(), writes: vec![Write::Put(key, b"junk".as_slice().into())] };
    tables.store().commit(junk).await.unwrap();
    create(&tables, &namespace("p", "b")).await.unwrap();
    assert!(matches!(changes.next().await, Some(Change::Unreadable(Error::Unreadable { .. }, _))));
    assert!(matches!(changes.next().await, Some(Change::Put(row, _)) if row.name == "b"));
    let page = tables.page::<Namespace>(&Segments::of(["p"]), None, 10).await;
    assert!(matches!(page, Err(Error::Unreadable { key, .. }) if key == "p/a"));
}

/// Doubles every namespace's size and notes that it ran; fails on demand.
#[derive(Default)]
struct Double {
    ran: Mutex<u32>,
    fails: Mutex<bool>,
}

#[async_trait]
impl Migration for Double {
    fn name(&self) -> &'static str {
        "double every namespace"
    }

    async fn run(&self, tables: &Tables) -> Result<(), Error> {
        if *self.fails.lock() {
            return Err(Error::Cursor);
        }
        *self.ran.lock() += 1;
        let mut walk = tables.walk::<Namespace>(Segments::new());
        while let Some(rows) = walk.next().await? {
            for (mut row, version) in rows {
                row.bytes *= 2;
                let mut change = Transaction::new();
                change.replace(&row, version);
                change.commit(tables).await?;
            }
        }
        Ok(())
    }
}

async fn bytes(tables: &Tables) -> u64 {
    tables.get::<Namespace>(&Segments::of(["p", "a"])).await.unwrap().unwrap().0.bytes
}

#[tokio::test]
async fn an_old_state_is_migrated_once_and_a_new_one_is_not() {
    let disk = MemoryDisk::default();
    let (first, second) = (Double::default(), Double::default());
    let tables = schema::open(Arc::new(disk.open()), &[]).await.unwrap();
    create(&tables, &namespace("p", "a")).await.unwrap();
    drop(tables);
    for _ in 0..2 {
        let tables = schema::open(Arc::new(disk.open()), &[&first]).await.unwrap();
        assert_eq!(bytes(&tables).await, 2);
    }
    let tables = schema::open(Arc::new(disk.open()), &[&first, &second]).await.unwrap();
    assert_eq!(bytes(&tables).await, 4);
    assert_eq!((*first.ran.lock(), *second.ran.lock()), (1, 1));

    let unused = Double::default();
    schema::open(Arc::new(MemoryDisk::default().open()), &[&unused]).await.unwrap();
    assert_eq!(*unused.ran.lock(), 0, "an empty state starts with the newest schema");
}

#[tokio::test]
async fn a_state_of_a_newer_program_is_refused_and_the_fix_is_named() {
    let disk = MemoryDisk::default();
    drop(schema::open(Arc::new(disk.open()), &[&Double::default()]).await.unwrap());
    let error = schema::open(Arc::new(disk.open()), &[]).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
    let fix = format!("start stowage {} or newer", env!("CARGO_PKG_VERSION"));
    assert!(error.to_string().contains(&fix), "{error}");
}

#[tokio::test]
async fn a_failed_migration_is_named_and_runs_again_at_the_next_start() {
    let disk = MemoryDisk::default();
    let tables = schema::open(Arc::new(disk.open()), &[]).await.unwrap();
    create(&tables, &namespace("p", "a")).await.unwrap();
    drop(tables);
    let migration = Double::default();
    *migration.fails.lock() = true;
    let error = schema::open(Arc::new(disk.open()), &[&migration]).await.unwrap_err();
    assert!(matches!(error, OpenError::Migration { name: "double every namespace", to: 2, .. }), "{error}");
    *migration.fails.lock() = false;
    let tables = schema::open(Arc::new(disk.open()), &[&migration]).await.unwrap();
    assert_eq!(bytes(&tables).await, 2);
}

#[tokio::test]
async fn a_full_disk_is_a_store_error_and_no_conflict() {
    let disk = MemoryDisk::default();
    let tables = schema::open(Arc::new(disk.open()), &[]).await.unwrap();
    disk.set_broken(true);
    let error = create(&tables, &namespace("p", "a")).await.unwrap_err();
    assert!(matches!(error, Error::Store(_)) && !error.is_conflict(), "{error}");
    assert!(error.to_string().contains("check its disk"), "{error}");
}

#[tokio::test]
async fn a_transaction_over_the_write_limit_is_refused_whole() {
    let tables = tables().await;
    let mut change = Transaction::new();
    for n in 0..=Commit::MAX_WRITES {
        change.put(&namespace("p", &n.to_string()));
    }
    assert_eq!(change.commit(&tables).await, Err(Error::TooLarge(Commit::MAX_WRITES + 1)));
    let none = Precondition::EmptyRange(Segments::of(["namespace"]).range());
    let check = Commit { preconditions: vec![none], writes: Vec::new() };
    assert!(tables.store().commit(check).await.is_ok());
}
