//! Asks a backend that never answers.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest, outcome, report};
use stowage_provider_sdk::prelude::*;

const HANG: Exchange = Exchange::new("hang").get("backend", "/hang").safe();

guest!(describe: describe("hang-in-host-call").exchanges(&[&HANG]), probe: |_| {
    Ok(report(outcome(host::send(&HANG, Request::new()))))
});
