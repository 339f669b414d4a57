//! `clock`: the host's one clock, and what is left of the call.

use super::{contract, count};
use crate::call::CallState;

impl contract::clock::Host for CallState {
    fn now_ms(&mut self) -> wasmtime::Result<u64> {
        count(self)?;
        Ok(self.bound.clock.now_ms())
    }

    fn deadline_remaining_ms(&mut self) -> wasmtime::Result<u64> {
        count(self)?;
        Ok(u64::try_from(self.remaining().as_millis()).unwrap_or(u64::MAX))
    }
}
