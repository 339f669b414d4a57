//! Providers: bound, asked, cordoned, and removed when empty.

mod asked;
mod bound;
mod evidence;
mod loaded;
mod ready;
mod watch;

pub(crate) use asked::{PATIENCE, value};
pub use bound::{CreateProvider, ProviderChanges};
pub(crate) use evidence::Evidence;
pub use evidence::Measurement;
pub(crate) use loaded::Loaded;
pub(crate) use ready::{bound, ready, serves, word};
