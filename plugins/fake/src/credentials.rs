//! Issued credentials in the state.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::*;

use crate::{config::Config, describe::MAKE_KEY, principals};

/// An issued credential; its secret is a handle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) principal: Vec<u8>,
    pub(crate) session_name: Option<String>,
    pub(crate) issued_at: u64,
    pub(crate) credential: Credential,
}

pub(crate) fn key(id: &str) -> String {
    format!("credential/{id}")
}

/// Id of the credential of this owner.
pub(crate) fn id(owner: &str) -> String {
    format!("FAKE{}", short_name(owner, 16).to_uppercase())
}

pub(crate) fn expires_at(credential: &Credential) -> Option<u64> {
    match credential {
        Credential::AccessKey(pair) | Credential::FilesystemKey(pair) => pair.expires_at,
        Credential::ClientAllow(_) | Credential::Other(_) => None,
    }
}

/// As it is listed.
pub(crate) fn info(record: Record) -> CredentialInfo {
    let expires_at = expires_at(&record.credential);
    let expired = expires_at.is_some_and(|at| at <= host::now_ms());
    CredentialInfo {
        ref_: record.id.clone().into_bytes(),
        principal: record.principal,
        id: record.id,
        owner: Some(record.owner),
        session_name: record.session_name,
        expires_at,
        state: if expired { "expired" } else { "active" }.to_owned(),
    }
}

/// What is answered when it is issued.
pub(crate) fn issued(record: Record) -> Issued {
    Issued {
        ref_: record.id.into_bytes(),
        owner: record.owner,
        credential: record.credential,
        endpoint: "https://s3.fake.invalid".to_owned(),
        region: "fake-1".to_owned(),
    }
}

/// A key with the handles of its secret parts.
fn pair(config: &Config, id: &str, session: bool, expires_at: Option<u64>) -> Result<KeyPair> {
    if !config.key_exchange {
        // No host can open these: without an exchange there is nothing that it could have captured.
        let token = session.then(|| format!("fake/{id}/token"));
        return Ok(KeyPair { id: id.to_owned(), secret: format!("fake/{id}/secret"), token, expires_at });
    }
    let answer = host::send(&MAKE_KEY, Request::new().param("id", id))?;
    if !answer.is_success() {
        return Err(error::internal(format_args!("`keys.make` answered {}", answer.status())));
    }
    let secret = answer.captured(0).ok_or_else(|| error::internal("`keys.make` answered no secret"))?.to_owned();
    let token = if session { answer.captured(1).map(str::to_owned) } else { None };
    Ok(KeyPair { id: id.to_owned(), secret, token, expires_at })
}

/// Makes what was asked for; nothing is written yet.
pub(crate) fn make(config: &Config, owner: &str, request: CredentialRequest) -> Result<Record> {
    let (id, now) = (id(owner), host::now_ms());
    let open = |native: &[u8]| {
        let principal = principals::of(native)?.value;
        if principal.closed {
            return Err(error::permission_denied(format_args!("nothing is issued to {} any more", principal.name)));
        }
        Ok(())
    };
    let (principal, session_name, credential) = match request {
        CredentialRequest::Session(session) => {
            open(&session.principal)?;
            principals::check(config, &session.policy)?;
            if !(config.session_min_s..=config.session_max_s).contains(&session.ttl_s) {
                let problem = format!("must be from {} to {}", config.session_min_s, config.session_max_s);
                return Err(error::invalid("ttl-s", problem));
            }
            let expires = now.saturating_add(u64::from(session.ttl_s) * 1000);
            let pair = pair(config, &id, true, Some(expires))?;
            (session.principal, Some(session.session_name), Credential::AccessKey(pair))
        }
        CredentialRequest::AccessKey(key) | CredentialRequest::FilesystemKey(key)
            if key.expires_at.is_some_and(|at| at <= now) =>
        {
            return Err(error::invalid("expires-at", "has passed"));
        }
        CredentialRequest::AccessKey(key) => {
            open(&key.principal)?;
            key.policy.iter().try_for_each(|policy| principals::check(config, policy))?;
            (key.principal, None, Credential::AccessKey(pair(config, &id, false, key.expires_at)?))
        }
        CredentialRequest::FilesystemKey(key) => {
            open(&key.principal)?;
            (key.principal, None, Credential::FilesystemKey(pair(config, &id, false, key.expires_at)?))
        }
        CredentialRequest::ClientAllow(clients) => (vec![], None, Credential::ClientAllow(clients)),
        CredentialRequest::Other(word) => return Err(error::unsupported(&format!("access.issue-credential.{word}"))),
    };
    Ok(Record { id, owner: owner.to_owned(), principal, session_name, issued_at: now, credential })
}

/// Ends every credential that `which` says, and tells how many there were.
pub(crate) fn end(which: impl Fn(&Record) -> bool) -> Result<u32> {
    let mut ended = 0;
    for record in crate::state::all::<Record>("credential/")?.into_iter().filter(|r| which(r)) {
        host::kv::delete(&key(&record.id), None)?;
        ended += 1;
    }
    Ok(ended)
}
