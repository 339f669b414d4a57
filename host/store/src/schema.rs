//! The schema version of the whole state, and the way forward from older ones.
//!
//! Rows upgrade themselves when they are read ([`Record::upgrade`]). A migration is for what that
//! cannot do: a new index over old rows, a table that is split. Migrations run at start, one after the other, each with the
//! version row written after it; one that is interrupted runs again, so it must be idempotent. There is no way back: a
//! store that a newer program has migrated is refused.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stowage_ports::store::Store;

use crate::{Error, Record, Segments, Tables, Transaction};

/// One step forward.
#[async_trait]
pub trait Migration: Send + Sync {
    /// What it does, for the log: `index namespaces by node`.
    fn name(&self) -> &'static str;

    /// Does it. Runs again after a crash.
    async fn run(&self, tables: &Tables) -> Result<(), Error>;
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer program has changed the layout.
    #[error(
        "the state has schema {found} (written by stowage {written_by}) and this program knows {known}: start stowage \
         {written_by} or newer, or restore the backup from before its upgrade"
    )]
    Newer {
        /// The schema of the state.
        found: u32,
        /// The newest schema known here.
        known: u32,
        /// The program that wrote it.
        written_by: String,
    },
    /// A migration failed; the state is as before it, or partly changed in a way that running it again completes.
    #[error("migration {name:?} to schema {to} failed: {error}; fix the cause and start again, it continues")]
    Migration {
        /// Its name.
        name: &'static str,
        /// The schema that it leads to.
        to: u32,
        /// What happened.
        error: Error,
    },
    /// The version row could not be read or written.
    #[error("the schema version of the state could not be read or written: {0}")]
    Row(#[from] Error),
}

#[derive(Debug, Serialize, Deserialize)]
struct Schema {
    version: u32,
    written_by: String,
}

impl Record for Schema {
    const TABLE: &'static str = "meta";

    fn key(&self) -> Segments {
        schema_key()
    }
}

fn schema_key() -> Segments {
    Segments::of(["schema"])
}

/// The schema of an empty store; `migrations[0]` leads from it to the next.
const FIRST: u32 = 1;

/// Opens the state: an empty store gets the newest schema, an older one is migrated, a newer one is refused.
///
/// `migrations` is every step ever made, in order; never remove or reorder one.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(store: Arc<dyn Store>, migrations: &[&dyn Migration]) -> Result<Tables, OpenError> {
    let tables = Tables::over(store);
    let known = FIRST.saturating_add(u32::try_from(migrations.len()).unwrap_or(u32::MAX));
    let found = match tables.get::<Schema>(&schema_key()).await? {
        Some((schema, _)) => schema,
        None => {
            write(&tables, known).await?;
            return Ok(tables);
        }
    };
    if found.version > known {
        return Err(OpenError::Newer { found: found.version, known, written_by: found.written_by });
    }
    for (to, migration) in (FIRST + 1..).zip(migrations).filter(|(to, _)| *to > found.version) {
        let name = migration.name();
        tracing::info!(name, to, "migrating the state");
        migration.run(&tables).await.map_err(|error| OpenError::Migration { name, to, error })?;
        write(&tables, to).await?;
    }
    Ok(tables)
}

async fn write(tables: &Tables, version: u32) -> Result<(), Error> {
    let mut change = Transaction::new();
    change.put(&Schema { version, written_by: env!("CARGO_PKG_VERSION").into() });
    change.commit(tables).await.map(|_| ())
}
