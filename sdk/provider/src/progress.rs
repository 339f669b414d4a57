//! What came of a change, and what a call brings with it.

use crate::contract::types::{
    Call, HostSource, Job, MountSource, NativeRef, NodeResult, NodeStep, NodeWork, Partial, Progress,
};

impl Progress {
    /// It runs as a native job; the host polls after so long, then makes the same call again.
    #[must_use]
    pub fn pending(handle: impl Into<Vec<u8>>, poll_after_ms: u32) -> Self {
        Self::Pending(Job { handle: handle.into(), poll_after_ms, expected_ms: None })
    }

    /// A node must do this first; then the host makes the same call again with the results.
    #[must_use]
    pub const fn needs_node(source: MountSource, steps: Vec<NodeStep>) -> Self {
        Self::NeedsNode(NodeWork { source, steps })
    }

    /// Done in part; what remains is named in an operator's words, and repeated.
    #[must_use]
    pub const fn partial(native: NativeRef, remaining: Vec<String>) -> Self {
        Self::Partial(Partial { ref_: native, remaining })
    }
}

impl Call {
    /// The value of a registered key.
    #[must_use]
    pub fn extension(&self, key: &str) -> Option<&str> {
        lookup(&self.extensions, key)
    }

    /// What a node answered to the step of this id.
    #[must_use]
    pub fn node_result(&self, step: &str) -> Option<&NodeResult> {
        self.node_results.iter().find(|r| r.id == step)
    }
}

impl NodeResult {
    /// A value that the step read.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        lookup(&self.values, key)
    }

    /// The stable word of its error, such as `foreign-mark`; `None` when it worked.
    #[must_use]
    pub fn error_word(&self) -> Option<&str> {
        self.error.as_deref().map(|e| e.split_once(':').map_or(e, |(word, _)| word).trim())
    }
}

impl NodeStep {
    /// A step; the verb is one of the closed set.
    #[must_use]
    pub fn new(id: &str, verb: &str, path: &str) -> Self {
        Self { id: id.to_owned(), verb: verb.to_owned(), path: path.to_owned(), args: Vec::new() }
    }

    /// Adds an argument of the verb.
    #[must_use]
    pub fn arg(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.args.push((key.to_owned(), value.to_string()));
        self
    }
}

impl MountSource {
    /// A path beneath a root that the node's own configuration binds.
    #[must_use]
    pub fn host_path(root: &str, path: &str) -> Self {
        Self::HostPath(HostSource { root: root.to_owned(), path: path.to_owned() })
    }
}

/// The value of a key among registered keys, labels or options.
#[must_use]
pub fn lookup<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
}
