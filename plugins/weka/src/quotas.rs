//! Directory quotas: listed, put, removed, and what they say of usage.
//!
//! Only a list shows a quota's owner; one GET shows neither owner nor path [captured by the vendor's CSI tests]. So
//! whatever must know whose a quota is reads the list.

use serde_json::json;
use stowage_provider_sdk::prelude::{Basis, Dimension, Error, ErrorKind, LimitState, Request, Result, Usage, error};

use crate::api::{Quota, Resolved};
use crate::exchanges::{QUOTA, QUOTA_DELETE, QUOTA_PUT, QUOTAS, RESOLVE_PATH};
use crate::limits::{Numbers, UNLIMITED_BYTES, UNLIMITED_GRACE};
use crate::rest::{Rest, absent};

/// A quota's states.
pub(crate) const ADDING: &str = "ADDING";
pub(crate) const DELETING: &str = "DELETING";
pub(crate) const FAILED: &str = "ERROR";

/// Every quota of a filesystem, to the last page.
pub(crate) fn all(rest: &Rest, filesystem: &str) -> Result<Vec<Quota>> {
    rest.all(&QUOTAS, &list_request(rest, filesystem), "listing quotas")
}

/// The request for a page of quotas.
pub(crate) fn list_request(rest: &Rest, filesystem: &str) -> Request {
    rest.request().param("uid", filesystem)
}

/// The quota of an inode; "Directory has no quota" is none, not a failure.
pub(crate) fn get(rest: &Rest, filesystem: &str, inode: u64) -> Result<Option<Quota>> {
    let request = rest.request().param("uid", filesystem).param("inode", inode);
    let found: Option<Quota> = absent(rest.one(&QUOTA, request, "reading a quota"))?;
    Ok(found.map(|quota| Quota { inode_id: inode, ..quota }))
}

/// The inode of a path from the filesystem's root; `None` when nothing is there.
pub(crate) fn resolve(rest: &Rest, filesystem: &str, path: &str) -> Result<Option<u64>> {
    let request = rest.request().param("uid", filesystem).query("path", path);
    let found: Option<Resolved> = absent(rest.one(&RESOLVE_PATH, request, "resolving a path"))?;
    Ok(found.and_then(|resolved| resolved.inode_id))
}

/// Puts the quota of an inode, with every number, its path and its mark.
pub(crate) fn put(
    rest: &Rest,
    filesystem: &str,
    inode: u64,
    path: &str,
    numbers: Numbers,
    mark: &str,
) -> Result<Quota> {
    let doing = "putting a quota";
    let request = || rest.request().param("uid", filesystem).param("inode", inode);
    let body = json!({
        "path": path,
        "hard_limit_bytes": numbers.hard,
        "soft_limit_bytes": numbers.soft,
        "grace_seconds": numbers.grace,
        "owner": mark,
    });
    let answer: Result<Quota> = match rest.one(&QUOTA_PUT, request().json(&body), doing) {
        // The API description has the same names as query parameters; a release that means it asks for them.
        Err(Error { kind: ErrorKind::Invalid(_), native_code: Some(code), .. }) if code == "MissingParameters" => {
            let query = request()
                .query("path", path)
                .query("hard_limit_bytes", numbers.hard)
                .query("soft_limit_bytes", numbers.soft)
                .query("grace_seconds", numbers.grace)
                .query("owner", mark);
            rest.one(&QUOTA_PUT, query, doing)
        }
        answer => answer,
    };
    // The answer may name another inode than the one that was asked for (WEKAPP-240948).
    answer.map(|quota| Quota { inode_id: inode, ..quota })
}

/// Removes the quota of an inode, and answers what a GET shows then.
pub(crate) fn remove(rest: &Rest, filesystem: &str, inode: u64) -> Result<Option<Quota>> {
    let request = rest.request().param("uid", filesystem).param("inode", inode);
    absent(rest.done(&QUOTA_DELETE, request, "removing a quota"))?;
    get(rest, filesystem, inode)
}

/// Bytes that the hard limits promise together, but for the quota of `except`.
pub(crate) fn promised(quotas: &[Quota], except: Option<u64>) -> u64 {
    let counted = quotas.iter().filter(|quota| Some(quota.inode_id) != except);
    let limits = counted.map(|quota| quota.hard_limit_bytes).filter(|limit| *limit < UNLIMITED_BYTES);
    limits.fold(0, u64::saturating_add)
}

/// Usage, as the quota counts it: data and metadata, without protection and snapshots.
pub(crate) fn usage(quota: &Quota, now_ms: u64) -> Usage {
    Usage {
        dimension: Dimension::Bytes,
        used: quota.used(),
        uncertainty: None,
        basis: Basis::Logical,
        state: state(quota, now_ms),
        observed_at: now_ms,
    }
}

fn state(quota: &Quota, now_ms: u64) -> LimitState {
    let used = quota.used();
    let (hard, soft) = (quota.hard_limit_bytes, quota.soft_limit_bytes);
    if hard != 0 && used >= hard {
        return LimitState::Hard;
    }
    if soft == 0 || used <= soft {
        return LimitState::Ok;
    }
    match quota.grace_seconds {
        0 | UNLIMITED_GRACE.. => LimitState::Soft,
        grace if quota.time_over_soft_limit >= grace => LimitState::GraceExpired,
        grace => {
            let left = grace.saturating_sub(quota.time_over_soft_limit);
            LimitState::Grace(now_ms.saturating_add(left.saturating_mul(1000)))
        }
    }
}

/// The error of a quota that the backend could not apply.
pub(crate) fn failed(path: &str) -> Error {
    error::internal(format_args!("the backend could not apply the quota of {path}")).with_native_code("QuotaError")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(text: &str) -> Quota {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_state_tells_how_near_the_limits_are() {
        for (text, expected) in [
            (r#"{"used_bytes":5,"hard_limit_bytes":10,"soft_limit_bytes":0}"#, LimitState::Ok),
            (r#"{"used_bytes":10,"hard_limit_bytes":10,"soft_limit_bytes":5}"#, LimitState::Hard),
            (r#"{"used_bytes":6,"hard_limit_bytes":10,"soft_limit_bytes":5,"grace_seconds":0}"#, LimitState::Soft),
            (
                r#"{"used_bytes":6,"soft_limit_bytes":5,"grace_seconds":60,"time_over_soft_limit":20}"#,
                LimitState::Grace(41_000),
            ),
            (
                r#"{"used_bytes":6,"soft_limit_bytes":5,"grace_seconds":60,"time_over_soft_limit":60}"#,
                LimitState::GraceExpired,
            ),
        ] {
            assert_eq!(state(&quota(text), 1_000), expected, "{text}");
        }
    }

    #[test]
    fn promises_count_limits_and_not_sentinels() {
        let quotas = [
            quota(r#"{"inode_id":1,"hard_limit_bytes":10}"#),
            quota(r#"{"inode_id":2,"hard_limit_bytes":20}"#),
            quota(r#"{"inode_id":3,"hard_limit_bytes":9223372036854775807}"#),
        ];
        assert_eq!(promised(&quotas, None), 30);
        assert_eq!(promised(&quotas, Some(2)), 10);
    }
}
