//! Lacks a required interface.
#![cfg(target_arch = "wasm32")]
#![allow(
    unsafe_code,
    clippy::all,
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated: the component ABI passes raw pointers"
)]

struct Guest;

impl stowage_provider_sdk::Identity for Guest {
    fn describe() -> stowage_provider_sdk::contract::identity::Description {
        stowage_guests::describe("no-health").build()
    }
}

stowage_provider_sdk::bindings::identity::export_identity!(
    Guest with_types_in stowage_provider_sdk::bindings::identity
);
