//! Computes for ever while it describes itself.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{guest, report};
use stowage_provider_sdk::prelude::*;

fn never() -> Describe {
    loop {
        std::hint::black_box(());
    }
}

guest!(describe: never(), probe: |_| Ok(report("1")));
