//! Requests as the configured identity, and answers read or classified.
//!
//! One place decides what an answer is: good and readable, good and unreadable (after a change that is `ambiguous`: it may
//! have been applied), or a refusal. Lists are always read to their last page: a client that stopped at the first lost
//! quotas, and took the namespaces behind them for deleted.

use serde::de::DeserializeOwned;
use stowage_provider_sdk::prelude::{Error, ErrorKind, Exchange, Request, Response, Result, error, host};

use crate::api::{Junk, Listed, envelope};
use crate::classify::{Refusal, classify, hidden};
use crate::config::Config;
use crate::exchanges::{ADMIN, LOGIN_FLOW};

/// Pages of one list before the backend is taken to be going in circles.
const MAX_PAGES: usize = 100_000;

/// The backend, as the configured identity.
pub(crate) struct Rest {
    pub(crate) config: Config,
}

impl Rest {
    /// With the configuration of this call.
    pub(crate) fn connect() -> Result<Self> {
        Ok(Self { config: Config::load()? })
    }

    /// A request as the configured identity.
    pub(crate) fn request(&self) -> Request {
        Request::new().flow_with(LOGIN_FLOW, ADMIN, &[("org", &self.config.organization)])
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

fn unreadable(exchange: &Exchange, doing: &str, cause: &Junk) -> Error {
    let text = format!("{doing}: {}", cause.0);
    let error = if exchange.is_safe() { error::internal(text) } else { error::ambiguous(text) };
    error.with_native_code("UnreadableAnswer")
}
