//! References to native objects, as the host stores them: JSON, well below its bound of 1 KiB.
//!
//! A namespace's reference holds the mark of its creator, because a later change of limits comes under another owner token
//! and must write the same mark again: a quota is replaced as a whole.

use serde::{Deserialize, Serialize};

/// How every directory's bytes begin.
const DIRECTORY: &[u8] = br#"{"k":"d","#;

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
    /// A tenant's organization.
    #[serde(rename = "t")]
    Tenant(Tenant),
    /// A snapshot of a filesystem.
    #[serde(rename = "s")]
    Snapshot(Snapshot),
}

/// Where a tenant's filesystems are: an organization, and the secret of its administrator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The organization's uid.
    #[serde(rename = "u")]
    pub(crate) uid: String,
    /// Its name, which logins name.
    #[serde(rename = "n")]
    pub(crate) organization: String,
    /// The host's name of the secret; never its value.
    #[serde(rename = "s")]
    pub(crate) secret: String,
}

/// A tenant's organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tenant {
    /// Where it is.
    #[serde(rename = "w")]
    pub(crate) place: Place,
}

/// A snapshot of a namespace's filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// Its uid.
    #[serde(rename = "u")]
    pub(crate) uid: String,
    /// Its native name.
    #[serde(rename = "n")]
    pub(crate) name: String,
    /// The filesystem's uid.
    #[serde(rename = "f")]
    pub(crate) filesystem_uid: String,
    /// Where the filesystem is, if not in the configured organization.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
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
    /// The namespace's physical id, where the path does not end in it: an adopted directory keeps its name.
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    pub(crate) physical_id: Option<String>,
    /// The bucket over it.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub(crate) bucket: Option<String>,
    /// Nodes do not mount it.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) s3_alone: bool,
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
    /// Where it is, if not in the configured organization.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
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
    /// The fence that was made for it.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) fence: Option<Fence>,
}

/// A security policy that lets one plan's node mount a filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fence {
    /// The policy's uid.
    #[serde(rename = "p")]
    pub(crate) policy: String,
    /// The filesystem's uid.
    #[serde(rename = "u")]
    pub(crate) filesystem_uid: String,
    /// Where the filesystem is, if not in the configured organization.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
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
        // Directories come by the ten thousand, and a tagged form is read into a tree first.
        if bytes.starts_with(DIRECTORY) {
            return serde_json::from_slice(bytes).map(Self::Directory).map_err(|_| Unreadable);
        }
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
                physical_id: Some(name.clone()),
                bucket: Some(name.clone()),
                s3_alone: true,
            });
            let place = Place {
                uid: "7a6bfe5e-9944-4bf4-b799-527e9b5c2a13".to_owned(),
                organization: "x".repeat(32),
                secret: format!("made/{}/{}", "p".repeat(63), "t".repeat(64)),
            };
            let whole = Reference::Filesystem(Whole {
                uid: place.uid.clone(),
                name: name.clone(),
                place: Some(place.clone()),
            });
            let fence = Fence {
                policy: place.uid.clone(),
                filesystem_uid: place.uid.clone(),
                place: Some(place.clone()),
            };
            let snapshot = Reference::Snapshot(Snapshot {
                uid: place.uid.clone(),
                name: name.clone(),
                filesystem_uid: place.uid.clone(),
                place: Some(place.clone()),
            });
            let plan = Reference::Plan(Plan {
                filesystem: name,
                node,
                addresses: vec!["fd00:1111:2222:3333:4444:5555:6666:7777".to_owned(); 8],
                fence: Some(fence),
            });
            for reference in [directory, plan, whole, snapshot, Reference::Tenant(Tenant { place })] {
                let bytes = reference.bytes();
                prop_assert!(bytes.len() <= MAX_BYTES);
                prop_assert_eq!(bytes.starts_with(DIRECTORY), matches!(reference, Reference::Directory(_)));
                prop_assert_eq!(Reference::read(&bytes), Ok(reference));
            }
        }

        #[test]
        fn foreign_bytes_are_refused_without_a_panic(bytes: Vec<u8>) {
            prop_assert_eq!(Reference::read(&bytes), Err(Unreadable));
        }
    }
}
