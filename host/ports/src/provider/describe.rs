//! What an adapter says of itself before it is admitted: everything that it can ever say to its backend.

use serde::{Deserialize, Serialize};

use super::{Capability, Extensions};
use crate::exchange::Step;

/// A place of many steps.
pub type Place = Vec<Step>;

/// An endpoint that the operator must bind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointNeed {
    /// Purpose, such as `control`.
    pub purpose: String,
    /// Whether it must be bound.
    pub required: bool,
    /// For the operator.
    pub doc: String,
}

/// A secret that the operator must give or the host makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretNeed {
    /// Name.
    pub name: String,
    /// Fields.
    pub fields: Vec<String>,
    /// Whether the host makes it.
    pub made_by_host: bool,
    /// Whether it must be there.
    pub required: bool,
    /// For the operator.
    pub doc: String,
}

/// What becomes of a sensitive place of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceKeep {
    /// Belongs to the auth flow's session.
    Session,
    /// Stored in the secret store under this name.
    Stored(String),
    /// Sealed: only `control` opens it, for the caller who may have it.
    Sealed,
    /// A way that this host does not know: refused at admission.
    Other(String),
}

/// A place of an answer that the guest never sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensitivePlace {
    /// Where.
    pub at: Place,
    /// What becomes of it.
    pub keep: PlaceKeep,
}

/// One thing that the adapter can say to its backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeDecl {
    /// Id.
    pub id: String,
    /// Which endpoint.
    pub purpose: String,
    /// HTTP method.
    pub method: String,
    /// Path with `{param}` segments.
    pub path_template: String,
    /// Changes nothing: may run in probes, plans and shadow runs.
    pub safe: bool,
    /// May be sent again.
    pub idempotent: bool,
    /// Where secrets may go.
    pub slots: Vec<Place>,
    /// What is taken out of the answer.
    pub sensitive: Vec<SensitivePlace>,
    /// For the operator.
    pub doc: String,
    /// Registered keys.
    pub extensions: Extensions,
}

/// Recognizes an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matcher {
    /// By status.
    Status(u16),
    /// By a part of the body.
    BodyContains(String),
    /// By both.
    StatusAndBody(u16, String),
    /// A matcher that this host does not know: refused at admission.
    Other(String),
}

/// A login that the host runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthFlow {
    /// Name.
    pub name: String,
    /// The exchange that logs in.
    pub login_exchange: String,
    /// Its JSON body, with `{param}` strings filled from the guest's parameters.
    pub login_body: String,
    /// Where fields of the identity's secret go.
    pub login_slots: Vec<(Place, String)>,
    /// The exchange that refreshes.
    pub refresh_exchange: Option<String>,
    /// Its JSON body; the refresh token is put at the exchange's first declared slot.
    pub refresh_body: Option<String>,
    /// Where the token is.
    pub token_at: Place,
    /// Where the refresh token is.
    pub refresh_token_at: Option<Place>,
    /// Where the seconds of life are.
    pub expires_in_at: Option<Place>,
    /// Seconds of life when the answer has none.
    pub default_ttl_s: u32,
    /// What "expired" looks like.
    pub expired_when: Vec<Matcher>,
    /// What "locked out" looks like.
    pub locked_out_when: Vec<Matcher>,
    /// The header that presents the token.
    pub header_name: String,
    /// Its value, with `{token}`.
    pub header_template: String,
    /// Registered keys.
    pub extensions: Extensions,
}

/// What an adapter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Name.
    pub name: String,
    /// Vendor.
    pub vendor: String,
    /// Version.
    pub version: String,
    /// For the operator.
    pub doc: String,
    /// JSON Schema of the configuration.
    pub config_schema: String,
    /// Endpoints.
    pub endpoints: Vec<EndpointNeed>,
    /// Secrets.
    pub secrets: Vec<SecretNeed>,
    /// Exchanges.
    pub exchanges: Vec<ExchangeDecl>,
    /// Logins.
    pub auth_flows: Vec<AuthFlow>,
    /// Client kinds that its plans name.
    pub client_kinds: Vec<String>,
    /// Declared capabilities.
    pub capabilities: Vec<Capability>,
    /// Registered keys.
    pub extensions: Extensions,
}
