//! The one place where bytes become code.
#![allow(unsafe_code, reason = "compiled code can only be loaded by trusting it; the callers have verified or made it")]

use wasmtime::Engine;
use wasmtime::component::Component;

/// Loads compiled code.
///
/// The runtime checks that it fits its version and settings, but not that it is harmless: `code` must come straight from
/// this runtime's compiler, or must have been verified with the cache's MAC. Both callers stand in [`super`].
pub(super) fn component(runtime: &Engine, code: &[u8]) -> Result<Component, String> {
    // SAFETY: `code` was compiled by this process just now, or its MAC proves that this host wrote it. It is copied
    // before use, so nobody can change it afterwards.
    unsafe { Component::deserialize(runtime, code) }.map_err(|error| format!("{error:#}"))
}
