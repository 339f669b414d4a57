//! One filesystem's tree: inodes by number, shared by all its mounts.
//!
//! Names, owners, modes, links and extended attributes live in memory; bytes live in a [`BlockFile`]. Every mount of the
//! filesystem, the REST handlers and the admin port work on this one tree behind one lock, so accounting is the same for
//! all writers. The operations are in [`super::ops`] and [`super::io`]; what they cost is in [`super::accounting`].

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rustix::io::Errno;

use super::accounting::{BLOCK, Quota};
use super::blocks::BlockFile;
use super::node::{Ino, Kind, Maker, Node};
use super::saved::Kept;
use super::snapshots::Frozen;
use crate::clock::Clock;

/// The directory in a filesystem's root where its snapshots appear.
pub(crate) const SNAPSHOT_DIR: &str = ".snapshots";

/// Switches that the tree itself obeys; see [`crate::switches::Switches`] for their meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) file_metadata_blocks: u64,
    pub(crate) zero_grace_is_advisory: bool,
    pub(crate) big_inodes: bool,
}

/// A shared tree.
#[derive(Debug)]
pub(crate) struct Volume {
    pub(super) tree: Mutex<Tree>,
    /// Where it is kept over a restart, if it is.
    pub(super) kept: Option<Kept>,
}

/// A tree under its lock. Who takes it for changing marks it as changed.
pub(crate) struct Locked<'a>(MutexGuard<'a, Tree>);

impl Deref for Locked<'_> {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.0
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Tree {
        self.0.changed = true;
        &mut self.0
    }
}

/// The tree under its lock.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: HashMap<Ino, Node>,
    pub(crate) quotas: BTreeMap<Ino, Quota>,
    /// What directories that are made right beneath these get.
    pub(crate) default_quotas: BTreeMap<Ino, Quota>,
    pub(crate) frozen: BTreeMap<u64, Frozen>,
    pub(crate) root: Ino,
    /// The directory named [`SNAPSHOT_DIR`]; not among the root's children, but found by name.
    pub(crate) snapshot_dir: Ino,
    /// Bytes that the filesystem may hold.
    pub(crate) budget: u64,
    pub(crate) rules: Rules,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<BlockFile>,
    pub(super) filesystem_number: u64,
    pub(super) next: u64,
    /// Since it was saved last.
    pub(super) changed: bool,
}

impl Volume {
    /// An empty filesystem: one root directory of 4096 bytes.
    pub(crate) fn new(filesystem_number: u64, budget: u64, rules: Rules, clock: Clock, store: Arc<BlockFile>) -> Self {
        let now = clock.system_time();
        let mut tree = Tree {
            nodes: HashMap::new(),
            quotas: BTreeMap::new(),
            default_quotas: BTreeMap::new(),
            frozen: BTreeMap::new(),
            root: 0,
            snapshot_dir: 0,
            budget,
            rules,
            clock,
            store,
            filesystem_number,
            next: 0,
            changed: true,
        };
        let mut root = Node::new(Kind::Dir(BTreeMap::new()), Maker::ROOT, now);
        root.subtree = BLOCK;
        tree.root = tree.next_ino();
        tree.nodes.insert(tree.root, root);
        tree.snapshot_dir = tree.next_ino();
        tree.nodes.insert(tree.snapshot_dir, Node::new(Kind::Dir(BTreeMap::new()), Maker::ROOT, now));
        Self { tree: Mutex::new(tree), kept: None }
    }

    /// Keeps the tree in this file; [`Self::save`] writes it.
    pub(crate) fn kept_at(mut self, path: PathBuf) -> Self {
        self.kept = Some(Kept::new(path));
        self
    }

    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked(self.tree.lock())
    }
}

impl Tree {
    /// The next inode number. Two of three lie above 2^53 and one of these above 2^63, as on real clusters.
    pub(crate) fn next_ino(&mut self) -> Ino {
        let serial = self.next;
        self.next = self.next.saturating_add(1);
        let small = ((self.filesystem_number.saturating_add(1) & 0xfff) << 44) | ((serial & 0xfff_ffff) << 16);
        match serial % 3 {
            1 if self.rules.big_inodes => small | (0x14 << 56),
            2 if self.rules.big_inodes => small | (0x9d << 56) | 1,
            _ => small,
        }
    }

    pub(crate) fn node(&self, ino: Ino) -> Result<&Node, Errno> {
        self.nodes.get(&ino).ok_or(Errno::NOENT)
    }

    pub(crate) fn node_mut(&mut self, ino: Ino) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&ino).ok_or(Errno::NOENT)
    }

    pub(crate) fn lookup(&self, parent: Ino, name: &OsStr) -> Result<Ino, Errno> {
        if parent == self.root && name == SNAPSHOT_DIR {
            return Ok(self.snapshot_dir);
        }
        let children = self.node(parent)?.children().ok_or(Errno::NOTDIR)?;
        children.get(name).copied().ok_or(Errno::NOENT)
    }

    /// Bytes in use, metadata included.
    pub(crate) fn used(&self) -> u64 {
        self.nodes.get(&self.root).map_or(0, |root| root.subtree)
    }

    /// The inode at an absolute path; symlinks are not followed and `..` is not understood.
    pub(crate) fn resolve(&self, path: &str) -> Result<Ino, Errno> {
        let mut at = self.root;
        for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
            if name == ".." {
                return Err(Errno::INVAL);
            }
            at = self.lookup(at, OsStr::new(name))?;
        }
        Ok(at)
    }

    /// The absolute path of an inode by its first link.
    pub(crate) fn path_of(&self, ino: Ino) -> PathBuf {
        let mut names = Vec::new();
        let mut at = ino;
        while let Some((parent, name)) = self.nodes.get(&at).and_then(|node| node.links.first()) {
            names.push(name.as_os_str());
            at = *parent;
        }
        let mut path = PathBuf::from("/");
        if at == self.snapshot_dir {
            path.push(SNAPSHOT_DIR);
        }
        path.extend(names.into_iter().rev());
        path
    }

    /// Blocks of data and blocks of metadata beneath a directory.
    pub(crate) fn blocks_beneath(&self, dir: Ino) -> (u64, u64) {
        let mut data = 0_u64;
        let mut metadata = 0_u64;
        let mut open = vec![dir];
        while let Some(ino) = open.pop() {
            let Some(node) = self.nodes.get(&ino) else { continue };
            if let Kind::File(content) = &node.kind {
                data = data.saturating_add(content.len().div_ceil(BLOCK));
                metadata = metadata.saturating_add(self.rules.file_metadata_blocks);
            } else {
                metadata = metadata.saturating_add(self.own_cost(node) / BLOCK);
            }
            open.extend(node.children().into_iter().flat_map(BTreeMap::values).copied());
        }
        (data, metadata)
    }

    /// Makes a directory and those above it, without asking for permission or quota: the admin port's hook.
    pub(crate) fn make_dirs(&mut self, path: &str, maker: Maker) -> Result<Ino, Errno> {
        let mut at = self.root;
        for name in Path::new(path).iter().filter(|name| *name != "/") {
            at = match self.lookup(at, name) {
                Ok(ino) if self.node(ino)?.is_dir() => ino,
                Ok(_) => return Err(Errno::NOTDIR),
                Err(_) => self.make(at, name, Kind::Dir(BTreeMap::new()), maker)?,
            };
        }
        Ok(at)
    }

    /// Removes a file or a whole directory: the admin port's hook.
    pub(crate) fn remove_path(&mut self, path: &str) -> Result<(), Errno> {
        let ino = self.resolve(path)?;
        let (parent, name) = self.node(ino)?.links.first().cloned().ok_or(Errno::BUSY)?;
        if !self.node(ino)?.is_dir() {
            return self.unlink(parent, &name);
        }
        let children: Vec<_> = self.node(ino)?.children().into_iter().flat_map(BTreeMap::keys).cloned().collect();
        for child in children {
            let inner = Path::new(path).join(child);
            self.remove_path(inner.to_str().ok_or(Errno::INVAL)?)?;
        }
        self.rmdir(parent, &name)
    }
}
