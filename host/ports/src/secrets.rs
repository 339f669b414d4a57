//! Secret values: kept outside the state store, named by the operator or made by the host, never shown.

use async_trait::async_trait;
use secrecy::SecretString;

/// A secret's name: a path of lower-case words, such as `providers/weka-kind/admin`. Never itself a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct SecretName(String);

impl SecretName {
    /// Segments of `[a-z0-9._-]`, joined by `/`, at most 200 bytes; no segment is empty or starts with a dot.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let segment = |s: &str| {
            !s.is_empty()
                && !s.starts_with('.')
                && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
        };
        if text.len() <= 200 && text.split('/').all(segment) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SecretError::BadName(text.to_owned()))
        }
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SecretName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a secret could not be read or written. No variant carries a value.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    /// Not a secret name.
    #[error("{0:?} is not a secret name: use segments of a-z, 0-9, '.', '_' and '-' joined by '/'")]
    BadName(String),
    /// There is no such secret or no such field of it.
    #[error("secret {name} has no field {field:?}: add it to the secret store")]
    Missing {
        /// The secret.
        name: String,
        /// The field.
        field: String,
    },
    /// The store may not be written (environment variables, a read-only mount).
    #[error("the secret store is read-only: {0}")]
    ReadOnly(String),
    /// It could not be reached or read.
    #[error("the secret store failed: {0}")]
    Io(String),
}

/// A store of secrets. Each secret has named fields (`username`, `password`, …).
#[async_trait]
pub trait Secrets: Send + Sync + 'static {
    /// One field's value.
    async fn get(&self, name: &SecretName, field: &str) -> Result<SecretString, SecretError>;

    /// Writes fields of a secret, leaving its others as they are; durable when it answers.
    async fn put(&self, name: &SecretName, fields: Vec<(String, SecretString)>) -> Result<(), SecretError>;

    /// Forgets a secret; an absent one is no error.
    async fn delete(&self, name: &SecretName) -> Result<(), SecretError>;
}
