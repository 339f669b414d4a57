//! The contract's types to the port's and back.
//!
//! Into the guest everything is copied as it is. Out of the guest everything is checked and passed through the redactor:
//! a text is masked, while an opaque reference that holds a secret is refused, since masking would break it. An unknown
//! case of a variant (`other`) stays unknown and is never taken for a known one.

mod access;
mod audit;
mod call;
mod describe;
mod error;
mod health;
mod http;
mod jobs;
mod mounts;
mod namespaces;
mod reader;
mod words;

pub(crate) use error::state_error;
pub(crate) use http::{exchange_error, exchange_request, exchange_response};
pub(crate) use reader::Reader;

use crate::bindings::exports::stowage::provider as exports;
use crate::bindings::stowage::provider::{http as wit_http, types as wit};
use crate::call::Breach;
use stowage_ports::provider as port;

/// Made from what a guest answered.
pub(crate) trait FromGuest<W>: Sized {
    /// Checks and redacts `answer`.
    fn from_guest(answer: W, reader: &Reader<'_>) -> Result<Self, Breach>;
}

/// Handed to a guest.
pub(crate) trait ToGuest<W> {
    /// A copy in the contract's type.
    fn to_guest(&self) -> W;
}

impl FromGuest<()> for () {
    fn from_guest((): (), _: &Reader<'_>) -> Result<Self, Breach> {
        Ok(())
    }
}

impl<W, T: FromGuest<W>> FromGuest<Vec<W>> for Vec<T> {
    fn from_guest(answer: Vec<W>, reader: &Reader<'_>) -> Result<Self, Breach> {
        answer.into_iter().map(|item| T::from_guest(item, reader)).collect()
    }
}

impl<W, T: FromGuest<W>> FromGuest<Option<W>> for Option<T> {
    fn from_guest(answer: Option<W>, reader: &Reader<'_>) -> Result<Self, Breach> {
        answer.map(|item| T::from_guest(item, reader)).transpose()
    }
}

impl<W, T: ToGuest<W>> ToGuest<Vec<W>> for [T] {
    fn to_guest(&self) -> Vec<W> {
        self.iter().map(T::to_guest).collect()
    }
}

impl<W, T: ToGuest<W>> ToGuest<Vec<W>> for Vec<T> {
    fn to_guest(&self) -> Vec<W> {
        self.as_slice().to_guest()
    }
}

impl<W, T: ToGuest<W>> ToGuest<Option<W>> for Option<T> {
    fn to_guest(&self) -> Option<W> {
        self.as_ref().map(T::to_guest)
    }
}

impl FromGuest<String> for String {
    fn from_guest(answer: String, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(reader.text(answer))
    }
}
