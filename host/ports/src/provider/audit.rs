//! The backend's own audit: where it is sent, and what it says.

use super::Extensions;
use crate::exchange::SecretRef;

/// Where the backend sends its audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditTarget {
    /// It pushes over HTTP.
    PushHttp {
        /// To this URL.
        url: String,
        /// With this bearer token.
        bearer: Option<SecretRef>,
    },
    /// It pushes to this syslog address.
    PushSyslog(String),
    /// It keeps a log that is read.
    PullLog,
    /// Nowhere.
    None,
    /// A target that this host does not know.
    Other(String),
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// When.
    pub at: u64,
    /// The backend's id.
    pub id: Option<String>,
    /// What.
    pub operation: String,
    /// On which namespace.
    pub namespace: Option<String>,
    /// On which object.
    pub object: Option<String>,
    /// With which status.
    pub status: u32,
    /// By which access key.
    pub access_key: Option<String>,
    /// From where.
    pub client: Option<String>,
    /// Registered keys.
    pub extensions: Extensions,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// Events.
    pub items: Vec<AuditEvent>,
    /// Where the next page begins.
    pub next: Option<Vec<u8>>,
    /// Whether events are known to be missing.
    pub gap: bool,
}
