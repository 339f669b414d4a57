//! What the admin port and tests in the same process can do: everything that no REST route does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::uid::Uid;
use parking_lot::Mutex;
use rustix::io::Errno;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::faults::{Fault, Rule};
use crate::listen::Outage;
use crate::mounts::{MountRefused, MountRequest, MountRow};
use crate::organizations::ROOT;
use crate::presets::Preset;
use crate::release::Release;
use crate::requests::LoggedRequest;
use crate::s3_server::audit::Tally;
use crate::state::State;
use crate::switches::Switches;
use crate::tree::node::{Ino, Kind, Maker};
use crate::tree::volume::Volume;

/// How long a mounted writer's change may wait to be kept, unless it syncs.
const BETWEEN_SAVES: std::time::Duration = std::time::Duration::from_millis(100);

/// A hold on a running emulator; clones hold the same one.
#[derive(Clone)]
pub struct Control {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) clock: Clock,
    pub(crate) outages: Arc<Outages>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) tally: Arc<Tally>,
}

/// Connections that the listeners have accepted.
#[derive(Default)]
pub(crate) struct Connections {
    pub(crate) rest: Arc<AtomicU64>,
    pub(crate) s3: Arc<AtomicU64>,
}

/// The switches of the listeners.
pub(crate) struct Outages {
    pub(crate) rest: Vec<watch::Sender<Outage>>,
    pub(crate) s3: watch::Sender<Outage>,
}

/// Why the emulator could not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nothing has this name.
    #[error("{0} does not exist")]
    Unknown(String),
    /// A value cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// The tree refused.
    #[error("the tree refused: {0}")]
    Tree(#[from] Errno),
    /// A mount was refused.
    #[error(transparent)]
    Mount(#[from] MountRefused),
}

/// One entry of a tree, as the admin port shows it.
#[derive(Clone, Debug, Serialize)]
pub struct TreeEntry {
    /// Absolute in its filesystem.
    pub path: String,
    /// `dir`, `file`, `symlink` or `special`.
    pub kind: &'static str,
    /// Inode number.
    pub inode: u64,
    /// Length in bytes.
    pub len: u64,
    /// For a directory, what everything beneath it is charged; for a file, its own charge.
    pub charged: u64,
    /// Permission bits.
    pub perm: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Owner and permissions for what the hooks make.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub perm: u32,
}

impl Default for Owner {
    fn default() -> Self {
        Self { uid: 0, gid: 0, perm: 0o755 }
    }
}

impl From<Owner> for Maker {
    fn from(owner: Owner) -> Self {
        Self { uid: owner.uid, gid: owner.gid, perm: owner.perm }
    }
}

impl Control {
    /// The emulator's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Adds a fault rule and answers its id. A [`Fault::StaleList`] takes down the lists as they are now.
    pub fn add_fault(&self, rule: Rule) -> u64 {
        let mut state = self.state.lock();
        if rule.fault == Fault::StaleList {
            let lists = state.organizations.iter().map(|org| (org.id, state.list_of_filesystems(org.id))).collect();
            state.stale_filesystems = lists;
        }
        state.faults.add(rule)
    }

    /// Removes one fault rule.
    pub fn remove_fault(&self, id: u64) -> Result<(), ControlError> {
        if self.state.lock().faults.remove(id) { Ok(()) } else { Err(ControlError::Unknown(format!("fault {id}"))) }
    }

    /// Removes every fault rule.
    pub fn clear_faults(&self) {
        self.state.lock().faults.clear();
    }

    /// The fault rules with how often they matched and struck.
    pub fn faults(&self) -> Vec<Rule> {
        self.state.lock().faults.rules().to_vec()
    }

    /// The switches.
    pub fn switches(&self) -> Switches {
        self.state.lock().switches.clone()
    }

    /// Sets switches by name.
    pub fn set_switches(&self, changes: &Map<String, Value>) -> Result<(), ControlError> {
        let mut state = self.state.lock();
        state.switches.set(changes).map_err(|error| ControlError::Invalid(error.to_string()))?;
        let refresh_secs = state.switches.refresh_token_secs;
        if changes.contains_key("refresh_token_secs") {
            state.tokens.set_refresh_secs(refresh_secs);
        }
        let rules = state.tree_rules();
        state.filesystems.iter().for_each(|filesystem| filesystem.volume.lock().rules = rules);
        Ok(())
    }

    /// The preset in force.
    pub fn preset(&self) -> Preset {
        self.state.lock().preset
    }

    /// Moves to another preset; filesystems, users and tokens stay.
    pub fn set_preset(&self, preset: Preset) {
        self.state.lock().become_preset(preset);
    }

    /// How many backends may run S3; 0 takes the protocol's containers away and leaves its configuration.
    pub fn set_s3_containers(&self, count: usize) {
        self.state.lock().set_s3_containers(count);
    }

    /// The release in force.
    pub fn release(&self) -> Release {
        self.state.lock().release.clone()
    }

    /// Moves to another release: routes come and go.
    pub fn set_release(&self, release: Release) {
        self.state.lock().release = release;
    }

    /// Overrides top-level fields of `GET /cluster`; a `null` takes the override back.
    pub fn override_cluster(&self, fields: Map<String, Value>) {
        let mut state = self.state.lock();
        for (name, value) in fields {
            if value.is_null() {
                state.cluster_overrides.remove(&name);
            } else {
                state.cluster_overrides.insert(name, value);
            }
        }
    }

    /// Sets the outage of one listener, or of all.
    pub fn set_outage(&self, endpoint: Option<usize>, outage: Outage) -> Result<(), ControlError> {
        let all = 0..self.outages.rest.len();
        let wanted = endpoint.map_or(all, |one| one..one.saturating_add(1));
        for number in wanted {
            let sender = self.outages.rest.get(number);
            sender.ok_or_else(|| ControlError::Unknown(format!("endpoint {number}")))?.send_replace(outage);
        }
        Ok(())
    }

    /// Starts or ends an outage of the S3 port.
    pub fn set_s3_outage(&self, outage: Outage) {
        self.outages.s3.send_replace(outage);
    }

    /// S3 audit events that the webhook's target took, and that were dropped.
    pub fn audit_counts(&self) -> (u64, u64) {
        self.tally.counts()
    }

    /// The logged requests after `seq`, oldest first.
    pub fn requests_after(&self, seq: u64) -> Vec<LoggedRequest> {
        self.state.lock().requests.after(seq).cloned().collect()
    }

    /// Empties the request log.
    pub fn clear_requests(&self) {
        self.state.lock().requests.clear();
    }

    /// The tree of a filesystem of an organization (by name; default `Root`).
    fn volume(&self, organization: Option<&str>, filesystem: &str) -> Result<Arc<Volume>, ControlError> {
        let mut state = self.state.lock();
        state.settle();
        let org = match organization {
            None => ROOT,
            Some(name) => {
                let found = state.organizations.iter().find(|org| org.name == name);
                found.ok_or_else(|| ControlError::Unknown(format!("organization {name}")))?.id
            }
        };
        let found = state.filesystems.iter().find(|known| known.org_id == org && known.name == filesystem);
        found
            .map(|found| Arc::clone(&found.volume))
            .ok_or_else(|| ControlError::Unknown(format!("filesystem {filesystem}")))
    }

    /// Makes a directory and those above it; answers its inode number.
    pub fn make_dir(&self, filesystem: &str, path: &str, owner: Owner) -> Result<u64, ControlError> {
        self.make_dir_in(None, filesystem, path, owner)
    }

    /// As [`Self::make_dir`], in an organization.
    pub fn make_dir_in(
        &self,
        organization: Option<&str>,
        filesystem: &str,
        path: &str,
        owner: Owner,
    ) -> Result<Ino, ControlError> {
        Ok(self.volume(organization, filesystem)?.lock().make_dirs(path, owner.into())?)
    }

    /// Removes a file or a directory with everything in it.
    pub fn remove(&self, organization: Option<&str>, filesystem: &str, path: &str) -> Result<(), ControlError> {
        Ok(self.volume(organization, filesystem)?.lock().remove_path(path)?)
    }

    /// Writes a file whole, under the same quotas as a mounted writer; directories above it must exist.
    pub fn write_file(
        &self,
        organization: Option<&str>,
        filesystem: &str,
        path: &str,
        data: &[u8],
    ) -> Result<(), ControlError> {
        let volume = self.volume(organization, filesystem)?;
        let mut tree = volume.lock();
        let whole = Path::new(path);
        let name = whole.file_name().ok_or(Errno::INVAL)?;
        let parent = tree.resolve(whole.parent().and_then(Path::to_str).unwrap_or("/"))?;
        let ino = match tree.lookup(parent, name) {
            Ok(ino) => ino,
            Err(Errno::NOENT) => tree.make(parent, name, Kind::File(Default::default()), Owner::default().into())?,
            Err(other) => return Err(other.into()),
        };
        tree.truncate(ino, 0)?;
        Ok(tree.write(ino, Some(0), data)?)
    }

    /// Reads a file whole.
    pub fn read_file(&self, organization: Option<&str>, filesystem: &str, path: &str) -> Result<Vec<u8>, ControlError> {
        let volume = self.volume(organization, filesystem)?;
        let tree = volume.lock();
        let ino = tree.resolve(path)?;
        let len = usize::try_from(tree.node(ino)?.len()).unwrap_or(usize::MAX);
        Ok(tree.read(ino, 0, len)?)
    }

    /// Everything beneath a path, itself included.
    pub fn list_tree(
        &self,
        organization: Option<&str>,
        filesystem: &str,
        path: &str,
    ) -> Result<Vec<TreeEntry>, ControlError> {
        let volume = self.volume(organization, filesystem)?;
        let tree = volume.lock();
        let mut open = vec![tree.resolve(path)?];
        let mut entries = Vec::new();
        while let Some(inode) = open.pop() {
            let node = tree.node(inode)?;
            entries.push(TreeEntry {
                path: crate::paths::text_of(&tree.path_of(inode)),
                kind: match node.kind {
                    Kind::Dir(_) => "dir",
                    Kind::File(_) => "file",
                    Kind::Symlink(_) => "symlink",
                    Kind::Special(_) => "special",
                },
                inode,
                len: node.len(),
                charged: node.subtree,
                perm: node.perm,
                uid: node.uid,
                gid: node.gid,
            });
            open.extend(node.children().into_iter().flat_map(BTreeMap::values).copied());
        }
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// Makes a FUSE mount for a client, if a real backend would. Blocks; call it off the async threads.
    pub fn mount(&self, request: &MountRequest) -> Result<MountRow, ControlError> {
        let allowed = {
            let mut state = self.state.lock();
            state.settle();
            state.allow_mount(request)?
        };
        let (row, mounted) = allowed.mount()?;
        Ok(self.state.lock().register_mount(row, mounted))
    }

    /// Unmounts what [`Self::mount`] made.
    pub fn unmount(&self, target: &Path, pid: Option<u32>) -> Result<(), ControlError> {
        if self.state.lock().unmount(target, pid) {
            return Ok(());
        }
        Err(ControlError::Unknown(format!("mount {}", target.display())))
    }

    /// The mounts in being.
    pub fn mounts(&self) -> Vec<MountRow> {
        self.state.lock().mounts.rows()
    }

    /// Writes what changed since it was written last, when the emulator was started with a state directory.
    pub fn save(&self) -> std::io::Result<()> {
        self.state.lock().save()
    }

    /// Saves what changes without a call: what clients write through mounts.
    pub(crate) async fn save_now_and_then(self) {
        loop {
            tokio::time::sleep(BETWEEN_SAVES).await;
            let control = self.clone();
            let saved = tokio::task::spawn_blocking(move || control.save()).await;
            if let Ok(Err(error)) = saved {
                tracing::error!(%error, "could not keep the cluster");
            }
        }
    }

    /// Unmounts everything; the emulator does this when it stops.
    pub fn unmount_all(&self) {
        self.state.lock().mounts.clear();
    }

    /// The uid of a filesystem of `Root`.
    pub fn filesystem_uid(&self, filesystem: &str) -> Option<Uid> {
        let state = self.state.lock();
        let found = state.filesystems.iter().find(|known| known.org_id == ROOT && known.name == filesystem);
        found.map(|found| found.uid)
    }

    /// A short account of what there is.
    pub fn summary(&self) -> Value {
        let mut state = self.state.lock();
        state.settle();
        let now = state.now();
        let accepted = |by: &AtomicU64| by.load(Ordering::Relaxed);
        let quotas: usize = state.filesystems.iter().map(|filesystem| filesystem.volume.lock().quotas.len()).sum();
        json!({
            "preset": state.preset,
            "release": state.release,
            "clock_offset_ms": self.clock.offset(),
            "filesystems": state.filesystems.iter().map(|filesystem| filesystem.name.as_str()).collect::<Vec<_>>(),
            "organizations": state.organizations.iter().map(|org| org.name.as_str()).collect::<Vec<_>>(),
            "users": state.users.len(),
            "quotas": quotas,
            "snapshots": state.snapshots.len(),
            "tasks": state.tasks.len(),
            "mounts": state.mounts.count(),
            "connections": { "rest": accepted(&self.connections.rest), "s3": accepted(&self.connections.s3) },
            "s3": state.s3.counts(now),
            "faults": state.faults.rules().len(),
            "audit_events": { "delivered": self.tally.counts().0, "dropped": self.tally.counts().1 },
        })
    }
}
