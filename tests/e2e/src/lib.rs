//! A whole region from real processes, for the demo and the end-to-end tests.
//!
//! A [`Region`] is a mount namespace of its own in which an emulator, a host and node agents run as they would run in
//! production: each is the built binary, they speak over loopback sockets, and the nodes mount with the production
//! `mount` command line. Dropping it ends every process by its id and with the namespace every mount.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: a failure here is a failed test"
)]

pub mod binaries;
pub mod cli;
pub mod http;
pub mod namespace;
pub mod process;
pub mod region;
pub mod story;
pub mod wait;

pub use region::Region;
