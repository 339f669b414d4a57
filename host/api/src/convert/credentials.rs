//! Credentials. [`keys_to`] is the one place of this host where a secret goes into an answer about them.

use secrecy::ExposeSecret as _;
use stowage_control::{Credential, CredentialKind, CredentialState, Keys};
use stowage_domain::UnixMillis;
use stowage_proto::v1;

use super::{grants::action_to, time, unknown_value};
use crate::refusal::Refusal;

/// A credential of the contract, with its state at `now`.
pub(crate) fn to(credential: &Credential, now: UnixMillis) -> v1::Credential {
    v1::Credential {
        name: credential.name.to_string(),
        uid: credential.uid.clone(),
        namespace: credential.namespace.to_string(),
        prefix: credential.prefix.as_str().to_owned(),
        actions: credential.actions.iter().map(|action| action_to(*action).into()).collect(),
        workload: credential.workload.as_ref().map(ToString::to_string).unwrap_or_default(),
        state: state_to(credential.state_at(now)).into(),
        access_key_id: credential.access_key_id.clone(),
        expire_time: credential.expires_at.map(time::to),
        create_time: Some(time::to(credential.created_at)),
        kind: kind_to(credential.kind).into(),
        scope: credential.scope(),
        state_reason: credential.state_reason.clone(),
        provider: credential.provider.to_string(),
        grants: credential.grants.iter().map(ToString::to_string).collect(),
        key_count: credential.keys,
        revoke_time: credential.revoked_at.map(time::to),
    }
}

/// What a client needs, with its secret.
pub(crate) fn keys_to(credential: &Credential, keys: &Keys) -> v1::CredentialKeys {
    v1::CredentialKeys {
        credential: credential.name.to_string(),
        endpoint: keys.endpoint.clone(),
        region: keys.region.clone(),
        bucket: keys.bucket.clone(),
        prefix: keys.prefix.clone(),
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: keys.secret.expose_secret().to_owned(),
        session_token: keys.token.as_ref().map(|token| token.expose_secret().to_owned()).unwrap_or_default(),
        expire_time: keys.expires_at.map(time::to),
    }
}

/// One whose answer was lost may work.
const fn state_to(state: CredentialState) -> v1::CredentialState {
    match state {
        CredentialState::Issuing | CredentialState::Live => v1::CredentialState::Live,
        CredentialState::Expired => v1::CredentialState::Expired,
        CredentialState::Revoked => v1::CredentialState::Revoked,
        CredentialState::Failed => v1::CredentialState::Failed,
    }
}

const fn kind_to(kind: CredentialKind) -> v1::CredentialKind {
    match kind {
        CredentialKind::Temporary => v1::CredentialKind::Temporary,
        CredentialKind::ServiceAccount => v1::CredentialKind::ServiceAccount,
    }
}

/// How long a credential is to live; temporary when it isn't said.
pub(crate) fn kind_from(number: i32) -> Result<CredentialKind, Refusal> {
    match v1::CredentialKind::try_from(number) {
        Ok(v1::CredentialKind::Unspecified | v1::CredentialKind::Temporary) => Ok(CredentialKind::Temporary),
        Ok(v1::CredentialKind::ServiceAccount) => Ok(CredentialKind::ServiceAccount),
        Err(_) => Err(unknown_value("credential.kind", number)),
    }
}
