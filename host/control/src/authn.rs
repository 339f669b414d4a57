//! Tokens: of a file for people and services, of the store for nodes.
//!
//! The file holds SHA-256 hashes and never tokens, so who can read it cannot log in:
//!
//! ```json
//! {"tokens": [{"sha256": "9f86d0…", "subject": "platform", "kind": "service", "roles": ["platform"]}]}
//! ```
//!
//! A token has at least 32 random characters, so its hash needs no salt. Hashes are compared in constant time, and each is,
//! so that the time tells neither how much of a token is right nor whose it is.

use std::path::Path;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stowage_domain::{NodeId, ProjectId, TenantId};
use stowage_ports::{AuthError, Authenticator, CallerIdentity, CallerKind, Role};
use stowage_store::{Segments, Tables};
use subtle::ConstantTimeEq;

use crate::{nodes::token_hash, rows::NODE_TOKENS};

/// One token of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// SHA-256 of the token, 64 hex digits.
    pub sha256: String,
    /// Stable name, as it stands in the audit.
    pub subject: String,
    /// `user` or `service`.
    pub kind: TokenKind,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// The only tenant that it may touch.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The only project of that tenant.
    #[serde(default)]
    pub project: Option<String>,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// A person's.
    User,
    /// A service's.
    Service,
}

/// The token file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFile {
    /// Its tokens.
    pub tokens: Vec<TokenEntry>,
}

/// Why a token file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It cannot be read.
    #[error("the token file {0} cannot be read: {1}")]
    Read(String, std::io::Error),
    /// It is not what it should be.
    #[error("the token file {0} is wrong: {1}")]
    Parse(String, String),
}

impl TokenFile {
    /// Reads and checks a JSON file.
    ///
    /// # Errors
    /// [`TokenFileError`] with the entry that is wrong.
    pub fn read(path: &Path) -> Result<Self, TokenFileError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| TokenFileError::Read(shown.clone(), error))?;
        let file: Self =
            serde_json::from_str(&text).map_err(|error| TokenFileError::Parse(shown.clone(), error.to_string()))?;
        file.check().map_err(|why| TokenFileError::Parse(shown, why))?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        for (index, entry) in self.tokens.iter().enumerate() {
            let wrong = |why: &str| Err(format!("tokens[{index}] ({:?}): {why}", entry.subject));
            if hex::decode(&entry.sha256).map(|hash| hash.len()) != Ok(32) {
                return wrong("sha256 must be 64 hex digits: printf %s \"$TOKEN\" | sha256sum");
            }
            if entry.subject.is_empty() || entry.subject.chars().any(char::is_control) {
                return wrong("subject must not be empty");
            }
            if entry.project.is_some() && entry.tenant.is_none() {
                return wrong("project needs tenant");
            }
            if entry.tenant.as_ref().is_some_and(|tenant| TenantId::parse(tenant).is_err()) {
                return wrong("tenant is no id");
            }
            if entry.project.as_ref().is_some_and(|project| ProjectId::parse(project).is_err()) {
                return wrong("project is no id");
            }
            if entry.tenant.is_some() && entry.roles.iter().any(|role| matches!(role, Role::Operator | Role::Platform))
            {
                return wrong("operator and platform are roles of the whole region: leave tenant out, or take admin");
            }
        }
        Ok(())
    }
}

/// Knows the tokens of a file and of joined nodes.
pub struct TokenAuthenticator {
    tokens: Vec<([u8; 32], CallerIdentity)>,
    tables: Tables,
}

impl std::fmt::Debug for TokenAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAuthenticator").field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

impl TokenAuthenticator {
    /// Over a checked file and the state.
    #[must_use]
    pub fn new(file: TokenFile, tables: Tables) -> Self {
        let entry = |entry: TokenEntry| {
            let hash = hex::decode(&entry.sha256).ok()?.try_into().ok()?;
            let kind = match entry.kind {
                TokenKind::User => CallerKind::User,
                TokenKind::Service => CallerKind::Service,
            };
            let identity = CallerIdentity {
                subject: entry.subject,
                kind,
                roles: entry.roles,
                tenant: entry.tenant,
                project: entry.project,
                groups: entry.groups,
            };
            Some((hash, identity))
        };
        Self { tokens: file.tokens.into_iter().filter_map(entry).collect(), tables }
    }
}

#[async_trait]
impl Authenticator for TokenAuthenticator {
    async fn authenticate(&self, bearer: &SecretString) -> Result<CallerIdentity, AuthError> {
        let token = bearer.expose_secret();
        if token.is_empty() {
            return Err(AuthError::Missing);
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (known, identity) in &self.tokens {
            if bool::from(known.ct_eq(&hash)) {
                found = Some(identity);
            }
        }
        if let Some(identity) = found {
            return Ok(identity.clone());
        }
        let key = Segments::of([token_hash(token)]);
        let node = self.tables.lookup(NODE_TOKENS, &key).await.map_err(|e| AuthError::Unavailable(e.to_string()))?;
        let node = node.and_then(|(node, _)| NodeId::parse(&node).ok()).ok_or(AuthError::Invalid)?;
        Ok(CallerIdentity {
            subject: format!("nodes/{node}"),
            kind: CallerKind::Node { node: node.to_string() },
            roles: Vec::new(),
            tenant: None,
            project: None,
            groups: Vec::new(),
        })
    }
}
