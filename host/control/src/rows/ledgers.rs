//! Ledger rows: one for each tenant, project and provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stowage_domain::{Bytes, Ledger};
use stowage_ports::store::Version;
use stowage_store::{Record, Segments, Tables, Transaction};

use crate::Result;

/// One ledger under the name of whose it is, such as `tenants/acme/projects/vision` or `providers/weka`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LedgerRow {
    pub(crate) of: String,
    pub(crate) ledger: Ledger,
}

impl Record for LedgerRow {
    const TABLE: &'static str = "ledger";

    fn key(&self) -> Segments {
        Segments::of([&self.of])
    }
}

/// A ledger as it was read; an absent row is an empty ledger.
#[derive(Debug, Clone)]
pub(crate) struct LedgerAt {
    pub(crate) row: LedgerRow,
    version: Option<Version>,
}

impl LedgerAt {
    pub(crate) async fn read(tables: &Tables, of: impl std::fmt::Display) -> Result<Self> {
        let of = of.to_string();
        Ok(match tables.get::<LedgerRow>(&Segments::of([&of])).await? {
            Some((row, version)) => Self { row, version: Some(version) },
            None => Self { row: LedgerRow { of, ledger: Ledger::default() }, version: None },
        })
    }

    /// Writes the changed ledger, if nobody else has changed it.
    pub(crate) fn write(&self, change: &mut Transaction, ledger: Ledger) {
        let row = LedgerRow { of: self.row.of.clone(), ledger };
        match self.version {
            Some(version) => change.replace(&row, version),
            None => change.create(&row),
        };
    }
}

/// Ledgers as they will be once a change is committed, with those that it read.
#[derive(Debug, Default)]
pub(crate) struct Book(BTreeMap<String, (LedgerAt, Option<Ledger>)>);

impl Book {
    /// The ledger with what the change has entered so far.
    pub(crate) async fn ledger(&mut self, tables: &Tables, of: &str) -> Result<Ledger> {
        if let Some((at, entered)) = self.0.get(of) {
            return Ok(entered.unwrap_or(at.row.ledger));
        }
        let at = LedgerAt::read(tables, of).await?;
        let ledger = at.row.ledger;
        self.0.insert(of.to_owned(), (at, None));
        Ok(ledger)
    }

    /// Enters what a ledger will be; only one that was read can be.
    pub(crate) fn enter(&mut self, of: &str, next: Ledger) {
        if let Some((_, entered)) = self.0.get_mut(of) {
            *entered = Some(next);
        }
    }

    /// How many ledgers [`Book::write`] will write.
    pub(crate) fn entered(&self) -> usize {
        self.0.values().filter(|(_, entered)| entered.is_some()).count()
    }

    /// Adds the entered ledgers to the change.
    pub(crate) fn write(&self, change: &mut Transaction) {
        for (at, entered) in self.0.values() {
            if let Some(next) = entered {
                at.write(change, *next);
            }
        }
    }
}

/// The three ledgers that one namespace counts in.
pub(crate) struct Ledgers {
    pub(crate) tenant: LedgerAt,
    pub(crate) project: LedgerAt,
    pub(crate) provider: LedgerAt,
}

impl Ledgers {
    pub(crate) async fn of(tables: &Tables, namespace: &stowage_domain::Namespace) -> Result<Self> {
        let project = namespace.name.project_name();
        let (tenant, provider) = (project.tenant_name(), &namespace.provider);
        Ok(Self {
            tenant: LedgerAt::read(tables, tenant).await?,
            project: LedgerAt::read(tables, project).await?,
            provider: LedgerAt::read(tables, provider).await?,
        })
    }

    fn each(&self) -> [&LedgerAt; 3] {
        [&self.tenant, &self.project, &self.provider]
    }

    /// Gives the whole room of a namespace back.
    pub(crate) fn close(&self, change: &mut Transaction, bytes: Bytes) {
        for ledger in self.each() {
            ledger.write(change, ledger.row.ledger.close(bytes));
        }
    }

    /// Shrinks, or confirms what was reserved before: never fails.
    pub(crate) fn settle(&self, change: &mut Transaction, from: Bytes, to: Bytes) {
        for ledger in self.each() {
            if let Ok(next) = ledger.row.ledger.grow(from, to, None) {
                ledger.write(change, next);
            }
        }
    }
}
