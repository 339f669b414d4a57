//! One committer for every embedded engine: one sync for many commits.
//!
//! A sync of the disk costs a millisecond or so, whatever it carries. So commits queue up; one thread takes all that wait,
//! checks the preconditions of each against the state including the commits before it in the batch, hands the batch to the
//! engine, which makes it durable with one sync, and only then answers. At 64 writers a sync carries 64 commits, at one
//! writer it carries one and waits for nobody.
//!
//! Reads go straight to the engine and see durable state only: a value that was shown is never lost by a power cut. A
//! refusal, too, is answered after the sync, since it may rest on a commit of the same batch.
//!
//! If the engine fails to write, what is on the disk is unknown (after a failed sync the kernel may have dropped the pages
//! and call the next sync a success). Then this committer refuses everything until the store is opened again.

mod batch;
mod committer;
mod engine;
mod history;
mod open;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use committer::{Committer, Request};
pub use engine::Engine;
use history::History;
pub use open::{OpenError, Options, make_directory, sync_directory};
use parking_lot::{Mutex, RwLock};
use stowage_ports::store::{Commit, CommitError, Key, KeyRange, Store, StoreError, Version, Versioned, Watch};
use tokio::sync::{mpsc, oneshot};

/// Commits that may wait for the committer before callers wait to queue.
const QUEUE: usize = 4096;

/// How commits are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grouping {
    /// The most commits that share a sync. 1 makes a serial committer, the baseline that group commit is measured by.
    pub max_batch: usize,
}

impl Default for Grouping {
    /// 512: at 100 writes of 1 KiB each that is 50 MiB in memory, far above what a busy host queues in one sync.
    fn default() -> Self {
        Self { max_batch: 512 }
    }
}

/// What the committer has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitCounts {
    /// Commits that were applied.
    pub commits: u64,
    /// Batches that were made durable, each with one sync.
    pub syncs: u64,
}

#[derive(Debug, Default)]
struct Shared {
    version: AtomicU64,
    commits: AtomicU64,
    syncs: AtomicU64,
    history: History,
}

/// An embedded engine as a [`Store`].
///
/// Dropping it waits until everything queued is durable and the engine is closed.
#[derive(Debug)]
pub struct GroupCommit<E: Engine> {
    /// `None` once closed.
    engine: RwLock<Option<Arc<E>>>,
    queue: Mutex<Option<mpsc::Sender<Request>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    shared: Arc<Shared>,
}

impl<E: Engine> GroupCommit<E> {
    /// Starts the committer of an opened engine.
    ///
    /// # Errors
    /// The engine's, when its version does not read; [`StoreError::Io`] when no thread can be started.
    pub fn start(engine: E, grouping: Grouping) -> Result<Self, StoreError> {
        let version = engine.version()?;
        let shared = Arc::new(Shared {
            version: AtomicU64::new(version.0),
            history: History::from(version),
            ..Shared::default()
        });
        let engine = Arc::new(engine);
        let (queue, requests) = mpsc::channel(QUEUE);
        let committer = Committer::new(Arc::clone(&engine), version, Arc::clone(&shared), grouping);
        let thread = std::thread::Builder::new()
            .name("store-commit".into())
            .spawn(move || committer.run(requests))
            .map_err(|error| StoreError::Io(format!("the committer's thread does not start: {error}")))?;
        Ok(Self {
            engine: RwLock::new(Some(engine)),
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            shared,
        })
    }

    /// What the committer has done so far.
    #[must_use]
    pub fn counts(&self) -> CommitCounts {
        CommitCounts {
            commits: self.shared.commits.load(Ordering::Relaxed),
            syncs: self.shared.syncs.load(Ordering::Relaxed),
        }
    }

    fn engine(&self) -> Result<Arc<E>, StoreError> {
        self.engine.read().clone().ok_or(StoreError::Closed)
    }

    /// Ends the queue, so that the thread ends after what is in it.
    fn end(&self) -> Option<std::thread::JoinHandle<()>> {
        self.queue.lock().take();
        self.engine.write().take();
        self.shared.history.close();
        self.thread.lock().take()
    }
}

impl<E: Engine> Drop for GroupCommit<E> {
    fn drop(&mut self) {
        if let Some(thread) = self.end() {
            // A panic of the engine has been answered to the callers; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

#[async_trait]
impl<E: Engine> Store for GroupCommit<E> {
    async fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.engine()?.get(key)
    }

    async fn scan(&self, range: KeyRange, limit: usize) -> Result<Vec<(Key, Versioned)>, StoreError> {
        let engine = self.engine()?;
        if range.start >= range.end || limit == 0 {
            return Ok(Vec::new());
        }
        let scan = tokio::task::spawn_blocking(move || engine.scan(&range, limit));
        scan.await.map_err(|error| StoreError::Io(format!("a scan was cut off: {error}")))?
    }

    async fn commit(&self, commit: Commit) -> Result<Version, CommitError> {
        let queue = self.queue.lock().clone().ok_or(StoreError::Closed)?;
        if commit.writes.len() > Commit::MAX_WRITES {
            return Err(CommitError::TooLarge(commit.writes.len()));
        }
        if commit.writes.iter().any(|write| write.key().is_empty()) {
            return Err(CommitError::EmptyKey);
        }
        let (reply, answer) = oneshot::channel();
        let stopped = || StoreError::Io("the committer has stopped".into());
        queue.send(Request { commit, reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    fn version(&self) -> Version {
        Version(self.shared.version.load(Ordering::Acquire))
    }

    fn watch(&self, range: KeyRange, from: Version) -> Watch {
        self.shared.history.watch(range, from)
    }

    async fn close(&self) -> Result<(), StoreError> {
        let Some(thread) = self.end() else { return Ok(()) };
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        match joined {
            Ok(Ok(())) => Ok(()),
            _ => Err(StoreError::Io("the committer did not end in order".into())),
        }
    }
}
