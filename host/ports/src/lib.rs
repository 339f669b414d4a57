//! The traits between the rooms: what the use cases need from the outside, in neutral words.
//!
//! `control` is written against these and never against an engine; `plugin`, `egress`, `secrets` and the `store-*`
//! crates implement them. A port carries data and outcomes only: no retries, no timers, no policy.
#![forbid(unsafe_code)]

pub mod authenticator;
pub mod clock;
pub mod exchange;
pub mod guest_state;
pub mod provider;
pub mod secrets;
pub mod store;

pub use authenticator::{AuthError, Authenticator, CallerIdentity, CallerKind, Role};
pub use clock::{Clock, ManualClock, SystemClock};
pub use exchange::{Exchange, ExchangeError, ExchangeRequest, ExchangeResponse};
pub use guest_state::{GuestState, GuestStateError};
pub use provider::Provider;
pub use secrets::{SecretError, SecretName, Secrets};
pub use store::{Commit, CommitError, Key, KeyRange, Precondition, Store, StoreError, Version, Versioned, Write};
