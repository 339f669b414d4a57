//! Exchanges: what a guest asks for, and what it is told.

use std::time::Duration;

use stowage_ports::exchange::{Auth, Body, ExchangeError, ExchangeRequest, ExchangeResponse, SecretRef, Slot, Step};

use super::wit_http as wit;

/// A place of the contract as the port has it.
pub(crate) fn place(steps: Vec<wit::Step>) -> Vec<Step> {
    steps.into_iter().map(step).collect()
}

fn step(step: wit::Step) -> Step {
    match step {
        wit::Step::JsonPointer(pointer) => Step::JsonPointer(pointer),
        wit::Step::XmlPath(path) => Step::XmlPath(path),
        wit::Step::FormField(name) => Step::FormField(name),
        wit::Step::Header(header) => Step::Header(header.name),
        wit::Step::EmbeddedJson => Step::EmbeddedJson,
        wit::Step::LineKey(key) => Step::LineKey(key),
        wit::Step::Other(text) => Step::Other(text),
    }
}

pub(crate) fn exchange_request(request: wit::Request) -> ExchangeRequest {
    ExchangeRequest {
        exchange: request.exchange,
        params: request.params,
        query: request.query,
        headers: request.headers,
        body: match request.body {
            wit::Body::Empty => Body::Empty,
            wit::Body::Json(text) => Body::Json(text),
            wit::Body::Form(fields) => Body::Form(fields),
            wit::Body::Raw(bytes) => Body::Raw(bytes),
            wit::Body::Other(text) => Body::Other(text),
        },
        auth: match request.auth {
            wit::Auth::None => Auth::None,
            wit::Auth::Flow(flow) => Auth::Flow { flow: flow.flow, identity: flow.identity, params: flow.params },
            wit::Auth::Basic(secret) => Auth::Basic(secret),
            wit::Auth::Sigv4(sign) => Auth::Sigv4 { keys: sign.keys, service: sign.service, region: sign.region },
            wit::Auth::Other(text) => Auth::Other(text),
        },
        slots: request
            .slots
            .into_iter()
            .map(|slot| Slot {
                at: place(slot.at),
                secret: SecretRef { name: slot.secret.name, field: slot.secret.field },
            })
            .collect(),
        timeout: request.timeout_ms.map(|ms| Duration::from_millis(u64::from(ms))),
    }
}

pub(crate) fn exchange_response(response: ExchangeResponse) -> wit::Response {
    wit::Response {
        status: response.status,
        headers: response.headers,
        body: response.body,
        captured: response.captured,
    }
}

pub(crate) fn exchange_error(error: ExchangeError) -> wit::HttpError {
    match error {
        ExchangeError::Denied(why) => wit::HttpError::Denied(why),
        ExchangeError::Unreachable(why) => wit::HttpError::Unreachable(why),
        ExchangeError::TimedOut => wit::HttpError::TimedOut,
        ExchangeError::SentUnanswered => wit::HttpError::SentUnanswered,
        ExchangeError::TooLarge(limit) => wit::HttpError::TooLarge(limit),
        ExchangeError::Protocol(why) => wit::HttpError::Protocol(why),
        ExchangeError::AuthFailed(why) => wit::HttpError::AuthFailed(why),
        ExchangeError::LockedOut(seconds) => wit::HttpError::LockedOut(seconds),
        ExchangeError::NoSuchSecret(name) => wit::HttpError::NoSuchSecret(name),
    }
}
