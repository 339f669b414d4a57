//! The runner: one loop that hands due operations to tasks.
//!
//! It sleeps until something is scheduled or the next operation is due; it never looks at the store to find work, but for
//! the one index range that a start-up reads. An operation is driven by one task at a time. Calls are bounded per provider
//! and in all, and a task that waits for its provider's turn holds no other's.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use parking_lot::Mutex;
use stowage_domain::{Millis, OperationId, ProviderName};
use stowage_store::Segments;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Operation, drive::Parked};
use crate::{Config, Control, Result, rows::OPEN_OPERATIONS};

/// How long after a task that did not end well.
const DEFECT_PAUSE: Millis = Millis(5_000);

#[derive(Debug)]
pub(crate) struct Runner {
    tasks: TaskTracker,
    /// No new operation is taken.
    drain: CancellationToken,
    /// Everything is dropped where it stands.
    stop: CancellationToken,
    calls: Semaphore,
    providers: Mutex<HashMap<String, Arc<Semaphore>>>,
    calls_per_provider: usize,
}

impl Runner {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            tasks: TaskTracker::new(),
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
            calls: Semaphore::new(config.calls.max(1)),
            providers: Mutex::new(HashMap::new()),
            calls_per_provider: config.calls_per_provider.max(1),
        }
    }

    /// Runs beside the operations; a stop waits for it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Ends when no new work shall be begun.
    pub(crate) async fn draining(&self) {
        self.drain.cancelled().await;
    }

    fn provider(&self, name: &str) -> Arc<Semaphore> {
        let mut providers = self.providers.lock();
        Arc::clone(
            providers.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.calls_per_provider))),
        )
    }
}

/// Puts an operation back even if its task panics or is dropped.
struct PutBack<'a> {
    control: &'a Control,
    id: &'a OperationId,
    parked: Option<Parked>,
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        let next = match self.parked.take() {
            Some(Parked::Out) => None,
            Some(Parked::Until(at)) => Some(at),
            None => Some(self.control.now().plus(DEFECT_PAUSE)),
        };
        self.control.queue.put_back(self.id, next);
    }
}

impl Control {
    /// Claims every unfinished operation and starts the runner. Call once.
    ///
    /// # Errors
    /// When the state store cannot be read.
    pub async fn start(self: &Arc<Self>) -> Result<()> {
        let mut cursor = None;
        loop {
            let page = self.tables.entries(OPEN_OPERATIONS, &Segments::new(), cursor.as_ref(), 1000).await?;
            for (key, _, _) in &page.items {
                if let Some(id) = key.text_at(0).and_then(|id| OperationId::parse(&id).ok()) {
                    self.queue.wake(&id);
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        if let Err(error) = self.forget_orphaned_secrets().await {
            tracing::warn!(%error, "secrets of providers that are gone will be deleted by the next start");
        }
        let control = Arc::clone(self);
        self.runner.tasks.spawn(async move { control.run().await });
        let control = Arc::clone(self);
        self.runner.tasks.spawn(async move { control.watch_ends().await });
        let control = Arc::clone(self);
        self.runner.tasks.spawn(async move { control.attend_desk().await });
        self.runner.tasks.spawn(Arc::clone(self).watch_providers());
        self.runner.tasks.spawn(Arc::clone(self).watch_retention());
        self.runner.tasks.spawn(Arc::clone(self).watch_drifts());
        Ok(())
    }

    /// Takes no new step and waits up to `patience` for those that run; what is not done then is dropped where it stands
    /// and taken up again by the next start.
    pub async fn stop(&self, patience: Duration) {
        self.runner.drain.cancel();
        self.runner.tasks.close();
        let _ = tokio::time::timeout(patience, self.runner.tasks.wait()).await;
        self.runner.stop.cancel();
        self.runner.tasks.wait().await;
    }

    async fn run(self: Arc<Self>) {
        loop {
            let (waiting, running) = self.queue.depth();
            metrics::gauge!("stowage_operations_queued").set(gauge(waiting));
            metrics::gauge!("stowage_operations_running").set(gauge(running));
            let next = match self.queue.take(self.now()) {
                Ok(id) => {
                    let control = Arc::clone(&self);
                    self.runner.tasks.spawn(async move { control.task(&id).await });
                    if self.runner.drain.is_cancelled() {
                        return;
                    }
                    continue;
                }
                Err(next) => next,
            };
            let due = async {
                match next {
                    Some(at) => tokio::time::sleep(Duration::from_millis(at.since(self.now()).0.max(1))).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.runner.drain.cancelled() => return,
                () = self.queue.changed() => {}
                () = due => {}
            }
        }
    }

    /// Resolves when no new work is to be begun.
    pub(crate) async fn draining(&self) {
        self.runner.drain.cancelled().await;
    }

    /// Resolves when everything is to be dropped where it stands.
    pub(crate) async fn stopping(&self) {
        self.runner.stop.cancelled().await;
    }

    async fn task(&self, id: &OperationId) {
        let mut put_back = PutBack { control: self, id, parked: None };
        tokio::select! {
            () = self.runner.stop.cancelled() => {}
            parked = self.drive(id) => put_back.parked = Some(parked),
        }
    }

    /// Makes a provider call of an operation when its turn has come.
    pub(crate) async fn guard<T>(&self, operation: &Operation, call: impl Future<Output = T>) -> T {
        let provider = operation.provider.as_ref().map(ToString::to_string).unwrap_or_default();
        self.in_turn(&provider, call).await
    }

    /// The same for a call that no operation makes.
    pub(crate) async fn guard_at<T>(&self, provider: &ProviderName, call: impl Future<Output = T>) -> T {
        self.in_turn(&provider.to_string(), call).await
    }

    async fn in_turn<T>(&self, provider: &str, call: impl Future<Output = T>) -> T {
        let turns = self.runner.provider(provider);
        // A closed semaphore would be an error here; neither is ever closed.
        let _provider = turns.acquire().await;
        let _any = self.runner.calls.acquire().await;
        call.await
    }
}

#[allow(clippy::cast_precision_loss, reason = "a gauge takes a float; queue depths are far below 2^52")]
fn gauge(number: usize) -> f64 {
    number as f64
}
