//! What an object has that a file has not: entity tag, content type, user metadata, tags.
//!
//! They lie in one extended attribute of the file, so a rename or a snapshot keeps them. The entity tag holds only for
//! the bytes that it was made of: a POSIX writer's change counts up [`Node::changes`], and from then on the object shows
//! a tag made of the inode, its length and its time, with a dash, so that no client takes it for an MD5. A file that was
//! never an object shows such a tag from the start.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::time::UNIX_EPOCH;

use s3s::crypto::{Checksum as _, Md5};
use serde::{Deserialize, Serialize};

use crate::tree::node::{Ino, Node};

/// The extended attribute's name.
const ATTRIBUTE: &str = "user.s3";

/// The facts of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    /// Without quotes.
    pub(crate) etag: String,
    /// [`Node::changes`] when the tag was made.
    pub(crate) changes: u64,
    /// Content type and the other headers that a GET gives back, by lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    /// `x-amz-meta-*` without the prefix.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Facts {
    /// The facts of a file; of a file that was never an object, the empty ones.
    pub(crate) fn of(ino: Ino, node: &Node) -> Self {
        let stored = node.xattrs.get(OsStr::new(ATTRIBUTE)).and_then(|bytes| serde_json::from_slice(bytes).ok());
        let mut facts: Self = stored.unwrap_or_default();
        if facts.etag.is_empty() || facts.changes != node.changes {
            facts.etag = made_up_tag(ino, node);
        }
        facts
    }

    /// As extended attributes for a new file, whose bytes did not change yet.
    pub(crate) fn into_attributes(mut self) -> BTreeMap<OsString, Vec<u8>> {
        self.changes = 0;
        serde_json::to_vec(&self).map(|bytes| (OsString::from(ATTRIBUTE), bytes)).into_iter().collect()
    }

    /// Whether a directory was made as an object of its own.
    pub(crate) fn mark(node: &Node) -> bool {
        node.xattrs.contains_key(OsStr::new(ATTRIBUTE))
    }

    /// Puts other tags on a file.
    pub(crate) fn set_tags(ino: Ino, node: &mut Node, tags: BTreeMap<String, String>) {
        let facts = Self { tags, changes: node.changes, ..Self::of(ino, node) };
        if let Ok(bytes) = serde_json::to_vec(&facts) {
            node.xattrs.insert(ATTRIBUTE.into(), bytes);
        }
    }
}

fn made_up_tag(ino: Ino, node: &Node) -> String {
    let mtime = node.mtime.duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = format!("{ino}/{}/{}/{}", node.changes, node.len(), mtime.as_nanos());
    format!("{}-1", hex::encode(Md5::checksum(text.as_bytes())))
}
