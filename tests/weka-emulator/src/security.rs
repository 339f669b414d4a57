//! Security policies: client address fences of filesystems and organizations (4.4 and newer).
//!
//! Once any policy is attached, a client that matches none is denied. They are looked at when a native mount is made,
//! and only then: a mount that exists goes on after its policy changed.

use std::net::IpAddr;

use crate::uid::Uid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::{Millis, rfc3339};
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::filesystems::reached;
use crate::state::State;

/// Longest name.
const LONGEST_NAME: usize = 64;

/// A policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SecurityPolicy {
    serial: u64,
    pub(crate) uid: Uid,
    pub(crate) org_id: u64,
    name: String,
    description: String,
    denies: bool,
    roles: Vec<String>,
    ranges: Vec<String>,
    read_only: bool,
    created: Millis,
    created_by: String,
    modified: Millis,
    modified_by: String,
}

/// What the fences say to one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fence {
    /// No policy, or one that allows.
    Open,
    /// Allowed, but may only read.
    ReadOnly,
    /// Denied, or matched by none.
    Shut,
}

/// An address, `address/bits`, or `first-last`.
fn range_holds(range: &str, client: IpAddr) -> Option<bool> {
    if let Some((first, last)) = range.split_once('-') {
        let first: IpAddr = first.trim().parse().ok()?;
        let last: IpAddr = last.trim().parse().ok()?;
        return Some((number(first)..=number(last)).contains(&number(client)));
    }
    let Some((network, bits)) = range.split_once('/') else {
        return Some(range.trim().parse::<IpAddr>().ok()? == client);
    };
    let network: IpAddr = network.trim().parse().ok()?;
    let bits: u32 = bits.trim().parse().ok()?;
    let width = if network.is_ipv4() { 32 } else { 128 };
    if bits > width {
        return None;
    }
    if network.is_ipv4() != client.is_ipv4() {
        return Some(false);
    }
    let shift = width - bits;
    let prefix = |address: IpAddr| number(address).1.checked_shr(shift).unwrap_or(0);
    Some(prefix(network) == prefix(client))
}

/// The address as a number, kept apart by family.
fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (false, u128::from(address.to_bits())),
        IpAddr::V6(address) => (true, address.to_bits()),
    }
}

impl SecurityPolicy {
    fn row(&self, references: usize) -> Value {
        json!({
            "name": self.name,
            "action": if self.denies { "Deny" } else { "Allow" },
            "description": self.description,
            "id": format!("SecurityPolicy<{}>", self.serial),
            "roles": self.roles,
            "ips": self.ranges,
            "ref_count": references,
            "uid": self.uid,
            "created_at": rfc3339(self.created),
            "created_by": self.created_by,
            "modified_at": rfc3339(self.modified),
            "modified_by": self.modified_by,
            "read_only": self.read_only,
        })
    }

    fn matches(&self, client: IpAddr) -> bool {
        self.ranges.is_empty() || self.ranges.iter().any(|range| range_holds(range, client) == Some(true))
    }
}

impl State {
    /// The short rows of attached policies.
    pub(crate) fn policy_rows(&self, attached: &[Uid]) -> Value {
        let row = |policy: &SecurityPolicy| json!({ "name": policy.name, "id": format!("SecurityPolicy<{}>", policy.serial), "uid": policy.uid });
        attached.iter().filter_map(|uid| self.policies.iter().find(|policy| policy.uid == *uid)).map(row).collect()
    }

    /// What these policies, together, say to a client. A denial wins; among allowances the wider wins.
    pub(crate) fn fence(&self, attached: &[Uid], client: IpAddr) -> Fence {
        if attached.is_empty() {
            return Fence::Open;
        }
        let matching: Vec<&SecurityPolicy> =
            self.policies.iter().filter(|policy| attached.contains(&policy.uid) && policy.matches(client)).collect();
        if matching.is_empty() || matching.iter().any(|policy| policy.denies) {
            Fence::Shut
        } else if matching.iter().all(|policy| policy.read_only) {
            Fence::ReadOnly
        } else {
            Fence::Open
        }
    }

    fn references(&self, policy: Uid) -> usize {
        let on = |attached: &[Uid]| usize::from(attached.contains(&policy));
        let filesystems: usize = self.filesystems.iter().map(|filesystem| on(&filesystem.policies)).sum();
        let organizations: usize = self.organizations.iter().map(|org| on(&org.policies)).sum();
        filesystems.saturating_add(organizations).saturating_add(self.joins.references(policy))
    }

    fn policy_at(&self, call: &Call) -> Result<usize, Refusal> {
        let wanted = call.place("policy");
        let org = call.org()?;
        let is_it = |policy: &SecurityPolicy| policy.uid.to_string() == wanted || policy.name == wanted;
        let at = self.policies.iter().position(|policy| policy.org_id == org && is_it(policy));
        at.ok_or_else(|| Refusal::no_uid(wanted))
    }

    fn policy_row(&self, at: usize) -> Answer {
        let policy = self.policies.get(at).ok_or_else(|| Refusal::no_uid(""))?;
        data(policy.row(self.references(policy.uid)))
    }
}

fn check_ranges(field: &str, ranges: &[String]) -> Result<(), Refusal> {
    let anyone = IpAddr::from([127, 0, 0, 1]);
    match ranges.iter().find(|range| range_holds(range, anyone).is_none()) {
        Some(bad) => Err(Refusal::bad(field, &format!("has {bad:?}, which is no address, network or range"))),
        None => Ok(()),
    }
}

fn check_name(state: &State, org: u64, name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Refusal::bad("name", "needs 1 to 64 characters"));
    }
    if state.policies.iter().any(|policy| policy.org_id == org && policy.name == name) {
        let message = format!("Security policy {name} already exists");
        return Err(Refusal::message(state.switches.duplicate_status, &message));
    }
    Ok(())
}

/// Refuses one policy more than an organization may have.
fn check_room(state: &State, org: u64) -> Result<(), Refusal> {
    let count = state.policies.iter().filter(|policy| policy.org_id == org).count();
    if reached(count, state.switches.security_policy_limit) {
        return Err(Refusal::message(400, "Security policy table is full"));
    }
    Ok(())
}

fn denies_in(call: &Call) -> Result<Option<bool>, Refusal> {
    match call.text("action").as_deref() {
        None => Ok(None),
        Some("Allow") => Ok(Some(false)),
        Some("Deny") => Ok(Some(true)),
        Some(_) => Err(Refusal::bad("action", "is neither Allow nor Deny")),
    }
}

/// `GET /security/policies`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let org = call.org()?;
    let mine = state.policies.iter().filter(|policy| policy.org_id == org);
    data(mine.map(|policy| policy.row(state.references(policy.uid))).collect())
}

/// `POST /security/policies`
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let session = call.session()?.clone();
    let name = call.required_text("name")?;
    check_name(state, session.org_id, &name)?;
    check_room(state, session.org_id)?;
    let ranges = call.texts("ip")?.unwrap_or_default();
    check_ranges("ip", &ranges)?;
    let policy = SecurityPolicy {
        serial: state.serial("policy"),
        uid: Uid::fresh(),
        org_id: session.org_id,
        name,
        description: call.text("description").unwrap_or_default(),
        denies: denies_in(call)?.unwrap_or(false),
        roles: call.texts("role")?.unwrap_or_default(),
        ranges,
        read_only: call.flag("read_only").unwrap_or(false),
        created: call.now,
        created_by: session.username.clone(),
        modified: call.now,
        modified_by: session.username,
    };
    let row = policy.row(0);
    state.policies.push(policy);
    data(row)
}

/// `GET /security/policies/{policy}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    state.policy_row(state.policy_at(call)?)
}

/// `PATCH /security/policies/{policy}`
pub(crate) fn patch(state: &mut State, call: &Call) -> Answer {
    let session = call.session()?.clone();
    let at = state.policy_at(call)?;
    let name = call.required_text("name")?;
    let current = state.policies.get(at).map(|policy| policy.name.clone()).unwrap_or_default();
    if name != current {
        check_name(state, session.org_id, &name)?;
    }
    let denies = denies_in(call)?;
    let changed = |field: &str, current: &[String]| -> Result<Vec<String>, Refusal> {
        let mut items = call.texts(field)?.unwrap_or_else(|| current.to_vec());
        let removed = call.texts(&format!("remove_{field}"))?.unwrap_or_default();
        items.retain(|item| !removed.contains(item));
        items.extend(call.texts(&format!("add_{field}"))?.unwrap_or_default());
        Ok(items)
    };
    let Some(policy) = state.policies.get_mut(at) else { return Err(Refusal::no_uid(call.place("policy"))) };
    let ranges = changed("ip", &policy.ranges)?;
    check_ranges("ip", &ranges)?;
    policy.roles = changed("role", &policy.roles)?;
    policy.ranges = ranges;
    policy.name = name;
    policy.description = call.text("description").unwrap_or_else(|| policy.description.clone());
    policy.denies = denies.unwrap_or(policy.denies);
    policy.read_only = call.flag("read_only").unwrap_or(policy.read_only);
    policy.modified = call.now;
    policy.modified_by = session.username;
    state.policy_row(at)
}

/// `DELETE /security/policies/{policy}`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let at = state.policy_at(call)?;
    let uid = state.policies.get(at).map(|policy| policy.uid).unwrap_or_default();
    if state.references(uid) > 0 {
        return Err(Refusal::message(400, "Security policy is in use"));
    }
    state.policies.remove(at);
    nothing()
}

/// `POST /security/policies/{policy}/duplicate`
pub(crate) fn duplicate(state: &mut State, call: &Call) -> Answer {
    let session = call.session()?.clone();
    let at = state.policy_at(call)?;
    let name = call.required_text("name")?;
    check_name(state, session.org_id, &name)?;
    check_room(state, session.org_id)?;
    let Some(mut copy) = state.policies.get(at).cloned() else { return Err(Refusal::no_uid(call.place("policy"))) };
    copy.serial = state.serial("policy");
    copy.uid = Uid::fresh();
    copy.name = name;
    (copy.created, copy.modified) = (call.now, call.now);
    (copy.created_by, copy.modified_by) = (session.username.clone(), session.username);
    let row = copy.row(0);
    state.policies.push(copy);
    data(row)
}

/// `GET /security/policies/test`: what policies would say to a client
pub(crate) fn test(state: &mut State, call: &Call) -> Answer {
    let missing: Vec<&str> = ["policies", "ip"].into_iter().filter(|name| !call.query.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Err(Refusal::missing(&missing));
    }
    let org = call.org()?;
    let named = call.query.get("policies").map_or("", String::as_str).split(',').map(str::trim);
    let named: Vec<&str> = named.filter(|text| !text.is_empty()).collect();
    let mine = state.policies.iter().filter(|policy| policy.org_id == org);
    let asked: Vec<&SecurityPolicy> = mine.filter(|policy| named.contains(&policy.uid.to_string().as_str())).collect();
    if asked.len() < named.len() {
        return Err(Refusal::bad("policies", "names a policy that does not exist"));
    }
    let client: Option<IpAddr> = call.query.get("ip").and_then(|text| text.parse().ok());
    let client = client.ok_or_else(|| Refusal::bad("ip", "is no address"))?;
    let role = call.query.get("role");
    let fits = |policy: &&&SecurityPolicy| {
        let role_fits = role.is_none_or(|role| policy.roles.is_empty() || policy.roles.contains(role));
        role_fits && policy.matches(client)
    };
    let matching: Vec<&&SecurityPolicy> = asked.iter().filter(fits).collect();
    let decides = matching.iter().find(|policy| policy.denies).or(matching.first());
    let allows = decides.is_some_and(|policy| !policy.denies);
    let id = |policy: &SecurityPolicy| format!("SecurityPolicy<{}>", policy.serial);
    data(json!({
        "action": if allows { "Allow" } else { "Deny" },
        "read_only": allows && matching.iter().all(|policy| policy.read_only),
        "explicit": decides.is_some(),
        "policy": decides.map_or(json!({}), |policy| json!({ "name": policy.name, "id": id(policy), "uid": policy.uid })),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_the_addresses_they_name() {
        for (range, client, holds) in [
            ("10.0.0.0/24", "10.0.0.200", Some(true)),
            ("10.0.0.0/24", "10.0.1.1", Some(false)),
            ("10.0.0.7", "10.0.0.7", Some(true)),
            ("10.1.5.10-10.1.5.22", "10.1.5.22", Some(true)),
            ("10.1.5.10-10.1.5.22", "10.1.5.23", Some(false)),
            ("0.0.0.0/0", "192.168.1.1", Some(true)),
            ("0.0.0.0/0", "::1", Some(false)),
            ("fd00::/8", "fd12::1", Some(true)),
            ("10.0.0.0/33", "10.0.0.1", None),
            ("tomato", "10.0.0.1", None),
        ] {
            assert_eq!(range_holds(range, client.parse().unwrap()), holds, "{range} {client}");
        }
    }
}
