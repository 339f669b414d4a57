//! Local users of an organization.

use crate::uid::Uid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::faults::Fault;
use crate::filesystems::reached;
use crate::release::Release;
use crate::state::State;

/// What a user may do; [`crate::routes`] has the table of routes and roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// Everything at cluster level and in its own organization.
    ClusterAdmin,
    /// Everything in its own organization.
    #[serde(alias = "TenantAdmin")]
    OrgAdmin,
    /// Login, password, mounting.
    Regular,
    /// Reading; and mounting, also for writing.
    ReadOnly,
    /// S3 within its policy, and its own service accounts.
    S3,
    /// Directories, quotas, snapshots.
    #[serde(rename = "CSI")]
    Csi,
}

/// Since this release the administrator of an organization is called TenantAdmin.
const TENANTS: [u32; 3] = [5, 1, 0];

impl Role {
    /// The role as a release shows it.
    pub(crate) fn shown(self, release: &Release) -> Value {
        if self == Self::OrgAdmin && release.has(TENANTS) { json!("TenantAdmin") } else { json!(self) }
    }
}

/// A local user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) uid: Uid,
    pub(crate) org_id: u64,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) role: Role,
    pub(crate) posix_uid: u64,
    pub(crate) posix_gid: u64,
}

impl State {
    /// With the attached S3 policy, which no other route shows by uid.
    fn user_row(&self, user: &User) -> Value {
        let mut row = user.row();
        if let Some(row) = row.as_object_mut() {
            row.insert("role".to_owned(), user.role.shown(&self.release));
        }
        if let (Some(row), Some(policy)) = (row.as_object_mut(), self.s3.attached.get(&user.uid)) {
            row.insert("policy".to_owned(), json!(policy));
        }
        row
    }
}

impl User {
    fn row(&self) -> Value {
        json!({
            "uid": self.uid,
            "org_id": self.org_id,
            "source": "Internal",
            "posix_uid": self.posix_uid,
            "posix_gid": self.posix_gid,
            "username": self.username,
            "role": self.role,
            "policy": null,
        })
    }
}

/// At least 8 characters with upper case, lower case and a digit or special character (documented).
pub(crate) fn check_password(password: &str) -> Result<(), Refusal> {
    let upper = password.chars().any(char::is_uppercase);
    let lower = password.chars().any(char::is_lowercase);
    let other = password.chars().any(|c| !c.is_alphabetic());
    if password.chars().count() >= 8 && upper && lower && other {
        return Ok(());
    }
    Err(Refusal::bad("password", "needs 8 characters with upper case, lower case and a digit or special character"))
}

/// Users of the role S3 among them (documented).
const MOST_S3_USERS: usize = 1024;

fn role_in(call: &Call, org_id: u64) -> Result<Role, Refusal> {
    let text = call.required_text("role")?;
    let role: Role = serde_json::from_value(json!(text)).map_err(|_| Refusal::bad("role", "is not a known role"))?;
    if role == Role::ClusterAdmin && org_id != 0 {
        return Err(Refusal::bad("role", "ClusterAdmin exists only in the Root organization"));
    }
    Ok(role)
}

/// `GET /users`: only those of the caller's organization
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let org = call.org()?;
    data(state.users.iter().filter(|user| user.org_id == org).map(|user| state.user_row(user)).collect())
}

/// `POST /users`
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    call.require(&["username", "password", "role"])?;
    let org_id = call.org()?;
    let user = User {
        uid: Uid::fresh(),
        org_id,
        username: call.required_text("username")?,
        password: call.required_text("password")?,
        role: role_in(call, org_id)?,
        posix_uid: call.number("posix_uid")?.unwrap_or(0),
        posix_gid: call.number("posix_gid")?.unwrap_or(0),
    };
    add(state, user)
}

/// Adds a user that may be added.
pub(crate) fn add(state: &mut State, user: User) -> Answer {
    check_password(&user.password)?;
    if reached(state.users.len(), state.switches.user_limit) {
        return Err(Refusal::message(400, "Could not create user: User table is full."));
    }
    let s3_users = state.users.iter().filter(|other| other.role == Role::S3).count();
    if user.role == Role::S3 && s3_users >= MOST_S3_USERS {
        return Err(Refusal::message(400, "Could not create user: S3 user table is full."));
    }
    if state.users.iter().any(|other| other.org_id == user.org_id && other.username == user.username) {
        let status = state.switches.duplicate_status;
        return Err(Refusal::message(status, "Could not create user: Username already in use."));
    }
    let row = state.user_row(&user);
    state.users.push(user);
    data(row)
}

fn find(state: &mut State, call: &Call) -> Result<usize, Refusal> {
    let uid = call.uid("uid")?;
    let org = call.org()?;
    let at = state.users.iter().position(|user| user.uid == uid && user.org_id == org);
    at.ok_or_else(|| Refusal::no_uid(&uid.to_string()))
}

/// `PUT /users/{uid}`
pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let own = call.session()?.user;
    let at = find(state, call)?;
    let role = if call.has("role") { Some(role_in(call, call.org()?)?) } else { None };
    let posix_uid = call.number("posix_uid")?;
    let posix_gid = call.number("posix_gid")?;
    let Some(user) = state.users.get_mut(at) else { return Err(Refusal::no_uid(call.place("uid"))) };
    if user.uid == own && role.is_some_and(|role| role != user.role) {
        return Err(Refusal::message(400, "A user cannot change its own role"));
    }
    user.role = role.unwrap_or(user.role);
    user.posix_uid = posix_uid.unwrap_or(user.posix_uid);
    user.posix_gid = posix_gid.unwrap_or(user.posix_gid);
    let user = user.clone();
    if user.role != Role::S3 {
        state.s3.forget_user(user.uid);
    }
    data(state.user_row(&user))
}

/// `DELETE /users/{uid}`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let own = call.session()?.user;
    let at = find(state, call)?;
    let uid = call.uid("uid")?;
    if uid == own {
        return Err(Refusal::message(400, "A user cannot delete itself"));
    }
    if state.faults.strikes(Fault::DeleteIgnored) {
        return nothing();
    }
    state.users.remove(at);
    state.tokens.revoke_user(uid);
    state.s3.forget_user(uid);
    nothing()
}

/// `PUT /users/{uid}/password`
pub(crate) fn set_password(state: &mut State, call: &Call) -> Answer {
    let password = call.required_text("password")?;
    check_password(&password)?;
    let at = find(state, call)?;
    change_password(state, at, password)
}

/// `PUT /users/password`: with the old one; ends every session
pub(crate) fn change_own_password(state: &mut State, call: &Call) -> Answer {
    call.require(&["username", "old_password", "new_password"])?;
    let session = call.session()?.clone();
    let new = call.required_text("new_password")?;
    let old = call.required_text("old_password")?;
    let name = call.required_text("username")?;
    let at = state.users.iter().position(|user| user.org_id == session.org_id && user.username == name);
    let at = at.filter(|at| state.users.get(*at).is_some_and(|user| user.password == old && user.uid == session.user));
    let Some(at) = at else { return Err(Refusal::unauthorized()) };
    check_password(&new)?;
    change_password(state, at, new)
}

fn change_password(state: &mut State, at: usize, password: String) -> Answer {
    if let Some(user) = state.users.get_mut(at) {
        user.password = password;
        let uid = user.uid;
        state.tokens.revoke_user(uid);
        if state.switches.new_password_ends_sessions {
            state.s3.end_sessions_of(uid);
        }
    }
    nothing()
}

/// `DELETE /users/{uid}/revoke`
pub(crate) fn revoke(state: &mut State, call: &Call) -> Answer {
    find(state, call)?;
    let uid = call.uid("uid")?;
    state.tokens.revoke_user(uid);
    if state.switches.user_revoke_ends_sessions {
        state.s3.end_sessions_of(uid);
    }
    nothing()
}
