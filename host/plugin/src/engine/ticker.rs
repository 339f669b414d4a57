//! The thread that moves the epoch.
//!
//! It is an OS thread because a guest that does not yield can hold the worker that drives the timers: a ticker on the
//! asynchronous runtime could be starved by the very guest that it must stop. It holds the engine weakly and ends with it.

use std::time::Duration;

use wasmtime::Engine;

use super::pool;
use crate::error::EngineError;

/// Time between two ticks: how late a CPU budget can be noticed, and how long a guest holds a worker before it yields.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Once a second the pool's gauges are set.
const TICKS_PER_READING: u64 = 200;

pub(crate) fn start(engine: &Engine) -> Result<(), EngineError> {
    let weak = engine.weak();
    let tick = move || {
        for ticks in 0u64.. {
            let Some(engine) = weak.upgrade() else { break };
            engine.increment_epoch();
            if ticks % TICKS_PER_READING == 0 {
                pool::read(&engine);
            }
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    std::thread::Builder::new()
        .name("epoch".to_owned())
        .spawn(tick)
        .map(drop)
        .map_err(|error| EngineError::Ticker(error.to_string()))
}
