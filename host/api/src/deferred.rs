//! Methods of the contract that this release doesn't fill, each with its stable reason.
//!
//! They are authenticated and authorized like all others, so that a refusal tells nothing that a later release would hide.

use tonic::{Code, Status};

use crate::refusal::Refusal;

/// One method that isn't filled yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deferred {
    /// Path on the wire.
    pub path: &'static str,
    /// Stable reason.
    pub reason: &'static str,
    /// What a caller can do instead.
    pub instead: &'static str,
}

const DRIFT: &str = "settle it at the provider or by the namespace's own methods; the next scan resolves it";

/// Every such method.
pub const DEFERRED: &[Deferred] = &[
    deferred("/stowage.v1.DriftService/ResolveDrift", "DRIFT_DEFERRED", DRIFT),
    deferred(
        "/stowage.v1.NamespaceService/UndeleteNamespace",
        "UNDELETE_DEFERRED",
        "protect namespaces against delete; restoring within a retention window comes with a later release",
    ),
];

const fn deferred(path: &'static str, reason: &'static str, instead: &'static str) -> Deferred {
    Deferred { path, reason, instead }
}

/// The answer of a deferred method.
pub(crate) fn answer(path: &str) -> Status {
    match DEFERRED.iter().find(|row| row.path == path) {
        Some(row) => Refusal::new(Code::Unimplemented, row.reason, format!("{path} is not filled in this release"))
            .remedy(row.instead)
            .into(),
        None => Status::internal(format!("{path} is not deferred")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deferred_method_is_one_of_the_contract() {
        for row in DEFERRED {
            assert!(crate::rpcs::rpc(row.path).is_some(), "{}", row.path);
            assert_eq!(answer(row.path).code(), Code::Unimplemented);
        }
    }
}
