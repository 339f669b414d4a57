//! Objects in the tree: find, put and remove by key, beneath the directory of a bucket.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use rustix::io::Errno;

use super::facts::Facts;
use super::keys::Key;
use crate::tree::blocks::Content;
use crate::tree::node::{Ino, Kind, Maker, Node};
use crate::tree::volume::Tree;

/// Permissions of files that objects become, and of directories above them.
const FILE_PERM: u32 = 0o644;
const DIR_PERM: u32 = 0o755;

/// Whose a new object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Writer {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Writer {
    fn file(self) -> Maker {
        Maker { uid: self.uid, gid: self.gid, perm: FILE_PERM }
    }

    /// As the maker of directories.
    pub(crate) fn dir(self) -> Maker {
        Maker { uid: self.uid, gid: self.gid, perm: DIR_PERM }
    }
}

impl Tree {
    /// The file of a key, or the directory of a key that ends in a slash. Symlinks are not followed: a link out of the
    /// bucket would be a way around its policy.
    pub(crate) fn object(&self, bucket: Ino, key: &Key<'_>) -> Result<Ino, Errno> {
        let mut at = bucket;
        for segment in key.above.iter().chain([&key.name]) {
            at = self.lookup(at, OsStr::new(segment)).map_err(|_| Errno::NOENT)?;
        }
        match &self.node(at)?.kind {
            Kind::Dir(_) if key.is_dir => Ok(at),
            Kind::File(_) if !key.is_dir => Ok(at),
            _ => Err(Errno::NOENT),
        }
    }

    /// Bytes that may still be added beneath a directory; the tightest of its quotas and the filesystem's size.
    pub(crate) fn check_room(&self, bucket: Ino, key: &Key<'_>, len: u64) -> Result<(), Errno> {
        let freed = self.object(bucket, key).and_then(|ino| self.node(ino)).map_or(0, |node| node.subtree);
        let mut deepest = bucket;
        for segment in &key.above {
            match self.lookup(deepest, OsStr::new(segment)) {
                Ok(ino) => deepest = ino,
                Err(_) => break,
            }
        }
        let blocks = len.div_ceil(crate::tree::accounting::BLOCK).saturating_mul(crate::tree::accounting::BLOCK);
        self.check_growth(deepest, blocks.saturating_sub(freed))
    }

    /// Makes an object, or replaces one, in one step. Directories above that are missing are made, and are gone again
    /// if the object cannot be made.
    pub(crate) fn put_object(
        &mut self,
        bucket: Ino,
        key: &Key<'_>,
        content: Content,
        writer: Writer,
        facts: Facts,
    ) -> Result<Ino, Errno> {
        let mut at = bucket;
        for segment in &key.above {
            let name = OsStr::new(segment);
            at = match self.lookup(at, name) {
                Ok(ino) if self.node(ino)?.is_dir() => ino,
                Ok(_) => return Err(Errno::NOTDIR),
                Err(Errno::NOENT) => match self.make(at, name, Kind::Dir(BTreeMap::new()), writer.dir()) {
                    Ok(made) => made,
                    Err(refused) => {
                        self.prune(bucket, at);
                        return Err(refused);
                    }
                },
                Err(other) => return Err(other),
            };
        }
        let name = OsStr::new(key.name);
        let put = if key.is_dir {
            self.put_marker(at, name, writer, facts)
        } else {
            self.replace(at, name, content, writer.file(), facts.into_attributes())
        };
        if put.is_err() {
            self.prune(bucket, at);
        }
        put
    }

    /// Makes a directory that is an object of its own: it stays when it is empty.
    fn put_marker(&mut self, parent: Ino, name: &OsStr, writer: Writer, facts: Facts) -> Result<Ino, Errno> {
        let ino = match self.lookup(parent, name) {
            Ok(ino) if self.node(ino)?.is_dir() => ino,
            Ok(_) => return Err(Errno::NOTDIR),
            Err(_) => self.make(parent, name, Kind::Dir(BTreeMap::new()), writer.dir())?,
        };
        let attributes = facts.into_attributes();
        self.node_mut(ino)?.xattrs.extend(attributes);
        Ok(ino)
    }

    /// Removes an object, and the directories above that it leaves empty. An object that is not there is no error; a
    /// directory that is not empty stays.
    pub(crate) fn remove_object(&mut self, bucket: Ino, key: &Key<'_>) -> Result<(), Errno> {
        let Ok(ino) = self.object(bucket, key) else { return Ok(()) };
        let (parent, name) = self.parent_of(bucket, key)?;
        if key.is_dir {
            let is_full = self.node(ino)?.children().is_some_and(|children| !children.is_empty());
            if is_full || self.quotas.contains_key(&ino) {
                return Ok(());
            }
            self.rmdir(parent, &name)?;
        } else {
            self.unlink(parent, &name)?;
        }
        self.prune(bucket, parent);
        Ok(())
    }

    fn parent_of(&self, bucket: Ino, key: &Key<'_>) -> Result<(Ino, OsString), Errno> {
        let mut at = bucket;
        for segment in &key.above {
            at = self.lookup(at, OsStr::new(segment))?;
        }
        Ok((at, OsString::from(key.name)))
    }

    /// Removes empty directories from `dir` up to, and without, the bucket's. One that was put as an object, or that
    /// has a quota, stays.
    fn prune(&mut self, bucket: Ino, dir: Ino) {
        let mut at = dir;
        while at != bucket {
            let Ok(node) = self.node(at) else { return };
            let is_empty = node.children().is_some_and(BTreeMap::is_empty);
            let stays = Facts::mark(node) || self.quotas.contains_key(&at);
            let Some((parent, name)) = node.links.first().cloned() else { return };
            if !is_empty || stays || self.rmdir(parent, &name).is_err() {
                return;
            }
            at = parent;
        }
    }
}

/// The bytes of a file; sharing them costs nothing and a later writer does not change them.
pub(crate) fn content_of(node: &Node) -> Content {
    match &node.kind {
        Kind::File(content) => content.clone(),
        _ => Content::default(),
    }
}
