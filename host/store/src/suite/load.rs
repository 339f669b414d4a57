//! Durable commits as fast as they go: for benchmarks.

use std::time::{Duration, Instant};

use super::*;
use crate::group::{CommitCounts, Engine, GroupCommit};

/// `writers` tasks that each make `commits` commits of one row with a value of `value_bytes`, one after the other. Answers
/// how long it took.
pub async fn write(store: &Arc<dyn Store>, writers: usize, commits: usize, value_bytes: usize) -> Duration {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let value = Bytes::from(vec![b'v'; value_bytes]);
                for commit in 0..commits {
                    let row = key(&format!("load/{writer:04}/{commit:08}"));
                    store.commit(writes([Write::Put(row, value.clone())])).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    begin.elapsed()
}

/// The measurements of `docs/adr/0003-state-store.md`, as an engine's example prints them. `arguments` are a directory and
/// one of: `load ROWS`, `open`, `get ROWS READS`, `commits WRITERS EACH`.
pub async fn measure<E: Engine>(mut arguments: impl Iterator<Item = String>, open: impl Fn(&Path) -> GroupCommit<E>) {
    let directory = std::path::PathBuf::from(arguments.next().expect("a directory"));
    let what = arguments.next().expect("load, open, get or commits");
    let numbers: Vec<usize> = arguments.map(|number| number.parse().expect("a number")).collect();
    let begin = Instant::now();
    let engine = Arc::new(open(&directory));
    let opened = begin.elapsed();
    let store: Arc<dyn Store> = engine.clone();
    match (what.as_str(), numbers.as_slice()) {
        ("open", []) => println!("open: {opened:.1?}, version {}", store.version().0),
        ("load", [rows]) => {
            let took = fill(&store, *rows).await;
            println!("load: {rows} rows in {took:.1?}");
        }
        ("get", [rows, reads]) => {
            let begin = Instant::now();
            for read in 0..*reads {
                let row = name(read.wrapping_mul(2_654_435_761) % rows);
                assert!(store.get(&row).await.unwrap().is_some());
            }
            println!("get: {:.2} µs each", begin.elapsed().as_secs_f64() * 1e6 / *reads as f64);
        }
        ("commits", [writers, each]) => {
            let took = write(&store, *writers, *each, 200).await;
            let rate = (writers * each) as f64 / took.as_secs_f64();
            let CommitCounts { commits, syncs } = engine.counts();
            println!("commits: {commits} by {writers} writers in {took:.2?}, {rate:.0} a second");
            println!("syncs: {syncs}, commits per sync: {:.1}", commits as f64 / syncs as f64);
        }
        _ => panic!("load ROWS, open, get ROWS READS, or commits WRITERS EACH"),
    }
    store.close().await.unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("peak memory: {}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("unknown"));
}

fn name(row: usize) -> Key {
    key(&format!("row/{:016x}", (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// Rows of 24 byte keys and 64 byte values in random order, a hundred to a commit, many commits in flight.
async fn fill(store: &Arc<dyn Store>, rows: usize) -> Duration {
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for first in (0..rows).step_by(Commit::MAX_WRITES) {
        while tasks.len() >= 64 {
            tasks.join_next().await.unwrap().unwrap();
        }
        let store = Arc::clone(store);
        tasks.spawn(async move {
            let last = rows.min(first + Commit::MAX_WRITES);
            let commit = writes((first..last).map(|row| Write::Put(name(row), Bytes::from(vec![b'v'; 64]))));
            store.commit(commit).await.unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    begin.elapsed()
}
