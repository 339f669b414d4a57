//! Wake-ups inside the process: who waits for an operation or for a node's work is told, and does not poll.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Topics are resource names.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<HashMap<String, Arc<Notify>>>);

impl Hub {
    /// A handle to wait on. Take `notified()` and enable it before looking at the state, or a wake-up may be missed.
    pub(crate) fn topic(&self, name: &str) -> Arc<Notify> {
        Arc::clone(self.0.lock().entry(name.to_owned()).or_default())
    }

    /// Wakes all who wait now; a topic that nobody holds is forgotten.
    pub(crate) fn wake(&self, name: &str) {
        let mut topics = self.0.lock();
        if let Some(topic) = topics.get(name) {
            topic.notify_waiters();
            if Arc::strong_count(topic) == 1 {
                topics.remove(name);
            }
        }
    }

    /// Forgets a topic that nobody else holds.
    pub(crate) fn leave(&self, name: &str, held: Arc<Notify>) {
        drop(held);
        let mut topics = self.0.lock();
        if topics.get(name).is_some_and(|topic| Arc::strong_count(topic) == 1) {
            topics.remove(name);
        }
    }
}
