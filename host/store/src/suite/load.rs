//! Durable commits as fast as they go: for benchmarks.

use std::time::{Duration, Instant};

use super::*;

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
