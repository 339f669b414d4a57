//! Hands 32 MiB to a host call.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("huge-transfer"), probe: |_| {
    host::log::info(&"x".repeat(32 << 20), &[]);
    Ok(report("handed over"))
});
