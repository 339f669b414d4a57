//! Principals, policies and credentials.

use super::{Breach, FromGuest, Reader, ToGuest, exports, port, wit};

impl ToGuest<wit::PrincipalSpec> for port::PrincipalSpec {
    fn to_guest(&self) -> wit::PrincipalSpec {
        wit::PrincipalSpec {
            name: self.name.clone(),
            kind: self.kind.to_guest(),
            parent: self.parent.to_guest(),
            posix: self.posix.to_guest(),
            secret: self.secret.clone(),
            extensions: self.extensions.clone(),
        }
    }
}

impl ToGuest<wit::AttachPoint> for port::AttachPoint {
    fn to_guest(&self) -> wit::AttachPoint {
        match self {
            Self::Principal(native) => wit::AttachPoint::Principal(native.to_guest()),
            Self::Session => wit::AttachPoint::Session,
            Self::Key(native) => wit::AttachPoint::Key(native.to_guest()),
            Self::Namespace(native) => wit::AttachPoint::Namespace(native.to_guest()),
            Self::Other(text) => wit::AttachPoint::Other(text.clone()),
        }
    }
}

impl ToGuest<wit::Policy> for port::Policy {
    fn to_guest(&self) -> wit::Policy {
        match self {
            Self::IamJson(document) => wit::Policy::IamJson(document.clone()),
            Self::Native(grants) => wit::Policy::Native(grants.to_guest()),
            Self::Other(text) => wit::Policy::Other(text.clone()),
        }
    }
}

impl ToGuest<wit::Grant> for port::NativeGrant {
    fn to_guest(&self) -> wit::Grant {
        wit::Grant {
            principal: self.principal.to_guest(),
            namespace: self.namespace.to_guest(),
            prefix: self.prefix.clone(),
            privileges: self.privileges.to_guest(),
        }
    }
}

impl FromGuest<wit::Policy> for port::Policy {
    fn from_guest(answer: wit::Policy, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(match answer {
            wit::Policy::IamJson(document) => {
                let text = String::from_utf8(document)
                    .map_err(|_| Breach { field: "policy.iam-json", problem: "is not UTF-8".to_owned() })?;
                Self::IamJson(reader.text(text).into_bytes())
            }
            wit::Policy::Native(grants) => Self::Native(Vec::from_guest(grants, reader)?),
            wit::Policy::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<wit::Grant> for port::NativeGrant {
    fn from_guest(answer: wit::Grant, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            principal: reader.native("grant.principal", answer.principal)?,
            namespace: reader.native("grant.namespace", answer.namespace)?,
            prefix: reader.text(answer.prefix),
            privileges: Vec::from_guest(answer.privileges, reader)?,
        })
    }
}

impl FromGuest<wit::PolicyPlan> for port::PolicyPlan {
    fn from_guest(answer: wit::PolicyPlan, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self { bytes: answer.bytes, max_bytes: answer.max_bytes, losses: reader.texts(answer.losses) })
    }
}

impl ToGuest<wit::CredentialRequest> for port::CredentialRequest {
    fn to_guest(&self) -> wit::CredentialRequest {
        match self {
            Self::Session { principal, parent_secret, session_name, policy, ttl_s } => {
                wit::CredentialRequest::Session(wit::SessionRequest {
                    principal: principal.to_guest(),
                    parent_secret: parent_secret.clone(),
                    session_name: session_name.clone(),
                    policy: policy.to_guest(),
                    ttl_s: *ttl_s,
                })
            }
            Self::AccessKey(key) => wit::CredentialRequest::AccessKey(key.to_guest()),
            Self::FilesystemKey(key) => wit::CredentialRequest::FilesystemKey(key.to_guest()),
            Self::ClientAllow(addresses) => wit::CredentialRequest::ClientAllow(addresses.clone()),
            Self::Other(text) => wit::CredentialRequest::Other(text.clone()),
        }
    }
}

impl ToGuest<wit::KeyRequest> for port::KeyRequest {
    fn to_guest(&self) -> wit::KeyRequest {
        wit::KeyRequest {
            principal: self.principal.to_guest(),
            parent_secret: self.parent_secret.clone(),
            policy: self.policy.to_guest(),
            expires_at: self.expires_at,
        }
    }
}

impl FromGuest<wit::KeyPair> for port::KeyPair {
    fn from_guest(answer: wit::KeyPair, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            id: reader.id("key-pair.id", answer.id)?,
            secret: reader.id("key-pair.secret", answer.secret)?,
            token: reader.maybe(answer.token),
            expires_at: answer.expires_at,
        })
    }
}

impl FromGuest<wit::Issued> for port::Issued {
    fn from_guest(answer: wit::Issued, reader: &Reader<'_>) -> Result<Self, Breach> {
        let credential = match answer.credential {
            wit::Credential::AccessKey(key) => port::Credential::AccessKey(port::KeyPair::from_guest(key, reader)?),
            wit::Credential::FilesystemKey(key) => {
                port::Credential::FilesystemKey(port::KeyPair::from_guest(key, reader)?)
            }
            wit::Credential::ClientAllow(addresses) => port::Credential::ClientAllow(reader.texts(addresses)),
            wit::Credential::Other(text) => port::Credential::Other(reader.text(text)),
        };
        Ok(Self {
            native: reader.native("issued.ref", answer.ref_)?,
            owner: reader.text(answer.owner),
            credential,
            endpoint: reader.text(answer.endpoint),
            region: reader.text(answer.region),
        })
    }
}

impl FromGuest<exports::access::Issue> for port::Issue {
    fn from_guest(answer: exports::access::Issue, reader: &Reader<'_>) -> Result<Self, Breach> {
        use exports::access::Issue as Wit;
        Ok(match answer {
            Wit::Issued(issued) => Self::Issued(port::Issued::from_guest(issued, reader)?),
            Wit::Pending(job) => Self::Pending(port::Job::from_guest(job, reader)?),
            Wit::NeedsNode(work) => Self::NeedsNode(port::NodeWork::from_guest(work, reader)?),
            Wit::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<wit::CredentialInfo> for port::CredentialInfo {
    fn from_guest(answer: wit::CredentialInfo, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            native: reader.native("credential-info.ref", answer.ref_)?,
            principal: reader.native("credential-info.principal", answer.principal)?,
            id: reader.id("credential-info.id", answer.id)?,
            owner: reader.maybe(answer.owner),
            session_name: reader.maybe(answer.session_name),
            expires_at: answer.expires_at,
            state: reader.text(answer.state),
        })
    }
}

impl FromGuest<exports::access::PrincipalInfo> for port::PrincipalInfo {
    fn from_guest(answer: exports::access::PrincipalInfo, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            native: reader.native("principal-info.ref", answer.ref_)?,
            name: reader.id("principal-info.name", answer.name)?,
            owner: reader.maybe(answer.owner),
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<exports::access::Principals> for port::Page<port::PrincipalInfo> {
    fn from_guest(answer: exports::access::Principals, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self { items: Vec::from_guest(answer.items, reader)?, next: reader.cursor(answer.next)? })
    }
}

impl FromGuest<exports::access::Credentials> for port::Page<port::CredentialInfo> {
    fn from_guest(answer: exports::access::Credentials, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self { items: Vec::from_guest(answer.items, reader)?, next: reader.cursor(answer.next)? })
    }
}

impl ToGuest<wit::RevokeScope> for port::RevokeScope {
    fn to_guest(&self) -> wit::RevokeScope {
        match self {
            Self::Session => wit::RevokeScope::Session,
            Self::Credential => wit::RevokeScope::Credential,
            Self::PrincipalAll => wit::RevokeScope::PrincipalAll,
            Self::PrincipalBefore(time) => wit::RevokeScope::PrincipalBefore(*time),
            Self::Attachment => wit::RevokeScope::Attachment,
            Self::FutureOnly => wit::RevokeScope::FutureOnly,
            Self::Other(text) => wit::RevokeScope::Other(text.clone()),
        }
    }
}

impl FromGuest<exports::access::Revocation> for port::Revocation {
    fn from_guest(answer: exports::access::Revocation, reader: &Reader<'_>) -> Result<Self, Breach> {
        use exports::access::Revocation as Wit;
        Ok(match answer {
            Wit::Revoked(revoked) => Self::Revoked(port::Revoked {
                scope: match revoked.scope {
                    wit::RevokeScope::Session => port::RevokeScope::Session,
                    wit::RevokeScope::Credential => port::RevokeScope::Credential,
                    wit::RevokeScope::PrincipalAll => port::RevokeScope::PrincipalAll,
                    wit::RevokeScope::PrincipalBefore(time) => port::RevokeScope::PrincipalBefore(time),
                    wit::RevokeScope::Attachment => port::RevokeScope::Attachment,
                    wit::RevokeScope::FutureOnly => port::RevokeScope::FutureOnly,
                    wit::RevokeScope::Other(text) => port::RevokeScope::Other(reader.text(text)),
                },
                effective_by: revoked.effective_by,
                also_ended: revoked.also_ended,
            }),
            Wit::Pending(job) => Self::Pending(port::Job::from_guest(job, reader)?),
            Wit::Other(text) => Self::Other(reader.text(text)),
        })
    }
}
