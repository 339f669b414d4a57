//! What wit-bindgen makes of `wit/v0.1.0`. [`crate::contract`] names the parts by their room; adapters use those names.
//!
//! One invocation covers the imports and the shared types, and one more covers each interface that an adapter may export.
//! A component carries a description of what it exports, and its linker refuses a description without its functions; so
//! only interfaces that stand apart here can be left out by an adapter. `wit-component` unites the parts.
#![allow(
    missing_docs,
    unsafe_code,
    rust_2018_idioms,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "generated: the component ABI passes raw pointers, and the WIT documents every item"
)]

/// The imports and the shared types.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "
            package stowage:guest-imports;
            world guest-imports {
                import stowage:provider/types@0.1.0;
                import stowage:provider/http@0.1.0;
                import stowage:provider/log@0.1.0;
                import stowage:provider/clock@0.1.0;
                import stowage:provider/kv@0.1.0;
                import stowage:provider/allocate@0.1.0;
                import stowage:provider/config@0.1.0;
            }
        ",
        world: "guest-imports",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}

/// Exports `identity`.
pub mod identity {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "package stowage:guest-identity; world guest-identity { export stowage:provider/identity@0.1.0; }",
        world: "guest-identity",
        with: {
            "stowage:provider/types@0.1.0": crate::bindings::imports::stowage::provider::types,
            "stowage:provider/http@0.1.0": crate::bindings::imports::stowage::provider::http,
        },
        pub_export_macro: true,
        export_macro_name: "export_identity",
        default_bindings_module: "stowage_provider_sdk::bindings::identity",
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}

/// Exports `health`.
pub mod health {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "package stowage:guest-health; world guest-health { export stowage:provider/health@0.1.0; }",
        world: "guest-health",
        with: {
            "stowage:provider/types@0.1.0": crate::bindings::imports::stowage::provider::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_health",
        default_bindings_module: "stowage_provider_sdk::bindings::health",
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}

/// Exports `tenants`.
pub mod tenants {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "package stowage:guest-tenants; world guest-tenants { export stowage:provider/tenants@0.1.0; }",
        world: "guest-tenants",
        with: {
            "stowage:provider/types@0.1.0": crate::bindings::imports::stowage::provider::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_tenants",
        default_bindings_module: "stowage_provider_sdk::bindings::tenants",
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}

/// Exports `namespaces`.
pub mod namespaces {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "package stowage:guest-namespaces; world guest-namespaces { export stowage:provider/namespaces@0.1.0; }",
        world: "guest-namespaces",
        with: {
            "stowage:provider/types@0.1.0": crate::bindings::imports::stowage::provider::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_namespaces",
        default_bindings_module: "stowage_provider_sdk::bindings::namespaces",
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}

/// Exports `snapshots`.
pub mod snapshots {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "package stowage:guest-snapshots; world guest-snapshots { export stowage:provider/snapshots@0.1.0; }",
        world: "guest-snapshots",
        with: {
            "stowage:provider/types@0.1.0": crate::bindings::imports::stowage::provider::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_snapshots",
        default_bindings_module: "stowage_provider_sdk::bindings::snapshots",
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}

/// Exports `mounts`.
pub mod mounts {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "package stowage:guest-mounts; world guest-mounts { export stowage:provider/mounts@0.1.0; }",
        world: "guest-mounts",
        with: {
            "stowage:provider/types@0.1.0": crate::bindings::imports::stowage::provider::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_mounts",
        default_bindings_module: "stowage_provider_sdk::bindings::mounts",
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}

/// Exports `access`.
pub mod access {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "package stowage:guest-access; world guest-access { export stowage:provider/access@0.1.0; }",
        world: "guest-access",
        with: {
            "stowage:provider/types@0.1.0": crate::bindings::imports::stowage::provider::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_access",
        default_bindings_module: "stowage_provider_sdk::bindings::access",
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}

/// Exports `audit`.
pub mod audit {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "package stowage:guest-audit; world guest-audit { export stowage:provider/audit@0.1.0; }",
        world: "guest-audit",
        with: {
            "stowage:provider/types@0.1.0": crate::bindings::imports::stowage::provider::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_audit",
        default_bindings_module: "stowage_provider_sdk::bindings::audit",
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}

/// Exports `jobs`.
pub mod jobs {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        inline: "package stowage:guest-jobs; world guest-jobs { export stowage:provider/jobs@0.1.0; }",
        world: "guest-jobs",
        with: {
            "stowage:provider/types@0.1.0": crate::bindings::imports::stowage::provider::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_jobs",
        default_bindings_module: "stowage_provider_sdk::bindings::jobs",
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize],
    });
}
