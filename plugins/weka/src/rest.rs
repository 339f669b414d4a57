//! Requests as an identity, and answers read or classified.
//!
//! One place decides what an answer is: good and readable, good and unreadable (after a change that is `ambiguous`: it may
//! have been applied), or a refusal. Lists are always read to their last page: a client that stopped at the first lost
//! quotas, and took the namespaces behind them for deleted.

use serde::de::DeserializeOwned;
use stowage_provider_sdk::prelude::{Error, ErrorKind, Exchange, Request, Response, Result, error, host};

use crate::api::{Junk, Listed, envelope, hidden};
use crate::classify::{Refusal, classify};
use crate::config::{Config, ROOT_ORGANIZATION};
use crate::exchanges::{ADMIN, LOGIN_FLOW};

/// Pages of one list before the backend is taken to be going in circles.
const MAX_PAGES: usize = 100_000;

/// Who speaks: a secret with `username` and `password`, and the organization that it logs in to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Login {
    secret: String,
    organization: String,
}

/// The backend, as one identity.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    pub(crate) config: Config,
    login: Login,
}

impl Rest {
    /// With the configuration of this call, as the configured account.
    pub(crate) fn connect() -> Result<Self> {
        let config = Config::load()?;
        let login = Login { secret: ADMIN.to_owned(), organization: config.organization.clone() };
        Ok(Self { config, login })
    }

    /// The same backend as the user of another secret, logged in to `organization`.
    pub(crate) fn as_user(&self, secret: &str, organization: &str) -> Self {
        let login = Login { secret: secret.to_owned(), organization: organization.to_owned() };
        Self { config: self.config.clone(), login }
    }

    /// The organization that requests are made in.
    pub(crate) fn organization(&self) -> &str {
        &self.login.organization
    }

    /// Whether this identity is in the organization that every cluster has.
    pub(crate) fn in_root(&self) -> bool {
        self.login.organization == ROOT_ORGANIZATION
    }

    /// A request as this identity.
    pub(crate) fn request(&self) -> Request {
        Request::new().flow_with(LOGIN_FLOW, &self.login.secret, &[("org", &self.login.organization)])
    }

    /// Sends, and answers only what is good.
    pub(crate) fn send(&self, exchange: &Exchange, request: Request, doing: &str) -> Result<Response> {
        let response = host::send(exchange, request)?;
        if response.is_success() && !hidden(response.body()) {
            return Ok(response);
        }
        let status = response.status();
        Err(classify(&Refusal { status, body: response.body(), safe: exchange.is_safe(), doing }))
    }

    /// One object.
    pub(crate) fn one<T: DeserializeOwned>(&self, exchange: &Exchange, request: Request, doing: &str) -> Result<T> {
        let response = self.send(exchange, request, doing)?;
        envelope::one(response.body()).map_err(|cause| unreadable(exchange, doing, &cause))
    }

    /// An answer whose content does not matter.
    pub(crate) fn done(&self, exchange: &Exchange, request: Request, doing: &str) -> Result<()> {
        let response = self.send(exchange, request, doing)?;
        envelope::empty(response.body()).map_err(|cause| unreadable(exchange, doing, &cause))
    }

    /// One page of a list.
    pub(crate) fn page<T: DeserializeOwned>(
        &self,
        exchange: &Exchange,
        request: Request,
        token: Option<&str>,
        doing: &str,
    ) -> Result<Listed<T>> {
        let request = match token {
            Some(token) => request.query("next_token", token),
            None => request,
        };
        let response = self.send(exchange, request, doing)?;
        envelope::list(response.body()).map_err(|cause| unreadable(exchange, doing, &cause))
    }

    /// A whole list, to its last page.
    pub(crate) fn all<T: DeserializeOwned>(
        &self,
        exchange: &Exchange,
        request: &Request,
        doing: &str,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page = self.page(exchange, request.clone(), token.as_deref(), doing)?;
            rows.extend(page.rows);
            match page.next {
                None => return Ok(rows),
                next if next == token => break,
                next => token = next,
            }
        }
        Err(error::internal(format_args!("{doing}: the list has no last page")).with_native_code("PagingLoop"))
    }
}

/// `None` when the object is not there.
pub(crate) fn absent<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Error { kind: ErrorKind::NotFound, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The error of an answer that cannot be read: after a change it may have been applied.
pub(crate) fn unreadable(exchange: &Exchange, doing: &str, cause: &Junk) -> Error {
    let text = format!("{doing}: {}", cause.0);
    let error = if exchange.is_safe() { error::internal(text) } else { error::ambiguous(text) };
    error.with_native_code("UnreadableAnswer")
}
