//! gRPC in front of the use cases.
//!
//! A call meets, in this order: `trace` (span, metrics), `front` (token, then the method's row in [`RPCS`] against the
//! caller's roles), and its service, which reads the names of the request, checks them against the caller's binding, maps
//! the rest to a command of [`stowage_control`], and maps the answer back. Nothing is decided here but who may.
//!
//! - [`bind`] and [`Bound::serve`] run it
//! - [`RPCS`] says what each method needs, [`DEFERRED`] which are not filled yet
//! - [`check_listener`] refuses to listen where tokens could be read
#![forbid(unsafe_code)]

mod api;
mod call;
mod convert;
mod deferred;
mod front;
mod listener;
mod mask;
mod page;
mod refusal;
mod rpcs;
mod serve;
mod services;
mod trace;

pub use deferred::{DEFERRED, Deferred};
pub use listener::{Listen, ListenerError, Tls, check_listener};
pub use page::PageKey;
pub use rpcs::{Callers, RPCS, Rpc, Scope, rpc};
pub use serve::{ApiConfig, Bound, ServeError, bind};
