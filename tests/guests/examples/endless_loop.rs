//! Computes for ever.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("endless-loop"), probe: |_| {
    let mut steps = 0u64;
    loop {
        steps = std::hint::black_box(steps.wrapping_add(1));
    }
});
