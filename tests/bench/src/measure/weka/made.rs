//! Secrets in memory: what the file store's syncs cost is told apart.

use std::collections::BTreeMap;

use async_trait::async_trait;
use parking_lot::Mutex;
use secrecy::SecretString;
use stowage_ports::{SecretError, SecretName, Secrets};

/// Secrets by name and field.
#[derive(Default)]
pub(super) struct MemorySecrets {
    fields: Mutex<BTreeMap<(String, String), SecretString>>,
}

impl MemorySecrets {
    /// With a login at this name.
    pub(super) fn with_login(self, name: &str, (username, password): (&str, &str)) -> Self {
        let mut fields = self.fields.lock();
        fields.insert((name.to_owned(), "username".to_owned()), username.into());
        fields.insert((name.to_owned(), "password".to_owned()), password.into());
        drop(fields);
        self
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn get(&self, name: &SecretName, field: &str) -> Result<SecretString, SecretError> {
        let found = self.fields.lock().get(&(name.to_string(), field.to_owned())).cloned();
        found.ok_or_else(|| SecretError::Missing { name: name.to_string(), field: field.to_owned() })
    }

    async fn put(&self, name: &SecretName, fields: Vec<(String, SecretString)>) -> Result<(), SecretError> {
        let named = fields.into_iter().map(|(field, value)| ((name.to_string(), field), value));
        self.fields.lock().extend(named);
        Ok(())
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.fields.lock().retain(|(held, _), _| *held != name.to_string());
        Ok(())
    }
}
