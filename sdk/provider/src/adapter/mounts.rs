//! Mount plans: what a node needs to mount a namespace.

use crate::{
    Result,
    bindings::mounts::exports::stowage::provider::mounts::Guest,
    contract::{
        mounts::Prepared,
        types::{Call, MountRequest, MountStatus, NativeRef, Progress},
    },
    error::unsupported,
};

/// The interface `mounts`.
#[allow(unused_variables, reason = "the names tell implementors what the defaults do not use")]
pub trait Mounts {
    /// Makes the plan, and at the backend whatever it needs.
    fn prepare(call: Call, request: MountRequest) -> Result<Prepared> {
        Err(unsupported("mounts.prepare"))
    }
    /// Takes back what `prepare` made at the backend. Absent is done.
    fn release(call: Call, plan: NativeRef) -> Result<Progress> {
        Err(unsupported("mounts.release"))
    }
    /// What the backend sees of the plans, one entry for each and in their order.
    fn observe(plans: Vec<NativeRef>) -> Result<Vec<MountStatus>> {
        Err(unsupported("mounts.observe"))
    }
    /// Ends one client's attachment.
    fn detach(call: Call, attachment: Vec<u8>, force: bool) -> Result<Progress> {
        Err(unsupported("mounts.detach"))
    }
}

impl<T: Mounts> Guest for T {
    fn prepare(call: Call, request: MountRequest) -> Result<Prepared> {
        <T as Mounts>::prepare(call, request)
    }
    fn release(call: Call, plan: NativeRef) -> Result<Progress> {
        <T as Mounts>::release(call, plan)
    }
    fn observe(plans: Vec<NativeRef>) -> Result<Vec<MountStatus>> {
        <T as Mounts>::observe(plans)
    }
    fn detach(call: Call, attachment: Vec<u8>, force: bool) -> Result<Progress> {
        <T as Mounts>::detach(call, attachment, force)
    }
}
