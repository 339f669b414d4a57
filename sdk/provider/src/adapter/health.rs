//! What the backend is and can do now.

use crate::{
    Result,
    bindings::health::exports::stowage::provider::health::Guest,
    contract::{
        health::ProbeReport,
        types::{Finding, ProbeMode},
    },
};

/// The interface `health`: required.
pub trait Health {
    /// Asks the backend what it is, what it can do and how full it is. In read-only mode it uses safe exchanges alone.
    fn probe(mode: ProbeMode) -> Result<ProbeReport>;
    /// Checks what an operator must have set up before the adapter can work, one finding for each check.
    fn preflight(mode: ProbeMode) -> Result<Vec<Finding>>;
}

impl<T: Health> Guest for T {
    fn probe(mode: ProbeMode) -> Result<ProbeReport> {
        <T as Health>::probe(mode)
    }
    fn preflight(mode: ProbeMode) -> Result<Vec<Finding>> {
        <T as Health>::preflight(mode)
    }
}
