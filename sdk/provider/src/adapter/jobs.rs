//! Native jobs that a change waits for.

use crate::{
    Result, bindings::jobs::exports::stowage::provider::jobs::Guest, contract::jobs::Status, error::unsupported,
};

/// The interface `jobs`.
#[allow(unused_variables, reason = "the names tell implementors what the defaults do not use")]
pub trait Jobs {
    /// How the job is. When it has ended, the host makes the call that started it again.
    fn poll(handle: Vec<u8>) -> Result<Status> {
        Err(unsupported("jobs.poll"))
    }
    /// Stops it.
    fn cancel(handle: Vec<u8>) -> Result<()> {
        Err(unsupported("jobs.cancel"))
    }
}

impl<T: Jobs> Guest for T {
    fn poll(handle: Vec<u8>) -> Result<Status> {
        <T as Jobs>::poll(handle)
    }
    fn cancel(handle: Vec<u8>) -> Result<()> {
        <T as Jobs>::cancel(handle)
    }
}
