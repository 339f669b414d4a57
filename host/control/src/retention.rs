//! What is not kept for ever: operations that have ended, and request ids.
//!
//! Both stand in an index by time, so a round reads only what is due, a page at a time, and what it deletes fits one commit.
//! An operation is kept at least as long as the request ids, for a repeated request is answered with its operation. A repeat
//! that comes later than that is a new request: with a name of its own choice it fails with `ALREADY_EXISTS`.

use std::{sync::Arc, time::Duration};

use stowage_domain::{OperationId, OperationName, Seconds, UnixMillis};
use stowage_store::{Index, Segments, Transaction};

use crate::{
    Control, Result,
    operations::Operation,
    rows::{ENDED_OPERATIONS, REQUEST_TIMES, Reads, RequestRow, Writes, unindex_operation},
};

/// How often the host looks for what is due.
const PAUSE: Duration = Duration::from_secs(600);
/// Rows that go in one commit: an operation has up to three entries in indexes, and a commit holds 100 keys.
const AT_ONCE: usize = 20;

impl Control {
    /// Deletes what is due, again and again, until the host stops.
    pub(crate) async fn watch_retention(self: Arc<Self>) {
        loop {
            let round = async {
                if let Err(error) = self.sweep().await {
                    tracing::warn!(%error, "what is due to be forgotten is kept until the next round");
                }
                tokio::time::sleep(PAUSE).await;
            };
            tokio::select! {
                () = self.draining() => return,
                () = round => {}
            }
        }
    }

    async fn sweep(&self) -> Result<()> {
        let (requests, operations) = (self.config.request_retention, self.config.operation_retention);
        while self.forget_requests(requests).await? {}
        while self.forget_operations(Seconds(operations.0.max(requests.0))).await? {}
        Ok(())
    }

    /// The oldest entries that are older than `kept`, at most [`AT_ONCE`].
    async fn due(&self, index: Index, kept: Seconds) -> Result<Vec<Segments>> {
        let oldest = self.tables.entries(index, &Segments::new(), None, AT_ONCE).await?.items;
        let due = |key: &Segments| {
            let at = UnixMillis(key.number_at(0).unwrap_or(0));
            self.now().since(at).0 >= kept.0.saturating_mul(1000)
        };
        Ok(oldest.into_iter().map(|(key, _, _)| key).take_while(due).collect())
    }

    /// Forgets some request ids; `true` when there may be more.
    async fn forget_requests(&self, kept: Seconds) -> Result<bool> {
        let due = self.due(REQUEST_TIMES, kept).await?;
        let mut change = Transaction::new();
        for key in &due {
            let (caller, id) = (key.text_at(1).unwrap_or_default(), key.text_at(2).unwrap_or_default());
            change.discard::<RequestRow>(&Segments::of([caller, id]));
            change.unindex(REQUEST_TIMES, key);
        }
        self.forget(change, &due).await
    }

    /// Forgets some operations that have ended; `true` when there may be more.
    async fn forget_operations(&self, kept: Seconds) -> Result<bool> {
        let due = self.due(ENDED_OPERATIONS, kept).await?;
        let mut change = Transaction::new();
        for key in &due {
            if let Ok(id) = OperationId::parse(&key.text_at(1).unwrap_or_default())
                && let Some(operation) = self.tables.find::<Operation>(&OperationName::new(id)).await?
            {
                change.remove::<Operation>(&operation.value.name, operation.version);
                unindex_operation(&mut change, &operation.value);
            }
            change.unindex(ENDED_OPERATIONS, key);
        }
        self.forget(change, &due).await
    }

    async fn forget(&self, change: Transaction, due: &[Segments]) -> Result<bool> {
        if due.is_empty() {
            return Ok(false);
        }
        change.commit(&self.tables).await?;
        Ok(due.len() == AT_ONCE)
    }
}
