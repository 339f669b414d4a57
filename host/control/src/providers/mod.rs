//! Providers: bound, asked, cordoned, and removed when empty.

mod asked;
mod bound;
mod loaded;
mod watch;

pub(crate) use asked::{PATIENCE, value};
pub use bound::{CreateProvider, ProviderChanges};
pub(crate) use loaded::Loaded;
