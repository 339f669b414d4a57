//! Rows of the API that the adapter reads: the fields that it uses, and what they mean.

use serde::Deserialize;
use serde_json::Value;

use super::number;

/// `GET /cluster`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) guid: String,
    pub(crate) release: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) io_status: String,
    #[serde(default)]
    pub(crate) capacity: Capacity,
    #[serde(default)]
    pub(crate) net: Net,
}

impl Cluster {
    /// Major and minor number of the release; 0 for what cannot be read.
    pub(crate) fn version(&self) -> (u32, u32) {
        let mut numbers = self.release.split('.').map(|part| part.parse().unwrap_or_default());
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    }
}

/// Bytes of the cluster; `unprovisioned_bytes` is what a new filesystem can still take.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Capacity {
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) total_bytes: u64,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) unprovisioned_bytes: u64,
}

/// The fabric.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Net {
    #[serde(default)]
    pub(crate) link_layer: String,
}

/// `GET /users/whoami`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Whoami {
    #[serde(default)]
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) org_name: String,
}

/// A row of `GET /users`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct User {
    #[serde(default)]
    pub(crate) role: String,
}

/// A row of `GET /organizations`. A quota of 0 is no limit; `Root` has id 0.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Organization {
    pub(crate) uid: String,
    pub(crate) name: String,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) total_quota: u64,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) total_allocated: u64,
}

/// A row of `GET /snapshots`, whose fields are in camel case unlike all others.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    pub(crate) uid: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) filesystem_uid: String,
    #[serde(default)]
    pub(crate) access_point: String,
    #[serde(default)]
    pub(crate) creation_time: String,
    #[serde(default)]
    pub(crate) is_writable: bool,
    #[serde(default)]
    pub(crate) is_removing: bool,
}

/// A row of `GET /security/policies`, or of those attached to a filesystem, which tell name and uid only.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SecurityPolicy {
    pub(crate) uid: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) ips: Vec<String>,
    #[serde(default)]
    pub(crate) read_only: bool,
}

/// `GET /security/defaultTokensExpiry`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TokensExpiry {
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) access_token_expiry: u64,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) refresh_token_expiry: u64,
}

/// A row of `GET /fileSystems`. The capacity that was asked for comes back as `total_budget`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Filesystem {
    pub(crate) uid: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) is_ready: bool,
    #[serde(default)]
    pub(crate) is_creating: bool,
    #[serde(default)]
    pub(crate) is_removing: bool,
    #[serde(default)]
    pub(crate) is_encrypted: bool,
    #[serde(default)]
    pub(crate) auth_required: bool,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) total_budget: u64,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) used_total: u64,
    #[serde(default)]
    pub(crate) is_thinly_provisioned: bool,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) thin_provisioning_min_ssd: u64,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) thin_provisioning_max_ssd: u64,
    /// No document names the field of the answer; both readings are taken.
    #[serde(default, alias = "audit_enabled")]
    pub(crate) audit: Option<bool>,
}

/// What a filesystem is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FilesystemPhase {
    Creating,
    Ready,
    Removing,
    Unknown,
}

impl Filesystem {
    pub(crate) fn phase(&self) -> FilesystemPhase {
        match (self.status.as_str(), self.is_removing, self.is_creating, self.is_ready) {
            ("REMOVING", ..) | (_, true, ..) => FilesystemPhase::Removing,
            ("CREATING", ..) | (_, _, true, _) => FilesystemPhase::Creating,
            ("READY", ..) | (_, _, _, true) => FilesystemPhase::Ready,
            _ => FilesystemPhase::Unknown,
        }
    }
}

/// A directory quota, as a list shows it (`total_bytes`, `owner`, `path`) or as one GET does (`used_bytes` and no owner).
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Quota {
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) inode_id: u64,
    #[serde(default)]
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) full_path: Option<String>,
    #[serde(default, deserialize_with = "number::optional")]
    pub(crate) used_bytes: Option<u64>,
    #[serde(default, deserialize_with = "number::optional")]
    pub(crate) total_bytes: Option<u64>,
    #[serde(default, deserialize_with = "number::optional")]
    pub(crate) data_blocks: Option<u64>,
    #[serde(default, deserialize_with = "number::optional")]
    pub(crate) metadata_blocks: Option<u64>,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) hard_limit_bytes: u64,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) soft_limit_bytes: u64,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) grace_seconds: u64,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) time_over_soft_limit: u64,
    #[serde(default)]
    pub(crate) owner: Option<String>,
    #[serde(default)]
    pub(crate) status: String,
}

/// Bytes of one block in `data_blocks` and `metadata_blocks`.
const BLOCK: u64 = 4096;

impl Quota {
    /// Bytes used: one GET calls them `used_bytes`, a list `total_bytes`, and some releases only count blocks.
    pub(crate) fn used(&self) -> u64 {
        let blocks = || self.data_blocks.unwrap_or_default().saturating_add(self.metadata_blocks.unwrap_or_default());
        self.used_bytes.or(self.total_bytes).unwrap_or_else(|| blocks().saturating_mul(BLOCK))
    }

    /// Path from the filesystem's root, beginning with a slash.
    pub(crate) fn path(&self) -> Option<String> {
        let path = match (self.path.as_deref(), self.full_path.as_deref()) {
            (Some(path), _) if !path.is_empty() => path,
            (_, Some(full)) => full.split_once(':').map_or(full, |(_, path)| path),
            _ => return None,
        };
        let path = path.trim_end_matches('/');
        Some(if path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
    }

    pub(crate) fn owner(&self) -> Option<&str> {
        self.owner.as_deref().filter(|owner| !owner.is_empty())
    }
}

/// `GET /fileSystems/{uid}/resolvePath`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Resolved {
    #[serde(default, deserialize_with = "number::optional")]
    pub(crate) inode_id: Option<u64>,
}

/// A row of `GET /containers`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Container {
    #[serde(default)]
    pub(crate) uid: String,
    #[serde(default)]
    pub(crate) hostname: String,
    #[serde(default)]
    pub(crate) mode: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) ips: Vec<String>,
    #[serde(default)]
    pub(crate) container_ip: Option<String>,
    #[serde(default)]
    pub(crate) sw_version: String,
}

/// A row of `GET /processes`. A data-services container is known only by the role of its processes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Process {
    #[serde(default)]
    pub(crate) roles: Vec<String>,
}

/// A row of `GET /tasks`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Task {
    #[serde(default)]
    pub(crate) state: String,
}

/// `GET /fileSystems/{uid}/mountToken`; the token itself is taken out by the host.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MountToken {
    #[serde(default)]
    pub(crate) filesystem_name: Option<String>,
}

/// `GET /s3`. One source shows the hosts as a list, another as a count; the port is a string or a number.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct S3Cluster {
    #[serde(default)]
    pub(crate) active: bool,
    #[serde(default)]
    s3_hosts: Value,
    #[serde(default, deserialize_with = "number::optional")]
    pub(crate) port: Option<u64>,
    #[serde(default)]
    pub(crate) filesystem_name: Option<String>,
    #[serde(default)]
    pub(crate) config_fs_name: Option<String>,
    #[serde(default, alias = "tls")]
    pub(crate) tls_enabled: Option<bool>,
    #[serde(default, deserialize_with = "number::optional")]
    pub(crate) anonymous_posix_uid: Option<u64>,
    #[serde(default, deserialize_with = "number::optional")]
    pub(crate) anonymous_posix_gid: Option<u64>,
    #[serde(default)]
    pub(crate) domain: Option<String>,
}

impl S3Cluster {
    /// Whether it serves: switched on, on at least one container.
    pub(crate) fn serves(&self) -> bool {
        self.active && self.hosts() > 0
    }

    /// How many containers serve S3.
    pub(crate) fn hosts(&self) -> u64 {
        match &self.s3_hosts {
            Value::Array(hosts) => hosts.len() as u64,
            Value::Number(count) => count.as_u64().unwrap_or_default(),
            Value::String(text) => text.parse().unwrap_or_default(),
            _ => 0,
        }
    }
}

/// `GET /s3/auditWebhook`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AuditWebhook {
    #[serde(default)]
    pub(crate) endpoint: String,
    #[serde(default)]
    pub(crate) enabled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(text: &str) -> Quota {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn used_bytes_win_over_total_bytes_and_blocks() {
        assert_eq!(quota(r#"{"used_bytes":4096,"total_bytes":1}"#).used(), 4096);
        assert_eq!(quota(r#"{"total_bytes":8192,"data_blocks":9}"#).used(), 8192);
        assert_eq!(quota(r#"{"data_blocks":1,"metadata_blocks":2}"#).used(), 3 * 4096);
    }

    #[test]
    fn a_path_is_read_from_either_field() {
        assert_eq!(quota(r#"{"path":"/a/b","full_path":"fs:/x"}"#).path().unwrap(), "/a/b");
        assert_eq!(quota(r#"{"full_path":"fs:/a/b/"}"#).path().unwrap(), "/a/b");
        assert_eq!(quota("{}").path(), None);
    }

    #[test]
    fn s3_hosts_are_a_list_or_a_count() {
        for (text, hosts) in [
            (r#"{"s3_hosts":["HostId<3>"],"port":"9000"}"#, 1),
            (r#"{"s3_hosts":0,"port":9000}"#, 0),
            (r#"{"s3_hosts":[],"port":"9000"}"#, 0),
        ] {
            let s3: S3Cluster = serde_json::from_str(text).unwrap();
            assert_eq!((s3.hosts(), s3.port), (hosts, Some(9000)));
        }
    }
}
