//! Operations on bytes and attributes.

use std::ffi::OsStr;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use rustix::io::Errno;

use super::node::{Ino, Kind};
use super::volume::Tree;

/// Attributes to change; `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Change {
    pub(crate) perm: Option<u32>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) len: Option<u64>,
    pub(crate) atime: Option<SystemTime>,
    pub(crate) mtime: Option<SystemTime>,
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

impl Tree {
    pub(crate) fn read(&self, ino: Ino, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        match &self.node(ino)?.kind {
            Kind::File(content) => content.read(offset, len).map_err(|error| errno(&error)),
            Kind::Dir(_) => Err(Errno::ISDIR),
            _ => Err(Errno::INVAL),
        }
    }

    /// Writes `data` at `offset`, or at the end when `offset` is `None`. All or nothing: a write that a quota cannot
    /// hold changes no byte.
    pub(crate) fn write(&mut self, ino: Ino, offset: Option<u64>, data: &[u8]) -> Result<(), Errno> {
        self.check_writable(ino)?;
        let Kind::File(content) = &self.node(ino)?.kind else { return Err(Errno::INVAL) };
        let at = offset.unwrap_or_else(|| content.len());
        let end = at.checked_add(data.len() as u64).filter(|end| i64::try_from(*end).is_ok()).ok_or(Errno::FBIG)?;
        self.grow(ino, end.max(content.len()))?;
        let store = Arc::clone(&self.store);
        let now = self.clock.system_time();
        let node = self.node_mut(ino)?;
        node.mtime = now;
        node.ctime = now;
        node.changes = node.changes.saturating_add(1);
        if let Kind::File(content) = &mut node.kind {
            content.write(&store, at, data).map_err(|error| errno(&error))?;
        }
        self.settle(ino)
    }

    /// Cuts or extends a file; what is added is charged like written bytes.
    pub(crate) fn truncate(&mut self, ino: Ino, len: u64) -> Result<(), Errno> {
        self.check_writable(ino)?;
        match &self.node(ino)?.kind {
            Kind::File(_) => {}
            Kind::Dir(_) => return Err(Errno::ISDIR),
            _ => return Err(Errno::INVAL),
        }
        if i64::try_from(len).is_err() {
            return Err(Errno::FBIG);
        }
        self.grow(ino, len)?;
        let store = Arc::clone(&self.store);
        let now = self.clock.system_time();
        let node = self.node_mut(ino)?;
        node.mtime = now;
        node.ctime = now;
        node.changes = node.changes.saturating_add(1);
        if let Kind::File(content) = &mut node.kind {
            content.truncate(&store, len).map_err(|error| errno(&error))?;
        }
        self.settle(ino)
    }

    /// Whether the payer of this inode could pay for a file of `len` bytes.
    fn grow(&self, ino: Ino, len: u64) -> Result<(), Errno> {
        let node = self.node(ino)?;
        let blocks = len.div_ceil(super::accounting::BLOCK).saturating_mul(super::accounting::BLOCK);
        let metadata = self.rules.file_metadata_blocks.saturating_mul(super::accounting::BLOCK);
        let grown = blocks.saturating_add(metadata).saturating_sub(node.subtree);
        match node.links.first() {
            Some((payer, _)) => self.check_growth(*payer, grown),
            None => Ok(()),
        }
    }

    /// Charges the difference between what a file was charged for and what it costs now.
    fn settle(&mut self, ino: Ino) -> Result<(), Errno> {
        let node = self.node(ino)?;
        let cost = self.own_cost(node);
        let difference = i128::from(cost).saturating_sub(i128::from(node.subtree));
        let payer = node.links.first().map(|(payer, _)| *payer);
        self.node_mut(ino)?.subtree = cost;
        payer.into_iter().for_each(|payer| self.charge(payer, difference));
        Ok(())
    }

    pub(crate) fn set_attributes(&mut self, ino: Ino, change: Change) -> Result<(), Errno> {
        self.check_writable(ino)?;
        if let Some(len) = change.len {
            self.truncate(ino, len)?;
        }
        let now = self.clock.system_time();
        let node = self.node_mut(ino)?;
        if let Some(perm) = change.perm {
            node.perm = perm & 0o7777;
        }
        if change.uid.is_some() || change.gid.is_some() {
            node.uid = change.uid.unwrap_or(node.uid);
            node.gid = change.gid.unwrap_or(node.gid);
            if !node.is_dir() {
                node.perm &= !0o6000;
            }
        }
        node.atime = change.atime.unwrap_or(node.atime);
        node.mtime = change.mtime.unwrap_or(node.mtime);
        node.ctime = now;
        Ok(())
    }

    pub(crate) fn opened(&mut self, ino: Ino) -> Result<(), Errno> {
        let node = self.node_mut(ino)?;
        node.opens = node.opens.saturating_add(1);
        Ok(())
    }

    /// Closes one handle; a file without names goes with its last handle.
    pub(crate) fn closed(&mut self, ino: Ino) {
        let Some(node) = self.nodes.get_mut(&ino) else { return };
        node.opens = node.opens.saturating_sub(1);
        let orphan = node.opens == 0 && node.links.is_empty() && !node.is_dir();
        if orphan {
            self.nodes.remove(&ino);
        }
    }

    pub(crate) fn set_xattr(&mut self, ino: Ino, name: &OsStr, value: &[u8]) -> Result<(), Errno> {
        self.check_writable(ino)?;
        if value.len() > 64 * 1024 {
            return Err(Errno::TOOBIG);
        }
        self.node_mut(ino)?.xattrs.insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    pub(crate) fn remove_xattr(&mut self, ino: Ino, name: &OsStr) -> Result<(), Errno> {
        self.check_writable(ino)?;
        self.node_mut(ino)?.xattrs.remove(name).map(|_| ()).ok_or(Errno::NODATA)
    }
}
