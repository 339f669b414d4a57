//! Secrets that nobody chose: the host makes them, keeps them, and forgets them with their provider.
//!
//! | secret | for | made |
//! |---|---|---|
//! | `made/<provider>/<name>` | what an adapter declares as `made-by-host` and the operator has not bound | when the provider is bound |
//! | `made/<provider>/<principal>` | a principal that a use case makes at the backend | on first need |
//! | `made/<provider>/swt-<tenant>` | the administrator of a tenant's own place there | when the adapter asks for it |
//!
//! A value that is there is never made anew: the backend knows it. Each name is written down in the state before its value
//! is made, so that a crash between the two leaves nothing that no deletion finds. For example, a provider that was deleted
//! while the secret store was down leaves names behind; the next start deletes what they name.

mod password;

use secrecy::SecretString;
use stowage_domain::{Provider, ProviderName};
use stowage_ports::{SecretError, SecretName, provider::Description};
use stowage_store::{Segments, Transaction};

use crate::{
    Control, ControlError, Result, Status,
    rows::{MADE_SECRETS, Reads},
};

/// Fields that name who signs or logs in: they hold the secret's own name and not a random value.
const IDENTIFIERS: [&str; 2] = ["username", "user"];

fn made_name(provider: &ProviderName, name: &str) -> Result<SecretName> {
    Ok(SecretName::parse(&format!("made/{}/{name}", provider.provider))?)
}

impl Control {
    /// The secret of a principal at a provider, made on first need: `username` is the principal, `password` is random.
    ///
    /// # Errors
    /// A principal that cannot be part of a secret's name; when state or secret store cannot be written.
    pub async fn make_principal_secret(&self, provider: &ProviderName, principal: &str) -> Result<SecretName> {
        self.make_secret(provider, principal, &["username".to_owned(), "password".to_owned()]).await
    }

    /// Makes what the adapter declares as made by the host, where the operator has bound nothing.
    pub(crate) async fn make_declared_secrets(&self, record: &Provider, description: &Description) -> Result<()> {
        for need in description.secrets.iter().filter(|need| need.made_by_host) {
            if !record.secrets.contains_key(&need.name) {
                self.make_secret(&record.name, &need.name, &need.fields).await?;
            }
        }
        Ok(())
    }

    async fn make_secret(&self, provider: &ProviderName, name: &str, fields: &[String]) -> Result<SecretName> {
        let secret = made_name(provider, name)?;
        // Two that find nothing would both make a value, and the backend may be told either.
        let _one = self.making.lock().await;
        let mut missing: Vec<(String, SecretString)> = Vec::new();
        for field in fields {
            match self.secrets.get(&secret, field).await {
                Ok(_) => {}
                Err(SecretError::Missing { .. }) if IDENTIFIERS.contains(&field.as_str()) => {
                    missing.push((field.clone(), name.to_owned().into()));
                }
                Err(SecretError::Missing { .. }) => missing.push((field.clone(), password::generate())),
                Err(error) => return Err(error.into()),
            }
        }
        if !missing.is_empty() {
            let mut change = Transaction::new();
            change.index(MADE_SECRETS, &Segments::of([provider.provider.as_str(), name]), "");
            change.commit(&self.tables).await?;
            self.secrets.put(&secret, missing).await?;
        }
        Ok(secret)
    }

    /// Deletes the secret of a principal that is no more.
    pub(crate) async fn forget_principal_secret(&self, provider: &ProviderName, principal: &str) -> Result<()> {
        let _one = self.making.lock().await;
        self.secrets.delete(&made_name(provider, principal)?).await?;
        let mut change = Transaction::new();
        change.unindex(MADE_SECRETS, &Segments::of([provider.provider.as_str(), principal]));
        change.commit(&self.tables).await?;
        Ok(())
    }

    /// Deletes every secret that was made for a provider of this name.
    pub(crate) async fn forget_made_secrets(&self, provider: &ProviderName) -> Result<()> {
        let prefix = Segments::of([provider.provider.as_str()]);
        let _one = self.making.lock().await;
        loop {
            let found = self.tables.entries(MADE_SECRETS, &prefix, None, 100).await?.items;
            let mut change = Transaction::new();
            for (key, _, _) in &found {
                let broken = || ControlError::new(Status::Internal, "STORE_BROKEN", "a made secret has no name");
                self.secrets.delete(&made_name(provider, &key.text_at(1).ok_or_else(broken)?)?).await?;
                change.unindex(MADE_SECRETS, key);
            }
            if found.is_empty() {
                return Ok(());
            }
            change.commit(&self.tables).await?;
        }
    }

    /// Deletes what was made for providers that are not there any more.
    pub(crate) async fn forget_orphaned_secrets(&self) -> Result<()> {
        let mut cursor = None;
        loop {
            let page = self.tables.entries(MADE_SECRETS, &Segments::new(), cursor.as_ref(), 1000).await?;
            for (key, _, _) in &page.items {
                let id = key.text_at(0).unwrap_or_default();
                let Ok(name) = ProviderName::parse(&format!("providers/{id}")) else { continue };
                if self.tables.find::<Provider>(&name).await?.is_none() {
                    self.forget_made_secrets(&name).await?;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }
}
