//! One inode: what it is, who owns it, where it is linked, and what it costs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::blocks::Content;

/// An inode number as the REST API shows it; may be above 2^53 and above 2^63.
pub(crate) type Ino = u64;

/// What an inode holds.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Names and what they lead to.
    Dir(BTreeMap<OsString, Ino>),
    /// Bytes.
    File(Content),
    /// A target.
    Symlink(PathBuf),
    /// A fifo, socket or device: the file type bits of its mode.
    Special(u32),
}

/// One inode.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Permission bits only.
    pub(crate) perm: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) rdev: u32,
    pub(crate) atime: SystemTime,
    pub(crate) mtime: SystemTime,
    pub(crate) ctime: SystemTime,
    /// Where it is linked; the first link pays for its bytes. Empty for the root and for files unlinked while open.
    pub(crate) links: Vec<(Ino, OsString)>,
    /// Bytes of this inode and, for a directory, of everything beneath it.
    pub(crate) subtree: u64,
    pub(crate) xattrs: BTreeMap<OsString, Vec<u8>>,
    /// How often its bytes changed since it was made: what was said of the bytes then may be outdated.
    pub(crate) changes: u64,
    /// Open handles over all mounts.
    pub(crate) opens: u32,
    /// The snapshot view that this inode belongs to; `None` in the live tree.
    pub(crate) snapshot: Option<SnapshotView>,
}

/// The mark of an inode that is part of a snapshot.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotView {
    pub(crate) view_id: u64,
    pub(crate) writable: bool,
    /// The inode of the live tree that this is the image of.
    pub(crate) image_of: Ino,
}

/// Who makes an inode, and with what permissions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maker {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) perm: u32,
}

impl Maker {
    /// Root, `rwxr-xr-x`.
    pub(crate) const ROOT: Self = Self { uid: 0, gid: 0, perm: 0o755 };
}

impl Node {
    pub(crate) fn new(kind: Kind, maker: Maker, now: SystemTime) -> Self {
        Self {
            kind,
            perm: maker.perm & 0o7777,
            uid: maker.uid,
            gid: maker.gid,
            rdev: 0,
            atime: now,
            mtime: now,
            ctime: now,
            links: Vec::new(),
            subtree: 0,
            xattrs: BTreeMap::new(),
            changes: 0,
            opens: 0,
            snapshot: None,
        }
    }

    pub(crate) fn children(&self) -> Option<&BTreeMap<OsString, Ino>> {
        match &self.kind {
            Kind::Dir(children) => Some(children),
            _ => None,
        }
    }

    pub(crate) fn children_mut(&mut self) -> Option<&mut BTreeMap<OsString, Ino>> {
        match &mut self.kind {
            Kind::Dir(children) => Some(children),
            _ => None,
        }
    }

    pub(crate) fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir(_))
    }

    pub(crate) fn len(&self) -> u64 {
        match &self.kind {
            Kind::Dir(_) => 4096,
            Kind::File(content) => content.len(),
            Kind::Symlink(target) => target.as_os_str().len() as u64,
            Kind::Special(_) => 0,
        }
    }
}
