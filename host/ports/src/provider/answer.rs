//! What a call of the port gives back: the value or the failure, and always the receipt.

use serde::{Deserialize, Serialize};

use super::Error;

/// Whose fault a failure is. Decided once, in the engine; gRPC status, metric labels and breakers derive from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Trap, limit or broken contract.
    Plugin,
    /// The backend failed, refused to connect or did not answer.
    Backend,
    /// The request was wrong.
    Caller,
    /// The host: queue full, store down.
    Host,
}

/// What one call cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Receipt {
    /// Time that the guest computed, in nanoseconds.
    pub cpu_ns: u64,
    /// Time from start to end, in nanoseconds.
    pub wall_ns: u64,
    /// Time in the queue before it.
    pub queue_ns: u64,
    /// Largest sum of the instance's memories, in bytes.
    pub memory_peak_bytes: u64,
    /// Calls that the guest made into the host.
    pub host_calls: u32,
    /// HTTP exchanges among them.
    pub exchanges: u32,
    /// Bytes that went out.
    pub bytes_sent: u64,
    /// Bytes that came in.
    pub bytes_received: u64,
    /// Log lines written, and dropped over the limit.
    pub log_lines: (u32, u32),
}

/// A value and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Called<T> {
    /// The value.
    pub value: T,
    /// What it cost.
    pub receipt: Receipt,
}

/// Why a call of the port failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// Typed error; a trap or limit is `Internal` with the native code naming it (`limit.memory`, `trap`, `limit.wall`, …).
    pub error: Error,
    /// Whose fault.
    pub fault: Fault,
    /// What it cost.
    pub receipt: Receipt,
}

/// The result of every call.
pub type Answer<T> = Result<Called<T>, Box<Failure>>;
