//! Computes for ever where no epoch is checked: in memory fills.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("bulk-loop"), probe: |_| {
    let mut space = vec![0u8; 16 << 20];
    let mut byte = 0u8;
    loop {
        byte = byte.wrapping_add(1);
        std::hint::black_box(&mut space).fill(byte);
    }
});
