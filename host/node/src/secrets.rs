//! Mount secrets: redeemed once, kept privately until the mount is gone, or until the source of a work is mounted.
//!
//! A handle works once. An agent that was killed between redeeming and mounting could not redeem again, so the value is
//! written to a file of mode 0600 first, and read from there when the work comes again.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use stowage_proto::v1;

use crate::journal::write_durably;
use crate::mounting::Delivered;
use crate::session::NodeClient;

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The host refused.
    #[error("the host did not redeem a secret of the plan: {0}")]
    Refused(String),
    /// The value is not text.
    #[error("a secret of the plan is not text")]
    NotText,
    /// The plan does not say how it is delivered.
    #[error("a secret of the plan has no delivery")]
    NoDelivery,
    /// It could not be kept.
    #[error("cannot keep a secret of the plan in {path}: {source}")]
    Keep {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// What a secret belongs to.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// A mount plan.
    Plan(&'a str),
    /// A piece of work, for its source.
    Work(&'a str),
}

/// Redeems secrets, each once, and says how the mount program gets them.
pub async fn redeem(
    client: &NodeClient,
    node: &str,
    of: &Of<'_>,
    secrets: &[v1::MountSecret],
    store: &Path,
) -> Result<Delivered, SecretsError> {
    use v1::mount_secret::Deliver;
    let mut delivered = Delivered { options: Vec::new(), environment: Vec::new() };
    for (index, secret) in secrets.iter().enumerate() {
        let path = store.join(index.to_string());
        let value = match kept(&path)? {
            Some(value) => value,
            None => ask(client, node, of, &secret.handle, &path).await?,
        };
        match secret.deliver.as_ref().ok_or(SecretsError::NoDelivery)? {
            Deliver::OptionKey(key) => delivered.options.push((key.clone(), value.expose_secret().to_owned())),
            Deliver::FileOptionKey(key) => delivered.options.push((key.clone(), path.display().to_string())),
            Deliver::Environment(name) => delivered.environment.push((name.clone(), value.expose_secret().to_owned())),
        }
    }
    Ok(delivered)
}

/// Removes what was kept; absent is done.
pub fn forget(store: &Path) -> Result<(), SecretsError> {
    match std::fs::remove_dir_all(store) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(SecretsError::Keep { path: store.display().to_string(), source })
        }
        _ => Ok(()),
    }
}

fn kept(path: &Path) -> Result<Option<SecretString>, SecretsError> {
    match std::fs::read_to_string(path) {
        Ok(value) => Ok(Some(value.into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SecretsError::Keep { path: path.display().to_string(), source }),
    }
}

async fn ask(
    client: &NodeClient,
    node: &str,
    of: &Of<'_>,
    handle: &str,
    path: &Path,
) -> Result<SecretString, SecretsError> {
    let (mount_plan, work) = match of {
        Of::Plan(plan) => ((*plan).to_owned(), String::new()),
        Of::Work(work) => (String::new(), (*work).to_owned()),
    };
    let request = v1::RedeemMountSecretRequest { name: node.to_owned(), mount_plan, handle: handle.to_owned(), work };
    let answer = client.clone().redeem_mount_secret(request).await;
    let value = answer.map_err(|status| SecretsError::Refused(status.message().to_owned()))?.into_inner().value;
    let value = SecretString::from(String::from_utf8(value).map_err(|_| SecretsError::NotText)?);
    let keep = |source| SecretsError::Keep { path: path.display().to_string(), source };
    let directory = path.parent().unwrap_or(path);
    std::fs::create_dir_all(directory).map_err(keep)?;
    write_durably(path, value.expose_secret().as_bytes()).map_err(keep)?;
    Ok(value)
}
