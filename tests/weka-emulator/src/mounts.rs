//! Mounting a filesystem for one client, checked as a real backend checks it.
//!
//! A mount carries an identity: the token it was made with, the client's address, and whether it may write. What is
//! looked at, in this order: the token (good, for this filesystem), the organization, `auth_required`, the role, the
//! security policies of the filesystem and of its organization. All of that happens once: a revoked user's mounts go on,
//! as documented.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::uid::Uid;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::auth::Session;
use crate::call::Call;
use crate::clock::Millis;
use crate::envelope::{Answer, Refusal, data};
use crate::mount_options::MountOptions;
use crate::organizations::ROOT;
use crate::security::Fence;
use crate::state::State;
use crate::tree::fuse::View;
use crate::tree::mount::{Appearance, Mounted};
use crate::users::Role;

/// What a client asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MountRequest {
    /// The filesystem's name; or the mount's source as on a command line: `fs`, `backend0,backend1/fs`, `backend:/fs`.
    pub filesystem: String,
    /// An existing directory.
    pub target: PathBuf,
    /// `ro` or `rw`; also read from the options. Default `rw`.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// A mount token, or an access token. Also read from the options.
    #[serde(default)]
    pub token: Option<String>,
    /// A token file's refresh token, used when the access token has expired.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// The client's address, for the fences. Default `127.0.0.1`.
    #[serde(default)]
    pub client_ip: Option<IpAddr>,
    /// What stood after `-o`, checked against the documented grammar.
    #[serde(default)]
    pub options: String,
    /// Mount in the mount namespace of this process instead of the emulator's.
    #[serde(default)]
    pub pid: Option<u32>,
}

/// Whether a client means to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Read only, by the client's own flag.
    Ro,
    /// Read and write.
    #[default]
    Rw,
}

/// A mount that was made.
#[derive(Clone, Debug, Serialize)]
pub struct MountRow {
    /// Its filesystem's name.
    pub filesystem: String,
    /// Its filesystem's uid.
    pub filesystem_uid: Uid,
    /// Where it is.
    pub target: PathBuf,
    /// The client's own flag.
    pub mode: Mode,
    /// The server refuses writes, by token or by policy.
    pub server_read_only: bool,
    /// The client's address.
    pub client_ip: IpAddr,
    /// The user behind the token, as `user@org`.
    pub user: Option<String>,
    /// The options as given, tokens blotted out.
    pub options: String,
    /// The process whose mount namespace it is in.
    pub pid: Option<u32>,
    /// When it was made, on the emulator's clock.
    pub since_ms: Millis,
}

/// Why a mount was refused.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct MountRefused {
    /// As an HTTP status: 400, 403, 404, 409 or 500.
    pub status: u16,
    /// What `mount` prints.
    pub message: String,
}

fn refused(status: u16, message: impl Into<String>) -> MountRefused {
    MountRefused { status, message: message.into() }
}

#[derive(Debug)]
struct Entry {
    row: MountRow,
    mounted: Mounted,
}

/// The mounts in being.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    entries: Vec<Entry>,
}

impl Mounts {
    fn prune(&mut self) {
        self.entries.retain(|entry| entry.mounted.is_alive());
    }

    pub(crate) fn count(&self) -> usize {
        self.entries.iter().filter(|entry| entry.mounted.is_alive()).count()
    }

    pub(crate) fn rows(&mut self) -> Vec<MountRow> {
        self.prune();
        self.entries.iter().map(|entry| entry.row.clone()).collect()
    }

    /// Takes a mount out of the register; dropping it unmounts.
    fn take(&mut self, target: &Path, pid: Option<u32>) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.row.target == target && entry.row.pid == pid)?;
        Some(self.entries.remove(at))
    }

    pub(crate) fn drop_filesystem(&mut self, filesystem: Uid) {
        self.entries.retain(|entry| entry.row.filesystem_uid != filesystem);
    }

    /// Unmounts everything.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// A mount that was allowed, ready to be made without the cluster's lock.
pub(crate) struct Allowed {
    row: MountRow,
    view: View,
    look: Appearance,
}

/// Who a mount's token speaks for, and whether it may write.
struct Bearer {
    session: Session,
    bound_to: Option<Uid>,
    read_only: bool,
}

impl State {
    fn bearer(&mut self, request: &MountRequest, options: &MountOptions) -> Result<Option<Bearer>, MountRefused> {
        let token = request.token.as_deref().or_else(|| options.value("token"));
        let now = self.now();
        let bad = || refused(403, "mount refused: the token is invalid, expired or revoked");
        if let Some(token) = token {
            if let Some(found) = self.tokens.redeem_mount(token, now, self.switches.mount_token_reusable) {
                let session = self.session_of(found.user).ok_or_else(bad)?;
                return Ok(Some(Bearer { session, bound_to: Some(found.filesystem), read_only: found.read_only }));
            }
            let by_access = self.tokens.access_holder(token, now);
            if let Some(session) = by_access.and_then(|user| self.session_of(user)) {
                return Ok(Some(Bearer { session, bound_to: None, read_only: false }));
            }
        }
        if let Some(refresh) = &request.refresh_token {
            let holder = self.tokens.refresh_holder(refresh, now).and_then(|user| self.session_of(user));
            return Ok(Some(Bearer { session: holder.ok_or_else(bad)?, bound_to: None, read_only: false }));
        }
        if token.is_some() { Err(bad()) } else { Ok(None) }
    }

    /// Decides about a mount; nothing is mounted yet.
    pub(crate) fn allow_mount(&mut self, request: &MountRequest) -> Result<Allowed, MountRefused> {
        self.mounts.prune();
        let options = MountOptions::parse(&request.options).map_err(|problem| refused(400, problem))?;
        // A bare name is a client that has joined already; a source with backends is one that joins for this mount.
        let name = request.filesystem.rsplit('/').next().unwrap_or_default();
        let bearer = self.bearer(request, &options)?;
        let org_id = bearer.as_ref().map_or(ROOT, |bearer| bearer.session.org_id);
        let now = self.now();
        let found = self.filesystems.iter().find(|known| known.org_id == org_id && known.name == name);
        let filesystem =
            found.ok_or_else(|| refused(404, format!("mount refused: filesystem {name} does not exist")))?;
        if !filesystem.is_ready(now) {
            return Err(refused(400, format!("mount refused: filesystem {name} is not ready")));
        }
        if bearer.as_ref().and_then(|bearer| bearer.bound_to).is_some_and(|bound_to| bound_to != filesystem.uid) {
            return Err(refused(403, "mount refused: the token was issued for another filesystem"));
        }
        let open = org_id == ROOT && !filesystem.auth_required && self.switches.root_mounts_without_token;
        if bearer.is_none() && !open {
            return Err(refused(403, format!("mount refused: filesystem {name} requires authentication")));
        }
        if bearer.as_ref().is_some_and(|bearer| bearer.session.role == Role::S3) {
            return Err(refused(403, "mount refused: S3 users cannot mount"));
        }
        if org_id != ROOT && request.filesystem == name {
            return Err(refused(
                403,
                "mount refused: filesystems of an organization need a stateless client (backend/fs)",
            ));
        }
        if self.organizations.iter().any(|org| org.id == org_id && org.fenced_by_netspace) {
            return Err(refused(403, format!("mount refused: Tenant {org_id} has no network spaces attached")));
        }
        let client = request.client_ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let org_policies = self.organizations.iter().find(|org| org.id == org_id).map(|org| org.policies.as_slice());
        // A stateless client joins the cluster when it mounts; one that has joined already is not asked again.
        let joining = if request.filesystem == name { &[] } else { self.joins.client.as_slice() };
        let fences = [
            self.fence(&filesystem.policies, client),
            self.fence(org_policies.unwrap_or_default(), client),
            self.fence(joining, client),
        ];
        if fences.contains(&Fence::Shut) {
            return Err(refused(403, format!("mount refused: no security policy of {name} allows client {client}")));
        }
        let server_read_only =
            fences.contains(&Fence::ReadOnly) || bearer.as_ref().is_some_and(|bearer| bearer.read_only);
        let taken = |entry: &Entry| entry.row.target == request.target && entry.row.pid == request.pid;
        if self.mounts.entries.iter().any(taken) {
            return Err(refused(409, format!("mount refused: {} is already a mount", request.target.display())));
        }
        let mode = request.mode.unwrap_or(if options.has("ro") { Mode::Ro } else { Mode::Rw });
        let row = MountRow {
            filesystem: filesystem.name.clone(),
            filesystem_uid: filesystem.uid,
            target: request.target.clone(),
            mode,
            server_read_only,
            client_ip: client,
            user: bearer.map(|bearer| format!("{}@{}", bearer.session.username, bearer.session.org_name)),
            options: options.shown(),
            pid: request.pid,
            since_ms: now,
        };
        let look = Appearance {
            source: filesystem.name.clone(),
            read_only: mode == Mode::Ro,
            no_suid: options.has("nosuid"),
            no_dev: options.has("nodev"),
            no_exec: options.has("noexec"),
        };
        Ok(Allowed { row, view: View::new(Arc::clone(&filesystem.volume), server_read_only), look })
    }

    /// Puts a mount that was made into the register.
    pub(crate) fn register_mount(&mut self, row: MountRow, mounted: Mounted) -> MountRow {
        self.mounts.entries.push(Entry { row: row.clone(), mounted });
        row
    }

    /// Unmounts; whether it was there.
    pub(crate) fn unmount(&mut self, target: &Path, pid: Option<u32>) -> bool {
        self.mounts.take(target, pid).is_some()
    }
}

impl Allowed {
    /// Makes the mount.
    pub(crate) fn mount(self) -> Result<(MountRow, Mounted), MountRefused> {
        let Self { row, view, look } = self;
        let mounted = Mounted::mount(view, &row.target, row.pid, &look)
            .map_err(|error| refused(500, format!("mount of {} failed: {error}", row.target.display())))?;
        Ok((row, mounted))
    }
}

/// Roles that may have a mount token.
fn check_may_mount(call: &Call) -> Result<(), Refusal> {
    if call.session()?.role == Role::S3 { Err(Refusal::forbidden()) } else { Ok(()) }
}

fn issue(state: &mut State, call: &Call, read_only: bool, secs: u64) -> Answer {
    check_may_mount(call)?;
    // A filesystem of another organization is forbidden here, not unknown.
    let Ok(filesystem) = state.filesystem(call) else {
        let uid = call.uid("uid")?;
        let exists = state.filesystems.iter().any(|filesystem| filesystem.uid == uid);
        return Err(if exists { Refusal::forbidden() } else { Refusal::no_uid(&uid.to_string()) });
    };
    let (uid, name) = (filesystem.uid, filesystem.name.clone());
    let user = call.session()?.user;
    let expires = call.now.saturating_add(secs.saturating_mul(1000));
    let token = state.tokens.issue_mount(uid, user, read_only, expires);
    data(json!({ "mount_token": token, "filesystem_name": name }))
}

/// `GET /fileSystems/{uid}/mountToken`: not in the documents of 4.x, but used by the CSI driver for every mount
pub(crate) fn token(state: &mut State, call: &Call) -> Answer {
    if !state.switches.mount_token_get {
        return Err(Refusal::no_route(&call.method, &call.path));
    }
    let secs = state.switches.mount_token_secs;
    issue(state, call, false, secs)
}

/// `POST /fileSystems/{uid}/mountToken` (5.1): may be read-only
pub(crate) fn token_with(state: &mut State, call: &Call) -> Answer {
    let secs = call.number("expires")?.unwrap_or(state.switches.mount_token_secs);
    issue(state, call, call.flag("read_only").unwrap_or(false), secs)
}
