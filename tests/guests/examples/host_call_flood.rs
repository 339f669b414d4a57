//! Asks the host the time for ever.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("host-call-flood"), probe: |_| loop {
    std::hint::black_box(host::now_ms());
});
