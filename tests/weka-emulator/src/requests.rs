//! The log of what clients sent and got, with secrets as received: tests read it to see what an adapter really did.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

use crate::clock::Millis;

/// Requests that are kept; older ones are dropped.
const KEPT: usize = 20_000;

/// One request and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedRequest {
    /// Counts from 1 over the emulator's life.
    pub seq: u64,
    /// On the emulator's clock.
    pub at_ms: Millis,
    /// HTTP method.
    pub method: String,
    /// With `/api/v2`, without query.
    pub path: String,
    /// Decoded.
    pub query: BTreeMap<String, String>,
    /// All headers, lower case names.
    pub headers: BTreeMap<String, String>,
    /// As JSON if it is, else as text.
    pub body: Value,
    /// Who called, as `user@org`, if the token was good.
    pub caller: Option<String>,
    /// The answer's status; 0 when none was sent.
    pub status: u16,
    /// The answer's body.
    pub answer: Value,
    /// The fault of the wire that struck.
    pub fault: Option<crate::faults::Fault>,
}

/// The newest requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<LoggedRequest>,
    last: u64,
}

impl RequestLog {
    pub(crate) fn push(&mut self, mut entry: LoggedRequest) {
        self.last = self.last.saturating_add(1);
        entry.seq = self.last;
        self.entries.push_back(entry);
        if self.entries.len() > KEPT {
            self.entries.pop_front();
        }
    }

    /// Those after `seq`, oldest first.
    pub(crate) fn after(&self, seq: u64) -> impl Iterator<Item = &LoggedRequest> {
        self.entries.iter().filter(move |entry| entry.seq > seq)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}
