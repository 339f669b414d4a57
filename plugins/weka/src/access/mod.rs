//! The interface `access`: parent S3 users, their policies, and the keys issued beneath them.
//!
//! A principal is a parent S3 user, one per owning project, made on first need with a secret that the host makes. What it
//! issues is a session (narrowed by a policy, ended by its time) or a service account (narrowed by a policy, ended by
//! removal). A session cannot be ended alone: removing the parent ends everything beneath it, and the answer says so.

mod credentials;
mod listing;
mod native;
mod principals;
mod revocation;

use stowage_provider_sdk::prelude::{
    Access, AttachPoint, Call, CredentialInfo, CredentialRequest, Credentials, Error, Issue, NativeRef, OwnerToken,
    PageRequest, Policy, PolicyPlan, PrincipalSpec, Principals, Progress, Result, Revocation, RevokeScope, error,
};

use self::native::{Native, Parent};
use crate::Weka;
use crate::namespaces;
use crate::rest::Rest;
use crate::s3::{self, accounts, buckets, document, document::Document, policies};

/// Reason while nobody has said where clients reach S3.
pub(crate) const NO_ENDPOINT: &str = "S3_ENDPOINT_UNKNOWN";
/// What to do then.
pub(crate) const NO_ENDPOINT_REMEDY: &str =
    "set `s3.endpoint` in the provider's configuration to where clients reach S3, such as https://s3.example:9000";

impl Access for Weka {
    fn ensure_principal(call: Call, spec: PrincipalSpec) -> Result<Progress> {
        let rest = connect()?;
        principals::ensure(&rest, &call, &spec)
    }

    fn delete_principal(_call: Call, reference: NativeRef) -> Result<Progress> {
        let parent = Parent::read(&reference)?;
        principals::remove(&connect()?, &parent)?;
        Ok(Progress::Done(reference))
    }

    fn find_principal(owner: OwnerToken) -> Result<Option<NativeRef>> {
        principals::find(&connect()?, &owner)
    }

    fn list_principals(page: PageRequest) -> Result<Principals> {
        principals::list(&connect()?, &page)
    }

    fn plan_policy(policy: Policy, at: AttachPoint) -> Result<PolicyPlan> {
        let document = Document::read(&policy)?;
        let mut losses = document.losses();
        // What a key would be: its mark is counted too.
        let document = match &at {
            AttachPoint::Key(_) => document.marked(""),
            AttachPoint::Namespace(_) if document.has_patterns() => {
                losses.push("a bucket's own policy holds no action with `*`".to_owned());
                document
            }
            AttachPoint::Other(word) => return Err(error::unsupported(word)),
            _ => document,
        };
        let narrow = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
        Ok(PolicyPlan { bytes: narrow(document.size()), max_bytes: narrow(document::MAX_BYTES), losses })
    }

    fn apply_policy(_call: Call, policy: Option<Policy>, at: AttachPoint) -> Result<Progress> {
        let document = policy.as_ref().map(Document::read).transpose()?.map(Document::fitting).transpose()?;
        match at {
            AttachPoint::Principal(reference) => {
                let parent = Parent::read(&reference)?;
                policies::apply(&connect()?, &parent.name, document.as_ref())?;
                Ok(Progress::Done(reference))
            }
            AttachPoint::Namespace(reference) => {
                let bucket = namespaces::bucket(&reference)?;
                buckets::set_policy(&connect()?, &bucket, document.as_ref())?;
                Ok(Progress::Done(reference))
            }
            AttachPoint::Session => Err(error::unsupported("a policy of a session after it was issued")),
            AttachPoint::Key(_) => Err(error::unsupported("another policy for a key: rotate it into a new one")),
            AttachPoint::Other(word) => Err(error::unsupported(&word)),
        }
    }

    fn read_policy(at: AttachPoint) -> Result<Option<Policy>> {
        let found = match at {
            AttachPoint::Principal(reference) => policies::read(&connect()?, &Parent::read(&reference)?.name)?,
            AttachPoint::Namespace(reference) => buckets::policy(&connect()?, &namespaces::bucket(&reference)?)?,
            AttachPoint::Key(reference) => match Native::read(&reference)? {
                Native::Key(key) => {
                    let user = accounts::login(&connect()?, &key.parent.secret);
                    let policy = accounts::policy(&user, &key.key)?;
                    policy.ok_or_else(|| error::not_found(format_args!("service account {}", key.key)))?
                }
                _ => return Err(error::invalid("at", "is no reference to a key")),
            },
            AttachPoint::Session => return Err(error::unsupported("reading the policy of a session")),
            AttachPoint::Other(word) => return Err(error::unsupported(&word)),
        };
        Ok(found.map(|document| Policy::IamJson(document.unmarked().bytes())))
    }

    fn issue_credential(call: Call, request: CredentialRequest) -> Result<Issue> {
        let rest = connect()?;
        match request {
            CredentialRequest::Session(session) => credentials::session(&rest, &call, &session),
            CredentialRequest::AccessKey(key) => credentials::key(&rest, &call, &key),
            CredentialRequest::FilesystemKey(_) => Err(error::unsupported("credentials.filesystem-key")),
            CredentialRequest::ClientAllow(_) => Err(error::unsupported("credentials.client-allow")),
            CredentialRequest::Other(word) => Err(error::unsupported(&word)),
        }
    }

    fn find_credential(owner: OwnerToken) -> Result<Option<CredentialInfo>> {
        listing::find(&connect()?, &owner)
    }

    fn list_credentials(principal: Option<NativeRef>, page: PageRequest) -> Result<Credentials> {
        listing::list(&connect()?, principal.as_deref(), &page)
    }

    fn rotate(call: Call, reference: NativeRef) -> Result<Issue> {
        match Native::read(&reference)? {
            Native::Key(key) => credentials::rotate(&connect()?, &call, &key),
            Native::Session(_) => {
                Err(unsupported("rotate of a session", "issue another one; this one ends with its time"))
            }
            Native::Parent(_) => Err(error::invalid("ref", "is a principal; only credentials are rotated")),
        }
    }

    fn revoke(_call: Call, reference: NativeRef, scope: RevokeScope) -> Result<Revocation> {
        revocation::revoke(&connect()?, &Native::read(&reference)?, scope)
    }
}

/// The backend, where the configuration has S3 at all.
fn connect() -> Result<Rest> {
    let rest = Rest::connect()?;
    s3::offered(&rest)?;
    Ok(rest)
}

/// Not possible, and what is instead.
fn unsupported(what: &str, instead: &str) -> Error {
    let refused = error::unsupported(what);
    Error { message: format!("{what} is not supported: {instead}"), ..refused }
}
