//! Which secret a guest's reference means, and where captured values are kept.
//!
//! A guest names a declared secret, or hands back a handle. Handles are names in the secret store under a prefix with the
//! provider's own id, so one provider's handle means nothing to another:
//!
//! | name | made by | field |
//! |---|---|---|
//! | `sealed/<provider>/<32 hex>` | a sensitive place kept as `sealed` | `value` |
//! | `stored/<provider>/<name>` | a sensitive place kept as `stored(name)` | `value` |
//! | `made/<provider>/<name>` | `control`, for secrets that the host makes | as declared |

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use stowage_ports::exchange::SecretRef;
use stowage_ports::provider::Extensions;
use stowage_ports::{ExchangeError, SecretError, SecretName, Secrets};

/// The one field of a captured value.
pub(crate) const VALUE: &str = "value";
/// Shorter values cannot be masked without blanking out innocent text, so they are not used, in bytes.
pub(crate) const SHORTEST_SECRET: usize = 4;
/// Fields that name who signs or logs in. They stand in every list that a backend answers and are not masked.
const IDENTIFIERS: [&str; 6] = ["username", "user", "access-key-id", "access-key", "organization", "org"];

/// Whether the field's value is secret, as opposed to a name that backends answer in the clear.
pub(crate) fn is_secret(field: &str) -> bool {
    !IDENTIFIERS.contains(&field)
}

/// Name of the secret that holds a sealed value: derived from the operation's owner token, the exchange with its
/// parameters, and the place, so that a replay of the same step overwrites its own.
#[must_use]
pub fn captured_name(provider: &str, owner: &str, exchange: &str, params: &Extensions, place: usize) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text.as_bytes());
    };
    for text in [provider, owner, exchange] {
        part(text);
    }
    let mut params: Vec<_> = params.iter().collect();
    params.sort();
    for (name, value) in params {
        part(name);
        part(value);
    }
    hash.update(u64::try_from(place).unwrap_or(u64::MAX).to_be_bytes());
    let id = hash.finalize();
    format!("sealed/{provider}/{}", hex::encode(id.get(..16).unwrap_or_default()))
}

/// Whether `handle` names a sealed, stored or made secret of this provider instance. Whoever opens a handle that a guest
/// returned asks this first.
#[must_use]
pub fn owns_handle(provider: &str, handle: &str) -> bool {
    let own = |kind: &str| {
        handle.strip_prefix(kind).and_then(|h| h.strip_prefix(provider)).is_some_and(|h| h.starts_with('/'))
    };
    SecretName::parse(handle).is_ok() && (own("sealed/") || own("stored/") || own("made/"))
}

/// Checks the name of a stored place at admission.
pub(crate) fn check_stored(name: &str) -> Result<(), String> {
    let fits = SecretName::parse(name).is_ok() && name.len() <= 100;
    if fits {
        Ok(())
    } else {
        Err(format!("{name:?} is not a secret name: use a-z, 0-9, '.', '_', '-' and '/', at most 100"))
    }
}

/// The secrets of one provider instance.
pub(crate) struct Vault {
    provider: String,
    names: BTreeMap<String, SecretName>,
    store: Arc<dyn Secrets>,
}

impl Vault {
    pub(crate) fn new(provider: String, names: BTreeMap<String, SecretName>, store: Arc<dyn Secrets>) -> Self {
        Self { provider, names, store }
    }

    fn resolve(&self, name: &str) -> Result<SecretName, ExchangeError> {
        match self.names.get(name) {
            Some(bound) => Ok(bound.clone()),
            None if owns_handle(&self.provider, name) => {
                SecretName::parse(name).map_err(|_| ExchangeError::NoSuchSecret(name.to_owned()))
            }
            None => Err(ExchangeError::NoSuchSecret(format!(
                "{name:?} is neither declared and bound nor a handle of this provider"
            ))),
        }
    }

    /// A field, or `None` when the secret has no such field.
    pub(crate) async fn optional(&self, name: &str, field: &str) -> Result<Option<SecretString>, ExchangeError> {
        let at = self.resolve(name)?;
        match self.store.get(&at, field).await {
            Ok(value) if value.expose_secret().len() < SHORTEST_SECRET && is_secret(field) => {
                Err(ExchangeError::Denied(format!(
                    "field {field:?} of secret {name:?} is shorter than {SHORTEST_SECRET} bytes and could not be masked: use a longer one"
                )))
            }
            Ok(value) => Ok(Some(value)),
            Err(SecretError::Missing { .. }) => Ok(None),
            Err(e) => {
                tracing::error!(secret = name, error = %e, "the secret store failed");
                Err(ExchangeError::Unreachable("the host's secret store failed".to_owned()))
            }
        }
    }

    /// A field that must be there.
    pub(crate) async fn get(&self, secret: &SecretRef) -> Result<SecretString, ExchangeError> {
        let found = self.optional(&secret.name, &secret.field).await?;
        found.ok_or_else(|| ExchangeError::NoSuchSecret(format!("{:?} has no field {:?}", secret.name, secret.field)))
    }

    /// Keeps a captured value and returns its handle.
    pub(crate) async fn keep(&self, handle: String, value: &str) -> Result<String, SecretError> {
        let name = SecretName::parse(&handle)?;
        self.store.put(&name, vec![(VALUE.to_owned(), SecretString::from(value))]).await?;
        Ok(handle)
    }

    pub(crate) fn stored_handle(&self, name: &str) -> String {
        format!("stored/{}/{name}", self.provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_has_the_same_handle_and_every_other_place_another() {
        let name = |owner: &str, exchange: &str, param: &str, place| {
            captured_name("p", owner, exchange, &vec![("id".to_owned(), param.to_owned())], place)
        };
        let first = name("o", "x", "1", 0);
        assert_eq!(first, name("o", "x", "1", 0));
        for other in [name("o2", "x", "1", 0), name("o", "y", "1", 0), name("o", "x", "2", 0), name("o", "x", "1", 1)] {
            assert_ne!(first, other);
        }
        assert!(SecretName::parse(&first).is_ok(), "{first}");
    }

    #[test]
    fn a_handle_belongs_to_its_own_provider_only() {
        let handle = captured_name("weka-a", "o", "x", &Vec::new(), 0);
        assert!(
            owns_handle("weka-a", &handle)
                && owns_handle("weka-a", "made/weka-a/p1")
                && owns_handle("weka-a", "stored/weka-a/p1")
        );
        assert!(!owns_handle("weka-b", &handle) && !owns_handle("weka", &handle));
        for foreign in ["providers/weka-a/admin", "sealed/weka-a", "sealed/weka-a/../x", "sealed/weka-ab/x", "sealed/"]
        {
            assert!(!owns_handle("weka-a", foreign), "{foreign}");
        }
    }
}
