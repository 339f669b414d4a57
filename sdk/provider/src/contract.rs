//! The contract's types, by the interface of `wit/v0.1.0/provider.wit` that defines them.
//!
//! Fields and cases are documented in the WIT. Rust spells `ref` as `ref_`; times are Unix milliseconds, sizes bytes and
//! durations seconds.

pub use crate::bindings::imports::stowage::provider::{http, types};

/// Types of the interface `identity`.
pub mod identity {
    pub use crate::bindings::identity::exports::stowage::provider::identity::{
        AuthFlow, Description, EndpointNeed, Exchange, Matcher, PlaceKeep, SecretNeed, SensitivePlace,
    };
}

/// Types of the interface `health`.
pub mod health {
    pub use crate::bindings::health::exports::stowage::provider::health::ProbeReport;
}

/// Types of the interface `tenants`.
pub mod tenants {
    pub use crate::bindings::tenants::exports::stowage::provider::tenants::TenantState;
}

/// Types of the interface `namespaces`.
pub mod namespaces {
    pub use crate::bindings::namespaces::exports::stowage::provider::namespaces::{Page, Usages};
}

/// Types of the interface `snapshots`.
pub mod snapshots {
    pub use crate::bindings::snapshots::exports::stowage::provider::snapshots::{Page, Snapshot};
}

/// Types of the interface `mounts`.
pub mod mounts {
    pub use crate::bindings::mounts::exports::stowage::provider::mounts::Prepared;
}

/// Types of the interface `access`.
pub mod access {
    pub use crate::bindings::access::exports::stowage::provider::access::{
        Credentials, Issue, PrincipalInfo, Principals, Revocation,
    };
}

/// Types of the interface `audit`.
pub mod audit {
    pub use crate::bindings::audit::exports::stowage::provider::audit::{Event, Page, Push, Target};
}

/// Types of the interface `jobs`.
pub mod jobs {
    pub use crate::bindings::jobs::exports::stowage::provider::jobs::Status;
}
