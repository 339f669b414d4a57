//! The engine from outside: admission, limits, faults, isolation, the artefact cache. One binary, since each links the
//! whole runtime.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod admission;
mod cache;
mod calls;
mod defences;
mod limits;
mod metrics;
mod support;
mod way_out;
