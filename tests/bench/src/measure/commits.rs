//! Durable commits: many writers with one sync for many, against one sync for each.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use stowage_ports::store::{Commit, Store, Write};
use stowage_store::group::{Engine, GroupCommit, Grouping};
use tokio::task::JoinSet;

use super::Setting;
use crate::report::{Figure, Target};
use crate::rounds::median;

pub(super) const FIGURES: [&str; 4] =
    ["commit_group_vs_single_sled", "commits_per_sync_sled", "commit_group_vs_single_redb", "commits_per_sync_redb"];

const WRITERS: u64 = 64;
/// Bytes of a small record as JSON.
const VALUE: usize = 200;
const ENOUGH: Target = Target::AtLeast(10.0);

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let sled = |path: &Path, grouping| {
        stowage_store_sled::open(path, stowage_store_sled::Options { grouping, ..Default::default() })
    };
    let redb = |path: &Path, grouping| {
        stowage_store_redb::open(path, stowage_store_redb::Options { grouping, ..Default::default() })
    };
    figures.extend(engine(setting, "sled", sled).await?);
    figures.extend(engine(setting, "redb", redb).await?);
    Ok(figures)
}

/// Group and serial committer of one engine take turns, each on a directory of its own.
async fn engine<E: Engine, F: std::error::Error + Send + Sync + 'static>(
    setting: &Setting,
    name: &str,
    open: impl Fn(&Path, Grouping) -> Result<GroupCommit<E>, F>,
) -> Result<[Figure; 2]> {
    let group = Arc::new(open(&setting.scratch.join(format!("{name}-group")), Grouping::default())?);
    let serial = Arc::new(open(&setting.scratch.join(format!("{name}-serial")), Grouping { max_batch: 1 })?);
    let (mut grouped, mut alone, mut per_sync) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=setting.plan.rounds {
        let before = group.counts();
        let together = commits_per_second(group.clone(), round, setting.plan.span).await?;
        let after = group.counts();
        let one_by_one = commits_per_second(serial.clone(), round, setting.plan.span).await?;
        if round > 0 {
            grouped.push(together);
            alone.push(one_by_one);
            per_sync.push((after.commits - before.commits) as f64 / (after.syncs - before.syncs) as f64);
        }
    }
    let (grouped, alone) = (median(grouped), median(alone));
    Ok([
        Figure::by(format!("commit_group_vs_single_{name}"), grouped, "commits/s", alone).target(ENOUGH),
        Figure::alone(format!("commits_per_sync_{name}"), median(per_sync), "commits"),
    ])
}

/// Each writer makes one commit after the other, on rows that are its own.
async fn commits_per_second(store: Arc<dyn Store>, round: usize, span: Duration) -> Result<f64> {
    let begin = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let mut made = 0u64;
            while begin.elapsed() < span {
                let row = format!("bench/{round}/{writer}/{made}").into_bytes();
                let writes = vec![Write::Put(row.into(), vec![b'v'; VALUE].into())];
                store.commit(Commit { preconditions: vec![], writes }).await?;
                made += 1;
            }
            anyhow::Ok(made)
        });
    }
    let mut made = 0;
    while let Some(writer) = writers.join_next().await {
        made += writer??;
    }
    Ok(made as f64 / begin.elapsed().as_secs_f64())
}
