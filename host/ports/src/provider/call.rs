//! The one shape of every change: a call with its owner, and what came of it.

use serde::{Deserialize, Serialize};

use super::{Extensions, MountSource, NativeRef};

/// A change's identity. The same call is repeated with the same owner after a job has ended, after node work is done, and
/// after a lost answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Call {
    /// Derived from the operation; the adapter marks the native object with it.
    pub owner: String,
    /// 1 for the first try.
    pub attempt: u32,
    /// What the node answered, once it has.
    pub node_results: Vec<NodeResult>,
    /// Registered keys.
    pub extensions: Extensions,
}

/// A native job that goes on without us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Opaque, at most 1 KiB.
    pub handle: Vec<u8>,
    /// Ask again after so long.
    pub poll_after_ms: u32,
    /// How long it usually takes.
    pub expected_ms: Option<u32>,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// It is done; this is the object.
    Done(NativeRef),
    /// A job runs; poll it, then make the same call again.
    Pending(Job),
    /// A node must do something first; then make the same call again with its results.
    NeedsNode(NodeWork),
    /// Done in part; the rest is named and must be repeated.
    Partial {
        /// The object.
        native: NativeRef,
        /// What remains, in an operator's words.
        remaining: Vec<String>,
    },
    /// An outcome that this host does not know.
    Other(String),
}

/// One of the closed set of verbs: `make-directory`, `remove-directory`, `stat`, `create-subvolume`, `remove-subvolume`,
/// `set-quota`, `read-quota`, `set-project-id`. Never a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStep {
    /// Unique within the work.
    pub id: String,
    /// The verb.
    pub verb: String,
    /// Relative to the root of the work's source.
    pub path: String,
    /// The verb's arguments.
    pub args: Extensions,
}

/// Work for a node that can reach the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeWork {
    /// What the paths are relative to.
    pub source: MountSource,
    /// Done in order; the first failure stops.
    pub steps: Vec<NodeStep>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeResult {
    /// The step's id.
    pub id: String,
    /// What was read, such as `inode`, `uid`, `mode`.
    pub values: Extensions,
    /// `None` when it worked.
    pub error: Option<String>,
}

/// State of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum JobStatus {
    /// It runs; poll this job next.
    Running(Job),
    /// It ended; make the call again.
    Ended,
    /// It failed.
    Failed(super::Error),
    /// A state that this host does not know.
    Other(String),
}
