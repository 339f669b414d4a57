//! The access half of the model backend: parents, their policies, and keys beneath them.
//!
//! Like the harshest real one, it does not remember what a session was asked for: every call that is applied makes another
//! key, and it cannot end one session by itself.

use std::collections::BTreeMap;

use stowage_ports::provider::{self as port, Call, CredentialRequest, ErrorKind, NativeRef, PrincipalSpec};

use super::MemorySecrets;

/// A parent.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub(crate) owner: String,
    pub(crate) password: String,
    pub(crate) policy: Option<Vec<u8>>,
}

/// A key beneath a parent.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) owner: String,
    pub(crate) principal: String,
    pub(crate) policy: Vec<u8>,
    /// `None` for a service account.
    pub(crate) ttl_s: Option<u32>,
}

#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) principals: BTreeMap<String, Principal>,
    pub(crate) keys: BTreeMap<String, Key>,
    made: u32,
}

fn error(kind: ErrorKind) -> port::Error {
    port::Error { message: format!("scripted: {}", kind.reason()), kind, native_code: None, extensions: Vec::new() }
}

impl Access {
    pub(crate) fn ensure(
        &mut self,
        call: &Call,
        spec: &PrincipalSpec,
        secrets: &MemorySecrets,
    ) -> Result<NativeRef, port::Error> {
        let password =
            secrets.field(spec.secret.as_deref().unwrap(), "password").expect("the password is there before");
        let made = Principal { owner: call.owner.clone(), password: password.clone(), policy: None };
        let held = self.principals.entry(spec.name.clone()).or_insert(made);
        if held.owner != call.owner {
            return Err(error(ErrorKind::ForeignOwner(held.owner.clone())));
        }
        assert_eq!(held.password, password, "the same parent is told another password");
        Ok(NativeRef(spec.name.clone().into_bytes()))
    }

    pub(crate) fn issue(
        &mut self,
        call: &Call,
        request: &CredentialRequest,
        secrets: &MemorySecrets,
    ) -> Result<port::Issue, port::Error> {
        let (native, policy, ttl_s) = match request {
            CredentialRequest::Session { principal, policy, ttl_s, .. } => (principal, Some(policy), Some(*ttl_s)),
            CredentialRequest::AccessKey(key) => (&key.principal, key.policy.as_ref(), None),
            other => panic!("{other:?}"),
        };
        let principal = String::from_utf8(native.0.clone()).unwrap();
        if !self.principals.contains_key(&principal) {
            return Err(error(ErrorKind::NotFound));
        }
        let Some(port::Policy::IamJson(policy)) = policy else { panic!("a key without a policy") };
        self.made += 1;
        let id = format!("KEY{}", self.made);
        let key = Key { owner: call.owner.clone(), principal, policy: policy.clone(), ttl_s };
        self.keys.insert(id.clone(), key);
        let sealed = |what: &str| {
            let handle = format!("sealed/model/{}-{what}", call.owner);
            secrets.insert(&handle, &format!("{what}-of-{id}"));
            handle
        };
        let pair = port::KeyPair {
            secret: sealed("secret"),
            token: ttl_s.map(|_| sealed("token")),
            expires_at: None,
            id: id.clone(),
        };
        Ok(port::Issue::Issued(port::Issued {
            native: NativeRef(id.into_bytes()),
            owner: call.owner.clone(),
            credential: port::Credential::AccessKey(pair),
            endpoint: "https://s3.model".into(),
            region: "here-1".into(),
        }))
    }

    /// Service accounts are found by their mark; sessions bear none.
    pub(crate) fn find(&self, owner: &str) -> Option<port::CredentialInfo> {
        let (id, key) = self.keys.iter().find(|(_, key)| key.owner == owner && key.ttl_s.is_none())?;
        Some(port::CredentialInfo {
            native: NativeRef(id.clone().into_bytes()),
            principal: NativeRef(key.principal.clone().into_bytes()),
            id: id.clone(),
            owner: Some(key.owner.clone()),
            session_name: None,
            expires_at: None,
            state: "active".into(),
        })
    }

    pub(crate) fn revoke(
        &mut self,
        native: &NativeRef,
        scope: &port::RevokeScope,
    ) -> Result<port::Revocation, port::Error> {
        let name = String::from_utf8(native.0.clone()).unwrap();
        match scope {
            port::RevokeScope::Session => return Err(error(ErrorKind::Unsupported("access.revoke.session".into()))),
            port::RevokeScope::Credential => drop(self.keys.remove(&name).ok_or_else(|| error(ErrorKind::NotFound))?),
            port::RevokeScope::PrincipalAll => self.keys.retain(|_, key| key.principal != name),
            other => panic!("{other:?}"),
        }
        let revoked = port::Revoked { scope: scope.clone(), effective_by: None, also_ended: None };
        Ok(port::Revocation::Revoked(revoked))
    }

    pub(crate) fn delete(&mut self, native: &NativeRef) -> Result<NativeRef, port::Error> {
        let name = String::from_utf8(native.0.clone()).unwrap();
        self.keys.retain(|_, key| key.principal != name);
        self.principals.remove(&name).ok_or_else(|| error(ErrorKind::NotFound))?;
        Ok(native.clone())
    }
}
