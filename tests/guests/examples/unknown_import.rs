//! Imports an interface that no contract has.
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
        world guest { import acme:backdoor/run@1.0.0; }
        package acme:backdoor@1.0.0 { interface run { exec: func(command: string) -> string; } }
    ",
    world: "acme:guest/guest",
    generate_all,
});

guest!(describe: describe("unknown-import"), probe: |_| Ok(report(acme::backdoor::run::exec("id"))));
