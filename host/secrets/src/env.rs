//! Secrets from the process's environment: `STOWAGE_SECRET_<NAME>_<FIELD>`.
//!
//! In name and field every byte that is not a letter or a digit becomes `_` and letters become upper case, so
//! `providers/weka-kind/admin` and `password` read `STOWAGE_SECRET_PROVIDERS_WEKA_KIND_ADMIN_PASSWORD`. Two names that
//! differ in `/`, `.`, `_` and `-` only read the same variable; use files where that matters.

use std::collections::HashMap;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use stowage_ports::{SecretError, SecretName, Secrets};

/// What every variable's name begins with.
const PREFIX: &str = "STOWAGE_SECRET_";

/// A read-only store over the variables that the process was started with.
#[derive(Debug)]
pub struct EnvSecrets {
    values: HashMap<String, SecretString>,
}

impl EnvSecrets {
    /// Takes what the process's environment holds now; later changes are not seen.
    #[must_use]
    pub fn from_process() -> Self {
        Self::from_vars(std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))))
    }

    /// Takes these variables; those without the prefix are passed over.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = vars
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .map(|(name, value)| (name, SecretString::from(value)))
            .collect();
        Self { values }
    }

    /// The variable that holds `field` of `name`.
    #[must_use]
    pub fn variable(name: &SecretName, field: &str) -> String {
        let shout = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
        };
        format!("{PREFIX}{}_{}", shout(name.as_str()), shout(field))
    }
}

#[async_trait]
impl Secrets for EnvSecrets {
    async fn get(&self, name: &SecretName, field: &str) -> Result<SecretString, SecretError> {
        match self.values.get(&Self::variable(name, field)) {
            Some(value) => Ok(SecretString::from(value.expose_secret())),
            None => Err(SecretError::Missing { name: name.to_string(), field: field.to_owned() }),
        }
    }

    async fn put(&self, name: &SecretName, _fields: Vec<(String, SecretString)>) -> Result<(), SecretError> {
        Err(SecretError::ReadOnly(format!(
            "{name} would have to go into an environment variable; configure a file store"
        )))
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        Err(SecretError::ReadOnly(format!("{name} stands in an environment variable; remove it there")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_field_is_read_from_its_variable() {
        let vars = [
            ("STOWAGE_SECRET_PROVIDERS_WEKA_KIND_ADMIN_PASSWORD".to_owned(), "s3cret".to_owned()),
            ("PATH".to_owned(), "/bin".to_owned()),
        ];
        let store = EnvSecrets::from_vars(vars);
        let got = store.get(&name("providers/weka-kind/admin"), "password").await.unwrap();
        assert_eq!(got.expose_secret(), "s3cret");
        let missing = store.get(&name("providers/weka-kind/admin"), "username").await.unwrap_err();
        assert!(matches!(missing, SecretError::Missing { .. }), "{missing}");
    }

    #[tokio::test]
    async fn nothing_can_be_written() {
        let store = EnvSecrets::from_vars([]);
        let put = store.put(&name("a"), vec![("f".to_owned(), SecretString::from("v"))]).await;
        assert!(matches!(put, Err(SecretError::ReadOnly(_))));
        assert!(matches!(store.delete(&name("a")).await, Err(SecretError::ReadOnly(_))));
    }
}
