//! The provider port on top of sandboxed WebAssembly components.
//!
//! An adapter is untrusted code. It runs in a fresh sandbox for every call, reaches nothing but the six imports of the
//! contract, and every resource it can use has a number in [`limits`]. The path of one call, top to bottom:
//!
//! 1. [`Engine::admit`] reads a component once: its digest, its world, its description, its configuration schema. What it
//!    may ever say to a backend is pinned here. Compiled code comes from a cache that nobody else can write unnoticed.
//! 2. [`Engine::bind`] joins an admitted component with one backend's configuration, way out and state: a [`Provider`].
//! 3. A call waits for a place, gets a store and an instance out of the pool, runs under three clocks, has its answer
//!    checked against the contract and everything textual passed through the redactor, and leaves a receipt.
//!
//! A counter-example that shaped this: a host that reuses one instance under a lock serves one slow backend and stops
//! all others; a host that limits each memory lets a guest have many.
//!
//! [`Provider`]: stowage_ports::Provider

mod admission;
mod bindings;
mod cache;
mod call;
mod convert;
mod engine;
mod error;
mod imports;
pub mod limits;
mod provider;
mod telemetry;

pub use admission::{AdmitOptions, Admitted, Approved, supported_range};
pub use cache::CacheStats;
pub use engine::{Binding, Engine, EngineOptions, PoolUse};
pub use error::{AdmitError, EngineError};
pub use limits::{CallLimits, EngineLimits};
pub use provider::Bare;
