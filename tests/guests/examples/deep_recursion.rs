//! Calls itself for ever.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

fn deeper(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 16]);
    if std::hint::black_box(true) { deeper(depth + 1).wrapping_add(here.iter().sum()) } else { depth }
}

guest!(describe: describe("deep-recursion"), probe: |_| Ok(report(deeper(0).to_string())));
