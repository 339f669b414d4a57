//! One trait for each interface of the contract, and the macro that exports them.
//!
//! Functions are associated functions without `self`: every call runs in a fresh instance, so an adapter holds no state
//! between calls. What must last goes to [`crate::host::kv`]; what is derived again is derived from the owner token.
//!
//! [`Identity`] and [`Health`] are required. Every function of the other traits answers `unsupported` with its own name
//! until it is written.

mod access;
mod audit;
mod health;
mod identity;
mod jobs;
mod mounts;
mod namespaces;
mod snapshots;
mod tenants;

pub use access::Access;
pub use audit::Audit;
pub use health::Health;
pub use identity::Identity;
pub use jobs::Jobs;
pub use mounts::Mounts;
pub use namespaces::Namespaces;
pub use snapshots::Snapshots;
pub use tenants::Tenants;

/// Makes a WebAssembly component of an adapter.
///
/// `export_provider!(Mine)` exports every interface of the contract, so `Mine` implements every trait.
/// `export_provider!(Mine: namespaces, mounts)` exports `identity`, `health` and the named ones only: the host answers
/// `unsupported` for the others without running anything. On other targets than WebAssembly it makes nothing, and the
/// traits are called directly (see [`crate::native`]).
#[macro_export]
macro_rules! export_provider {
    ($adapter:ident) => {
        $crate::export_provider!($adapter: tenants, namespaces, snapshots, mounts, access, audit, jobs);
    };
    ($adapter:ident : $($interface:ident),* $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the component ABI passes raw pointers; the code is generated")]
        const _: () = {
            $crate::__export_interface!(identity $adapter);
            $crate::__export_interface!(health $adapter);
            $($crate::__export_interface!($interface $adapter);)*
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_interface {
    (identity $adapter:ident) => { $crate::bindings::identity::export_identity!($adapter with_types_in $crate::bindings::identity); };
    (health $adapter:ident) => { $crate::bindings::health::export_health!($adapter with_types_in $crate::bindings::health); };
    (tenants $adapter:ident) => { $crate::bindings::tenants::export_tenants!($adapter with_types_in $crate::bindings::tenants); };
    (namespaces $adapter:ident) => { $crate::bindings::namespaces::export_namespaces!($adapter with_types_in $crate::bindings::namespaces); };
    (snapshots $adapter:ident) => { $crate::bindings::snapshots::export_snapshots!($adapter with_types_in $crate::bindings::snapshots); };
    (mounts $adapter:ident) => { $crate::bindings::mounts::export_mounts!($adapter with_types_in $crate::bindings::mounts); };
    (access $adapter:ident) => { $crate::bindings::access::export_access!($adapter with_types_in $crate::bindings::access); };
    (audit $adapter:ident) => { $crate::bindings::audit::export_audit!($adapter with_types_in $crate::bindings::audit); };
    (jobs $adapter:ident) => { $crate::bindings::jobs::export_jobs!($adapter with_types_in $crate::bindings::jobs); };
}
