//! What `bindgen!` makes of the contract `stowage:provider@0.1.0`.
//!
//! Only its types and the import traits are used. Exports are looked up one function at a time (see
//! [`crate::provider::Functions`]): the generated loader checks the types of a whole interface on every call.
#![allow(missing_docs, unreachable_pub, reason = "generated: the WIT documents every item")]

wasmtime::component::bindgen!({
    path: "../../wit/v0.1.0",
    world: "provider",
    imports: {
        "stowage:provider/http": async | trappable,
        "stowage:provider/kv": async | trappable,
        "stowage:provider/allocate": async | trappable,
        "stowage:provider/log": trappable,
        "stowage:provider/clock": trappable,
        "stowage:provider/config": trappable,
    },
    exports: { default: async },
    include_component_type: true,
});
