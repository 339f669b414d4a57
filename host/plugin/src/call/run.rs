//! The three clocks around one call.
//!
//! CPU: at each tick the guest's epoch check asks the meter; over the budget it traps, else it lets others have the worker. Wall: a timer outside
//! the call's future, which drops the store; a guest parked in a host call has no epoch check to stop it. Caller: the
//! nearer of its deadline and the wall budget. A stopped instance is never entered again.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::{ComponentNamedList, InstancePre, Lift, Lower};
use wasmtime::{CallHook, Store, UpdateDeadline, WasmBacktrace};

use super::fault::hidden_limit;
use super::{CallState, LimitHit, Meter, Stop};
use crate::engine::TICK;
use crate::provider::Export;

/// Time for one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    pub(crate) caller: Option<Duration>,
}

impl Budget {
    /// When the call ends at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.caller.map_or(self.wall, |caller| caller.min(self.wall))
    }

    fn over(&self, meter: &Meter) -> LimitHit {
        match self.caller {
            Some(caller) if caller < self.wall => LimitHit::Deadline,
            _ if meter.in_exchange() => LimitHit::WallInExchange,
            _ => LimitHit::Wall,
        }
    }
}

/// A store with every limit set.
fn store(runtime: &wasmtime::Engine, state: CallState, cpu: Duration) -> Store<CallState> {
    let meter = Arc::clone(&state.meter);
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let limits = &state.bound.limits;
    let (transfer, result, handles) = (size(limits.transfer_bytes), size(limits.result_bytes), size(limits.handles));
    let mut store = Store::new(runtime, state);
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(transfer);
    store.set_max_component_handles(handles);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        let used = meter.cpu();
        if used > cpu {
            return Err(LimitHit::Cpu.into());
        }
        // A short call that meets a tick by chance goes on; one that has had a tick's time lets others run.
        Ok(if used < TICK { UpdateDeadline::Continue(1) } else { UpdateDeadline::Yield(1) })
    });
    // What the guest hands over is lifted after a host call has begun, or after the guest has returned.
    store.call_hook(move |mut store, hook| {
        match hook {
            CallHook::CallingHost => store.set_hostcall_fuel(transfer),
            CallHook::ReturningFromWasm => store.set_hostcall_fuel(result),
            CallHook::CallingWasm | CallHook::ReturningFromHost => {}
        }
        Ok(())
    });
    store
}

/// Instantiates and calls. The store is gone when this returns.
pub(crate) async fn run<P, R>(
    runtime: &wasmtime::Engine,
    pre: &InstancePre<CallState>,
    export: &Export<P, R>,
    state: CallState,
    budget: Budget,
    params: P,
) -> Result<R, Stop>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    let meter = Arc::clone(&state.meter);
    let left = state.remaining();
    let call = async {
        let mut store = store(runtime, state, budget.cpu);
        let instance = pre.instantiate_async(&mut store).await?;
        let function = instance.get_typed_func::<P, R>(&mut store, &export.index)?;
        function.call_async(&mut store, params).await
    };
    let mut call = pin!(call);
    let polled = poll_fn(|cx| {
        meter.go();
        let progress = call.as_mut().poll(cx);
        meter.halt();
        progress
    });
    match tokio::time::timeout(left, polled).await {
        Ok(answer) => answer.map_err(|cause| match hidden_limit(&cause) {
            // Raised while the answer was read, with no frame of the guest around it.
            Some(LimitHit::Transfer) if cause.downcast_ref::<WasmBacktrace>().is_none() => {
                Stop::Limit(LimitHit::Result)
            }
            _ => Stop::Runtime(cause),
        }),
        Err(_) => Err(Stop::Limit(budget.over(&meter))),
    }
}
