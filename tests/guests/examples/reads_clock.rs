//! Asks the host for the time and for what is left of its call.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, finding, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(
    describe: describe("reads-clock"),
    probe: |_| Ok(report("1")),
    preflight: |_| {
        Ok(vec![
            finding("now", host::now_ms().to_string()),
            finding("left", host::deadline_remaining_ms().to_string()),
        ])
    },
);
