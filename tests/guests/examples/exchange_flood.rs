//! Asks its backend without end.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest};
use stowage_provider_sdk::prelude::*;

const PING: Exchange = Exchange::new("ping").get("backend", "/ping").safe();

guest!(describe: describe("exchange-flood").exchanges(&[&PING]), probe: |_| loop {
    std::hint::black_box(host::send(&PING, Request::new()).is_ok());
});
