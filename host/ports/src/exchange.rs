//! Outbound HTTP as a guest sees it: declared exchanges, handles instead of secrets.
//!
//! One [`Exchange`] is bound to one provider instance: its endpoints, its approved table of exchanges, its auth flows and
//! its secrets. The guest names an exchange and its parameters; everything secret is put in and taken out on the host's
//! side, so a value that a guest could leak never reaches it.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::provider::Extensions;

/// One step into a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// RFC 6901.
    JsonPointer(String),
    /// Element names joined by `/`, from the root element.
    XmlPath(String),
    /// A field of an `application/x-www-form-urlencoded` body.
    FormField(String),
    /// A header by name.
    Header(String),
    /// Opens a JSON text that stands inside a string.
    EmbeddedJson,
    /// The value of `key = value` in a text.
    LineKey(String),
    /// A kind of step that this host does not know: refused at admission.
    Other(String),
}

/// A field of a named secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SecretRef {
    /// Name as the description declares it, or a handle of a captured value.
    pub name: String,
    /// The field.
    pub field: String,
}

/// Puts a secret into a place of the request. The place must be one that the exchange declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Where.
    pub at: Vec<Step>,
    /// What.
    pub secret: SecretRef,
}

/// How the request is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    None,
    /// By a declared flow: the host logs in, refreshes and presents the token.
    Flow {
        /// The flow's name.
        flow: String,
        /// Whose session: the name of the secret that logs in.
        identity: String,
        /// Parameters of the login body.
        params: Extensions,
    },
    /// RFC 7617 with the named secret's `username` and `password`.
    Basic(String),
    /// AWS Signature Version 4 with the named secret's `access-key-id`, `secret-access-key` and, if there, `session-token`;
    /// a secret without keys signs with its `username` and `password`.
    Sigv4 {
        /// The secret.
        keys: String,
        /// Service name in the scope.
        service: String,
        /// Region in the scope.
        region: String,
    },
    /// A way that this host does not know: refused.
    Other(String),
}

/// The body as the guest gives it; slots are filled after it was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON text.
    Json(Vec<u8>),
    /// Form fields.
    Form(Vec<(String, String)>),
    /// Any bytes; cannot hold slots.
    Raw(Vec<u8>),
    /// A kind that this host does not know: refused.
    Other(String),
}

/// One request along a declared exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRequest {
    /// Id of a declared exchange.
    pub exchange: String,
    /// Fill the declared path template, each percent-encoded as one segment.
    pub params: Extensions,
    /// Query pairs, percent-encoded by the host.
    pub query: Vec<(String, String)>,
    /// Headers; those that authenticate or route are refused.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Body,
    /// Authentication.
    pub auth: Auth,
    /// Secrets to put in.
    pub slots: Vec<Slot>,
    /// Upper bound for this exchange; the call's own deadline may be nearer.
    pub timeout: Option<Duration>,
}

/// The answer, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers that a guest may see.
    pub headers: Vec<(String, String)>,
    /// The body with declared places taken out and injected values masked.
    pub body: Vec<u8>,
    /// A handle for each declared sensitive place, in the order of the declaration.
    pub captured: Vec<Option<String>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ExchangeError {
    /// The guest asked for what it may not: the text names the rule and the fix.
    #[error("refused: {0}")]
    Denied(String),
    /// No connection; nothing was sent.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The time was up before anything was sent.
    #[error("timed out before the request was sent")]
    TimedOut,
    /// It was sent and no whole answer came: it may have been applied.
    #[error("sent, but no whole answer came: it may have been applied")]
    SentUnanswered,
    /// The answer is larger than the limit.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// Not HTTP, or not what the declaration says.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// The flow could not log in.
    #[error("authentication failed: {0}")]
    AuthFailed(String),
    /// The backend locked the identity out for so many seconds.
    #[error("locked out for {0} s")]
    LockedOut(u32),
    /// A named secret is not there.
    #[error("no such secret: {0}")]
    NoSuchSecret(String),
}

/// What the exchange runs under.
#[derive(Debug, Clone)]
pub struct ExchangeContext {
    /// Only exchanges declared safe may run (probes, plans, shadow runs).
    pub safe_only: bool,
    /// What is left of the call's wall budget.
    pub remaining: Duration,
    /// Request id of the API call or operation, for logs.
    pub request_id: String,
    /// Operation's owner token: captured secrets are stored under it, so that a replay overwrites its own.
    pub owner: Option<String>,
}

/// The way out, bound to one provider instance.
#[async_trait]
pub trait Exchange: Send + Sync + 'static {
    /// Sends one request.
    async fn send(&self, cx: &ExchangeContext, request: ExchangeRequest) -> Result<ExchangeResponse, ExchangeError>;

    /// Whether `text` holds a value that this binding knows to be secret: a hit is a counted security event. Returns the
    /// text with the values masked.
    fn redact(&self, text: &str) -> Option<String>;
}
