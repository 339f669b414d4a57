//! Drift: each provider is looked at on a schedule and on demand, and what differs is kept until it is gone.
//!
//! A look costs a provider one probe, one call for each page of its namespaces, one for each thousand mounts, and at most
//! [`CONFIRMATIONS`] single looks to be sure of what seems to have come or gone; never one for each namespace. At 10,000
//! namespaces and pages of 500 that is 22 calls. The host reads its own rows page by page and keeps 16 bytes for each
//! namespace that was listed.
//!
//! Nothing is ever changed at a provider. What cannot be concluded is not: a list that broke off makes nothing missing and
//! nothing resolved, and another backend behind the same endpoint is the one thing that is reported.

mod abilities;
mod confirm;
mod ledger;
mod listing;
mod mounts;
mod read;
mod scan;
mod watch;

pub(crate) use abilities::Baseline;
pub use read::DriftFilter;
pub use scan::DriftScan;

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use stowage_domain::{Bytes, ProviderName, UnixMillis, drift::Difference};
use stowage_ports::provider::{CallContext, Provider};

/// The most single looks of one scan.
const CONFIRMATIONS: usize = 64;
/// Namespaces asked for in one page.
const LIST_PAGE: u32 = 500;
/// Mounts asked for in one call.
const MOUNTS_AT_ONCE: usize = 1000;

/// A difference with what it is about.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// What differs.
    pub(crate) difference: Difference,
    /// The resource, if the host has one.
    pub(crate) resource: String,
    /// What it is about at the provider.
    pub(crate) subject: String,
}

/// One look at one provider.
struct Look<'a> {
    name: &'a ProviderName,
    provider: &'a dyn Provider,
    cx: &'a CallContext,
    /// In what blocks the provider counts bytes.
    rounding: Bytes,
    began: UnixMillis,
}

/// One scan of a provider at a time.
#[derive(Debug, Default)]
pub(crate) struct Scans(Mutex<HashMap<ProviderName, Arc<tokio::sync::Mutex<()>>>>);

impl Scans {
    fn of(&self, provider: &ProviderName) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.0.lock().entry(provider.clone()).or_default())
    }

    /// Whether no scan of it runs.
    fn idle(&self, provider: &ProviderName) -> bool {
        self.of(provider).try_lock().is_ok()
    }
}
