//! Who pays for which bytes, and who is stopped.
//!
//! Every directory carries the bytes of everything beneath it, kept up to date by walking from the changed inode to the
//! root: usage is read in one step, and a quota set on a full directory knows its usage at once. A change that grows the
//! tree is first checked against every active quota on the way and against the filesystem's size, then applied; so a
//! refused write changes nothing. Files are charged in whole blocks of 4096 bytes, directories one block.
//!
//! Counter-example: bytes of a file that was unlinked while still open are given back at the unlink, not at the close.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::node::{Ino, Kind, Node};
use super::volume::Tree;
use crate::clock::Millis;

/// Bytes in one block.
pub(crate) const BLOCK: u64 = 4096;

/// Limits at and above this are "no limit": the sentinels of real clients lie there (2^63-1 by CSI).
pub(crate) const UNLIMITED: u64 = i64::MAX as u64;

/// `grace_seconds` that never ends.
pub(crate) const GRACE_FOREVER: u64 = 4_294_967_295;

/// Rounds up to whole blocks, as every limit and capacity is.
pub(crate) fn round_up(bytes: u64) -> u64 {
    if bytes >= UNLIMITED { bytes } else { bytes.div_ceil(BLOCK).saturating_mul(BLOCK) }
}

/// Where a quota stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum QuotaStatus {
    /// Being coloured in; not enforced.
    Adding,
    /// Enforced.
    Active,
    /// Colouring failed; not enforced.
    Error,
}

/// A directory quota.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Quota {
    /// 0 is unlimited.
    pub(crate) hard: u64,
    /// 0 is unlimited.
    pub(crate) soft: u64,
    pub(crate) grace_secs: u64,
    pub(crate) owner: String,
    /// Enforced from this moment; `None`: never (colouring is stuck).
    pub(crate) active_at: Option<Millis>,
    pub(crate) failed: bool,
    /// Since when usage is above the soft limit.
    pub(crate) over_soft_since: Option<Millis>,
}

impl Quota {
    pub(crate) fn status(&self, now: Millis) -> QuotaStatus {
        match self.active_at {
            _ if self.failed => QuotaStatus::Error,
            Some(at) if at <= now => QuotaStatus::Active,
            _ => QuotaStatus::Adding,
        }
    }

    fn refuses(&self, used_after: u64, now: Millis, zero_grace_is_advisory: bool) -> bool {
        if self.status(now) != QuotaStatus::Active {
            return false;
        }
        if self.hard != 0 && self.hard < UNLIMITED && used_after > self.hard {
            return true;
        }
        if self.soft == 0 || self.soft >= UNLIMITED || used_after <= self.soft || self.grace_secs >= GRACE_FOREVER {
            return false;
        }
        match (self.grace_secs, self.over_soft_since) {
            (0, _) => !zero_grace_is_advisory,
            (grace, Some(since)) => now.saturating_sub(since) >= grace.saturating_mul(1000),
            (_, None) => false,
        }
    }

    fn note_usage(&mut self, used: u64, now: Millis) {
        if self.soft == 0 || used <= self.soft {
            self.over_soft_since = None;
        } else if self.over_soft_since.is_none() {
            self.over_soft_since = Some(now);
        }
    }
}

impl Tree {
    /// What an inode costs by itself.
    pub(crate) fn own_cost(&self, node: &Node) -> u64 {
        let metadata = self.rules.file_metadata_blocks.saturating_mul(BLOCK);
        match &node.kind {
            Kind::Dir(_) => BLOCK,
            Kind::File(content) => content.len().div_ceil(BLOCK).saturating_mul(BLOCK).saturating_add(metadata),
            Kind::Symlink(_) | Kind::Special(_) => metadata,
        }
    }

    /// From a directory up to the root, itself included.
    pub(crate) fn chain(&self, dir: Ino) -> Vec<Ino> {
        let mut chain = Vec::new();
        let mut at = Some(dir);
        while let Some(ino) = at {
            chain.push(ino);
            at = self.nodes.get(&ino).and_then(|node| node.links.first()).map(|(parent, _)| *parent);
        }
        chain
    }

    /// Whether `grown` more bytes may be charged to this directory and those above it.
    pub(crate) fn check_growth(&self, dir: Ino, grown: u64) -> Result<(), Errno> {
        if grown == 0 {
            return Ok(());
        }
        let now = self.clock.now();
        for ino in self.chain(dir) {
            let used = self.nodes.get(&ino).map_or(0, |node| node.subtree);
            let after = used.saturating_add(grown);
            if let Some(quota) = self.quotas.get(&ino)
                && quota.refuses(after, now, self.rules.zero_grace_is_advisory)
            {
                return Err(Errno::DQUOT);
            }
            if ino == self.root && after > self.budget {
                return Err(Errno::NOSPC);
            }
        }
        Ok(())
    }

    /// Charges (or gives back) bytes to this directory and those above it. Checks nothing.
    pub(crate) fn charge(&mut self, dir: Ino, grown: i128) {
        let now = self.clock.now();
        for ino in self.chain(dir) {
            let Some(node) = self.nodes.get_mut(&ino) else { continue };
            let after = i128::from(node.subtree).saturating_add(grown).max(0);
            node.subtree = u64::try_from(after).unwrap_or(u64::MAX);
            let used = node.subtree;
            if let Some(quota) = self.quotas.get_mut(&ino) {
                quota.note_usage(used, now);
            }
        }
    }

    /// Gives a directory that is made the default quota of the one above it; it is empty, so it is enforced at once.
    pub(crate) fn inherit_quota(&mut self, parent: Ino, made: Ino) {
        if let Some(default) = self.default_quotas.get(&parent) {
            let quota = Quota { active_at: Some(self.clock.now()), ..default.clone() };
            self.quotas.insert(made, quota);
        }
    }

    /// The innermost directory with a quota at or above `dir`.
    pub(crate) fn quota_root(&self, dir: Ino) -> Option<Ino> {
        self.chain(dir).into_iter().find(|ino| self.quotas.contains_key(ino))
    }

    /// Quotas above or beneath this directory that would nest with it, counted along the deepest line, itself included.
    pub(crate) fn nesting_with(&self, dir: Ino) -> usize {
        let above = self.chain(dir).into_iter().skip(1).filter(|ino| self.quotas.contains_key(ino)).count();
        above.saturating_add(self.deepest_beneath(dir)).saturating_add(1)
    }

    /// Quotas beneath a directory along the line that has most of them. A fresh directory has no children to look at, so
    /// the ten thousandth quota costs what the first did.
    fn deepest_beneath(&self, dir: Ino) -> usize {
        let mut deepest = 0;
        let mut open = vec![(dir, 0_usize)];
        while let Some((ino, quotas)) = open.pop() {
            deepest = deepest.max(quotas);
            let children = self.nodes.get(&ino).and_then(Node::children);
            for child in children.into_iter().flat_map(BTreeMap::values) {
                open.push((*child, quotas.saturating_add(usize::from(self.quotas.contains_key(child)))));
            }
        }
        deepest
    }

    /// Total and free bytes as `df` on this inode shows them: an active hard quota is the size.
    pub(crate) fn space_at(&self, ino: Ino) -> (u64, u64) {
        let now = self.clock.now();
        let root_used = self.nodes.get(&self.root).map_or(0, |node| node.subtree);
        let dir = match self.nodes.get(&ino) {
            Some(node) if node.is_dir() => ino,
            Some(node) => node.links.first().map_or(self.root, |(parent, _)| *parent),
            None => self.root,
        };
        let fs_free = self.budget.saturating_sub(root_used);
        for at in self.chain(dir) {
            if let (Some(quota), Some(node)) = (self.quotas.get(&at), self.nodes.get(&at))
                && quota.status(now) == QuotaStatus::Active
                && quota.hard != 0
                && quota.hard < UNLIMITED
            {
                return (quota.hard, quota.hard.saturating_sub(node.subtree).min(fs_free));
            }
        }
        (self.budget, fs_free)
    }
}

/// Names that the filesystem cannot hold.
pub(crate) fn check_name(name: &OsStr) -> Result<(), Errno> {
    if name.len() > 255 { Err(Errno::NAMETOOLONG) } else { Ok(()) }
}
