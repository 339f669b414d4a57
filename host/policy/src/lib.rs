//! Access decisions, pure: what is asked, what is held, and the answer with its reasons. Nothing here reads or waits.
//!
//! - [`mounts`]: what a workload may mount of a namespace, and which grants that rests on
#![forbid(unsafe_code)]

pub mod mounts;

pub use mounts::{Allowed, Ask, Entitlement, Mode, MountAccess, Refusal, Source};
