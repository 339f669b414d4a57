//! The adapter against a cluster emulator over real HTTP, and against scripted answers where no cluster would give them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod backend;
mod bench;
mod cuts;
mod lifecycle;
mod mounting;
mod node;
mod report;
mod scripted;
mod traps;
