//! The real tree behind each filesystem: inodes, bytes, quotas, and FUSE mounts of them.

pub(crate) mod accounting;
pub(crate) mod attributes;
pub(crate) mod blocks;
pub(crate) mod fuse;
pub(crate) mod io;
pub(crate) mod mount;
pub(crate) mod node;
pub(crate) mod ops;
pub(crate) mod saved;
pub(crate) mod snapshots;
pub(crate) mod volume;

#[cfg(test)]
mod tests;
