//! The clusters that the emulator can be.
//!
//! `live-4.4.22` is the state that was observed on a real cluster on 2026-04-28: WEKA 4.4.22, cluster `wekacb2`, five
//! filesystems ready, S3 readable but without containers, audit webhook disabled, one user `admin` with the role
//! `ClusterAdmin` in `Root`. `s3-ready` is the same with two S3 containers and S3 configured as planned: data on
//! `s3-data`, configuration on `s3-config`, port 9000, anonymous ids 65534, no domains. Capacities and the number of
//! backends were not recorded; those here are made up.

use std::path::PathBuf;

use crate::uid::Uid;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::containers::{Backend, Machines};
use crate::filesystems::Asks;
use crate::groups::Group;
use crate::keep::Keep;
use crate::organizations::{Organization, ROOT};
use crate::release::Release;
use crate::s3::{S3, Service};
use crate::state::State;
use crate::switches::Switches;
use crate::users::{Role, User};

/// A cluster to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preset {
    /// As observed: no S3 containers.
    #[default]
    #[serde(rename = "live-4.4.22")]
    Live,
    /// As observed, with S3 configured.
    #[serde(rename = "s3-ready")]
    S3Ready,
}

/// A preset that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("preset {0:?} does not exist; there are live-4.4.22 and s3-ready")]
pub struct UnknownPreset(String);

impl std::str::FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "live-4.4.22" => Ok(Self::Live),
            "s3-ready" => Ok(Self::S3Ready),
            other => Err(UnknownPreset(other.to_owned())),
        }
    }
}

/// Backends of the preset cluster.
const BACKENDS: u64 = 7;

/// Filesystems of the observed cluster, with made-up capacities in GB.
const FILESYSTEMS: [(&str, u64); 5] =
    [("default", 100), ("gpuaas-fs", 500), ("gpuaas-kind-fs", 300), ("s3-data", 200), ("s3-config", 100)];

impl State {
    /// A cluster as the preset says, its admin's password given.
    pub(crate) fn preset(
        preset: Preset,
        release: Release,
        switches: Switches,
        password: &str,
        clock: Clock,
        tree_dir: PathBuf,
        keep: Option<Keep>,
    ) -> Result<Self, String> {
        let mut state = Self::empty(clock, preset, release, tree_dir);
        state.keep = keep;
        state.switches = switches;
        state.tokens.set_refresh_secs(state.switches.refresh_token_secs);
        state.machines = Machines {
            cluster_name: "wekacb2".to_owned(),
            guid: Uid::from_number(0x9724_f5ec_a68c_437d_8411_03c8_425c_06b8),
            backends: (0..BACKENDS).map(|host| Backend::new(host, state.now())).collect(),
            started: state.now(),
        };
        let root = state.serial("organization");
        state.organizations.push(Organization::new(root, "Root"));
        state.users.push(User {
            uid: Uid::fresh(),
            org_id: ROOT,
            username: "admin".to_owned(),
            password: password.to_owned(),
            role: Role::ClusterAdmin,
            posix_uid: 0,
            posix_gid: 0,
        });
        let group = Group::new(state.serial("group"), "default");
        let group_uid = group.uid;
        state.groups.push(group);
        for (name, gigabytes) in FILESYSTEMS {
            let bytes = gigabytes * 1_000_000_000 / 4096 * 4096;
            let asks = Asks {
                name: name.to_owned(),
                org_id: ROOT,
                group: group_uid,
                total_budget: bytes,
                ssd_budget: bytes,
                thin: None,
                auth_required: false,
                encrypted: false,
                audit: false,
                data_reduction: false,
            };
            state.add_filesystem(asks, 0).map_err(|refusal| refusal.body.to_string())?;
        }
        state.become_preset(preset);
        Ok(state)
    }

    /// Gives S3 the first so many backends to run on.
    pub(crate) fn set_s3_containers(&mut self, count: usize) {
        let hosts = self.machines.backends.iter().take(count);
        self.s3.containers = hosts.map(|backend| (backend.host, backend.uid)).collect();
    }

    /// Moves to another preset at run time: S3 appears, or disappears with its buckets, policies and keys; everything
    /// else stays.
    pub(crate) fn become_preset(&mut self, preset: Preset) {
        self.preset = preset;
        match preset {
            Preset::Live => {
                self.s3 = S3::default();
            }
            Preset::S3Ready => {
                self.set_s3_containers(2);
                self.s3.service = Some(Service {
                    filesystem: "s3-data".to_owned(),
                    config_filesystem: "s3-config".to_owned(),
                    ..Service::default()
                });
            }
        }
    }
}
