//! One configured provider: an admitted component joined with a backend.

mod bare;
mod functions;
mod port;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use stowage_ports::provider::{Answer, CallContext, Called, Error, ErrorKind, Failure, Fault, Receipt};
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use wasmtime::component::{ComponentNamedList, Lift, Lower};

pub use bare::Bare;
pub(crate) use functions::{Export, Functions, Name, Slot, VERSION, describe};

use crate::admission::Admitted;
use crate::call::{Bound, Budget, CallState, Counted, Identity, LimitHit, Meter, Stop, classify, of_kind, run};
use crate::convert::{FromGuest, Reader};
use crate::engine::queue::{self, Full};
use crate::engine::{Binding, Engine};
use crate::error::AdmitError;
use crate::telemetry::{self, FunctionMetrics};
use functions::Fallible;

/// One configured provider. Every call runs in a sandbox of its own.
pub(crate) struct Instance {
    engine: Engine,
    admitted: Admitted,
    bound: Arc<Bound>,
    places: Arc<Semaphore>,
    metrics: RwLock<HashMap<&'static str, Arc<FunctionMetrics>>>,
}

impl Instance {
    pub(crate) fn new(engine: &Engine, admitted: &Admitted, binding: Binding) -> Result<Self, AdmitError> {
        binding.limits.check()?;
        let config = admitted.check_config(&binding.config, engine.limits().config_bytes)?;
        let places = usize::try_from(binding.limits.concurrent_calls).unwrap_or(usize::MAX);
        let bound = Bound {
            provider: binding.provider,
            config,
            exchange: binding.exchange,
            state: binding.state,
            clock: binding.clock,
            limits: binding.limits,
        };
        Ok(Self {
            engine: engine.clone(),
            admitted: admitted.clone(),
            bound: Arc::new(bound),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            metrics: RwLock::default(),
        })
    }

    fn functions(&self) -> &Functions {
        &self.admitted.inner.functions
    }

    /// One call, whatever it is of.
    async fn call<P, W, T>(
        &self,
        cx: &CallContext,
        owner: Option<&str>,
        slot: &Slot<P, Fallible<W>>,
        params: impl FnOnce() -> P + Send,
    ) -> Answer<T>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        Fallible<W>: ComponentNamedList + Lift + Send + Sync + 'static,
        W: Send,
        T: FromGuest<W> + Send,
    {
        let Some(export) = &slot.export else { return Err(Box::new(unsupported(slot.name))) };
        let span = tracing::info_span!(
            "plugin.call",
            provider = self.bound.provider,
            function = slot.name.label,
            request_id = cx.request_id,
            outcome = tracing::field::Empty,
        );
        let answer = self.answer(cx, owner, export, params).instrument(span.clone()).await;
        let (receipt, fault) = match &answer {
            Ok(called) => (&called.receipt, None),
            Err(failure) => (&failure.receipt, Some(failure.fault)),
        };
        span.record("outcome", telemetry::outcome(fault));
        self.metrics(slot.name).record(receipt, fault);
        answer
    }

    async fn answer<P, W, T>(
        &self,
        cx: &CallContext,
        owner: Option<&str>,
        export: &Export<P, Fallible<W>>,
        params: impl FnOnce() -> P,
    ) -> Answer<T>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        Fallible<W>: ComponentNamedList + Lift + Send + Sync + 'static,
        T: FromGuest<W>,
    {
        let limits = &self.bound.limits;
        let patience = Duration::from_millis(self.engine.limits().queue_ms);
        let patience = cx.deadline.map_or(patience, |deadline| deadline.min(patience));
        let place = match queue::take(&self.places, &self.engine.inner.places, patience).await {
            Ok(place) => place,
            Err(full) => {
                let hit = if full == Full::Provider { LimitHit::QueueOfProvider } else { LimitHit::QueueOfHost };
                let queue_ns = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
                return Err(
                    self.failure(&Stop::Limit(hit), Receipt { queue_ns, wall_ns: queue_ns, ..Receipt::default() })
                );
            }
        };
        let meter = Arc::new(Meter::new());
        let budget = Budget {
            cpu: Duration::from_millis(limits.cpu_ms),
            wall: Duration::from_millis(limits.wall_ms),
            caller: cx.deadline.map(|deadline| deadline.saturating_sub(place.waited)),
        };
        let identity =
            Identity { request_id: cx.request_id.clone(), owner: owner.map(str::to_owned), safe_only: cx.safe_only };
        let state = CallState::new(Arc::clone(&self.bound), Arc::clone(&meter), identity, budget.deadline());
        let runtime = self.engine.wasmtime();
        let answered = run(runtime, &self.admitted.inner.pre, export, state, budget, params()).await;
        let receipt = meter.receipt(place.waited);
        if receipt.log_lines.1 > 0 {
            telemetry::limit_hit(&self.bound.provider, "log.lines");
        }
        let reader = Reader::new(&self.bound);
        let read = match answered {
            Ok((Ok(value),)) => T::from_guest(value, &reader).map(Ok),
            Ok((Err(error),)) => Error::from_guest(error, &reader).map(Err),
            Err(stop) => return Err(self.failure(&stop, receipt)),
        };
        match read {
            Ok(Ok(value)) => Ok(Called { value, receipt }),
            Ok(Err(error)) => Err(Box::new(Failure { fault: of_kind(&error.kind), error, receipt })),
            Err(breach) => Err(self.failure(&Stop::Breach(breach), receipt)),
        }
    }

    fn failure(&self, stop: &Stop, receipt: Receipt) -> Box<Failure> {
        let verdict = classify(stop);
        match verdict.counted {
            Counted::Limit(limit) => telemetry::limit_hit(&self.bound.provider, limit),
            Counted::Trap(code) => telemetry::trapped(&self.bound.provider, code),
        }
        let mut error = verdict.error;
        error.message = self.bound.redacted(error.message);
        tracing::warn!(code = error.native_code, message = error.message, "a plugin call was stopped");
        Box::new(Failure { error, fault: verdict.fault, receipt })
    }

    fn metrics(&self, name: Name) -> Arc<FunctionMetrics> {
        if let Some(metrics) = self.metrics.read().get(name.label) {
            return Arc::clone(metrics);
        }
        let made = FunctionMetrics::new(&self.bound.provider, name.label);
        Arc::clone(self.metrics.write().entry(name.label).or_insert(made))
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("provider", &self.bound.provider).finish_non_exhaustive()
    }
}

fn unsupported(name: Name) -> Failure {
    let error = Error {
        kind: ErrorKind::Unsupported(name.interface.to_owned()),
        message: format!("the adapter has no `{}`", name.interface),
        native_code: None,
        extensions: Vec::new(),
    };
    Failure { error, fault: Fault::Caller, receipt: Receipt::default() }
}
