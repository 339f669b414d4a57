//! The fake provider: the whole contract on the host's `kv`, with every outcome and every error on demand.
//!
//! It is a provider for tests, demos and the first hour: it keeps namespaces, tenants, snapshots, principals, credentials
//! and plans as JSON in its state, and lets nodes make real directories beneath a root that their configuration binds. Its
//! rules are those of a real backend: changes are idempotent by owner, a foreign mark is refused, limits are rounded,
//! capacity runs out, jobs take polls.
//!
//! [`demand`] documents how any outcome or error is brought about, [`cases`] lists one case for each, and [`config`] what
//! an operator may set.

mod access;
mod audit;
mod capacity;
pub mod cases;
pub mod config;
mod credentials;
pub mod demand;
mod describe;
mod gate;
mod health;
mod jobs;
mod mounts;
mod namespaces;
mod principals;
mod show;
mod snapshots;
mod state;
mod tenants;
mod usage;

use stowage_provider_sdk::export_provider;

/// The adapter.
#[derive(Debug, Clone, Copy)]
pub struct Fake;

export_provider!(Fake);
