//! The emulator as a client meets it: real HTTP, real FUSE mounts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod session;
mod support;
mod tree;
