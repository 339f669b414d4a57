//! One client's view of a tree, as a FUSE file system.
//!
//! A view adds to the tree what belongs to one mount: whether the server lets it write. Nothing is cached in the kernel
//! (times to live of zero, direct I/O), so what one mount writes another reads at once and a quota stops the very
//! `write` that passes it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, InitFlags, KernelConfig,
    LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry,
    ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr, Request, TimeOrNow, WriteFlags,
};
use parking_lot::Mutex;
use rustix::io::Errno;

use super::accounting::BLOCK;
use super::attributes::{attributes, file_type, kind_of, maker};
use super::blocks::Content;
use super::io::Change;
use super::node::{Ino, Kind, Maker};
use super::ops::OnExisting;
use super::volume::{Tree, Volume};

/// The kernel may keep nothing: several mounts share one tree.
const NO_CACHE: Duration = Duration::ZERO;

const OPEN_APPEND: i32 = 0o2000;
const XATTR_CREATE: i32 = 1;
const XATTR_REPLACE: i32 = 2;

/// A listing as it was when the directory was opened.
type Listing = Arc<Vec<(Ino, FileType, OsString)>>;

/// One mount's view of a filesystem.
#[derive(Debug)]
pub(crate) struct View {
    volume: Arc<Volume>,
    /// The server refuses every change, whatever the client mounted as.
    read_only: bool,
    listings: Mutex<HashMap<u64, Listing>>,
    next_handle: AtomicU64,
}

fn refused(errno: Errno) -> fuser::Errno {
    fuser::Errno::from_i32(errno.raw_os_error())
}

impl View {
    /// Answers when the tree is where a restart finds it.
    fn sync(&self, reply: ReplyEmpty) {
        match self.volume.save() {
            Ok(()) => reply.ok(),
            Err(_) => reply.error(fuser::Errno::EIO),
        }
    }

    pub(crate) fn new(volume: Arc<Volume>, read_only: bool) -> Self {
        Self { volume, read_only, listings: Mutex::default(), next_handle: AtomicU64::new(1) }
    }

    /// The kernel calls the root 1; everything else keeps its number.
    fn inner(tree: &Tree, ino: INodeNo) -> Ino {
        if ino == INodeNo::ROOT { tree.root } else { ino.0 }
    }

    fn outer(tree: &Tree, ino: Ino) -> INodeNo {
        if ino == tree.root { INodeNo::ROOT } else { INodeNo(ino) }
    }

    fn attr(tree: &Tree, ino: Ino) -> Result<FileAttr, Errno> {
        Ok(attributes(Self::outer(tree, ino), tree.node(ino)?))
    }

    /// Runs a change, unless the server holds this mount read-only.
    fn change<T>(&self, run: impl FnOnce(&mut Tree) -> Result<T, Errno>) -> Result<T, Errno> {
        if self.read_only {
            return Err(Errno::ROFS);
        }
        run(&mut self.volume.lock())
    }

    fn make(&self, parent: INodeNo, name: &OsStr, kind: Kind, maker: Maker, rdev: u32) -> Result<FileAttr, Errno> {
        self.change(|tree| {
            let parent = Self::inner(tree, parent);
            let ino = tree.make(parent, name, kind, maker)?;
            tree.node_mut(ino)?.rdev = rdev;
            Self::attr(tree, ino)
        })
    }

    fn list(&self, ino: INodeNo) -> Result<Listing, Errno> {
        let tree = self.volume.lock();
        let dir = Self::inner(&tree, ino);
        let node = tree.node(dir)?;
        let children = node.children().ok_or(Errno::NOTDIR)?;
        let parent = node.links.first().map_or(dir, |(parent, _)| *parent);
        let mut rows = vec![
            (ino.0, FileType::Directory, OsString::from(".")),
            (Self::outer(&tree, parent).0, FileType::Directory, OsString::from("..")),
        ];
        for (name, child) in children {
            rows.push((*child, file_type(&tree.node(*child)?.kind), name.clone()));
        }
        Ok(Arc::new(rows))
    }
}

fn done(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(errno) => reply.error(refused(errno)),
    }
}

fn entered(result: Result<FileAttr, Errno>, reply: ReplyEntry) {
    match result {
        Ok(attr) => reply.entry(&NO_CACHE, &attr, Generation(0)),
        Err(errno) => reply.error(refused(errno)),
    }
}

impl Filesystem for View {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // Without it a program mapped from this mount could not run; older kernels lack it.
        config.add_capabilities(InitFlags::FUSE_DIRECT_IO_ALLOW_MMAP).ok();
        config.set_max_write(1024 * 1024).ok();
        Ok(())
    }

    fn lookup(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let tree = self.volume.lock();
        let found = tree.lookup(Self::inner(&tree, parent), name).and_then(|ino| Self::attr(&tree, ino));
        entered(found, reply);
    }

    fn getattr(&self, _request: &Request, ino: INodeNo, _handle: Option<FileHandle>, reply: ReplyAttr) {
        let tree = self.volume.lock();
        match Self::attr(&tree, Self::inner(&tree, ino)) {
            Ok(attr) => reply.attr(&NO_CACHE, &attr),
            Err(errno) => reply.error(refused(errno)),
        }
    }

    fn setattr(
        &self,
        _request: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _handle: Option<FileHandle>,
        _created: Option<SystemTime>,
        _changed: Option<SystemTime>,
        _backed_up: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let result = self.change(|tree| {
            let now = tree.clock.system_time();
            let at = |time: TimeOrNow| match time {
                TimeOrNow::SpecificTime(time) => time,
                TimeOrNow::Now => now,
            };
            let change = Change { perm: mode, uid, gid, len: size, atime: atime.map(at), mtime: mtime.map(at) };
            let ino = Self::inner(tree, ino);
            tree.set_attributes(ino, change)?;
            Self::attr(tree, ino)
        });
        match result {
            Ok(attr) => reply.attr(&NO_CACHE, &attr),
            Err(errno) => reply.error(refused(errno)),
        }
    }

    fn readlink(&self, _request: &Request, ino: INodeNo, reply: ReplyData) {
        let tree = self.volume.lock();
        match tree.node(Self::inner(&tree, ino)).map(|node| &node.kind) {
            Ok(Kind::Symlink(target)) => reply.data(target.as_os_str().as_encoded_bytes()),
            Ok(_) => reply.error(refused(Errno::INVAL)),
            Err(errno) => reply.error(refused(errno)),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        rdev: u32,
        reply: ReplyEntry,
    ) {
        let Some(kind) = kind_of(mode) else { return reply.error(refused(Errno::INVAL)) };
        entered(self.make(parent, name, kind, maker(request, mode, umask), rdev), reply);
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        entered(self.make(parent, name, Kind::Dir(BTreeMap::new()), maker(request, mode, umask), 0), reply);
    }

    fn unlink(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.change(|tree| tree.unlink(Self::inner(tree, parent), name)), reply);
    }

    fn rmdir(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.change(|tree| tree.rmdir(Self::inner(tree, parent), name)), reply);
    }

    fn symlink(&self, request: &Request, parent: INodeNo, name: &OsStr, target: &Path, reply: ReplyEntry) {
        let kind = Kind::Symlink(target.to_path_buf());
        entered(self.make(parent, name, kind, maker(request, 0o777, 0), 0), reply);
    }

    fn rename(
        &self,
        _request: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let on_existing = match flags {
            flags if flags.is_empty() => OnExisting::Replace,
            RenameFlags::RENAME_NOREPLACE => OnExisting::Refuse,
            _ => return reply.error(refused(Errno::INVAL)),
        };
        let result = self.change(|tree| {
            let from = Self::inner(tree, parent);
            let to = Self::inner(tree, new_parent);
            tree.rename((from, name), (to, new_name), on_existing)
        });
        done(result, reply);
    }

    fn link(&self, _request: &Request, ino: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let result = self.change(|tree| {
            let ino = Self::inner(tree, ino);
            tree.link(ino, Self::inner(tree, parent), name)?;
            Self::attr(tree, ino)
        });
        entered(result, reply);
    }

    fn open(&self, _request: &Request, ino: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        let mut tree = self.volume.lock();
        let ino = Self::inner(&tree, ino);
        match tree.opened(ino) {
            Ok(()) => reply.opened(FileHandle(ino), FopenFlags::FOPEN_DIRECT_IO),
            Err(errno) => reply.error(refused(errno)),
        }
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let made = self.change(|tree| {
            let parent = Self::inner(tree, parent);
            let ino = tree.make(parent, name, Kind::File(Content::default()), maker(request, mode, umask))?;
            tree.opened(ino)?;
            Ok((ino, Self::attr(tree, ino)?))
        });
        match made {
            Ok((ino, attr)) => {
                reply.created(&NO_CACHE, &attr, Generation(0), FileHandle(ino), FopenFlags::FOPEN_DIRECT_IO);
            }
            Err(errno) => reply.error(refused(errno)),
        }
    }

    fn read(
        &self,
        _request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let tree = self.volume.lock();
        match tree.read(Self::inner(&tree, ino), offset, usize::try_from(size).unwrap_or(0)) {
            Ok(bytes) => reply.data(&bytes),
            Err(errno) => reply.error(refused(errno)),
        }
    }

    fn write(
        &self,
        _request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let at = if flags.0 & OPEN_APPEND == 0 { Some(offset) } else { None };
        match self.change(|tree| tree.write(Self::inner(tree, ino), at, data)) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(errno) => reply.error(refused(errno)),
        }
    }

    fn flush(&self, _request: &Request, _ino: INodeNo, _handle: FileHandle, _owner: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn release(
        &self,
        _request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        let mut tree = self.volume.lock();
        let ino = Self::inner(&tree, ino);
        tree.closed(ino);
        reply.ok();
    }

    fn fsync(&self, _request: &Request, _ino: INodeNo, _handle: FileHandle, _data_only: bool, reply: ReplyEmpty) {
        self.sync(reply);
    }

    fn fsyncdir(&self, _request: &Request, _ino: INodeNo, _handle: FileHandle, _data_only: bool, reply: ReplyEmpty) {
        self.sync(reply);
    }

    fn opendir(&self, _request: &Request, ino: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        match self.list(ino) {
            Ok(listing) => {
                let handle = self.next_handle.fetch_add(1, Ordering::Relaxed);
                self.listings.lock().insert(handle, listing);
                reply.opened(FileHandle(handle), FopenFlags::empty());
            }
            Err(errno) => reply.error(refused(errno)),
        }
    }

    fn readdir(&self, _request: &Request, ino: INodeNo, handle: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        if offset == 0
            && let Ok(fresh) = self.list(ino)
        {
            // A rewound handle sees the directory as it is now.
            self.listings.lock().insert(handle.0, fresh);
        }
        let Some(listing) = self.listings.lock().get(&handle.0).cloned() else {
            return reply.error(refused(Errno::BADF));
        };
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        for (at, (child, kind, name)) in listing.iter().enumerate().skip(skip) {
            let next = u64::try_from(at).unwrap_or(u64::MAX).saturating_add(1);
            if reply.add(INodeNo(*child), next, *kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(&self, _request: &Request, _ino: INodeNo, handle: FileHandle, _flags: OpenFlags, reply: ReplyEmpty) {
        self.listings.lock().remove(&handle.0);
        reply.ok();
    }

    fn statfs(&self, _request: &Request, ino: INodeNo, reply: ReplyStatfs) {
        let tree = self.volume.lock();
        let (total, free) = tree.space_at(Self::inner(&tree, ino));
        let inodes = u64::try_from(tree.nodes.len()).unwrap_or(u64::MAX);
        let most = 6_400_000_000_000_u64;
        reply.statfs(total / BLOCK, free / BLOCK, free / BLOCK, most, most.saturating_sub(inodes), 4096, 255, 4096);
    }

    fn setxattr(
        &self,
        _request: &Request,
        ino: INodeNo,
        name: &OsStr,
        value: &[u8],
        flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        let result = self.change(|tree| {
            let ino = Self::inner(tree, ino);
            let present = tree.node(ino)?.xattrs.contains_key(name);
            if flags & XATTR_CREATE != 0 && present {
                return Err(Errno::EXIST);
            }
            if flags & XATTR_REPLACE != 0 && !present {
                return Err(Errno::NODATA);
            }
            tree.set_xattr(ino, name, value)
        });
        done(result, reply);
    }

    fn getxattr(&self, _request: &Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let tree = self.volume.lock();
        let value = tree.node(Self::inner(&tree, ino)).and_then(|node| node.xattrs.get(name).ok_or(Errno::NODATA));
        answer_xattr(value.map(Vec::as_slice), size, reply);
    }

    fn listxattr(&self, _request: &Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        let tree = self.volume.lock();
        let names = tree.node(Self::inner(&tree, ino)).map(|node| {
            let mut names = Vec::new();
            for name in node.xattrs.keys() {
                names.extend_from_slice(name.as_encoded_bytes());
                names.push(0);
            }
            names
        });
        answer_xattr(names.as_deref().map_err(|errno| *errno), size, reply);
    }

    fn removexattr(&self, _request: &Request, ino: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.change(|tree| tree.remove_xattr(Self::inner(tree, ino), name)), reply);
    }
}

fn answer_xattr(value: Result<&[u8], Errno>, room: u32, reply: ReplyXattr) {
    match value {
        Ok(value) if room == 0 => reply.size(u32::try_from(value.len()).unwrap_or(u32::MAX)),
        Ok(value) if value.len() <= usize::try_from(room).unwrap_or(0) => reply.data(value),
        Ok(_) => reply.error(refused(Errno::RANGE)),
        Err(errno) => reply.error(refused(errno)),
    }
}
