//! What a store holds: the call's own counters and the provider that it is bound to.

use std::sync::Arc;
use std::time::Duration;

use stowage_ports::exchange::ExchangeContext;
use stowage_ports::{Clock, Exchange, GuestState};
use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::{GuestLog, InstanceMemory, Meter};
use crate::imports::wasi;
use crate::limits::CallLimits;

/// One provider, as its imports see it. Shared by all its calls.
pub(crate) struct Bound {
    pub(crate) provider: String,
    pub(crate) config: String,
    pub(crate) exchange: Arc<dyn Exchange>,
    pub(crate) state: Arc<dyn GuestState>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: CallLimits,
}

impl Bound {
    /// `text` without the secrets that the way out knows; it counts a hit as a security event.
    pub(crate) fn redacted(&self, text: String) -> String {
        self.exchange.redact(&text).unwrap_or(text)
    }

    /// Whether `text` holds a secret; where masking would break it.
    pub(crate) fn is_tainted(&self, text: &str) -> bool {
        self.exchange.redact(text).is_some()
    }
}

/// What a call is for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    pub(crate) request_id: String,
    pub(crate) owner: Option<String>,
    pub(crate) safe_only: bool,
}

/// The data of one store.
pub(crate) struct CallState {
    pub(crate) meter: Arc<Meter>,
    pub(crate) bound: Arc<Bound>,
    pub(crate) memory: InstanceMemory,
    identity: Identity,
    deadline: Instant,
    table: ResourceTable,
    /// Made when the guest first asks: most calls never touch it, and making one seeds two generators.
    wasi: Option<Box<WasiCtx>>,
}

/// What is kept back of the wall budget, so that an exchange that runs out of time is reported by the guest and not cut.
const RESERVE: Duration = Duration::from_millis(200);

impl CallState {
    pub(crate) fn new(bound: Arc<Bound>, meter: Arc<Meter>, identity: Identity, deadline: Instant) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(bound.limits.handles).unwrap_or(usize::MAX));
        let memory = InstanceMemory::new(Arc::clone(&meter), &bound.limits);
        Self { meter, bound, memory, identity, deadline, table, wasi: None }
    }

    /// What is left of the wall budget.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(crate) fn exchange_context(&self) -> ExchangeContext {
        let remaining = self.remaining();
        ExchangeContext {
            safe_only: self.identity.safe_only,
            remaining: remaining.saturating_sub(RESERVE.min(remaining / 10)),
            request_id: self.identity.request_id.clone(),
            owner: self.identity.owner.clone(),
        }
    }

    pub(crate) fn log(&self) -> GuestLog {
        GuestLog { meter: Arc::clone(&self.meter), bound: Arc::clone(&self.bound) }
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let log = GuestLog { meter: Arc::clone(&self.meter), bound: Arc::clone(&self.bound) };
        let ctx = self.wasi.get_or_insert_with(|| Box::new(wasi::context(log)));
        WasiCtxView { ctx, table: &mut self.table }
    }
}
