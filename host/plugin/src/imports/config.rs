//! `config`: the instance's configuration, checked against the plugin's schema when it was bound.

use super::{contract, count};
use crate::call::CallState;

impl contract::config::Host for CallState {
    fn get(&mut self) -> wasmtime::Result<String> {
        count(self)?;
        Ok(self.bound.config.clone())
    }
}
