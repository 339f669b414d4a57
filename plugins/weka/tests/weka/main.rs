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
mod fencing;
mod lifecycle;
mod matrix;
mod mounting;
mod node;
mod organization;
mod report;
mod s3;
mod scale;
mod scripted;
mod signing;
mod snapshotting;
mod tenant_cuts;
mod traps;
mod upsets;
