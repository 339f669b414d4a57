//! The one thread that writes.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use stowage_ports::store::{Commit, CommitError, StoreError, Version};
use tokio::sync::{mpsc, oneshot};

use super::{Engine, Grouping, Shared, batch::Batch};

/// The part of the last batch's duration that the next one may wait to become fuller: a quarter.
const PATIENCE: u32 = 4;

/// A commit that waits for its turn.
pub(super) struct Request {
    pub(super) commit: Commit,
    pub(super) reply: oneshot::Sender<Result<Version, CommitError>>,
}

type Verdict = (oneshot::Sender<Result<Version, CommitError>>, Result<Version, CommitError>);

pub(super) struct Committer<E> {
    engine: Arc<E>,
    version: Version,
    shared: Arc<Shared>,
    grouping: Grouping,
    failed: Option<StoreError>,
}

impl<E: Engine> Committer<E> {
    pub(super) fn new(engine: Arc<E>, version: Version, shared: Arc<Shared>, grouping: Grouping) -> Self {
        Self { engine, version, shared, grouping, failed: None }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let limit = self.grouping.max_batch.max(1);
        let mut waiting = Vec::with_capacity(limit);
        let mut expected = 0;
        let mut patience = Duration::ZERO;
        while requests.blocking_recv_many(&mut waiting, limit) > 0 {
            gather(&mut requests, &mut waiting, limit.min(expected), patience);
            let begin = Instant::now();
            let verdicts = self.commit(waiting.drain(..));
            patience = begin.elapsed() / PATIENCE;
            expected = verdicts.len().saturating_add(requests.len());
            for (reply, verdict) in verdicts {
                // A caller that has gone away has not been told; its commit stands all the same.
                let _ = reply.send(verdict);
            }
        }
    }

    /// Decides and persists one batch; the verdicts may be sent once this returns.
    fn commit(&mut self, requests: impl Iterator<Item = Request>) -> Vec<Verdict> {
        if let Some(error) = &self.failed {
            return requests.map(|request| (request.reply, Err(error.clone().into()))).collect();
        }
        let mut batch = Batch::default();
        let mut version = self.version;
        let verdicts: Vec<Verdict> = requests
            .map(|request| {
                let next = Version(version.0.saturating_add(1));
                let verdict = batch.add(&*self.engine, request.commit, next);
                if verdict == Ok(true) {
                    version = next;
                }
                (request.reply, verdict.map(|_| version))
            })
            .collect();
        match self.persist(batch, version) {
            Ok(()) => verdicts,
            Err(error) => {
                tracing::error!(%error, "the state store cannot write; it refuses everything until the host is restarted");
                self.failed = Some(error.clone());
                verdicts.into_iter().map(|(reply, _)| (reply, Err(error.clone().into()))).collect()
            }
        }
    }

    fn persist(&mut self, batch: Batch, version: Version) -> Result<(), StoreError> {
        if batch.commits.is_empty() {
            return Ok(());
        }
        self.engine.persist(&batch.commits)?;
        self.version = version;
        self.shared.commits.fetch_add(batch.commits.len() as u64, Ordering::Relaxed);
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        self.shared.version.store(version.0, Ordering::Release);
        self.shared.history.push(batch.commits);
        Ok(())
    }
}

/// Waits until `expected` commits are there, but no longer than `patience`.
///
/// Whoever was answered in the last batch has often a next commit to make, and comes a moment after those who queued up
/// meanwhile. Without this, two halves of the writers take turns and each sync carries half of what it could. A single
/// writer expects nobody and never waits.
fn gather(requests: &mut mpsc::Receiver<Request>, waiting: &mut Vec<Request>, expected: usize, patience: Duration) {
    let begin = Instant::now();
    while waiting.len() < expected && begin.elapsed() < patience {
        match requests.try_recv() {
            Ok(request) => waiting.push(request),
            Err(mpsc::error::TryRecvError::Empty) => std::thread::yield_now(),
            Err(mpsc::error::TryRecvError::Disconnected) => return,
        }
    }
}
