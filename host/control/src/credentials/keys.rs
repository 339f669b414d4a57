//! Opening what an adapter's answer was captured into, for the one who asked.

use secrecy::SecretString;
use stowage_domain::UnixMillis;
use stowage_ports::{SecretError, SecretName};

use super::Credential;
use crate::{Control, ControlError, Result, Status};

/// The field of a captured value.
const FIELD: &str = "value";

/// A credential as a client uses it. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Keys {
    /// URL of the S3 service.
    pub endpoint: String,
    /// Region to sign for.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Prefix of every key that it opens.
    pub prefix: String,
    /// The public part.
    pub access_key_id: String,
    /// The secret part.
    pub secret: SecretString,
    /// Goes with every request of a temporary credential.
    pub token: Option<SecretString>,
    /// When it ends by itself.
    pub expires_at: Option<UnixMillis>,
}

/// The name under which this provider's captured value is kept; refuses every other.
pub(super) fn sealed_name(provider: &stowage_domain::ProviderName, handle: &str) -> Result<SecretName> {
    let own = format!("sealed/{}/", provider.provider);
    match SecretName::parse(handle) {
        Ok(name) if handle.starts_with(&own) => Ok(name),
        _ => {
            let message = format!("{provider} answered a secret that is not its own: {handle:?}");
            Err(ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message))
        }
    }
}

impl Control {
    /// Opens the credential; an error when its secret is gone.
    pub(super) async fn open(&self, credential: &Credential) -> Result<Keys> {
        let Some(secret) = &credential.secret else {
            let what = "its secret was shown and is gone: revoke it and ask for another with a new request id";
            return Err(ControlError::precondition("CREDENTIAL_SHOWN", &credential.name, what));
        };
        let token = match &credential.token {
            Some(token) => Some(self.secrets.get(&sealed_name(&credential.provider, token)?, FIELD).await?),
            None => None,
        };
        Ok(Keys {
            endpoint: credential.endpoint.clone(),
            region: credential.region.clone(),
            bucket: credential.bucket.clone(),
            prefix: credential.prefix.as_str().to_owned(),
            access_key_id: credential.access_key_id.clone(),
            secret: self.secrets.get(&sealed_name(&credential.provider, secret)?, FIELD).await?,
            token,
            expires_at: credential.expires_at,
        })
    }

    /// Deletes the captured values of a credential. Its record must be written after it.
    pub(super) async fn forget_sealed(&self, credential: &mut Credential) -> Result<()> {
        for handle in [credential.secret.take(), credential.token.take()].into_iter().flatten() {
            match self.secrets.delete(&sealed_name(&credential.provider, &handle)?).await {
                Ok(()) | Err(SecretError::ReadOnly(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
