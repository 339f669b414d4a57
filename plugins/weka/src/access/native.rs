//! References to principals and credentials. They hold names only: the host's name of a secret, never its value.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::{NativeRef, Result, error};

/// A principal or a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "k")]
pub(crate) enum Native {
    /// A parent S3 user.
    #[serde(rename = "s3u")]
    Parent(Parent),
    /// A temporary credential.
    #[serde(rename = "s3s")]
    Session(Session),
    /// A service account.
    #[serde(rename = "s3k")]
    Key(Key),
}

/// A parent S3 user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parent {
    /// Its uid.
    #[serde(rename = "u")]
    pub(crate) uid: String,
    /// Its name, which is its access key.
    #[serde(rename = "n")]
    pub(crate) name: String,
    /// The host's name of its secret.
    #[serde(rename = "s")]
    pub(crate) secret: String,
}

/// A temporary credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Its access key.
    #[serde(rename = "a")]
    pub(crate) key: String,
    /// Under whom.
    #[serde(rename = "p")]
    pub(crate) parent: Parent,
    /// When it ends, in Unix milliseconds.
    #[serde(rename = "e")]
    pub(crate) expires_at: u64,
}

/// A service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Its access key.
    #[serde(rename = "a")]
    pub(crate) key: String,
    /// Under whom.
    #[serde(rename = "p")]
    pub(crate) parent: Parent,
}

impl Native {
    /// The bytes that the host stores.
    pub(crate) fn bytes(&self) -> NativeRef {
        // Only maps with keys that are not strings can fail, and there are none.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Self::bytes`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let unreadable = |_| error::invalid("ref", "is no reference to a principal or credential of this adapter");
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// The parent that it is, or beneath which it stands.
    pub(crate) fn parent(&self) -> &Parent {
        match self {
            Self::Parent(parent) => parent,
            Self::Session(session) => &session.parent,
            Self::Key(key) => &key.parent,
        }
    }
}

impl Parent {
    /// Reads the reference of a principal.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        match Native::read(bytes)? {
            Native::Parent(parent) => Ok(parent),
            _ => Err(error::invalid("principal", "is a credential; name the principal that it was issued under")),
        }
    }

    /// The bytes that the host stores.
    pub(crate) fn bytes(&self) -> NativeRef {
        Native::Parent(self.clone()).bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Most bytes of a reference that the host stores.
    const MAX_BYTES: usize = 1024;

    #[test]
    fn the_longest_reference_reads_back_and_fits() {
        let parent = Parent {
            uid: "7a6bfe5e-9944-4bf4-b799-527e9b5c2a13".to_owned(),
            name: "n".repeat(32),
            secret: format!("made/{}/{}", "p".repeat(63), "n".repeat(32)),
        };
        let key = "A".repeat(128);
        for native in [
            Native::Parent(parent.clone()),
            Native::Session(Session { key: key.clone(), parent: parent.clone(), expires_at: u64::MAX }),
            Native::Key(Key { key, parent: parent.clone() }),
        ] {
            assert!(native.bytes().len() <= MAX_BYTES);
            assert_eq!(Native::read(&native.bytes()).unwrap(), native);
            assert_eq!(native.parent(), &parent);
            let is_parent = matches!(native, Native::Parent(_));
            assert_eq!(Parent::read(&native.bytes()).is_ok(), is_parent);
        }
        assert!(Native::read(br#"{"k":"d"}"#).is_err() && Native::read(b"").is_err());
    }
}
