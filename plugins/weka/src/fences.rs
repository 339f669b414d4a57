//! Fences: security policies that let the nodes of plans mount a filesystem and nobody else (release 4.4 and newer).
//!
//! Once a filesystem has any policy, a client that none of them allows is refused; a policy with `read_only` makes the
//! mount read-only at the server. Both are looked at when a mount is made and never again [REST description 4.4]. So each
//! plan gets a policy of its own for its node's addresses, named after the plan's owner token, and releasing the plan takes
//! away exactly that one. The price is the number of plans: 16 policies on a filesystem and 128 in an organization.
//!
//! A policy knows addresses and not plans: on a node that may also write, a read-only plan is held by the client alone, and
//! says so.

use std::net::IpAddr;

use serde_json::json;
use stowage_provider_sdk::prelude::{Error, ErrorKind, Result, error, short_name};

use crate::api::SecurityPolicy;
use crate::exchanges::{
    FENCE_ATTACH, FENCE_DETACH, FENCES, SECURITY_POLICIES, SECURITY_POLICY_CREATE, SECURITY_POLICY_DELETE,
};
use crate::filesystems::is_uuid;
use crate::rest::{Rest, absent};

/// Policies of one organization [a client of the vendor's].
pub(crate) const MAX_POLICIES: u64 = 128;
/// Policies on one filesystem [a client of the vendor's].
pub(crate) const MAX_ON_FILESYSTEM: u64 = 16;

/// A fence that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The policy's uid.
    pub(crate) policy: String,
    /// The server holds the node to reading.
    pub(crate) reads_only: bool,
}

/// Puts up the fence of one plan, or finds the one that an earlier try has put up.
pub(crate) fn put_up(
    rest: &Rest,
    filesystem: &str,
    owner: &str,
    addresses: &[String],
    read_only: bool,
) -> Result<Standing> {
    let addresses: Vec<&String> = addresses.iter().filter(|text| text.parse::<IpAddr>().is_ok()).collect();
    if addresses.is_empty() {
        let remedy = "give the node its addresses: a fence lets a client in by address";
        return Err(error::not_ready("mounts.fence", "NODE_ADDRESS_UNKNOWN", remedy));
    }
    let name = format!("sw-{}", short_name(owner, 20));
    let listed = all(rest)?;
    let attached = on(rest, filesystem)?;
    let policy = match listed.iter().find(|policy| policy.name == name) {
        Some(found) => found.uid.clone(),
        None => {
            let (used, on_it) = (listed.len() as u64, attached.len() as u64);
            if used >= MAX_POLICIES {
                return Err(error::capacity_exhausted("fences", used, MAX_POLICIES));
            }
            if on_it >= MAX_ON_FILESYSTEM {
                return Err(error::capacity_exhausted("filesystem.fences", on_it, MAX_ON_FILESYSTEM));
            }
            let body = json!({
                "name": name,
                "description": "A mount plan of Stowage's; it goes when the plan is released.",
                "action": "Allow",
                "ip": addresses,
                "read_only": read_only,
            });
            let doing = "making a security policy";
            let made: SecurityPolicy = rest.one(&SECURITY_POLICY_CREATE, rest.request().json(&body), doing)?;
            checked(made)?.uid
        }
    };
    if !attached.iter().any(|found| found.uid == policy) {
        let request = rest.request().param("uid", filesystem).json(&json!({ "policies": [policy] }));
        rest.done(&FENCE_ATTACH, request, "putting a security policy on a filesystem")?;
    }
    // Of all that allow a client, the widest counts; one whose addresses are no plain list may allow anyone.
    let may_write = |other: &&SecurityPolicy| {
        let plain = !other.ips.is_empty() && other.ips.iter().all(|ip| ip.parse::<IpAddr>().is_ok());
        let apart = plain && !other.ips.iter().any(|ip| addresses.contains(&ip));
        !other.read_only && other.action != "Deny" && !apart
    };
    let others = attached.iter().filter(|found| found.uid != policy);
    let mut others = others.filter_map(|found| listed.iter().find(|policy| policy.uid == found.uid));
    let reads_only = read_only && !others.any(|other| may_write(&other));
    Ok(Standing { policy, reads_only })
}

/// Takes a plan's fence away. Absent is done; mounts in being go on.
pub(crate) fn take_away(rest: &Rest, filesystem: &str, policy: &str) -> Result<()> {
    let attached = match on(rest, filesystem) {
        // The filesystem went before the plan.
        Err(Error { kind: ErrorKind::NotFound, .. }) => Vec::new(),
        answer => answer?,
    };
    if attached.iter().any(|found| found.uid == policy) {
        let request = rest.request().param("uid", filesystem).json(&json!({ "policies": [policy] }));
        rest.done(&FENCE_DETACH, request, "taking a security policy off a filesystem")?;
    }
    let request = rest.request().param("policy", policy);
    absent(rest.done(&SECURITY_POLICY_DELETE, request, "removing a security policy")).map(drop)
}

/// Every policy of the organization.
pub(crate) fn all(rest: &Rest) -> Result<Vec<SecurityPolicy>> {
    let listed: Vec<SecurityPolicy> = rest.all(&SECURITY_POLICIES, &rest.request(), "listing security policies")?;
    listed.into_iter().map(checked).collect()
}

fn on(rest: &Rest, filesystem: &str) -> Result<Vec<SecurityPolicy>> {
    let request = rest.request().param("uid", filesystem);
    let listed: Vec<SecurityPolicy> = rest.all(&FENCES, &request, "listing a filesystem's security policies")?;
    listed.into_iter().map(checked).collect()
}

/// A uid goes into paths, so it must be one.
fn checked(policy: SecurityPolicy) -> Result<SecurityPolicy> {
    if is_uuid(&policy.uid) {
        Ok(policy)
    } else {
        Err(error::internal("a security policy has a uid that is no UUID").with_native_code("UnreadableAnswer"))
    }
}
