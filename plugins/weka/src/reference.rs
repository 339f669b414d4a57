//! References to native objects, as the host stores them: JSON, well below its bound of 1 KiB.
//!
//! A namespace's reference holds the mark of its creator, because a later change of limits comes under another owner token
//! and must write the same mark again: a quota is replaced as a whole.

use serde::{Deserialize, Serialize};

/// A native object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "k")]
pub(crate) enum Reference {
    /// A directory with a quota.
    #[serde(rename = "d")]
    Directory(Directory),
    /// A filesystem of its own.
    #[serde(rename = "f")]
    Filesystem(Whole),
    /// A mount plan.
    #[serde(rename = "m")]
    Plan(Plan),
}

/// A namespace by `directory`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Directory {
    /// The filesystem's uid.
    #[serde(rename = "u")]
    pub(crate) filesystem_uid: String,
    /// The filesystem's name, which mounts use.
    #[serde(rename = "n")]
    pub(crate) filesystem: String,
    /// Path from the filesystem's root, beginning with a slash.
    #[serde(rename = "p")]
    pub(crate) path: String,
    /// The directory's inode when the quota was put.
    #[serde(rename = "i")]
    pub(crate) inode: u64,
    /// Its mark.
    #[serde(rename = "o")]
    pub(crate) mark: String,
}

/// A namespace by `filesystem`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Whole {
    /// The filesystem's uid.
    #[serde(rename = "u")]
    pub(crate) uid: String,
    /// Its name.
    #[serde(rename = "n")]
    pub(crate) name: String,
    /// Its mark.
    #[serde(rename = "o")]
    pub(crate) mark: String,
}

/// A mount plan: whose client shall be seen at the backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The filesystem's name.
    #[serde(rename = "n")]
    pub(crate) filesystem: String,
    /// The node's id.
    #[serde(rename = "h")]
    pub(crate) node: String,
    /// The node's addresses.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) addresses: Vec<String>,
}

/// A reference that this adapter did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl Reference {
    /// The bytes that the host stores.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // Only maps with keys that are not strings can fail, and there are none.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Self::bytes`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(bytes).map_err(|_| Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Most bytes of a reference that the host stores.
    const MAX_BYTES: usize = 1024;

    proptest! {
        #[test]
        fn a_reference_reads_back_and_fits(inode: u64, name in "[a-z0-9-]{1,19}", node in "[a-z0-9-]{1,63}") {
            let directory = Reference::Directory(Directory {
                filesystem_uid: "7a6bfe5e-9944-4bf4-b799-527e9b5c2a13".to_owned(),
                filesystem: "gpuaas-kind-fs".to_owned(),
                path: format!("/stowage/{name}"),
                inode,
                mark: crate::mark::of(&name),
            });
            let plan = Reference::Plan(Plan { filesystem: name, node, addresses: vec!["10.0.0.1".to_owned(); 16] });
            for reference in [directory, plan] {
                let bytes = reference.bytes();
                prop_assert!(bytes.len() <= MAX_BYTES);
                prop_assert_eq!(Reference::read(&bytes), Ok(reference));
            }
        }

        #[test]
        fn foreign_bytes_are_refused_without_a_panic(bytes: Vec<u8>) {
            prop_assert_eq!(Reference::read(&bytes), Err(Unreadable));
        }
    }
}
