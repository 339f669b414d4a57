//! What a guest can reach: the six interfaces of the contract, and of WASI what a standard library needs to start.
//!
//! Nothing is linked by an umbrella. What is not linked here is refused at admission by name, before an instance exists.

mod allocate;
mod clock;
mod config;
mod http;
mod kv;
mod log;
pub(crate) mod wasi;

use std::sync::atomic::Ordering;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::stowage::provider as contract;
use crate::call::{CallState, LimitHit};

/// The linker of the process.
pub(crate) fn linker(runtime: &wasmtime::Engine) -> wasmtime::Result<Linker<CallState>> {
    let mut linker = Linker::new(runtime);
    type Own = HasSelf<CallState>;
    contract::types::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    contract::http::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    contract::log::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    contract::clock::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    contract::kv::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    contract::allocate::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    contract::config::add_to_linker::<_, Own>(&mut linker, |state| state)?;
    wasi::link(&mut linker)?;
    Ok(linker)
}

impl contract::types::Host for CallState {}

/// Counts a call into the host.
fn count(state: &CallState) -> wasmtime::Result<()> {
    let calls = state.meter.host_calls.fetch_add(1, Ordering::Relaxed);
    if u64::from(calls) >= state.bound.limits.host_calls { Err(LimitHit::HostCalls.into()) } else { Ok(()) }
}
