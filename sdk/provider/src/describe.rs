//! Builders for what an adapter says of itself.

use serde_json::Value as Json;

use crate::{
    contract::{
        identity::{AuthFlow, Description, EndpointNeed, Matcher, SecretNeed},
        types::{Capability, CapabilityState, NotReady, Value},
    },
    exchange::{Exchange, Place, steps},
};

/// Builds a [`Description`].
#[derive(Debug, Clone)]
pub struct Describe(Description);

impl Describe {
    /// Name of the adapter, vendor of the backend, and version of the adapter.
    #[must_use]
    pub fn new(name: &str, vendor: &str, version: &str) -> Self {
        Self(Description {
            name: name.to_owned(),
            vendor: vendor.to_owned(),
            version: version.to_owned(),
            doc: String::new(),
            config_schema: r#"{"type":"object","additionalProperties":false}"#.to_owned(),
            endpoints: Vec::new(),
            secrets: Vec::new(),
            exchanges: Vec::new(),
            auth_flows: Vec::new(),
            client_kinds: Vec::new(),
            capabilities: Vec::new(),
            extensions: Vec::new(),
        })
    }

    /// For the operator: what it is for, what it needs, what it does not do.
    #[must_use]
    pub fn doc(mut self, doc: &str) -> Self {
        self.0.doc = doc.to_owned();
        self
    }

    /// JSON Schema of the configuration; the host checks against it before the adapter is ever called.
    #[must_use]
    pub fn config_schema(mut self, schema: &Json) -> Self {
        self.0.config_schema = schema.to_string();
        self
    }

    /// An endpoint that the operator binds.
    #[must_use]
    pub fn endpoint(mut self, purpose: &str, required: bool, doc: &str) -> Self {
        self.0.endpoints.push(EndpointNeed { purpose: purpose.to_owned(), required, doc: doc.to_owned() });
        self
    }

    /// A secret that the operator gives.
    #[must_use]
    pub fn secret(mut self, name: &str, fields: &[&str], required: bool, doc: &str) -> Self {
        self.0.secrets.push(secret(name, fields, false, required, doc));
        self
    }

    /// A secret that the host makes.
    #[must_use]
    pub fn host_made_secret(mut self, name: &str, fields: &[&str], doc: &str) -> Self {
        self.0.secrets.push(secret(name, fields, true, false, doc));
        self
    }

    /// Exchanges. What is not here can never be sent.
    #[must_use]
    pub fn exchanges(mut self, exchanges: &[&Exchange]) -> Self {
        self.0.exchanges.extend(exchanges.iter().map(|e| e.declare()));
        self
    }

    /// A login that the host runs.
    #[must_use]
    pub fn auth_flow(mut self, flow: Flow) -> Self {
        self.0.auth_flows.push(flow.0);
        self
    }

    /// A client kind that its mount plans name.
    #[must_use]
    pub fn client_kind(mut self, kind: &str) -> Self {
        self.0.client_kinds.push(kind.to_owned());
        self
    }

    /// A declared capability. What depends on the backend's version or setup belongs into the probe instead.
    #[must_use]
    pub fn capability(mut self, capability: Capability) -> Self {
        self.0.capabilities.push(capability);
        self
    }

    /// A registered key.
    #[must_use]
    pub fn extension(mut self, key: &str, value: &str) -> Self {
        self.0.extensions.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The description.
    #[must_use]
    pub fn build(self) -> Description {
        self.0
    }
}

fn secret(name: &str, fields: &[&str], made_by_host: bool, required: bool, doc: &str) -> SecretNeed {
    let fields = fields.iter().map(|f| (*f).to_owned()).collect();
    SecretNeed { name: name.to_owned(), fields, made_by_host, required, doc: doc.to_owned() }
}

/// Builds an [`AuthFlow`]: a login that the host runs by itself, single-flight, per identity.
#[derive(Debug, Clone)]
pub struct Flow(AuthFlow);

impl Flow {
    /// A flow that logs in along `exchange` with this JSON body, and finds its token at `token_at`. Until
    /// [`Flow::header`] says otherwise the token is presented as `Authorization: Bearer {token}`.
    #[must_use]
    pub fn new(name: &str, exchange: &Exchange, body: &Json, token_at: Place) -> Self {
        Self(AuthFlow {
            name: name.to_owned(),
            login_exchange: exchange.id().to_owned(),
            login_body: body.to_string(),
            login_slots: Vec::new(),
            refresh_exchange: None,
            refresh_body: None,
            token_at: steps(token_at),
            refresh_token_at: None,
            expires_in_at: None,
            default_ttl_s: 300,
            expired_when: vec![Matcher::Status(401)],
            locked_out_when: Vec::new(),
            header_name: "authorization".to_owned(),
            header_template: "Bearer {token}".to_owned(),
            extensions: Vec::new(),
        })
    }

    /// Puts a field of the identity's secret into the login body.
    #[must_use]
    pub fn login_slot(mut self, at: Place, field: &str) -> Self {
        self.0.login_slots.push((steps(at), field.to_owned()));
        self
    }

    /// Refreshes along `exchange`; the refresh token goes to that exchange's first declared slot.
    #[must_use]
    pub fn refresh(mut self, exchange: &Exchange, body: &Json, refresh_token_at: Place) -> Self {
        self.0.refresh_exchange = Some(exchange.id().to_owned());
        self.0.refresh_body = Some(body.to_string());
        self.0.refresh_token_at = Some(steps(refresh_token_at));
        self
    }

    /// Where the seconds of life stand, and how many there are when the answer has none.
    #[must_use]
    pub fn expires_in(mut self, at: Place, default_ttl_s: u32) -> Self {
        self.0.expires_in_at = Some(steps(at));
        self.0.default_ttl_s = default_ttl_s;
        self
    }

    /// What "expired" looks like, in place of status 401.
    #[must_use]
    pub fn expired_when(mut self, matchers: Vec<Matcher>) -> Self {
        self.0.expired_when = matchers;
        self
    }

    /// What "locked out" looks like.
    #[must_use]
    pub fn locked_out_when(mut self, matchers: Vec<Matcher>) -> Self {
        self.0.locked_out_when = matchers;
        self
    }

    /// The header that presents the token, with `{token}` in its value.
    #[must_use]
    pub fn header(mut self, name: &str, template: &str) -> Self {
        self.0.header_name = name.to_owned();
        self.0.header_template = template.to_owned();
        self
    }

    /// A registered key.
    #[must_use]
    pub fn extension(mut self, key: &str, value: &str) -> Self {
        self.0.extensions.push((key.to_owned(), value.to_owned()));
        self
    }
}

impl Capability {
    fn in_state(id: &str, state: CapabilityState) -> Self {
        Self { id: id.to_owned(), state, constraints: Vec::new(), evidence: None, extensions: Vec::new() }
    }

    /// It can.
    #[must_use]
    pub fn supported(id: &str) -> Self {
        Self::in_state(id, CapabilityState::Supported)
    }

    /// It cannot.
    #[must_use]
    pub fn unsupported(id: &str) -> Self {
        Self::in_state(id, CapabilityState::Unsupported)
    }

    /// It could, but is not set up: a stable reason such as `S3_NOT_ENABLED`, and what the operator must do.
    #[must_use]
    pub fn unavailable(id: &str, reason: &str, remedy: &str) -> Self {
        let why = NotReady { capability: id.to_owned(), reason: reason.to_owned(), remedy: remedy.to_owned() };
        Self::in_state(id, CapabilityState::Unavailable(why))
    }

    /// Not known.
    #[must_use]
    pub fn unknown(id: &str) -> Self {
        Self::in_state(id, CapabilityState::Unknown)
    }

    /// Adds a registered constraint.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.constraints.push((key.to_owned(), value));
        self
    }

    /// Adds what was asked and seen, redacted.
    #[must_use]
    pub fn evidence(mut self, text: impl std::fmt::Display) -> Self {
        self.evidence = Some(text.to_string());
        self
    }
}
