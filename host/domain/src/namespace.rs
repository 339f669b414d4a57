//! Namespaces: directory trees and buckets of a project on one provider.

use serde::{Deserialize, Serialize};

use crate::{
    Bytes, ClassName, FieldError, Labels, Limits, NamespaceName, OperationName, Prefix, ProviderName, UnixMillis,
};

/// A way to reach the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Mounted as a file system.
    Posix,
    /// As objects.
    S3,
}

impl Protocol {
    /// The word of capability ids and audit entries.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Posix => "posix",
            Self::S3 => "s3",
        }
    }
}

/// Where a namespace is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamespaceState {
    /// Being made.
    Provisioning,
    /// A node has to do a part.
    AwaitingNode,
    /// Usable.
    Ready,
    /// Usable and being changed.
    Updating,
    /// Being deleted.
    Deleting,
    /// Gone.
    Deleted,
    /// It could not be made or deleted; the reason says why.
    Failed,
}

impl NamespaceState {
    /// Whether mounts may be made.
    #[must_use]
    pub const fn usable(self) -> bool {
        matches!(self, Self::Ready | Self::Updating)
    }
}

/// What becomes of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataPolicy {
    /// The provider keeps it.
    Keep,
    /// It is removed.
    Purge,
}

/// Where the native object is and how the adapter names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Native {
    /// The adapter's own reference, opaque.
    pub reference: Vec<u8>,
    /// In an operator's words.
    #[serde(default)]
    pub location: String,
}

/// A directory tree or bucket of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Its name.
    pub name: NamespaceName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// The class it was made with; `None` for an adopted one without.
    #[serde(default)]
    pub class: Option<ClassName>,
    /// Where it stands.
    pub provider: ProviderName,
    /// How it is reached.
    pub protocols: Vec<Protocol>,
    /// As asked for.
    pub limits: Limits,
    /// As in force at the provider, which may have rounded.
    #[serde(default)]
    pub effective_limits: Option<Limits>,
    /// What the ledgers count for it; zero once nothing of it can be at the provider.
    pub reserved: Bytes,
    /// Top-level directories.
    #[serde(default)]
    pub prefixes: Vec<Prefix>,
    /// The platform's own.
    #[serde(default)]
    pub labels: Labels,
    /// Whether a delete is refused.
    #[serde(default)]
    pub deletion_protection: bool,
    /// Where it is in its life.
    pub state: NamespaceState,
    /// Why, for people.
    #[serde(default)]
    pub state_reason: String,
    /// When a failed step is tried again.
    #[serde(default)]
    pub next_retry_at: Option<UnixMillis>,
    /// The operation that changes it now.
    #[serde(default)]
    pub operation: Option<OperationName>,
    /// The short opaque id that its native name is built from.
    pub physical_id: String,
    /// The owner token that the native object bears: what `find` looks for.
    pub owner: String,
    /// The native object, once it is known.
    #[serde(default)]
    pub native: Option<Native>,
    /// When it was asked for.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
    /// When it was deleted.
    #[serde(default)]
    pub deleted_at: Option<UnixMillis>,
}

impl Namespace {
    /// The name of its bucket; `None` unless it is reached over S3.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        self.protocols.contains(&Protocol::S3).then_some(self.physical_id.as_str())
    }
}

/// Checks a list of prefixes given at creation: at most 32, each named once; none means the default ones.
///
/// # Errors
/// Names the entry.
pub fn check_prefixes(texts: &[String]) -> Result<Vec<Prefix>, FieldError> {
    if texts.is_empty() {
        return Ok(Prefix::defaults());
    }
    if texts.len() > 32 {
        return Err(FieldError::new(
            "namespace.prefixes",
            format!("{} prefixes are over the limit of 32", texts.len()),
        ));
    }
    let mut prefixes: Vec<Prefix> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let field = format!("namespace.prefixes[{index}]");
        let prefix = Prefix::parse(&field, text)?;
        if prefix.as_str().is_empty() || prefixes.contains(&prefix) {
            return Err(FieldError::new(field, format!("{text:?} must name a directory, once")));
        }
        prefixes.push(prefix);
    }
    Ok(prefixes)
}
