//! All that the emulated cluster knows, behind one lock.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use crate::uid::Uid;
use serde_json::{Map, Value};

use crate::attachments::Joins;
use crate::auth::Tokens;
use crate::clock::{Clock, Millis};
use crate::containers::Machines;
use crate::events::Events;
use crate::faults::Faults;
use crate::filesystems::Filesystem;
use crate::groups::Group;
use crate::keep::Keep;
use crate::licence::Licence;
use crate::login_page::Banner;
use crate::mount_defaults::MountDefaults;
use crate::mounts::Mounts;
use crate::organizations::Organization;
use crate::presets::Preset;
use crate::release::Release;
use crate::requests::RequestLog;
use crate::s3::S3;
use crate::security::SecurityPolicy;
use crate::snapshot_policies::SnapshotPolicy;
use crate::snapshots::Snapshot;
use crate::switches::Switches;
use crate::tasks::Task;
use crate::tree::blocks::BlockFile;
use crate::tree::volume::{Rules, Volume};
use crate::user_quotas::UserQuota;
use crate::users::User;

/// The cluster.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) preset: Preset,
    pub(crate) release: Release,
    pub(crate) switches: Switches,
    pub(crate) faults: Faults,
    pub(crate) requests: RequestLog,
    /// Fields of `GET /cluster` that the admin port has overridden.
    pub(crate) cluster_overrides: Map<String, Value>,
    /// Fields of `GET /cluster` that `PUT /cluster` has set.
    pub(crate) cluster_settings: Map<String, Value>,
    pub(crate) machines: Machines,
    pub(crate) licence: Licence,
    pub(crate) mount_defaults: MountDefaults,
    /// Until when a kind of alert is muted.
    pub(crate) muted_alerts: BTreeMap<String, Millis>,
    pub(crate) events: Events,
    pub(crate) banner: Banner,
    /// The certificate of a private authority, as PEM.
    pub(crate) ca_certificate: Option<String>,
    pub(crate) organizations: Vec<Organization>,
    pub(crate) users: Vec<User>,
    pub(crate) tokens: Tokens,
    pub(crate) groups: Vec<Group>,
    pub(crate) filesystems: Vec<Filesystem>,
    /// What lists show while a stale-list fault stands, by organization.
    pub(crate) stale_filesystems: HashMap<u64, Value>,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) snapshot_policies: Vec<SnapshotPolicy>,
    pub(crate) policies: Vec<SecurityPolicy>,
    /// Security policies of what joins the cluster.
    pub(crate) joins: Joins,
    pub(crate) user_quotas: Vec<UserQuota>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) task_cpu_percent: u64,
    pub(crate) s3: S3,
    pub(crate) mounts: Mounts,
    /// Where the block files lie.
    pub(crate) tree_dir: PathBuf,
    pub(crate) serials: BTreeMap<String, u64>,
    /// Where all of this is kept over a restart, if it is.
    pub(crate) keep: Option<Keep>,
}

impl State {
    /// A cluster with nothing in it; a preset fills it.
    pub(crate) fn empty(clock: Clock, preset: Preset, release: Release, tree_dir: PathBuf) -> Self {
        Self {
            clock,
            preset,
            release,
            switches: Switches::default(),
            faults: Faults::default(),
            requests: RequestLog::default(),
            cluster_overrides: Map::new(),
            cluster_settings: Map::new(),
            machines: Machines::default(),
            licence: Licence::default(),
            mount_defaults: MountDefaults::default(),
            muted_alerts: BTreeMap::new(),
            events: Events::default(),
            banner: Banner::default(),
            ca_certificate: None,
            organizations: Vec::new(),
            users: Vec::new(),
            tokens: Tokens::default(),
            groups: Vec::new(),
            filesystems: Vec::new(),
            stale_filesystems: HashMap::new(),
            snapshots: Vec::new(),
            snapshot_policies: Vec::new(),
            policies: Vec::new(),
            joins: Joins::default(),
            user_quotas: Vec::new(),
            tasks: Vec::new(),
            task_cpu_percent: 5,
            s3: S3::default(),
            mounts: Mounts::default(),
            tree_dir,
            serials: BTreeMap::new(),
            keep: None,
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The next number of a series, from 0: the `2` in `FSId<2>`.
    pub(crate) fn serial(&mut self, series: &'static str) -> u64 {
        let next = self.serials.entry(series.to_owned()).or_insert(0);
        let serial = *next;
        *next = next.saturating_add(1);
        serial
    }

    /// The switches that trees obey.
    pub(crate) fn tree_rules(&self) -> Rules {
        Rules {
            file_metadata_blocks: self.switches.file_metadata_blocks,
            zero_grace_is_advisory: self.switches.zero_grace_is_advisory,
            big_inodes: self.switches.big_inodes,
        }
    }

    /// Where the bytes of a filesystem lie.
    pub(crate) fn blocks_of(&self, uid: Uid) -> PathBuf {
        self.tree_dir.join(format!("{uid}.blocks"))
    }

    /// Where the rest of its tree is kept.
    pub(crate) fn tree_of(&self, uid: Uid) -> PathBuf {
        self.tree_dir.join(format!("{uid}.tree"))
    }

    /// Makes the empty tree of a new filesystem.
    pub(crate) fn new_volume(&self, serial: u64, uid: Uid, budget: u64) -> std::io::Result<Arc<Volume>> {
        let kept = self.keep.is_some();
        let store = BlockFile::create(&self.blocks_of(uid), kept)?;
        let volume = Volume::new(serial, budget, self.tree_rules(), self.clock.clone(), store);
        Ok(Arc::new(if kept { volume.kept_at(self.tree_of(uid)) } else { volume }))
    }

    /// Lets what was due happen: removals end, tasks finish.
    pub(crate) fn settle(&mut self) {
        let now = self.now();
        let gone: Vec<Uid> = self
            .filesystems
            .iter()
            .filter(|filesystem| filesystem.is_gone(now))
            .map(|filesystem| filesystem.uid)
            .collect();
        for uid in gone {
            self.forget_filesystem(uid);
        }
        let thawed: Vec<Uid> =
            self.snapshots.iter().filter(|snapshot| snapshot.is_gone(now)).map(|snapshot| snapshot.uid).collect();
        for uid in thawed {
            self.forget_snapshot(uid);
        }
        self.tasks.retain(|task| !task.is_done(now));
        self.expire_objects();
        self.note_s3_status();
    }

    /// Removes a filesystem with its snapshots, mounts and bytes.
    pub(crate) fn forget_filesystem(&mut self, uid: Uid) {
        self.filesystems.retain(|filesystem| filesystem.uid != uid);
        self.snapshots.retain(|snapshot| snapshot.filesystem != uid);
        self.user_quotas.retain(|quota| quota.filesystem != uid);
        self.s3.buckets.retain(|_, bucket| bucket.filesystem != uid);
        self.mounts.drop_filesystem(uid);
        self.tokens.drop_mount_tokens_of(uid);
        for file in [self.blocks_of(uid), self.tree_of(uid)] {
            std::fs::remove_file(file).ok();
        }
    }
}
