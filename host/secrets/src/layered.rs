//! Several stores read as one: the first that has the field answers, writes go to the first that takes them.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use stowage_ports::{SecretError, SecretName, Secrets};

/// Stores in the order in which they are asked.
///
/// Usual: the environment above files, so an operator can override a file for one run. An error other than "missing"
/// stops the search: a store that cannot be read must not let an older value below it through.
pub struct Layered {
    layers: Vec<Arc<dyn Secrets>>,
}

impl Layered {
    /// Asks `layers` from first to last.
    #[must_use]
    pub fn new(layers: Vec<Arc<dyn Secrets>>) -> Self {
        Self { layers }
    }
}

#[async_trait]
impl Secrets for Layered {
    async fn get(&self, name: &SecretName, field: &str) -> Result<SecretString, SecretError> {
        for layer in &self.layers {
            match layer.get(name, field).await {
                Err(SecretError::Missing { .. }) => {}
                found_or_failed => return found_or_failed,
            }
        }
        Err(SecretError::Missing { name: name.to_string(), field: field.to_owned() })
    }

    async fn put(&self, name: &SecretName, fields: Vec<(String, SecretString)>) -> Result<(), SecretError> {
        let mut refused = SecretError::ReadOnly("no layer can be written: add a file store".to_owned());
        for layer in &self.layers {
            let copy = fields.iter().map(|(k, v)| (k.clone(), SecretString::from(v.expose_secret()))).collect();
            match layer.put(name, copy).await {
                Err(e @ SecretError::ReadOnly(_)) => refused = e,
                done_or_failed => return done_or_failed,
            }
        }
        Err(refused)
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        for layer in &self.layers {
            match layer.delete(name).await {
                Err(SecretError::ReadOnly(_)) => {}
                done_or_failed => return done_or_failed,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EnvSecrets, FileSecrets};

    #[tokio::test]
    async fn the_upper_layer_wins_and_writes_fall_to_the_first_that_takes_them() {
        let dir = tempfile::tempdir().unwrap();
        let files = Arc::new(FileSecrets::open(dir.path().join("secrets")).unwrap());
        let vars = [("STOWAGE_SECRET_ADMIN_PASSWORD".to_owned(), "from-env".to_owned())];
        let store = Layered::new(vec![Arc::new(EnvSecrets::from_vars(vars)), files.clone()]);
        let name = SecretName::parse("admin").unwrap();

        let fields =
            |v: &str| vec![("password".to_owned(), SecretString::from(v)), ("username".to_owned(), "root".into())];
        store.put(&name, fields("from-file")).await.unwrap();

        assert_eq!(store.get(&name, "password").await.unwrap().expose_secret(), "from-env");
        assert_eq!(store.get(&name, "username").await.unwrap().expose_secret(), "root");
        assert_eq!(files.get(&name, "password").await.unwrap().expose_secret(), "from-file");
        store.delete(&name).await.unwrap();
        assert!(matches!(files.get(&name, "password").await, Err(SecretError::Missing { .. })));
    }
}
