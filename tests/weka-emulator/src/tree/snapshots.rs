//! Snapshots of a tree: an image under `.snapshots/<access point>`, and the way back.
//!
//! The image has inode numbers of its own and remembers which inode each one is the image of, so a restore brings the
//! original numbers back. Bytes are shared until written. The quotas of that moment are kept and come back with a
//! restore.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::accounting::Quota;
use super::node::{Ino, Kind, Node, SnapshotView};
use super::volume::Tree;

/// Gives the copy of an inode its number and its snapshot mark.
type Place<'a> = dyn FnMut(&mut Tree, Ino, &Node) -> (Ino, Option<SnapshotView>) + 'a;

/// What a snapshot keeps beside its visible image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Frozen {
    pub(crate) access_point: String,
    image_root: Ino,
    quotas: BTreeMap<Ino, Quota>,
}

impl Tree {
    /// Freezes the live tree (or another snapshot) as view `view_id`.
    pub(crate) fn freeze(
        &mut self,
        view_id: u64,
        access_point: &str,
        writable: bool,
        source: Option<u64>,
    ) -> Result<(), Errno> {
        let taken =
            self.node(self.snapshot_dir)?.children().is_some_and(|all| all.contains_key(OsStr::new(access_point)));
        if taken {
            return Err(Errno::EXIST);
        }
        let (from, quotas) = match source {
            Some(source) => {
                let frozen = self.frozen.get(&source).ok_or(Errno::NOENT)?;
                (frozen.image_root, frozen.quotas.clone())
            }
            None => (self.root, self.quotas.clone()),
        };
        let view = |image_of| SnapshotView { view_id, writable, image_of };
        let image_root = self.copy_subtree(from, &mut |tree, ino, node| {
            let image_of = node.snapshot.map_or(ino, |view| view.image_of);
            (tree.next_ino(), Some(view(image_of)))
        })?;
        self.attach(self.snapshot_dir, OsStr::new(access_point), image_root)?;
        let snapshot_dir = self.snapshot_dir;
        self.node_mut(image_root)?.links = vec![(snapshot_dir, access_point.into())];
        self.frozen.insert(view_id, Frozen { access_point: access_point.to_owned(), image_root, quotas });
        Ok(())
    }

    /// The root of a view's image.
    pub(crate) fn image_of_view(&self, view_id: u64) -> Option<Ino> {
        self.frozen.get(&view_id).map(|frozen| frozen.image_root)
    }

    /// Moves a snapshot's image to another access point.
    pub(crate) fn rename_frozen(&mut self, view_id: u64, access_point: &str) -> Result<(), Errno> {
        let frozen = self.frozen.get(&view_id).cloned().ok_or(Errno::NOENT)?;
        self.detach(self.snapshot_dir, OsStr::new(&frozen.access_point))?;
        self.attach(self.snapshot_dir, OsStr::new(access_point), frozen.image_root)?;
        let snapshot_dir = self.snapshot_dir;
        self.node_mut(frozen.image_root)?.links = vec![(snapshot_dir, access_point.into())];
        self.frozen.insert(view_id, Frozen { access_point: access_point.to_owned(), ..frozen });
        Ok(())
    }

    /// Removes a snapshot and its image.
    pub(crate) fn thaw(&mut self, view_id: u64) {
        if let Some(frozen) = self.frozen.remove(&view_id) {
            let snapshot_dir = self.snapshot_dir;
            self.detach(snapshot_dir, OsStr::new(&frozen.access_point)).ok();
            self.drop_subtree(frozen.image_root);
        }
    }

    /// Brings the live tree, and its quotas, back to a snapshot.
    pub(crate) fn restore(&mut self, view_id: u64) -> Result<(), Errno> {
        let frozen = self.frozen.get(&view_id).cloned().ok_or(Errno::NOENT)?;
        let old: Vec<Ino> = self.node(self.root)?.children().into_iter().flat_map(BTreeMap::values).copied().collect();
        old.into_iter().for_each(|ino| self.drop_subtree(ino));
        self.copy_subtree(frozen.image_root, &mut |_, ino, node| {
            (node.snapshot.map_or(ino, |view| view.image_of), None)
        })?;
        let root = self.root;
        self.node_mut(root)?.links.clear();
        self.quotas = frozen.quotas;
        Ok(())
    }

    /// Copies a subtree; `place` gives each copy its number and its snapshot mark. Hard links stay one inode.
    fn copy_subtree(&mut self, from: Ino, place: &mut Place<'_>) -> Result<Ino, Errno> {
        let mut placed: BTreeMap<Ino, Ino> = BTreeMap::new();
        let mut order = vec![from];
        let mut at = 0;
        while let Some(ino) = order.get(at).copied() {
            at += 1;
            if placed.contains_key(&ino) {
                continue;
            }
            let mut node = self.node(ino)?.clone();
            let (copy, snapshot) = place(self, ino, &node);
            node.snapshot = snapshot;
            node.opens = 0;
            order.extend(node.children().into_iter().flat_map(BTreeMap::values).copied());
            placed.insert(ino, copy);
            self.nodes.insert(copy, node);
        }
        let copies: Vec<Ino> = placed.values().copied().collect();
        for copy in copies {
            let Some(node) = self.nodes.get_mut(&copy) else { continue };
            for (parent, _) in &mut node.links {
                *parent = placed.get(parent).copied().unwrap_or(*parent);
            }
            if let Kind::Dir(children) = &mut node.kind {
                for child in children.values_mut() {
                    *child = placed.get(child).copied().unwrap_or(*child);
                }
            }
        }
        placed.get(&from).copied().ok_or(Errno::NOENT)
    }

    fn drop_subtree(&mut self, top: Ino) {
        let mut open = vec![top];
        while let Some(ino) = open.pop() {
            if let Some(node) = self.nodes.remove(&ino) {
                open.extend(node.children().into_iter().flat_map(BTreeMap::values).copied());
            }
        }
    }
}
