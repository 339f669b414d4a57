//! The state of the host: typed tables over the [`Store`](stowage_ports::store::Store) port.
//!
//! A record is a Rust type that names its table and its key; it is kept as JSON with its schema version. Lists are range
//! scans with a cursor, never whole-table loads. A change is one [`Transaction`]: what it read is required to be
//! unchanged, what it writes happens whole. For example, two callers who both read version 7 of a row and both try to
//! replace it end with one success and one [`Error::Conflict`]; nothing is lost silently.
//!
//! - [`Segments`]: ordered keys from free text, without collisions
//! - [`Record`], [`Tables`], [`Transaction`]: rows, reads, changes
//! - [`schema`]: the version row and forward migrations
//! - [`StoreGuestState`]: an adapter's key-value space and number pools
//! - [`group`]: the committer that embedded engines share: one sync for many commits
//! - `memory`, `suite` (feature `testing`): an engine in memory, and what every engine must pass

mod changes;
mod error;
pub mod group;
mod guest_state;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod record;
pub mod schema;
mod segments;
#[cfg(any(test, feature = "testing"))]
pub mod suite;
mod tables;
#[cfg(test)]
mod tests;
mod transaction;

pub use changes::Change;
pub use error::{ConflictReason, Error};
pub use guest_state::{GuestLimits, StoreGuestState};
pub use record::Record;
pub use segments::Segments;
pub use tables::{Cursor, Index, Page, Tables};
pub use transaction::Transaction;
