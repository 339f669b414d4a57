//! The use cases over a store in memory and a model of a provider, in paused time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod access;
mod crash;
mod credential_crashes;
mod credentials;
mod drift;
mod mounting;
mod namespaces;
mod providers;
mod reservations;
mod retention;
mod retries;
mod support;
