//! What the host does for an adapter: HTTP along declared exchanges, log, clock, small durable state, numbers that must
//! not collide, and the configuration. There is nothing else: no sockets, no files, no environment.

pub mod allocate;
pub mod kv;
pub mod log;
mod outside;

use serde::de::DeserializeOwned;

use crate::{
    Result, error,
    exchange::Exchange,
    request::{Request, Response, SendError},
};

/// Sends a request along a declared exchange. Any status is an answer; only a missing answer is an error.
pub fn send(exchange: &Exchange, request: Request) -> std::result::Result<Response, SendError> {
    request
        .build(exchange)
        .and_then(|request| outside::send(&request))
        .map(|answer| Response::new(exchange, answer))
        .map_err(|cause| SendError { exchange: exchange.id(), safe: exchange.is_safe(), cause })
}

/// Now, in Unix milliseconds. The one clock there is.
#[must_use]
pub fn now_ms() -> u64 {
    outside::now_ms()
}

/// What is left of this call, in milliseconds.
#[must_use]
pub fn deadline_remaining_ms() -> u64 {
    outside::deadline_remaining_ms()
}

/// The configuration of this provider. The host has checked it against the schema, so one that does not fit the type is a
/// defect of the schema.
pub fn config<T: DeserializeOwned>() -> Result<T> {
    serde_json::from_str(&outside::config())
        .map_err(|e| error::internal(format_args!("the configuration does not fit the adapter's own schema: {e}")))
}
