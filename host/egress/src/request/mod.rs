//! What a guest asks for, made into what is sent: headers judged, body parsed, secrets put into declared places.

mod body;
mod headers;
mod sign;
mod slots;

use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) use body::{RequestBody, fill_params};
pub(crate) use headers::{answer_headers, guest_headers, slot_header};
pub(crate) use sign::{Keys, basic, sigv4};
pub(crate) use slots::fill;

/// A request up to its address: what every URL of the endpoint is sent.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) method: http::Method,
    /// Encoded path and query, to be put after an endpoint's base path.
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
}

/// A header whose value is secret: never shown in debug output and never indexed by HTTP/2's compression.
pub(crate) fn secret_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name = HeaderName::try_from(name).map_err(|_| format!("{name:?} is not a header name"))?;
    let mut value =
        HeaderValue::try_from(value).map_err(|_| format!("the value for header {name} holds control characters"))?;
    value.set_sensitive(true);
    Ok((name, value))
}
