//! Inodes as the kernel wants them described.

use std::collections::BTreeMap;

use fuser::{FileAttr, FileType, INodeNo, Request};

use super::accounting::BLOCK;
use super::blocks::Content;
use super::node::{Kind, Maker, Node};

const FILE_TYPE_MASK: u32 = 0o170_000;
const TYPE_FIFO: u32 = 0o010_000;
const TYPE_CHAR: u32 = 0o020_000;
const TYPE_BLOCK: u32 = 0o060_000;
const TYPE_REGULAR: u32 = 0o100_000;
const TYPE_SOCKET: u32 = 0o140_000;

pub(crate) fn file_type(kind: &Kind) -> FileType {
    match kind {
        Kind::Dir(_) => FileType::Directory,
        Kind::File(_) => FileType::RegularFile,
        Kind::Symlink(_) => FileType::Symlink,
        Kind::Special(TYPE_CHAR) => FileType::CharDevice,
        Kind::Special(TYPE_BLOCK) => FileType::BlockDevice,
        Kind::Special(TYPE_SOCKET) => FileType::Socket,
        Kind::Special(_) => FileType::NamedPipe,
    }
}

pub(crate) fn attributes(ino: INodeNo, node: &Node) -> FileAttr {
    let links =
        if node.is_dir() { node.children().map_or(0, BTreeMap::len).saturating_add(2) } else { node.links.len() };
    let own = if node.is_dir() { BLOCK } else { node.subtree };
    FileAttr {
        ino,
        size: node.len(),
        blocks: own / 512,
        atime: node.atime,
        mtime: node.mtime,
        ctime: node.ctime,
        crtime: node.ctime,
        kind: file_type(&node.kind),
        perm: u16::try_from(node.perm).unwrap_or(0),
        nlink: u32::try_from(links).unwrap_or(u32::MAX),
        uid: node.uid,
        gid: node.gid,
        rdev: node.rdev,
        blksize: 4096,
        flags: 0,
    }
}

pub(crate) fn maker(request: &Request, mode: u32, umask: u32) -> Maker {
    Maker { uid: request.uid(), gid: request.gid(), perm: mode & !umask & 0o7777 }
}

/// What `mknod` shall make; `None` for types that cannot be made so.
pub(crate) fn kind_of(mode: u32) -> Option<Kind> {
    match mode & FILE_TYPE_MASK {
        TYPE_REGULAR | 0 => Some(Kind::File(Content::default())),
        special @ (TYPE_FIFO | TYPE_CHAR | TYPE_BLOCK | TYPE_SOCKET) => Some(Kind::Special(special)),
        _ => None,
    }
}
