//! The baseline of plugin calls: the same adapter, native, in a process of its own behind persistent gRPC over a Unix
//! socket. This is how CSI sidecars and go-plugin run theirs. Its state is in its own memory, which spares it the way back
//! to the host that a real one would take.

mod client;
mod messages;
mod server;

pub(crate) use client::{Connection, Empty, Inspect};
pub(crate) use server::serve;

/// The service's name, as it stands in the path.
const SERVICE: &str = "bench.Sidecar";
const INSPECT: &str = "/bench.Sidecar/Inspect";
/// Answers nothing to nothing.
pub(crate) const ECHO: &str = "/bench.Sidecar/Echo";
