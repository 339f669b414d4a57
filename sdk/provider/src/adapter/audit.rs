//! The backend's own audit: where it goes and what it says.

use crate::{
    Result,
    bindings::audit::exports::stowage::provider::audit::Guest,
    contract::{
        audit::{Event, Page, Target},
        types::{Call, Progress},
    },
    error::unsupported,
};

/// The interface `audit`.
#[allow(unused_variables, reason = "the names tell implementors what the defaults do not use")]
pub trait Audit {
    /// Sets where the backend sends its audit.
    fn configure(call: Call, target: Target) -> Result<Progress> {
        Err(unsupported("audit.configure"))
    }
    /// Where it sends it now.
    fn configured() -> Result<Target> {
        Err(unsupported("audit.configured"))
    }
    /// Reads what the backend pushed.
    fn parse(body: Vec<u8>, headers: Vec<(String, String)>) -> Result<Vec<Event>> {
        Err(unsupported("audit.parse"))
    }
    /// Reads the backend's log from the cursor on.
    fn read(cursor: Option<Vec<u8>>) -> Result<Page> {
        Err(unsupported("audit.read"))
    }
}

impl<T: Audit> Guest for T {
    fn configure(call: Call, target: Target) -> Result<Progress> {
        <T as Audit>::configure(call, target)
    }
    fn configured() -> Result<Target> {
        <T as Audit>::configured()
    }
    fn parse(body: Vec<u8>, headers: Vec<(String, String)>) -> Result<Vec<Event>> {
        <T as Audit>::parse(body, headers)
    }
    fn read(cursor: Option<Vec<u8>>) -> Result<Page> {
        <T as Audit>::read(cursor)
    }
}
