//! Takes handles of host resources and gives none back.
#![cfg(target_arch = "wasm32")]
#![allow(
    unsafe_code,
    clippy::all,
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated: the component ABI passes raw pointers"
)]

use stowage_guests::{describe, guest};
use stowage_provider_sdk::prelude::*;

wit_bindgen::generate!({
    inline: "
        package acme:guest;
        world guest { import wasi:clocks/monotonic-clock@0.2.0; }
        package wasi:io@0.2.0 { interface poll { resource pollable { ready: func() -> bool; block: func(); } poll: func(in: list<borrow<pollable>>) -> list<u32>; } }
        package wasi:clocks@0.2.0 {
            interface monotonic-clock {
                use wasi:io/poll@0.2.0.{pollable};
                type instant = u64;
                type duration = u64;
                now: func() -> instant;
                resolution: func() -> duration;
                subscribe-instant: func(when: instant) -> pollable;
                subscribe-duration: func(when: duration) -> pollable;
            }
        }
    ",
    world: "acme:guest/guest",
    generate_all,
});

guest!(describe: describe("handle-flood"), probe: |_| loop {
    std::mem::forget(wasi::clocks::monotonic_clock::subscribe_duration(1 << 60));
});
