//! Organizations (tenants in 5.1): separate users and filesystems, with capacity limits.

use crate::uid::Uid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::faults::Fault;
use crate::state::State;
use crate::tree::accounting::round_up;
use crate::users::{Role, User};

/// Since this release clients of an organization come from network spaces, unless it says otherwise.
const NETSPACES: [u32; 3] = [5, 1, 0];

/// The organization that every cluster has.
pub(crate) const ROOT: u64 = 0;

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Organization {
    pub(crate) id: u64,
    pub(crate) uid: Uid,
    pub(crate) name: String,
    /// 0 is unlimited.
    pub(crate) ssd_quota: u64,
    /// 0 is unlimited.
    pub(crate) total_quota: u64,
    pub(crate) policies: Vec<Uid>,
    /// SSD kept for its thin filesystems.
    ssd_reserve: u64,
    /// Clients mount only from network spaces of this organization, of which there are none here (5.1).
    pub(crate) fenced_by_netspace: bool,
}

impl Organization {
    pub(crate) fn new(id: u64, name: &str) -> Self {
        Self {
            id,
            uid: Uid::fresh(),
            name: name.to_owned(),
            ssd_quota: 0,
            total_quota: 0,
            policies: Vec::new(),
            ssd_reserve: 0,
            fenced_by_netspace: false,
        }
    }
}

impl State {
    /// Bytes that an organization's filesystems may hold together.
    pub(crate) fn allocated_by(&self, org: u64) -> u64 {
        self.filesystems
            .iter()
            .filter(|filesystem| filesystem.org_id == org)
            .fold(0_u64, |sum, filesystem| sum.saturating_add(filesystem.total_budget))
    }

    /// SSD that an organization's filesystems may hold together.
    pub(crate) fn ssd_allocated_by(&self, org: u64) -> u64 {
        let mine = self.filesystems.iter().filter(|filesystem| filesystem.org_id == org);
        mine.fold(0_u64, |sum, filesystem| sum.saturating_add(filesystem.ssd_budget))
    }

    fn organization_row(&self, org: &Organization) -> Value {
        let allocated = self.allocated_by(org.id);
        json!({
            "id": org.id,
            "uid": org.uid,
            "name": org.name,
            "ssd_quota": org.ssd_quota,
            "total_quota": org.total_quota,
            "ssd_allocated": self.ssd_allocated_by(org.id),
            "total_allocated": allocated,
            "security_policies": self.policy_rows(&org.policies),
        })
    }

    fn organization_at(&self, call: &Call) -> Result<usize, Refusal> {
        let uid = call.uid("uid")?;
        let at = self.organizations.iter().position(|org| org.uid == uid);
        at.ok_or_else(|| Refusal::no_uid(&uid.to_string()))
    }

    pub(crate) fn organization_of(&self, call: &Call) -> Result<&Organization, Refusal> {
        let at = self.organization_at(call)?;
        self.organizations.get(at).ok_or_else(|| Refusal::no_uid(call.place("uid")))
    }

    pub(crate) fn organization_of_mut(&mut self, call: &Call) -> Result<&mut Organization, Refusal> {
        let at = self.organization_at(call)?;
        self.organizations.get_mut(at).ok_or_else(|| Refusal::no_uid(call.place("uid")))
    }
}

/// `GET /organizations`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    if call.session()?.role == Role::ReadOnly && !state.switches.read_only_lists_organizations {
        return Err(Refusal::forbidden());
    }
    data(state.organizations.iter().map(|org| state.organization_row(org)).collect())
}

/// `GET /organizations/{uid}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    data(state.organization_row(state.organization_of(call)?))
}

/// `GET /organizations/multipleOrgsExist`
pub(crate) fn several(state: &mut State, _call: &Call) -> Answer {
    data(json!(state.organizations.len() > 1))
}

/// `POST /organizations`: makes it and its first administrator
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    call.require(&["name", "username", "password"])?;
    let name = call.required_text("name")?;
    let most = usize::try_from(state.switches.organization_limit).unwrap_or(usize::MAX);
    if state.organizations.len() >= most || state.faults.strikes(Fault::OrganizationTableFull) {
        return Err(Refusal::message(400, "Could not create tenant: Tenant table is full"));
    }
    if state.organizations.iter().any(|org| org.name == name) {
        let status = state.switches.duplicate_status;
        return Err(Refusal::message(status, &format!("Organization {name} already exists")));
    }
    check_name(&name)?;
    let password = call.required_text("password")?;
    crate::users::check_password(&password)?;
    let mut org = Organization::new(state.serial("organization"), &name);
    org.ssd_quota = round_up(call.number("ssd_quota")?.unwrap_or(0));
    org.total_quota = round_up(call.number("total_quota")?.unwrap_or(0));
    if state.release.has(NETSPACES) && state.switches.netspace_enforced {
        org.fenced_by_netspace = call.flag("enforce_mount_netspace_access").unwrap_or(true);
    }
    let admin = User {
        uid: Uid::fresh(),
        org_id: org.id,
        username: call.required_text("username")?,
        password,
        role: Role::OrgAdmin,
        posix_uid: 0,
        posix_gid: 0,
    };
    crate::users::add(state, admin)?;
    let row = state.organization_row(&org);
    state.organizations.push(org);
    data(row)
}

/// `PUT /organizations/{uid}`
pub(crate) fn rename(state: &mut State, call: &Call) -> Answer {
    let name = call.required_text("new_name")?;
    check_name(&name)?;
    let uid = state.organization_of(call)?.uid;
    if state.organizations.iter().any(|org| org.uid != uid && org.name == name) {
        let status = state.switches.duplicate_status;
        return Err(Refusal::message(status, &format!("Organization {name} already exists")));
    }
    state.organization_of_mut(call)?.name = name;
    get(state, call)
}

/// `PUT /organizations/{uid}/limits`
pub(crate) fn set_limits(state: &mut State, call: &Call) -> Answer {
    let ssd = call.number("ssd_quota")?;
    let total = call.number("total_quota")?;
    let id = state.organization_of(call)?.id;
    if id == ROOT {
        return Err(Refusal::message(400, "The Root organization cannot be limited"));
    }
    let taken = [(total, state.allocated_by(id)), (ssd, state.ssd_allocated_by(id))];
    if taken.into_iter().any(|(limit, used)| limit.is_some_and(|limit| limit != 0 && round_up(limit) < used)) {
        return Err(Refusal::message(400, "The quota is below the capacity that the organization has allocated"));
    }
    let org = state.organization_of_mut(call)?;
    org.ssd_quota = ssd.map_or(org.ssd_quota, round_up);
    org.total_quota = total.map_or(org.total_quota, round_up);
    get(state, call)
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(Refusal::bad("name", "is empty or contains a slash"));
    }
    Ok(())
}

/// `GET /fileSystems/thinProvisionReserve`
pub(crate) fn reserves(state: &mut State, _call: &Call) -> Answer {
    let row =
        |org: &Organization| json!({ "id": org.id, "uid": org.uid, "name": org.name, "ssd_reserve": org.ssd_reserve });
    data(state.organizations.iter().map(row).collect())
}

/// `PUT /fileSystems/thinProvisionReserve/{org_uid}`
pub(crate) fn set_reserve(state: &mut State, call: &Call) -> Answer {
    let bytes = call.number("ssd_capacity")?.ok_or_else(|| Refusal::missing(&["ssd_capacity"]))?;
    reserve(state, call, round_up(bytes))
}

/// `DELETE /fileSystems/thinProvisionReserve/{org_uid}`
pub(crate) fn clear_reserve(state: &mut State, call: &Call) -> Answer {
    reserve(state, call, 0)
}

fn reserve(state: &mut State, call: &Call, bytes: u64) -> Answer {
    let uid = call.uid("org_uid")?;
    let org = state.organizations.iter_mut().find(|org| org.uid == uid);
    org.ok_or_else(|| Refusal::no_uid(&uid.to_string()))?.ssd_reserve = bytes;
    data(json!(bytes))
}

/// `DELETE /organizations/{uid}`: with its filesystems and users
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let id = state.organization_of(call)?.id;
    if id == ROOT {
        return Err(Refusal::message(400, "The Root organization cannot be deleted"));
    }
    let filesystems: Vec<Uid> = state
        .filesystems
        .iter()
        .filter(|filesystem| filesystem.org_id == id)
        .map(|filesystem| filesystem.uid)
        .collect();
    filesystems.into_iter().for_each(|uid| state.forget_filesystem(uid));
    let users: Vec<Uid> = state.users.iter().filter(|user| user.org_id == id).map(|user| user.uid).collect();
    users.into_iter().for_each(|uid| state.tokens.revoke_user(uid));
    state.users.retain(|user| user.org_id != id);
    state.policies.retain(|policy| policy.org_id != id);
    state.snapshot_policies.retain(|policy| policy.org_id() != id);
    state.organizations.retain(|org| org.id != id);
    nothing()
}

/// `DELETE /organizations/{uid}/revoke`: every token of the organization
pub(crate) fn revoke(state: &mut State, call: &Call) -> Answer {
    let id = state.organization_of(call)?.id;
    let users: Vec<Uid> = state.users.iter().filter(|user| user.org_id == id).map(|user| user.uid).collect();
    users.into_iter().for_each(|uid| state.tokens.revoke_user(uid));
    nothing()
}
