//! `kv`: the instance's small durable state.

use stowage_ports::GuestStateError;

use super::{contract, count};
use crate::call::CallState;
use crate::convert::state_error;

type Outcome<T> = wasmtime::Result<Result<T, contract::types::StateError>>;

fn outcome<T>(result: Result<T, GuestStateError>) -> Outcome<T> {
    Ok(result.map_err(state_error))
}

impl contract::kv::Host for CallState {
    async fn get(&mut self, key: String) -> Outcome<Option<(Vec<u8>, u64)>> {
        count(self)?;
        let _outside = self.meter.enter_import(false);
        outcome(self.bound.state.get(&key).await)
    }

    async fn set(&mut self, key: String, value: Vec<u8>, if_version: Option<u64>) -> Outcome<u64> {
        count(self)?;
        let _outside = self.meter.enter_import(false);
        outcome(self.bound.state.set(&key, value, if_version).await)
    }

    async fn delete(&mut self, key: String, if_version: Option<u64>) -> Outcome<()> {
        count(self)?;
        let _outside = self.meter.enter_import(false);
        outcome(self.bound.state.delete(&key, if_version).await)
    }

    async fn keys(&mut self, prefix: String, after: Option<String>, limit: u32) -> Outcome<Vec<String>> {
        count(self)?;
        let _outside = self.meter.enter_import(false);
        outcome(self.bound.state.keys(&prefix, after.as_deref(), limit).await)
    }
}
