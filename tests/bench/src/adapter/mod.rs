//! The fake provider in its forms: sandboxed behind the port, bare in the runtime, native.
//!
//! The call that is measured is `namespaces.inspect` of a namespace whose state is in memory: two host calls
//! (configuration, key-value), two JSON documents read, a record with lists built and handed over. It is the smallest call
//! that does what real ones do.

mod sandboxed;
mod state;
mod twin;

use std::path::PathBuf;

use anyhow::{Context, Result};
pub(crate) use sandboxed::{bare, binding, inspect, sandboxed};
pub(crate) use state::MemoryState;
pub(crate) use twin::Twin;

/// The namespace that is looked at.
pub(crate) const NAMESPACE: &str = "a1b2c3d4-e5f6g7h8i9";
/// Configuration of the fake: it keeps a book, and no node makes directories.
pub(crate) const CONFIG: &str = r#"{"node_directories":false}"#;

/// Bytes of a plugin as `make plugins` builds it.
pub(crate) fn component(name: &str) -> Result<Vec<u8>> {
    let plugins = std::env::var_os("STOWAGE_PLUGINS_DIR").map(PathBuf::from);
    let installed = plugins.map(|plugins| plugins.join(format!("{name}.wasm")));
    let beside = std::env::current_exe()?;
    let target =
        beside.parent().and_then(|release| release.parent()).context("the bench is not in a target directory")?;
    let built = target.join(format!("wasm32-wasip2/guest/stowage_plugin_{name}.wasm"));
    let path = installed.filter(|path| path.exists()).unwrap_or(built);
    std::fs::read(&path).with_context(|| format!("{} is not there: run `make plugins`", path.display()))
}
