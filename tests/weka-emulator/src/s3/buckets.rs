//! Buckets: a name over a directory of a filesystem.
//!
//! The same code serves `POST /s3/buckets` and the S3 protocol's CreateBucket. A bucket without a path is made as
//! `/<name>` in the service's filesystem; with `existing_path` it stands over a directory that is there, whatever it
//! holds. Its hard quota is the directory's quota, so a writer through POSIX is stopped by it too. Deleting takes the
//! directory along and therefore wants it empty; unlinking leaves the directory with its data and quota.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::envelope::Refusal;
use crate::filesystems::Filesystem;
use crate::organizations::ROOT;
use crate::s3::documents::Document;
use crate::state::State;
use crate::tasks::TaskKind;
use crate::tree::accounting::{BLOCK, Quota, round_up};
use crate::tree::node::{Ino, Kind, Maker};
use crate::tree::volume::{Tree, Volume};
use crate::uid::Uid;

/// Buckets that a cluster can hold (documented).
const MOST_BUCKETS: usize = 10_000;

/// A bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) filesystem: Uid,
    /// Absolute in the filesystem.
    pub(crate) path: String,
    /// The S3 user that made it over the protocol; `None`: made over REST.
    pub(crate) creator: Option<Uid>,
    pub(crate) created: Millis,
    /// For anonymous callers; `None`: they may do nothing.
    pub(crate) policy: Option<Document>,
    /// By id.
    pub(crate) lifecycle: BTreeMap<String, LifecycleRule>,
    /// As the protocol's bucket tagging set them.
    pub(crate) tags: BTreeMap<String, String>,
}

/// Objects with this prefix and these tags go after so many days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LifecycleRule {
    pub(crate) expiry_days: u64,
    pub(crate) prefix: String,
    /// As given: `name=video1&compression=mpeg`.
    pub(crate) tags: String,
    pub(crate) enabled: bool,
}

/// A bucket to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewBucket {
    pub(crate) name: String,
    /// Default: the service's.
    pub(crate) filesystem: Option<Uid>,
    pub(crate) existing_path: Option<String>,
    pub(crate) creator: Option<Uid>,
    pub(crate) hard_quota: Option<u64>,
    pub(crate) policy: Option<Document>,
}

/// Why a bucket was not made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BucketRefused {
    #[error("Invalid bucket name {0:?}: 3 to 63 of [a-z0-9.-], a letter or digit at both ends, no IP address")]
    Name(String),
    #[error("Bucket {0} already exists")]
    Exists(String),
    #[error("Bucket {0} does not exist")]
    Unknown(String),
    #[error("The cluster has {MOST_BUCKETS} buckets, which is the limit")]
    TooMany,
    #[error("Filesystem does not exist or is not ready")]
    NoFilesystem,
    #[error("PATH_NOT_FOUND: {0} is no directory of the filesystem")]
    NoPath(String),
    #[error("Path {0} already exists; name it as existing_path")]
    PathTaken(String),
    #[error("Path {path} is already used by bucket {bucket}")]
    PathUsed { path: String, bucket: String },
    #[error("Bucket {0} is not empty")]
    NotEmpty(String),
    #[error("Quota can be set only on an empty bucket: a Data Services container is required")]
    QuotaOnData,
    #[error("The tree refused: {0}")]
    Tree(#[from] Errno),
    /// What another part of the API answers.
    #[error("{}", .0.body)]
    Other(Refusal),
}

impl From<Refusal> for BucketRefused {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal)
    }
}

/// As documented: 3 to 63 characters, and not written like an IPv4 address.
pub(crate) fn is_bucket_name(name: &str) -> bool {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'.';
    let edge = |c: Option<&u8>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|c| fits(*c))
        && edge(bytes.first())
        && edge(bytes.last())
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

/// A quota limit of a directory as `GET /s3/buckets` shows it, and what is used beneath.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BucketSpace {
    pub(crate) hard_limit: u64,
    pub(crate) used: u64,
}

impl State {
    fn s3_filesystem(&self, uid: Option<Uid>) -> Result<&Filesystem, BucketRefused> {
        let wanted = self.s3.service.as_ref().map_or("", |service| service.filesystem.as_str());
        let found = self.filesystems.iter().find(|filesystem| {
            filesystem.org_id == ROOT && uid.map_or(filesystem.name == wanted, |uid| filesystem.uid == uid)
        });
        found.filter(|found| found.is_ready(self.now())).ok_or(BucketRefused::NoFilesystem)
    }

    /// Makes a bucket that may be made.
    pub(crate) fn add_bucket(&mut self, new: NewBucket) -> Result<Bucket, BucketRefused> {
        let NewBucket { name, filesystem, existing_path, creator, hard_quota, policy } = new;
        if !is_bucket_name(&name) {
            return Err(BucketRefused::Name(name));
        }
        if self.s3.buckets.contains_key(&name) {
            return Err(BucketRefused::Exists(name));
        }
        if self.s3.buckets.len() >= MOST_BUCKETS {
            return Err(BucketRefused::TooMany);
        }
        let filesystem = self.s3_filesystem(filesystem)?;
        let (uid, volume) = (filesystem.uid, Arc::clone(&filesystem.volume));
        let owner = creator.and_then(|creator| self.users.iter().find(|user| user.uid == creator));
        let maker = owner.map_or(Maker::ROOT, |user| Maker {
            uid: u32::try_from(user.posix_uid).unwrap_or(u32::MAX),
            gid: u32::try_from(user.posix_gid).unwrap_or(u32::MAX),
            perm: 0o755,
        });
        let (path, made) = match existing_path {
            Some(path) => (self.adopt_path(uid, &volume, &path)?, false),
            None => (make_path(&volume, &name, maker)?, true),
        };
        let now = self.now();
        let bucket = Bucket {
            name: name.clone(),
            filesystem: uid,
            path: path.clone(),
            creator,
            created: now,
            policy,
            lifecycle: BTreeMap::new(),
            tags: BTreeMap::new(),
        };
        self.s3.buckets.insert(name.clone(), bucket.clone());
        if let Some(bytes) = hard_quota.filter(|bytes| *bytes > 0)
            && let Err(refused) = self.set_bucket_quota(&name, bytes)
        {
            self.s3.buckets.remove(&name);
            if made {
                volume.lock().remove_path(&path)?;
            }
            return Err(refused);
        }
        Ok(bucket)
    }

    /// A directory that is there and that no other bucket stands over, its path tidied.
    fn adopt_path(&self, filesystem: Uid, volume: &Volume, path: &str) -> Result<String, BucketRefused> {
        let tree = volume.lock();
        let dir = tree.resolve(path).ok().filter(|ino| is_live_dir(&tree, *ino));
        let Some(dir) = dir.filter(|dir| *dir != tree.root) else {
            return Err(BucketRefused::NoPath(path.to_owned()));
        };
        let path = crate::paths::text_of(&tree.path_of(dir));
        let other = self.s3.buckets.values().find(|other| other.filesystem == filesystem && other.path == path);
        match other {
            Some(other) => Err(BucketRefused::PathUsed { path, bucket: other.name.clone() }),
            None => Ok(path),
        }
    }

    /// The tree and the directory of a bucket; `None` if either is gone.
    pub(crate) fn bucket_dir(&self, bucket: &Bucket) -> Option<(Arc<Volume>, Ino)> {
        let filesystem = self.filesystems.iter().find(|filesystem| filesystem.uid == bucket.filesystem)?;
        let volume = Arc::clone(&filesystem.volume);
        let dir = {
            let tree = volume.lock();
            tree.resolve(&bucket.path).ok().filter(|ino| is_live_dir(&tree, *ino))
        };
        Some((volume, dir?))
    }

    fn dir_of_bucket(&self, name: &str) -> Result<(Arc<Volume>, Ino), BucketRefused> {
        let bucket = self.s3.bucket(name).ok_or_else(|| BucketRefused::Unknown(name.to_owned()))?;
        self.bucket_dir(bucket).ok_or_else(|| BucketRefused::NoPath(bucket.path.clone()))
    }

    /// Removes a bucket; its directory too unless it is only unlinked.
    pub(crate) fn remove_bucket(&mut self, name: &str, unlink: bool) -> Result<(), BucketRefused> {
        let bucket = self.s3.bucket(name).ok_or_else(|| BucketRefused::Unknown(name.to_owned()))?;
        if !unlink && let Some((volume, dir)) = self.bucket_dir(bucket) {
            let mut tree = volume.lock();
            let (parent, own_name) = tree.node(dir)?.links.first().cloned().ok_or(Errno::BUSY)?;
            match tree.rmdir(parent, &own_name) {
                Err(Errno::NOTEMPTY) => return Err(BucketRefused::NotEmpty(name.to_owned())),
                other => other?,
            }
        }
        self.s3.buckets.remove(name);
        Ok(())
    }

    /// Limit and usage of a bucket's directory.
    pub(crate) fn bucket_space(&self, bucket: &Bucket) -> BucketSpace {
        let Some((volume, dir)) = self.bucket_dir(bucket) else { return BucketSpace::default() };
        let tree = volume.lock();
        BucketSpace {
            hard_limit: tree.quotas.get(&dir).map_or(0, |quota| quota.hard),
            used: tree.nodes.get(&dir).map_or(0, |node| node.subtree),
        }
    }

    /// Sets the hard limit of a bucket's directory, for all protocols. The first one wants an empty directory.
    pub(crate) fn set_bucket_quota(&mut self, name: &str, bytes: u64) -> Result<(), BucketRefused> {
        let (volume, dir) = self.dir_of_bucket(name)?;
        let mut tree = volume.lock();
        let hard = round_up(bytes);
        if let Some(quota) = tree.quotas.get_mut(&dir) {
            quota.hard = hard;
        } else {
            let empty = tree.nodes.get(&dir).is_none_or(|node| node.subtree <= BLOCK);
            if !empty && !self.switches.data_services {
                return Err(BucketRefused::QuotaOnData);
            }
            let most = self.switches.quota_nesting;
            if u64::try_from(tree.nesting_with(dir)).unwrap_or(u64::MAX) > most {
                return Err(Refusal::message(400, &format!("Quotas may nest {most} levels deep")).into());
            }
            let delay = if empty { 0 } else { self.switches.quota_coloring_ms };
            self.start_task(ROOT, TaskKind::QuotaColoring, delay, &format!("Coloring quota of bucket {name}"))?;
            let active_at = Some(self.now().saturating_add(delay));
            tree.quotas.insert(
                dir,
                Quota {
                    hard,
                    soft: 0,
                    grace_secs: 0,
                    owner: String::new(),
                    active_at,
                    failed: false,
                    over_soft_since: None,
                },
            );
        }
        tree.charge(dir, 0);
        Ok(())
    }

    /// Takes the quota from a bucket's directory.
    pub(crate) fn clear_bucket_quota(&mut self, name: &str) -> Result<(), BucketRefused> {
        let (volume, dir) = self.dir_of_bucket(name)?;
        volume.lock().quotas.remove(&dir);
        Ok(())
    }
}

fn is_live_dir(tree: &Tree, ino: Ino) -> bool {
    ino != tree.snapshot_dir && tree.node(ino).is_ok_and(|node| node.is_dir() && node.snapshot.is_none())
}

fn make_path(volume: &Volume, name: &str, maker: Maker) -> Result<String, BucketRefused> {
    let mut tree = volume.lock();
    let root = tree.root;
    match tree.make(root, OsStr::new(name), Kind::Dir(BTreeMap::new()), maker) {
        Err(Errno::EXIST) => Err(BucketRefused::PathTaken(format!("/{name}"))),
        other => Ok(other.map(|_| format!("/{name}"))?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_the_documented_rule() {
        for good in ["abc", "a-b", "a.b", "1ab", &"a".repeat(63), "10.0.0.a"] {
            assert!(is_bucket_name(good), "{good}");
        }
        for bad in ["ab", "-ab", "ab-", "Abc", "a_b", "a/b", &"a".repeat(64), "10.0.0.1", "", ".ab"] {
            assert!(!is_bucket_name(bad), "{bad}");
        }
    }
}
