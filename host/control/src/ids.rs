//! Ids that the host makes: ordered by time where a list must be, derived where a crash must not change them.

use rand::Rng;
use sha2::{Digest, Sha256};
use stowage_domain::{OperationId, ProjectName, UnixMillis, WorkId};

use crate::{Result, error::ControlError};

fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// The first `length` hex digits of a hash over the parts.
pub(crate) fn digest(length: usize, parts: &[&str]) -> String {
    let mut text = hex::encode(hash(parts));
    text.truncate(length);
    text
}

/// Never used again: for `uid` fields.
pub(crate) fn uid() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// A secret token of 256 random bits.
pub(crate) fn secret(prefix: &str) -> String {
    format!("{prefix}{}", hex::encode(rand::rng().random::<[u8; 32]>()))
}

/// Sorts before every id that was made earlier, so that a scan of operations is newest first.
pub(crate) fn operation(now: UnixMillis) -> Result<OperationId> {
    let backwards = (1u64 << 44).saturating_sub(now.0);
    OperationId::parse(&format!("op-{backwards:011x}{:012x}", rand::rng().random::<u64>() >> 16))
        .map_err(ControlError::from)
}

/// Sorts after every id that was made earlier, so that a scan of work is oldest first.
pub(crate) fn work(now: UnixMillis) -> Result<WorkId> {
    WorkId::parse(&format!("w-{:011x}{:012x}", now.0, rand::rng().random::<u64>() >> 16)).map_err(ControlError::from)
}

/// An id for a resource whose caller chose none.
pub(crate) fn chosen(prefix: &str) -> String {
    format!("{prefix}-{:016x}", rand::rng().random::<u64>())
}

/// The mark of everything that an operation makes at a provider: the same after every crash.
pub(crate) fn owner(installation: &str, operation: &OperationId) -> String {
    format!("stw-{}", digest(20, &[installation, operation.as_str()]))
}

/// `<project8>-<namespace10>`: short and opaque, so that policies hold three times as many grants and a project's
/// namespaces share one pattern. The first letter keeps it a valid bucket name.
pub(crate) fn physical(installation: &str, project: &ProjectName, namespace_uid: &str) -> String {
    format!("{}-{}", project8(installation, project), digest(10, &[installation, namespace_uid]))
}

/// What the physical ids of a project's namespaces begin with.
pub(crate) fn project8(installation: &str, project: &ProjectName) -> String {
    format!("p{}", digest(7, &[installation, &project.to_string()]))
}
