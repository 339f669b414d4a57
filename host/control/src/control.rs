//! The one value that holds what the use cases need.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use stowage_audit::{Entry, Outcome};
use stowage_domain::UnixMillis;
use stowage_ports::{Clock, Secrets};
use stowage_store::{Tables, Transaction};

use crate::{
    Caller, Config, ProviderLoader,
    credentials::Turns,
    drift::Scans,
    hub::Hub,
    ids,
    namespaces::{Desk, UsageCache},
    operations::{Operation, OperationState, Queue, Runner},
    providers::Loaded,
};

/// What the use cases need from the outside.
pub struct Deps {
    /// The state, as `stowage_store::schema::open` answers it.
    pub tables: Tables,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// The secret store.
    pub secrets: Arc<dyn Secrets>,
    /// Makes providers of records.
    pub loader: Arc<dyn ProviderLoader>,
    /// Settings.
    pub config: Config,
}

/// The use cases. Make it with [`Control::new`], then [`Control::start`] the operations.
pub struct Control {
    pub(crate) tables: Tables,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) loader: Arc<dyn ProviderLoader>,
    pub(crate) config: Config,
    pub(crate) queue: Queue,
    pub(crate) hub: Hub,
    pub(crate) runner: Runner,
    pub(crate) loaded: Mutex<HashMap<String, Loaded>>,
    pub(crate) usage: UsageCache,
    /// Told when something was made that ends by itself.
    pub(crate) ends: tokio::sync::Notify,
    /// Where creates are handed in.
    pub(crate) desk: Desk,
    /// Reservations are decided one after the other inside a process: they would only take each other's commits away.
    /// Between processes the preconditions of the commit decide.
    pub(crate) reserving: tokio::sync::Mutex<()>,
    /// Providers are bound one after the other: a binding clears away what an earlier one of its name has left.
    pub(crate) binding: tokio::sync::Mutex<()>,
    /// Secrets are made one after the other.
    pub(crate) making: tokio::sync::Mutex<()>,
    /// Who repeats a request waits for the first.
    pub(crate) turns: Turns,
    /// Each provider is compared with what is believed by one scan at a time.
    pub(crate) scans: Scans,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("tables", &self.tables).finish_non_exhaustive()
    }
}

impl Control {
    /// The use cases over these parts; nothing runs before [`Control::start`].
    #[must_use]
    pub fn new(deps: Deps) -> Arc<Self> {
        Arc::new(Self {
            runner: Runner::new(&deps.config),
            tables: deps.tables,
            clock: deps.clock,
            secrets: deps.secrets,
            loader: deps.loader,
            config: deps.config,
            queue: Queue::default(),
            hub: Hub::default(),
            loaded: Mutex::new(HashMap::new()),
            usage: UsageCache::default(),
            ends: tokio::sync::Notify::new(),
            desk: Desk::default(),
            reserving: tokio::sync::Mutex::new(()),
            binding: tokio::sync::Mutex::new(()),
            making: tokio::sync::Mutex::new(()),
            turns: Turns::default(),
            scans: Scans::default(),
        })
    }

    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The time of day by the clock of the use cases.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        UnixMillis(self.clock.now_ms())
    }

    /// Adds the audit entry of a change to its transaction.
    pub(crate) fn audit(
        &self,
        change: &mut Transaction,
        caller: &Caller,
        action: &str,
        resource: impl std::fmt::Display,
        outcome: Outcome,
        operation: impl std::fmt::Display,
    ) {
        let entry = Entry {
            at: self.now(),
            id: ids::uid(),
            actor: caller.identity.subject.clone(),
            action: action.to_owned(),
            resource: resource.to_string(),
            outcome,
            reason: String::new(),
            request_id: caller.call_id.clone(),
            operation: operation.to_string(),
        };
        stowage_audit::write(change, &entry);
    }

    /// The entry that tells how an operation ended.
    pub(crate) fn audit_end(&self, operation: &Operation, change: &mut Transaction) {
        let outcome = if operation.state == OperationState::Succeeded { Outcome::Done } else { Outcome::Failed };
        let entry = Entry {
            at: self.now(),
            id: ids::uid(),
            actor: operation.requester.clone(),
            action: format!("storage.{}", operation.purpose.kind().word()),
            resource: operation.purpose.resource(),
            outcome,
            reason: operation.error.as_ref().map(|problem| problem.reason.clone()).unwrap_or_default(),
            request_id: operation.call_id.clone(),
            operation: operation.name.to_string(),
        };
        stowage_audit::write(change, &entry);
    }
}
