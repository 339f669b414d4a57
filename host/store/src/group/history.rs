//! The last commits, for watchers.
//!
//! One ring serves both resuming and falling behind: a watcher holds only the version it has seen, and reads on from the
//! ring when it is polled. One that asks for a version that the ring has dropped is told that it is lost. So a slow
//! watcher costs no memory and never slows a commit. The ring is not kept over a restart.

use std::{collections::VecDeque, sync::Arc};

use futures_util::stream;
use parking_lot::Mutex;
use stowage_ports::store::{Applied, KeyRange, Version, Watch, WatchItem, Write};
use tokio::sync::watch;

/// How many commits are kept.
const COMMITS: usize = 8192;
/// How many bytes of keys and values are kept.
const BYTES: usize = 32 << 20;
/// How many commits a watcher looks at while it holds the lock.
const LOOK: usize = 256;

#[derive(Debug)]
pub(super) struct History {
    ring: Arc<Mutex<Ring>>,
    /// Counts pushes; closed with the store.
    pushed: Mutex<Option<watch::Sender<()>>>,
}

#[derive(Debug)]
struct Ring {
    commits: VecDeque<Applied>,
    bytes: usize,
    /// Every commit after this one is in `commits`.
    floor: Version,
    newest: Version,
}

/// What the ring has for a watcher.
enum Look {
    Lost,
    /// The next matching commit, if any, and up to where there is no other.
    Seen(Option<Applied>, Version),
}

impl Default for History {
    fn default() -> Self {
        Self::from(Version(0))
    }
}

impl History {
    pub(super) fn from(version: Version) -> Self {
        let ring = Ring { commits: VecDeque::new(), bytes: 0, floor: version, newest: version };
        Self { ring: Arc::new(Mutex::new(ring)), pushed: Mutex::new(Some(watch::Sender::new(()))) }
    }

    pub(super) fn push(&self, commits: Vec<Applied>) {
        let mut ring = self.ring.lock();
        for commit in commits {
            ring.push(commit);
        }
        drop(ring);
        if let Some(pushed) = &*self.pushed.lock() {
            pushed.send_replace(());
        }
    }

    /// Ends every watch.
    pub(super) fn close(&self) {
        self.pushed.lock().take();
    }

    pub(super) fn watch(&self, range: KeyRange, from: Version) -> Watch {
        let Some(pushed) = self.pushed.lock().as_ref().map(watch::Sender::subscribe) else {
            return Box::pin(stream::empty());
        };
        let watcher = Watcher { ring: Arc::clone(&self.ring), pushed, range, seen: from };
        Box::pin(stream::unfold(Some(watcher), |watcher| async move {
            let mut watcher = watcher?;
            match watcher.next().await? {
                WatchItem::Lost => Some((WatchItem::Lost, None)),
                item @ WatchItem::Applied(_) => Some((item, Some(watcher))),
            }
        }))
    }
}

impl Ring {
    fn push(&mut self, commit: Applied) {
        self.newest = commit.version;
        self.bytes = self.bytes.saturating_add(size(&commit));
        self.commits.push_back(commit);
        while self.commits.len() > COMMITS || (self.bytes > BYTES && self.commits.len() > 1) {
            let Some(dropped) = self.commits.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(size(&dropped));
            self.floor = dropped.version;
        }
    }

    fn look(&self, range: &KeyRange, seen: Version) -> Look {
        if seen < self.floor || seen > self.newest {
            return Look::Lost;
        }
        let mut upto = seen;
        let first = self.commits.partition_point(|commit| commit.version <= seen);
        for commit in self.commits.iter().skip(first).take(LOOK) {
            upto = commit.version;
            if commit.writes.iter().any(|write| range.contains(write.key())) {
                return Look::Seen(Some(commit.clone()), upto);
            }
        }
        Look::Seen(None, upto)
    }
}

struct Watcher {
    ring: Arc<Mutex<Ring>>,
    pushed: watch::Receiver<()>,
    range: KeyRange,
    seen: Version,
}

impl Watcher {
    /// The next item; `None` when the store is closed.
    async fn next(&mut self) -> Option<WatchItem> {
        loop {
            self.pushed.borrow_and_update();
            let look = self.ring.lock().look(&self.range, self.seen);
            match look {
                Look::Lost => return Some(WatchItem::Lost),
                Look::Seen(Some(commit), upto) => {
                    self.seen = upto;
                    return Some(WatchItem::Applied(commit));
                }
                Look::Seen(None, upto) if upto > self.seen => self.seen = upto,
                Look::Seen(None, _) => self.pushed.changed().await.ok()?,
            }
        }
    }
}

fn size(commit: &Applied) -> usize {
    let write_size = |write: &Write| match write {
        Write::Put(key, value) => key.len().saturating_add(value.len()),
        Write::Delete(key) => key.len(),
    };
    commit.writes.iter().map(write_size).sum()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::StreamExt;

    use super::*;

    fn commit(version: u64, key: &'static str, len: usize) -> Applied {
        let write = Write::Put(Bytes::from_static(key.as_bytes()), vec![0; len].into());
        Applied { version: Version(version), writes: [write].into() }
    }

    #[tokio::test]
    async fn a_watcher_that_falls_behind_the_kept_commits_is_told_and_ended() {
        let history = History::from(Version(0));
        let mut behind = history.watch(KeyRange::prefix(b"a"), Version(0));
        history.push((1..=COMMITS as u64 + 1).map(|version| commit(version, "a", 1)).collect());
        assert!(matches!(behind.next().await, Some(WatchItem::Lost)));
        assert!(behind.next().await.is_none());
        let mut oldest_kept = history.watch(KeyRange::prefix(b"a"), Version(1));
        assert!(matches!(oldest_kept.next().await, Some(WatchItem::Applied(commit)) if commit.version == Version(2)));
    }

    #[test]
    fn large_commits_leave_the_ring_by_their_bytes() {
        let history = History::from(Version(0));
        history.push((1..=3).map(|version| commit(version, "a", BYTES / 2)).collect());
        let ring = history.ring.lock();
        assert!(ring.bytes <= BYTES, "{}", ring.bytes);
        assert_eq!(ring.commits.back().unwrap().version, Version(3));
        assert!(ring.floor > Version(0));
    }

    #[tokio::test]
    async fn a_version_from_the_future_is_lost_and_not_awaited() {
        let history = History::from(Version(5));
        assert!(matches!(history.watch(KeyRange::prefix(b"a"), Version(6)).next().await, Some(WatchItem::Lost)));
    }
}
