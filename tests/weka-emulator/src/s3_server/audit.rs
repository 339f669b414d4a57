//! Delivery of audit events: one POST each, in order, and never in the way of a client.
//!
//! Events wait in a bounded buffer. What does not fit is dropped, and what the target does not take is dropped too: the
//! documents call the feature lossy, so it is evidence and no ledger. The token is the whole `Authorization` header.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::state::State;

/// Events that wait at most. The real size is not documented.
const BUFFER: usize = 1000;

/// How long the target may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// An event on its way.
struct Parcel {
    endpoint: String,
    token: String,
    event: Value,
}

/// What became of events.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    delivered: AtomicU64,
    dropped: AtomicU64,
}

impl Tally {
    /// Delivered and dropped.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.delivered.load(Ordering::SeqCst), self.dropped.load(Ordering::SeqCst))
    }
}

/// The near end of the delivery.
pub(crate) struct Audit {
    sender: mpsc::Sender<Parcel>,
    tally: Arc<Tally>,
}

impl Audit {
    /// The near end, and the work of the far end, which ends when the near end is gone.
    pub(crate) fn start(tally: Arc<Tally>) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (sender, receiver) = mpsc::channel(BUFFER);
        (Self { sender, tally: Arc::clone(&tally) }, deliver(receiver, tally))
    }

    /// Sends an event if a webhook is configured; the event is made only then.
    pub(crate) fn tell(&self, state: &State, event: impl FnOnce(&State) -> Value) {
        let webhook = &state.s3.webhook;
        if !webhook.enabled || webhook.endpoint.is_empty() {
            return;
        }
        let parcel = Parcel { endpoint: webhook.endpoint.clone(), token: webhook.token.clone(), event: event(state) };
        if self.sender.try_send(parcel).is_err() {
            self.tally.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn deliver(mut parcels: mpsc::Receiver<Parcel>, tally: Arc<Tally>) {
    // Another part of this process may have been first; any provider will do.
    rustls::crypto::ring::default_provider().install_default().ok();
    // Whether the real cluster checks the target's certificate is not documented; a test target has one of its own.
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).tls_danger_accept_invalid_certs(true).build();
    let client = match client {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "no audit events: the HTTP client could not be made"),
    };
    while let Some(Parcel { endpoint, token, event }) = parcels.recv().await {
        let sent = client.post(&endpoint).header("authorization", token).json(&event).send().await;
        match sent.and_then(reqwest::Response::error_for_status) {
            Ok(_) => tally.delivered.fetch_add(1, Ordering::SeqCst),
            Err(error) => {
                tracing::debug!(%error, "an audit event was dropped");
                tally.dropped.fetch_add(1, Ordering::SeqCst)
            }
        };
    }
}
