//! `allocate`: numbers that must not collide.

use super::{contract, count};
use crate::call::CallState;
use crate::convert::state_error;

type Outcome<T> = wasmtime::Result<Result<T, contract::types::StateError>>;

impl contract::allocate::Host for CallState {
    async fn take(&mut self, pool: String, owner: String) -> Outcome<u32> {
        count(self)?;
        let _outside = self.meter.enter_import(false);
        Ok(self.bound.state.take(&pool, &owner).await.map_err(state_error))
    }

    async fn give_back(&mut self, pool: String, owner: String) -> Outcome<()> {
        count(self)?;
        let _outside = self.meter.enter_import(false);
        Ok(self.bound.state.give_back(&pool, &owner).await.map_err(state_error))
    }
}
