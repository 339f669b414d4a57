//! Says that it is of this version, but one function differs.
#![cfg(target_arch = "wasm32")]
#![allow(
    unsafe_code,
    clippy::all,
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated: the component ABI passes raw pointers"
)]

wit_bindgen::generate!({
    inline: "
        package acme:guest;
        world guest { export stowage:provider/identity@0.1.0; export stowage:provider/health@0.1.0; }
        package stowage:provider@0.1.0 {
            interface identity { describe: func() -> string; }
            interface health { probe: func() -> string; preflight: func() -> string; }
        }
    ",
    world: "acme:guest/guest",
    generate_all,
});

struct Guest;

impl exports::stowage::provider::identity::Guest for Guest {
    fn describe() -> String {
        String::new()
    }
}

impl exports::stowage::provider::health::Guest for Guest {
    fn probe() -> String {
        String::new()
    }
    fn preflight() -> String {
        String::new()
    }
}

export!(Guest);
