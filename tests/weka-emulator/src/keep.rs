//! Keeping the cluster over a restart.
//!
//! `cluster.json` holds all but the trees; each tree has a file of its own beside its block file (see
//! [`crate::tree::saved`]). A call that may change something is answered when its change is written; what clients write
//! through mounts and over S3 is written at `fsync` and every tenth of a second. So a `kill -9` loses no answered call,
//! and of mounted writers at most what they did not sync. Files are replaced by rename, not synced to the disk: this
//! survives the emulator's end, not the machine's. Faults, the request log and mounts are not kept.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::attachments::Joins;
use crate::auth::Tokens;
use crate::clock::{Clock, Millis};
use crate::containers::Machines;
use crate::emulator::StartError;
use crate::events::Events;
use crate::filesystems::{Filesystem, Life};
use crate::groups::Group;
use crate::licence::Licence;
use crate::login_page::Banner;
use crate::mount_defaults::MountDefaults;
use crate::organizations::Organization;
use crate::presets::Preset;
use crate::release::Release;
use crate::s3::S3;
use crate::security::SecurityPolicy;
use crate::snapshot_policies::SnapshotPolicy;
use crate::snapshots::Snapshot;
use crate::state::State;
use crate::switches::Switches;
use crate::tasks::Task;
use crate::tree::saved::replace;
use crate::tree::volume::Volume;
use crate::uid::Uid;
use crate::user_quotas::UserQuota;
use crate::users::User;

/// The form of the file; another one is not read.
const FORM: u32 = 1;

/// The directory that a cluster is kept in.
#[derive(Debug)]
pub(crate) struct Keep {
    cluster: PathBuf,
    /// Held while this process runs, so that two do not write one cluster.
    _lock: File,
    /// What was written last, as a hash.
    written: u64,
}

fn unusable(path: &Path, problem: impl std::fmt::Display) -> StartError {
    StartError::State { path: path.to_owned(), problem: problem.to_string() }
}

impl Keep {
    /// Takes the directory, making it if need be.
    pub(crate) fn open(dir: &Path) -> Result<Self, StartError> {
        let open = || -> io::Result<File> {
            std::fs::create_dir_all(dir)?;
            let lock = File::create(dir.join("lock"))?;
            rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
            Ok(lock)
        };
        let lock = open().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => unusable(dir, "another emulator runs in it"),
            _ => unusable(dir, error),
        })?;
        Ok(Self { cluster: dir.join("cluster.json"), _lock: lock, written: 0 })
    }

    pub(crate) fn has_cluster(&self) -> bool {
        self.cluster.exists()
    }
}

/// All but the trees.
#[derive(Serialize, Deserialize)]
struct SavedCluster {
    form: u32,
    clock_offset_ms: i64,
    preset: Preset,
    release: Release,
    switches: Switches,
    cluster_overrides: Map<String, Value>,
    cluster_settings: Map<String, Value>,
    machines: Machines,
    licence: Licence,
    mount_defaults: MountDefaults,
    muted_alerts: std::collections::BTreeMap<String, Millis>,
    events: Events,
    banner: Banner,
    ca_certificate: Option<String>,
    organizations: Vec<Organization>,
    users: Vec<User>,
    tokens: Tokens,
    groups: Vec<Group>,
    filesystems: Vec<SavedFilesystem>,
    snapshots: Vec<Snapshot>,
    snapshot_policies: Vec<SnapshotPolicy>,
    policies: Vec<SecurityPolicy>,
    joins: Joins,
    user_quotas: Vec<UserQuota>,
    tasks: Vec<Task>,
    task_cpu_percent: u64,
    s3: S3,
    serials: std::collections::BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
struct SavedFilesystem {
    serial: u64,
    uid: Uid,
    name: String,
    org_id: u64,
    group: Uid,
    total_budget: u64,
    ssd_budget: u64,
    thin: Option<(u64, u64)>,
    auth_required: bool,
    encrypted: bool,
    audit: bool,
    data_reduction: bool,
    policies: Vec<Uid>,
    life: Life,
}

impl SavedFilesystem {
    fn of(filesystem: &Filesystem) -> Self {
        let from = filesystem.clone();
        Self {
            serial: from.serial,
            uid: from.uid,
            name: from.name,
            org_id: from.org_id,
            group: from.group,
            total_budget: from.total_budget,
            ssd_budget: from.ssd_budget,
            thin: from.thin,
            auth_required: from.auth_required,
            encrypted: from.encrypted,
            audit: from.audit,
            data_reduction: from.data_reduction,
            policies: from.policies,
            life: from.life,
        }
    }

    fn with(self, volume: Volume) -> Filesystem {
        Filesystem {
            serial: self.serial,
            uid: self.uid,
            name: self.name,
            org_id: self.org_id,
            group: self.group,
            total_budget: self.total_budget,
            ssd_budget: self.ssd_budget,
            thin: self.thin,
            auth_required: self.auth_required,
            encrypted: self.encrypted,
            audit: self.audit,
            data_reduction: self.data_reduction,
            policies: self.policies,
            life: self.life,
            volume: Arc::new(volume),
        }
    }
}

impl State {
    fn saved(&self) -> SavedCluster {
        SavedCluster {
            form: FORM,
            clock_offset_ms: self.clock.offset(),
            preset: self.preset,
            release: self.release.clone(),
            switches: self.switches.clone(),
            cluster_overrides: self.cluster_overrides.clone(),
            cluster_settings: self.cluster_settings.clone(),
            machines: self.machines.clone(),
            licence: self.licence.clone(),
            mount_defaults: self.mount_defaults.clone(),
            muted_alerts: self.muted_alerts.clone(),
            events: self.events.clone(),
            banner: self.banner.clone(),
            ca_certificate: self.ca_certificate.clone(),
            organizations: self.organizations.clone(),
            users: self.users.clone(),
            tokens: self.tokens.clone(),
            groups: self.groups.clone(),
            filesystems: self.filesystems.iter().map(SavedFilesystem::of).collect(),
            snapshots: self.snapshots.clone(),
            snapshot_policies: self.snapshot_policies.clone(),
            policies: self.policies.clone(),
            joins: self.joins.clone(),
            user_quotas: self.user_quotas.clone(),
            tasks: self.tasks.clone(),
            task_cpu_percent: self.task_cpu_percent,
            s3: self.s3.clone(),
            serials: self.serials.clone(),
        }
    }

    /// Writes what changed, if this cluster is kept. Trees come first: a filesystem that the cluster names has one.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        if self.keep.is_none() {
            return Ok(());
        }
        for filesystem in &self.filesystems {
            filesystem.volume.save()?;
        }
        let bytes = serde_json::to_vec(&self.saved()).map_err(io::Error::other)?;
        let Some(keep) = &mut self.keep else { return Ok(()) };
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let hash = hasher.finish();
        if hash != keep.written {
            replace(&keep.cluster, &bytes)?;
            keep.written = hash;
        }
        Ok(())
    }

    /// The cluster that is kept, with another release if one is asked for.
    pub(crate) fn restore(
        keep: Keep,
        release: Option<Release>,
        clock: &Clock,
        tree_dir: PathBuf,
    ) -> Result<Self, StartError> {
        let path = keep.cluster.clone();
        let text = std::fs::read(&path).map_err(|error| unusable(&path, error))?;
        let saved: SavedCluster = serde_json::from_slice(&text).map_err(|error| unusable(&path, error))?;
        if saved.form != FORM {
            return Err(unusable(&path, format!("it has form {}, this emulator reads {FORM}", saved.form)));
        }
        clock.advance(saved.clock_offset_ms);
        let release = release.unwrap_or(saved.release);
        let mut state = Self::empty(clock.clone(), saved.preset, release, tree_dir);
        state.keep = Some(keep);
        state.switches = saved.switches;
        state.cluster_overrides = saved.cluster_overrides;
        state.cluster_settings = saved.cluster_settings;
        state.machines = saved.machines;
        state.licence = saved.licence;
        state.mount_defaults = saved.mount_defaults;
        state.muted_alerts = saved.muted_alerts;
        state.events = saved.events;
        state.banner = saved.banner;
        state.ca_certificate = saved.ca_certificate;
        state.organizations = saved.organizations;
        state.users = saved.users;
        state.tokens = saved.tokens;
        state.groups = saved.groups;
        state.snapshots = saved.snapshots;
        state.snapshot_policies = saved.snapshot_policies;
        state.policies = saved.policies;
        state.joins = saved.joins;
        state.user_quotas = saved.user_quotas;
        state.tasks = saved.tasks;
        state.task_cpu_percent = saved.task_cpu_percent;
        state.s3 = saved.s3;
        state.serials = saved.serials;
        for filesystem in saved.filesystems {
            let (tree, blocks) = (state.tree_of(filesystem.uid), state.blocks_of(filesystem.uid));
            // A filesystem goes before the cluster that names it is written again.
            if !tree.exists() {
                continue;
            }
            let volume = Volume::restore(tree.clone(), &blocks, state.tree_rules(), clock.clone());
            state.filesystems.push(filesystem.with(volume.map_err(|error| unusable(&tree, error))?));
        }
        Ok(state)
    }
}
