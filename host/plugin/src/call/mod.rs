//! One call: a fresh store, an instance out of the pool, three clocks around it, a receipt at its end.

mod fault;
mod log;
mod memory;
mod meter;
mod run;
mod state;

pub(crate) use fault::{Breach, Counted, LimitHit, Stop, classify, of_kind};
pub(crate) use log::{GuestLog, Level as LogLevel};
pub(crate) use memory::InstanceMemory;
pub(crate) use meter::Meter;
pub(crate) use run::{Budget, run};
pub(crate) use state::{Bound, CallState, Identity};
