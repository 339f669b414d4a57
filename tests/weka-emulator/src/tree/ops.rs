//! Operations on names: make, link, rename, remove.
//!
//! Permissions were checked by the kernel (`default_permissions`) before these run; quota, read-only snapshots and the
//! rule that nothing moves over a quota boundary (`EXDEV`) are checked here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use rustix::io::Errno;

use super::accounting::check_name;
use super::blocks::Content;
use super::node::{Ino, Kind, Maker, Node};
use super::volume::{SNAPSHOT_DIR, Tree};

/// How a rename treats what stands at its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnExisting {
    /// Replace it, if it is replaceable.
    Replace,
    /// Fail with `EEXIST`.
    Refuse,
}

impl Tree {
    /// Refuses changes in a snapshot that is not writable, and of the snapshot directory itself.
    pub(crate) fn check_writable(&self, ino: Ino) -> Result<(), Errno> {
        let read_only = self.node(ino)?.snapshot.is_some_and(|view| !view.writable);
        if read_only || ino == self.snapshot_dir { Err(Errno::ROFS) } else { Ok(()) }
    }

    fn check_free(&self, parent: Ino, name: &OsStr) -> Result<(), Errno> {
        check_name(name)?;
        self.check_writable(parent)?;
        let taken = self.node(parent)?.children().ok_or(Errno::NOTDIR)?.contains_key(name);
        let reserved = parent == self.root && name == SNAPSHOT_DIR;
        if taken || reserved { Err(Errno::EXIST) } else { Ok(()) }
    }

    /// Makes an inode under a name that is free.
    pub(crate) fn make(&mut self, parent: Ino, name: &OsStr, kind: Kind, maker: Maker) -> Result<Ino, Errno> {
        self.check_free(parent, name)?;
        let node = self.node_for(parent, kind, maker)?;
        self.check_growth(parent, self.own_cost(&node))?;
        self.place(parent, name, node)
    }

    /// Puts new bytes under a name in one step: a reader sees the old file or the new one, and a quota that the new
    /// one does not fit in leaves the old one there. Handles that are open keep the old file.
    pub(crate) fn replace(
        &mut self,
        parent: Ino,
        name: &OsStr,
        content: Content,
        maker: Maker,
        xattrs: BTreeMap<OsString, Vec<u8>>,
    ) -> Result<Ino, Errno> {
        check_name(name)?;
        self.check_writable(parent)?;
        let mut node = self.node_for(parent, Kind::File(content), maker)?;
        node.xattrs = xattrs;
        let cost = self.own_cost(&node);
        match self.lookup(parent, name) {
            Ok(ino) => {
                let old = self.node(ino)?;
                if old.is_dir() {
                    return Err(Errno::ISDIR);
                }
                let freed = if old.links.len() == 1 { old.subtree } else { 0 };
                self.check_growth(parent, cost.saturating_sub(freed))?;
                self.unlink(parent, name)?;
            }
            Err(Errno::NOENT) => self.check_growth(parent, cost)?,
            Err(other) => return Err(other),
        }
        self.place(parent, name, node)
    }

    /// A node as a directory would have it made: its group and snapshot mark are inherited.
    fn node_for(&self, parent: Ino, kind: Kind, maker: Maker) -> Result<Node, Errno> {
        let above = self.node(parent)?;
        if !above.is_dir() {
            return Err(Errno::NOTDIR);
        }
        let mut node = Node::new(kind, maker, self.clock.system_time());
        node.snapshot = above.snapshot;
        if above.perm & 0o2000 != 0 {
            node.gid = above.gid;
            if node.is_dir() {
                node.perm |= 0o2000;
            }
        }
        Ok(node)
    }

    /// Puts a node under a name and charges it. Checks nothing.
    fn place(&mut self, parent: Ino, name: &OsStr, mut node: Node) -> Result<Ino, Errno> {
        let cost = self.own_cost(&node);
        node.subtree = cost;
        node.links.push((parent, name.to_owned()));
        let ino = self.next_ino();
        if let Some(view) = &mut node.snapshot {
            view.image_of = ino;
        }
        if node.is_dir() && node.snapshot.is_none() {
            self.inherit_quota(parent, ino);
        }
        self.nodes.insert(ino, node);
        self.attach(parent, name, ino)?;
        self.charge(parent, i128::from(cost));
        Ok(ino)
    }

    /// One more name for a file.
    pub(crate) fn link(&mut self, ino: Ino, parent: Ino, name: &OsStr) -> Result<(), Errno> {
        self.check_free(parent, name)?;
        if self.node(ino)?.is_dir() {
            return Err(Errno::PERM);
        }
        self.attach(parent, name, ino)?;
        let now = self.clock.system_time();
        let node = self.node_mut(ino)?;
        node.links.push((parent, name.to_owned()));
        node.ctime = now;
        Ok(())
    }

    /// Removes a name; the inode goes with its last name and last open handle.
    pub(crate) fn unlink(&mut self, parent: Ino, name: &OsStr) -> Result<(), Errno> {
        self.check_writable(parent)?;
        let ino = self.lookup(parent, name)?;
        if self.node(ino)?.is_dir() {
            return Err(Errno::ISDIR);
        }
        let cost = i128::from(self.node(ino)?.subtree);
        let payer = self.node(ino)?.links.first().map(|(payer, _)| *payer);
        self.detach(parent, name)?;
        let now = self.clock.system_time();
        let node = self.node_mut(ino)?;
        node.links.retain(|(at, link)| !(*at == parent && link == name));
        node.ctime = now;
        let next_payer = node.links.first().map(|(payer, _)| *payer);
        let forgotten = node.links.is_empty() && node.opens == 0;
        if payer != next_payer {
            payer.into_iter().for_each(|payer| self.charge(payer, -cost));
            next_payer.into_iter().for_each(|payer| self.charge(payer, cost));
        }
        if forgotten {
            self.nodes.remove(&ino);
        }
        Ok(())
    }

    /// Removes an empty directory, and its quota.
    pub(crate) fn rmdir(&mut self, parent: Ino, name: &OsStr) -> Result<(), Errno> {
        self.check_writable(parent)?;
        let ino = self.lookup(parent, name)?;
        if ino == self.snapshot_dir {
            return Err(Errno::ROFS);
        }
        let children = self.node(ino)?.children().ok_or(Errno::NOTDIR)?;
        if !children.is_empty() {
            return Err(Errno::NOTEMPTY);
        }
        let cost = i128::from(self.node(ino)?.subtree);
        self.detach(parent, name)?;
        self.charge(parent, -cost);
        self.quotas.remove(&ino);
        self.default_quotas.remove(&ino);
        self.nodes.remove(&ino);
        Ok(())
    }

    /// Moves a name. Over a quota boundary the answer is `EXDEV`, as documented for the real cluster.
    pub(crate) fn rename(
        &mut self,
        from: (Ino, &OsStr),
        to: (Ino, &OsStr),
        on_existing: OnExisting,
    ) -> Result<(), Errno> {
        let (old_parent, old_name) = from;
        let (new_parent, new_name) = to;
        self.check_writable(old_parent)?;
        self.check_writable(new_parent)?;
        check_name(new_name)?;
        let ino = self.lookup(old_parent, old_name)?;
        if ino == self.snapshot_dir || (new_parent == self.root && new_name == SNAPSHOT_DIR) {
            return Err(Errno::ROFS);
        }
        if self.quota_root(old_parent) != self.quota_root(new_parent) {
            return Err(Errno::XDEV);
        }
        let moves_dir = self.node(ino)?.is_dir();
        if moves_dir && self.chain(new_parent).contains(&ino) {
            return Err(Errno::INVAL);
        }
        match self.lookup(new_parent, new_name) {
            Ok(existing) if existing == ino => return Ok(()),
            Ok(_) if on_existing == OnExisting::Refuse => return Err(Errno::EXIST),
            Ok(existing) => match (moves_dir, self.node(existing)?.is_dir()) {
                (true, true) => self.rmdir(new_parent, new_name)?,
                (false, false) => self.unlink(new_parent, new_name)?,
                (true, false) => return Err(Errno::NOTDIR),
                (false, true) => return Err(Errno::ISDIR),
            },
            Err(Errno::NOENT) => {}
            Err(other) => return Err(other),
        }
        self.relink(ino, from, to)
    }

    fn relink(&mut self, ino: Ino, from: (Ino, &OsStr), to: (Ino, &OsStr)) -> Result<(), Errno> {
        let now = self.clock.system_time();
        self.detach(from.0, from.1)?;
        self.attach(to.0, to.1, ino)?;
        let node = self.node_mut(ino)?;
        node.ctime = now;
        let cost = i128::from(node.subtree);
        let payer = node.links.first().map(|(payer, _)| *payer);
        for link in node.links.iter_mut().filter(|(at, name)| *at == from.0 && name == from.1) {
            *link = (to.0, to.1.to_owned());
        }
        let next_payer = node.links.first().map(|(payer, _)| *payer);
        if payer != next_payer {
            payer.into_iter().for_each(|payer| self.charge(payer, -cost));
            next_payer.into_iter().for_each(|payer| self.charge(payer, cost));
        }
        Ok(())
    }

    pub(crate) fn attach(&mut self, parent: Ino, name: &OsStr, ino: Ino) -> Result<(), Errno> {
        self.children_of(parent)?.insert(name.to_owned(), ino);
        Ok(())
    }

    pub(crate) fn detach(&mut self, parent: Ino, name: &OsStr) -> Result<(), Errno> {
        self.children_of(parent)?.remove(name).map(|_| ()).ok_or(Errno::NOENT)
    }

    fn children_of(&mut self, parent: Ino) -> Result<&mut BTreeMap<OsString, Ino>, Errno> {
        let now = self.clock.system_time();
        let node = self.node_mut(parent)?;
        node.mtime = now;
        node.ctime = now;
        node.children_mut().ok_or(Errno::NOTDIR)
    }
}
