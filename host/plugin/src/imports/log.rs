//! `log`: lines on the call's span.

use super::{contract, count};
use crate::call::{CallState, LogLevel};

impl contract::log::Host for CallState {
    fn write(
        &mut self,
        level: contract::log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        use contract::log::Level;
        count(self)?;
        let level = match level {
            Level::Trace => LogLevel::Trace,
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.log().line(level, &message, &fields);
        Ok(())
    }
}
