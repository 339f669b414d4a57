//! Tenants, projects and their POSIX identity.

use stowage_domain::{Bytes, PosixIdentity};
use stowage_proto::v1;

use super::needed;
use crate::refusal::Refusal;

/// A POSIX identity of the contract.
pub(crate) fn posix_to(identity: PosixIdentity) -> v1::PosixIdentity {
    v1::PosixIdentity { uid: identity.uid, gid: identity.gid, mode: identity.mode }
}

/// A POSIX identity of the domain; mode 0 is the default.
pub(crate) fn posix_from(identity: Option<v1::PosixIdentity>) -> Result<PosixIdentity, Refusal> {
    let identity = identity.ok_or_else(|| needed("project.posix_identity"))?;
    let mode = if identity.mode == 0 { PosixIdentity::DEFAULT_MODE } else { identity.mode };
    Ok(PosixIdentity { uid: identity.uid, gid: identity.gid, mode })
}

/// A quota that may be absent. 0 would refuse everything and is surely a slip.
pub(crate) fn quota_from(field: &str, bytes: Option<u64>) -> Result<Option<Bytes>, Refusal> {
    match bytes {
        Some(0) => Err(Refusal::field(field, "must be at least 1; leave it out for no limit")),
        other => Ok(other.map(Bytes)),
    }
}
