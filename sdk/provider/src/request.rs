//! A request along a declared exchange, and its answer.

use std::fmt::Display;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Result,
    contract::http::{self, Auth, Body, FlowUse, HttpError, Sigv4},
    contract::types::SecretRef,
    error::{self, Error},
    exchange::{Exchange, Place, steps},
};

/// What to send: parameters of the path, query, headers, body and how the host authenticates it. [`crate::host::send`]
/// sends it.
#[derive(Debug, Clone)]
pub struct Request {
    inner: http::Request,
    broken: Option<String>,
}

impl Default for Request {
    fn default() -> Self {
        Self::new()
    }
}

impl Request {
    /// Without body and authentication.
    #[must_use]
    pub const fn new() -> Self {
        let inner = http::Request {
            exchange: String::new(),
            params: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Empty,
            auth: Auth::None,
            slots: Vec::new(),
            timeout_ms: None,
        };
        Self { inner, broken: None }
    }

    /// Fills `{name}` of the path template; the host encodes it as one segment.
    #[must_use]
    pub fn param(mut self, name: &str, value: impl Display) -> Self {
        self.inner.params.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a query pair; the host encodes it.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.inner.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a header. The host refuses those that authenticate or route.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        self.inner.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// A JSON body. A value that cannot be JSON fails when the request is sent.
    #[must_use]
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.inner.body = Body::Json(bytes),
            Err(e) => self.broken = Some(e.to_string()),
        }
        self
    }

    /// A form body.
    #[must_use]
    pub fn form(mut self, fields: Vec<(String, String)>) -> Self {
        self.inner.body = Body::Form(fields);
        self
    }

    /// Any bytes; they cannot hold slots.
    #[must_use]
    pub fn raw(mut self, body: Vec<u8>) -> Self {
        self.inner.body = Body::Raw(body);
        self
    }

    /// Authenticates by a declared flow, as the named identity.
    #[must_use]
    pub fn flow(self, flow: &str, identity: &str) -> Self {
        self.flow_with(flow, identity, &[])
    }

    /// Authenticates by a declared flow, with parameters of its login body.
    #[must_use]
    pub fn flow_with(mut self, flow: &str, identity: &str, params: &[(&str, &str)]) -> Self {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.inner.auth = Auth::Flow(FlowUse { flow: flow.to_owned(), identity: identity.to_owned(), params });
        self
    }

    /// Authenticates with the named secret's `username` and `password`.
    #[must_use]
    pub fn basic(mut self, secret: &str) -> Self {
        self.inner.auth = Auth::Basic(secret.to_owned());
        self
    }

    /// Signs with the named secret's keys (AWS Signature Version 4), or with its `username` and `password` where those are
    /// a user's keys.
    #[must_use]
    pub fn sigv4(mut self, keys: &str, service: &str, region: &str) -> Self {
        self.inner.auth =
            Auth::Sigv4(Sigv4 { keys: keys.to_owned(), service: service.to_owned(), region: region.to_owned() });
        self
    }

    /// Puts a field of a secret at a declared place.
    #[must_use]
    pub fn slot(mut self, at: Place, secret: &str, field: &str) -> Self {
        let secret = SecretRef { name: secret.to_owned(), field: field.to_owned() };
        self.inner.slots.push(http::Slot { at: steps(at), secret });
        self
    }

    /// Upper bound for this exchange; the call's own deadline may be nearer.
    #[must_use]
    pub const fn timeout_ms(mut self, ms: u32) -> Self {
        self.inner.timeout_ms = Some(ms);
        self
    }

    /// The contract's record of it.
    pub(crate) fn build(self, exchange: &Exchange) -> std::result::Result<http::Request, HttpError> {
        if let Some(problem) = self.broken {
            return Err(HttpError::Denied(format!("the body is not JSON: {problem}")));
        }
        Ok(http::Request { exchange: exchange.id().to_owned(), ..self.inner })
    }
}

/// Why there is no answer.
///
/// `?` turns it into the contract's error. What decides is whether the exchange could have changed anything: a safe one
/// that was lost is `unreachable` and may be asked again; any other is `ambiguous`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError {
    /// The exchange.
    pub exchange: &'static str,
    /// Whether it changes nothing.
    pub safe: bool,
    /// What the host said.
    pub cause: HttpError,
}

impl Display for SendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}", self.exchange, self.cause)
    }
}

impl std::error::Error for SendError {}

impl From<SendError> for Error {
    fn from(lost: SendError) -> Self {
        let id = lost.exchange;
        let maybe_applied = |text: String| if lost.safe { error::unreachable(text) } else { error::ambiguous(text) };
        match lost.cause {
            HttpError::Denied(rule) => {
                error::internal(format_args!("the host refused {id}: {rule}")).with_native_code("exchange.denied")
            }
            HttpError::Unreachable(text) => error::unreachable(format_args!("{id}: {text}")),
            HttpError::TimedOut => error::unreachable(format_args!("{id}: the time was up before it was sent")),
            HttpError::SentUnanswered => maybe_applied(format!("{id} was sent and no whole answer came")),
            HttpError::TooLarge(limit) => maybe_applied(format!("the answer of {id} is larger than {limit} bytes"))
                .with_native_code("exchange.too-large"),
            HttpError::Protocol(text) => {
                maybe_applied(format!("the answer of {id} is broken: {text}")).with_native_code("exchange.protocol")
            }
            HttpError::AuthFailed(text) => error::auth_expired(format_args!("{id}: {text}")),
            HttpError::LockedOut(seconds) => error::locked_out(seconds),
            HttpError::NoSuchSecret(name) => {
                error::not_ready("secrets", "NO_SUCH_SECRET", format_args!("give the provider the secret {name:?}"))
            }
            HttpError::Other(word) => maybe_applied(format!("{id}: {word}")).with_native_code(word),
        }
    }
}

/// An answer, without anything secret.
#[derive(Debug, Clone)]
pub struct Response {
    exchange: &'static str,
    safe: bool,
    inner: http::Response,
}

impl Response {
    pub(crate) const fn new(exchange: &Exchange, inner: http::Response) -> Self {
        Self { exchange: exchange.id(), safe: exchange.is_safe(), inner }
    }

    /// HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.inner.status
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.inner.status >= 200 && self.inner.status < 300
    }

    /// A header, by name without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.inner.body
    }

    /// The body as text, with what is not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.inner.body).into_owned()
    }

    /// The handle of the sensitive place at this position of the declaration; `None` when the answer had no such place.
    #[must_use]
    pub fn captured(&self, position: usize) -> Option<&str> {
        self.inner.captured.get(position)?.as_deref()
    }

    /// The body as JSON. One that does not fit is `internal` after a safe exchange and `ambiguous` after any other, since
    /// an answer that cannot be read does not tell what was done.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.inner.body).map_err(|e| {
            let text = format!("the answer of {} (status {}) does not fit: {e}", self.exchange, self.inner.status);
            let error = if self.safe { error::internal(text) } else { error::ambiguous(text) };
            error.with_native_code("answer-shape")
        })
    }
}
