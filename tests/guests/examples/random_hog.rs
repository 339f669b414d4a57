//! Asks for 16 MiB of randomness at once.
#![cfg(target_arch = "wasm32")]
#![allow(
    unsafe_code,
    clippy::all,
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated: the component ABI passes raw pointers"
)]

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

wit_bindgen::generate!({
    inline: "
        package acme:guest;
        world guest { import wasi:random/random@0.2.0; }
        package wasi:random@0.2.0 { interface random { get-random-bytes: func(len: u64) -> list<u8>; get-random-u64: func() -> u64; } }
    ",
    world: "acme:guest/guest",
    generate_all,
});

guest!(describe: describe("random-hog"), probe: |_| {
    Ok(report(wasi::random::random::get_random_bytes(16 << 20).len().to_string()))
});
