//! Secrets in memory.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use stowage_ports::{SecretError, SecretName, Secrets};

#[derive(Default)]
pub(crate) struct MemorySecrets(Mutex<BTreeMap<(String, String), SecretString>>, AtomicBool);

impl MemorySecrets {
    /// Names of all but what the host has made for its providers.
    pub(crate) fn names(&self) -> Vec<String> {
        let all = self.0.lock().unwrap();
        all.keys().map(|(name, _)| name.clone()).filter(|name| !name.starts_with("made/")).collect()
    }

    /// From now on nothing can be written or deleted, or everything again.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.1.store(broken, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), SecretError> {
        let failed = || SecretError::Io("the disk is gone".to_owned());
        if self.1.load(Ordering::SeqCst) { Err(failed()) } else { Ok(()) }
    }

    pub(crate) fn field(&self, name: &str, field: &str) -> Option<String> {
        let all = self.0.lock().unwrap();
        all.get(&(name.to_owned(), field.to_owned())).map(|value| value.expose_secret().to_owned())
    }

    pub(crate) fn insert(&self, name: &str, value: &str) {
        self.0.lock().unwrap().insert((name.to_owned(), "value".to_owned()), value.to_owned().into());
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn get(&self, name: &SecretName, field: &str) -> Result<SecretString, SecretError> {
        let key = (name.to_string(), field.to_owned());
        let missing = || SecretError::Missing { name: key.0.clone(), field: key.1.clone() };
        self.0.lock().unwrap().get(&key).cloned().ok_or_else(missing)
    }

    async fn put(&self, name: &SecretName, fields: Vec<(String, SecretString)>) -> Result<(), SecretError> {
        self.check()?;
        let mut all = self.0.lock().unwrap();
        for (field, value) in fields {
            all.insert((name.to_string(), field), value);
        }
        Ok(())
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.check()?;
        self.0.lock().unwrap().retain(|(known, _), _| known != name.as_str());
        Ok(())
    }
}
