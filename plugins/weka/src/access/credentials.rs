//! Credentials issued beneath a parent: sessions, and service accounts as keys.

use stowage_provider_sdk::contract::types::{KeyRequest, SessionRequest};
use stowage_provider_sdk::prelude::{Call, Credential, Issue, Issued, KeyPair, Policy, Result, error, host};

use super::listing::{self, Trace};
use super::native::{Key, Native, Parent, Session};
use super::{NO_ENDPOINT, NO_ENDPOINT_REMEDY};
use crate::rest::Rest;
use crate::s3::accounts::{self, MAX_PER_USER};
use crate::s3::document::Document;
use crate::s3::sts::{self, Keys, MAX_TTL_S, MIN_TTL_S};

/// Issues a session. It is not found again when its answer is lost, and ends with its time.
pub(crate) fn session(rest: &Rest, call: &Call, request: &SessionRequest) -> Result<Issue> {
    let parent = parent(&request.principal, request.parent_secret.as_deref())?;
    let document = Document::read(&request.policy)?.fitting()?;
    if request.ttl_s < MIN_TTL_S {
        return Err(error::invalid("ttl-s", format_args!("must be at least {MIN_TTL_S}")));
    }
    if request.ttl_s > MAX_TTL_S {
        return Err(error::too_large("session.ttl-seconds", request.ttl_s.into(), MAX_TTL_S.into()));
    }
    let endpoint = endpoint(rest)?;
    // Counted from before it was asked for: it is never said to live longer than it does.
    let expires_at = host::now_ms().saturating_add(u64::from(request.ttl_s) * 1000);
    let issuer = sts::Parent { uid: &parent.uid, name: &parent.name, secret: &parent.secret };
    let keys = sts::issue(rest, &issuer, &document, request.ttl_s)?;
    let native = Native::Session(Session { key: keys.id.clone(), parent, expires_at });
    Ok(issued(rest, call, &native, keys, endpoint, Some(expires_at)))
}

/// Issues a key of long life, with a policy of its own that bears the owner's mark.
pub(crate) fn key(rest: &Rest, call: &Call, request: &KeyRequest) -> Result<Issue> {
    let parent = parent(&request.principal, request.parent_secret.as_deref())?;
    if request.expires_at.is_some() {
        return Err(super::unsupported(
            "a key that expires",
            "the backend's keys do not; issue a session, or revoke it in time",
        ));
    }
    let Some(policy) = &request.policy else {
        return Err(error::invalid("policy", "is needed: a key without one may do all that its parent may"));
    };
    endpoint(rest)?;
    let document = marked(policy, call)?;
    make(rest, call, parent, document)
}

/// Makes a new key with the same policy. The old one works on until it is revoked: its users change over meanwhile.
pub(crate) fn rotate(rest: &Rest, call: &Call, old: &Key) -> Result<Issue> {
    endpoint(rest)?;
    let user = accounts::login(rest, &old.parent.secret);
    let document = match accounts::policy(&user, &old.key)? {
        Some(Some(document)) => document.unmarked(),
        Some(None) => return Err(error::invalid("ref", "is a key without a policy of its own; issue another instead")),
        // The old key went meanwhile: what an earlier try of this rotation has made has the policy.
        None => match accounts::find(&user, &accounts::keys(&user)?, &call.owner)? {
            Some((_, document)) => document.unmarked(),
            None => return Err(error::not_found(format_args!("service account {}", old.key))),
        },
    };
    make(rest, call, old.parent.clone(), document.marked(&call.owner).fitting()?)
}

fn marked(policy: &Policy, call: &Call) -> Result<Document> {
    Document::read(policy)?.marked(&call.owner).fitting()
}

/// Makes an account. One that an earlier try of the same owner has made is removed: its secret was answered once.
fn make(rest: &Rest, call: &Call, parent: Parent, document: Document) -> Result<Issue> {
    let endpoint = endpoint(rest)?;
    let user = accounts::login(rest, &parent.secret);
    let mut listed = accounts::keys(&user)?;
    let trace = Trace { parent: parent.clone() };
    if listing::trace(&call.owner)?.is_some() {
        while let Some((left, _)) = accounts::find(&user, &listed, &call.owner)? {
            accounts::delete(&user, &left)?;
            listed.retain(|key| *key != left);
        }
    } else {
        listing::write_trace(&call.owner, &trace)?;
    }
    let count = listed.len() as u64;
    if count >= MAX_PER_USER {
        return Err(error::capacity_exhausted("key.max-per-principal", count, MAX_PER_USER));
    }
    let keys = accounts::create(&user, &document)?;
    let native = Native::Key(Key { key: keys.id.clone(), parent });
    Ok(issued(rest, call, &native, keys, endpoint, None))
}

fn issued(rest: &Rest, call: &Call, native: &Native, keys: Keys, endpoint: String, expires_at: Option<u64>) -> Issue {
    let pair = KeyPair { id: keys.id, secret: keys.secret, token: keys.token, expires_at };
    Issue::Issued(Issued {
        ref_: native.bytes(),
        owner: call.owner.clone(),
        credential: Credential::AccessKey(pair),
        endpoint,
        region: rest.config.s3.region.clone(),
    })
}

/// The parent, with the secret that the request names in place of the one that it was made with.
fn parent(reference: &[u8], secret: Option<&str>) -> Result<Parent> {
    let parent = Parent::read(reference)?;
    Ok(match secret {
        Some(secret) => Parent { secret: secret.to_owned(), ..parent },
        None => parent,
    })
}

/// Where clients reach S3.
fn endpoint(rest: &Rest) -> Result<String> {
    let endpoint = rest.config.s3.endpoint.as_deref().map(|endpoint| endpoint.trim().trim_end_matches('/').to_owned());
    endpoint.ok_or_else(|| error::not_ready("credentials.session", NO_ENDPOINT, NO_ENDPOINT_REMEDY))
}
