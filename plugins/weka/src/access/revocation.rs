//! Taking back, as narrowly as the backend can, and told as broadly as it does.
//!
//! A service account is removed alone. A session cannot be: no call ends one, so what can be had instead is named, and
//! ending all of a parent is done only when it is asked for by that name. How many sessions end with a parent the backend
//! does not tell, so `also-ended` is not claimed there; the host knows what it has issued.

use stowage_provider_sdk::contract::types::Revoked;
use stowage_provider_sdk::prelude::{Error, Result, Revocation, RevokeScope, error, host};

use super::native::{Native, Parent};
use super::principals;
use crate::rest::Rest;
use crate::s3::accounts;

/// Registered key of an error: scopes that could be asked for instead.
const CHOICES: &str = "choices";

/// Takes back.
pub(crate) fn revoke(rest: &Rest, native: &Native, scope: RevokeScope) -> Result<Revocation> {
    match (native, scope) {
        (Native::Key(key), RevokeScope::Credential) => {
            accounts::delete(&accounts::login(rest, &key.parent.secret), &key.key)?;
            Ok(revoked(RevokeScope::Credential, Some(host::now_ms()), Some(0)))
        }
        (Native::Session(_), RevokeScope::Session | RevokeScope::Credential) => Err(instead(
            "revoke of one session",
            "it ends with its time (future-only), or with everything of its parent (principal-all)",
            "principal-all,future-only",
        )),
        (Native::Session(session), RevokeScope::FutureOnly) => {
            Ok(revoked(RevokeScope::FutureOnly, Some(session.expires_at), Some(0)))
        }
        (Native::Key(_), RevokeScope::Session | RevokeScope::FutureOnly) => Err(instead(
            "this scope for a key",
            "a key has no end of its own; remove it (credential)",
            "credential,principal-all",
        )),
        (native, RevokeScope::PrincipalAll) => all(rest, native.parent()),
        (Native::Parent(_), _) => Err(instead(
            "this scope for a principal",
            "removing the parent ends everything that it has issued (principal-all)",
            "principal-all",
        )),
        (_, RevokeScope::PrincipalBefore(_)) => Err(instead(
            "revoke of what was issued before a time",
            "the backend keeps no times; end everything of the parent (principal-all)",
            "principal-all",
        )),
        (_, RevokeScope::Attachment) => Err(error::unsupported("revoke of an attachment")),
        (_, RevokeScope::Other(word)) => Err(error::unsupported(&word)),
    }
}

fn all(rest: &Rest, parent: &Parent) -> Result<Revocation> {
    principals::remove(rest, parent)?;
    Ok(revoked(RevokeScope::PrincipalAll, Some(host::now_ms()), None))
}

const fn revoked(scope: RevokeScope, effective_by: Option<u64>, also_ended: Option<u32>) -> Revocation {
    Revocation::Revoked(Revoked { scope, effective_by, also_ended })
}

fn instead(what: &str, text: &str, choices: &str) -> Error {
    super::unsupported(what, text).with_extension(CHOICES, choices)
}
