//! Who calls. A token becomes an identity here; what the identity may do is decided elsewhere.

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// What a caller may do, widest first. A role is bound to the scope of its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the region: providers, classes, nodes, every tenant.
    Operator,
    /// Runs the tenants and projects, but not the providers: the platform's own services.
    Platform,
    /// Administers one tenant or project.
    Admin,
    /// Uses one project: namespaces, plans, workloads.
    Member,
    /// Reads one project, or the region when unscoped.
    Viewer,
}

/// What kind of caller this is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKind {
    /// A person.
    User,
    /// A service of the platform.
    Service,
    /// The agent of one node; it may do nothing but that node's work.
    Node {
        /// The node's id.
        node: String,
    },
}

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdentity {
    /// Stable name, as it stands in the audit.
    pub subject: String,
    /// Kind.
    pub kind: CallerKind,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// The only tenant that it may touch; `None` for all.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The only project of that tenant; `None` for all.
    #[serde(default)]
    pub project: Option<String>,
    /// Groups, for grants.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// Why a caller is not known. The text never tells which part of a credential was wrong.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum AuthError {
    /// No credential came with the call.
    #[error("no credential: send `authorization: Bearer <token>`")]
    Missing,
    /// It is not one that the host knows.
    #[error("the credential is not valid: it is unknown, expired or revoked")]
    Invalid,
    /// Whoever verifies could not be reached.
    #[error("credentials cannot be verified now: {0}")]
    Unavailable(String),
}

/// Turns a bearer token into an identity.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Verifies the token.
    async fn authenticate(&self, bearer: &SecretString) -> Result<CallerIdentity, AuthError>;
}
