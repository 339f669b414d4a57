//! A tree on disk: everything but the bytes, which lie in the block file already.
//!
//! A save writes the whole tree into a new file and renames it over the old one, so a reader finds one or the other.
//! Slots that were given back since the last save are handed out again only after the next one: until then the file on
//! disk may still name them. A tree is saved when it changed; that costs about 0.3 KB an inode.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use parking_lot::Mutex;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use serde::{Deserialize, Serialize};

use super::accounting::Quota;
use super::blocks::{BlockFile, Content, Slots};
use super::node::{Ino, Kind, Node, SnapshotView};
use super::snapshots::Frozen;
use super::volume::{Rules, Tree, Volume};
use crate::clock::Clock;

/// What is not itself in a saved name.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// A tree, as it is written.
#[derive(Serialize, Deserialize)]
struct SavedTree {
    filesystem_number: u64,
    next: u64,
    root: Ino,
    snapshot_dir: Ino,
    budget: u64,
    nodes: Vec<SavedNode>,
    quotas: Vec<(Ino, Quota)>,
    default_quotas: Vec<(Ino, Quota)>,
    frozen: Vec<(u64, Frozen)>,
}

#[derive(Serialize, Deserialize)]
struct SavedNode {
    ino: Ino,
    kind: SavedKind,
    perm: u32,
    uid: u32,
    gid: u32,
    rdev: u32,
    /// Access, modification and change, since the epoch.
    times: [Duration; 3],
    links: Vec<(Ino, String)>,
    subtree: u64,
    xattrs: Vec<(String, String)>,
    changes: u64,
    snapshot: Option<SnapshotView>,
}

#[derive(Serialize, Deserialize)]
enum SavedKind {
    Dir(Vec<(String, Ino)>),
    File { len: u64, slots: Vec<(u64, u64)> },
    Symlink(String),
    Special(u32),
}

fn written(name: &OsStr) -> String {
    percent_encode(name.as_bytes(), ESCAPED).to_string()
}

fn read(name: &str) -> OsString {
    OsString::from_vec(percent_decode_str(name).collect())
}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn unreadable(problem: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.to_string())
}

/// Writes a file whole: a reader finds what was there before, or this.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, bytes)?;
    std::fs::rename(&new, path)
}

impl SavedNode {
    fn of(ino: Ino, node: &Node) -> Self {
        Self {
            ino,
            kind: match &node.kind {
                Kind::Dir(children) => {
                    SavedKind::Dir(children.iter().map(|(name, child)| (written(name), *child)).collect())
                }
                Kind::File(content) => SavedKind::File { len: content.len(), slots: content.indices() },
                Kind::Symlink(target) => SavedKind::Symlink(written(target.as_os_str())),
                Kind::Special(bits) => SavedKind::Special(*bits),
            },
            perm: node.perm,
            uid: node.uid,
            gid: node.gid,
            rdev: node.rdev,
            times: [node.atime, node.mtime, node.ctime].map(since_epoch),
            links: node.links.iter().map(|(parent, name)| (*parent, written(name))).collect(),
            subtree: node.subtree,
            xattrs: node.xattrs.iter().map(|(name, value)| (written(name), STANDARD_NO_PAD.encode(value))).collect(),
            changes: node.changes,
            snapshot: node.snapshot,
        }
    }

    fn into_node(self, slots: &mut Slots) -> io::Result<Node> {
        let [atime, mtime, ctime] = self.times.map(|since| UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH));
        let mut xattrs = std::collections::BTreeMap::new();
        for (name, value) in self.xattrs {
            xattrs.insert(read(&name), STANDARD_NO_PAD.decode(value).map_err(unreadable)?);
        }
        Ok(Node {
            kind: match self.kind {
                SavedKind::Dir(children) => {
                    Kind::Dir(children.into_iter().map(|(name, child)| (read(&name), child)).collect())
                }
                SavedKind::File { len, slots: indices } => Kind::File(Content::restored(len, indices, slots)),
                SavedKind::Symlink(target) => Kind::Symlink(PathBuf::from(read(&target))),
                SavedKind::Special(bits) => Kind::Special(bits),
            },
            perm: self.perm,
            uid: self.uid,
            gid: self.gid,
            rdev: self.rdev,
            atime,
            mtime,
            ctime,
            links: self.links.into_iter().map(|(parent, name)| (parent, read(&name))).collect(),
            subtree: self.subtree,
            xattrs,
            changes: self.changes,
            opens: 0,
            snapshot: self.snapshot,
        })
    }
}

impl Tree {
    /// Files that were unlinked while open are left out: nobody can have them open after a restart.
    fn saved(&self) -> SavedTree {
        let orphan = |node: &Node| node.links.is_empty() && !node.is_dir();
        SavedTree {
            filesystem_number: self.filesystem_number,
            next: self.next,
            root: self.root,
            snapshot_dir: self.snapshot_dir,
            budget: self.budget,
            nodes: self
                .nodes
                .iter()
                .filter(|(_, node)| !orphan(node))
                .map(|(ino, node)| SavedNode::of(*ino, node))
                .collect(),
            quotas: self.quotas.iter().map(|(ino, quota)| (*ino, quota.clone())).collect(),
            default_quotas: self.default_quotas.iter().map(|(ino, quota)| (*ino, quota.clone())).collect(),
            frozen: self.frozen.iter().map(|(view, frozen)| (*view, frozen.clone())).collect(),
        }
    }
}

/// Where a volume is kept, and that one save runs at a time.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
    saving: Mutex<()>,
}

impl Kept {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, saving: Mutex::default() }
    }
}

impl Volume {
    /// Writes the tree if it changed since it was written last; a volume that is not kept has nowhere to go.
    pub(crate) fn save(&self) -> io::Result<()> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let _one_at_a_time = kept.saving.lock();
        let (bytes, returned, store) = {
            let mut tree = self.lock();
            if !std::mem::take(&mut tree.changed) {
                return Ok(());
            }
            let bytes = serde_json::to_vec(&tree.saved()).map_err(io::Error::other);
            tree.changed = false;
            (bytes, tree.store.returned(), Arc::clone(&tree.store))
        };
        let done = bytes.and_then(|bytes| replace(&kept.path, &bytes));
        if done.is_err() {
            self.lock().changed = true;
        }
        store.hand_out_again(returned, done.is_ok());
        done
    }

    /// Reads a tree that was saved, with the bytes in its block file.
    pub(crate) fn restore(path: PathBuf, blocks: &Path, rules: Rules, clock: Clock) -> io::Result<Self> {
        let saved: SavedTree = serde_json::from_slice(&std::fs::read(&path)?).map_err(unreadable)?;
        let store = BlockFile::open(blocks)?;
        let mut slots = Slots::of(&store);
        let mut nodes = HashMap::new();
        for node in saved.nodes {
            nodes.insert(node.ino, node.into_node(&mut slots)?);
        }
        slots.settle();
        let tree = Tree {
            nodes,
            quotas: saved.quotas.into_iter().collect(),
            default_quotas: saved.default_quotas.into_iter().collect(),
            frozen: saved.frozen.into_iter().collect(),
            root: saved.root,
            snapshot_dir: saved.snapshot_dir,
            budget: saved.budget,
            rules,
            clock,
            store,
            filesystem_number: saved.filesystem_number,
            next: saved.next,
            changed: false,
        };
        Ok(Self { tree: Mutex::new(tree), kept: Some(Kept::new(path)) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::node::Maker;
    use super::*;

    fn rules() -> Rules {
        Rules { file_metadata_blocks: 0, zero_grace_is_advisory: true, big_inodes: true }
    }

    #[test]
    fn a_saved_tree_comes_back_with_its_names_bytes_links_quotas_and_snapshots() {
        let dir = tempfile::tempdir().unwrap();
        let (saved, blocks) = (dir.path().join("t.tree"), dir.path().join("t.blocks"));
        let clock = Clock::default();
        let store = BlockFile::create(&blocks, true).unwrap();
        let volume = Volume::new(3, 1 << 30, rules(), clock.clone(), store).kept_at(saved.clone());
        let odd = OsString::from_vec(b"a%2F\xff\n".to_vec());
        let (dir_ino, file) = {
            let mut tree = volume.lock();
            let dir_ino = tree.make_dirs("/p/q", Maker { uid: 7, gid: 8, perm: 0o750 }).unwrap();
            let file = tree.make(dir_ino, &odd, Kind::File(Content::default()), Maker::ROOT).unwrap();
            tree.write(file, Some(100_000), b"far out").unwrap();
            tree.link(file, dir_ino, OsStr::new("again")).unwrap();
            tree.set_xattr(file, OsStr::new("user.x"), &[0, 255]).unwrap();
            tree.quotas.insert(dir_ino, Quota { hard: 1 << 20, ..Quota::default() });
            tree.freeze(1, "snap", false, None).unwrap();
            tree.write(file, Some(100_000), b"changed").unwrap();
            (dir_ino, file)
        };
        volume.save().unwrap();
        let back = Volume::restore(saved, &blocks, rules(), clock).unwrap();
        let (was, mut is) = (volume.lock(), back.lock());
        assert_eq!(is.read(file, 100_000, 7).unwrap(), b"changed");
        let image = is.resolve("/.snapshots/snap/p/q/again").unwrap();
        assert_eq!(is.read(image, 100_000, 7).unwrap(), b"far out");
        assert_eq!(is.lookup(dir_ino, &odd).unwrap(), file);
        assert_eq!(is.node(file).unwrap().links.len(), 2);
        assert_eq!(is.node(file).unwrap().xattrs, was.node(file).unwrap().xattrs);
        assert_eq!((is.node(dir_ino).unwrap().uid, is.node(dir_ino).unwrap().perm), (7, 0o750));
        assert_eq!(is.quotas[&dir_ino].hard, 1 << 20);
        assert_eq!(is.used(), was.used());
        let fresh = is.make(dir_ino, OsStr::new("fresh"), Kind::File(Content::default()), Maker::ROOT).unwrap();
        assert!(was.node(fresh).is_err(), "inode numbers go on");
        is.write(fresh, Some(0), b"new").unwrap();
        assert_eq!(is.read(file, 100_000, 7).unwrap(), b"changed", "no slot is given out twice");
        is.restore(1).unwrap();
        assert_eq!(is.read(file, 100_000, 7).unwrap(), b"far out");
    }

    #[test]
    fn a_slot_is_not_used_again_while_the_file_on_disk_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let (saved, blocks) = (dir.path().join("t.tree"), dir.path().join("t.blocks"));
        let clock = Clock::default();
        let store = BlockFile::create(&blocks, true).unwrap();
        let volume = Volume::new(0, 1 << 30, rules(), clock.clone(), store).kept_at(saved.clone());
        let make = |name: &str, bytes: &[u8]| {
            let mut tree = volume.lock();
            let root = tree.root;
            let ino = tree.make(root, OsStr::new(name), Kind::File(Content::default()), Maker::ROOT).unwrap();
            tree.write(ino, Some(0), bytes).unwrap();
        };
        make("kept", b"on disk");
        volume.save().unwrap();
        let root = volume.lock().root;
        volume.lock().unlink(root, OsStr::new("kept")).unwrap();
        make("other", b"unsaved");
        let back = Volume::restore(saved, &blocks, rules(), clock).unwrap();
        let tree = back.lock();
        assert_eq!(tree.read(tree.resolve("/kept").unwrap(), 0, 7).unwrap(), b"on disk");
    }
}
