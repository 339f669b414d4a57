//! A tenant's own place at a backend that has such a thing.

use crate::{
    Result,
    bindings::tenants::exports::stowage::provider::tenants::Guest,
    contract::{
        tenants::TenantState,
        types::{Call, Limit, NativeRef, Progress},
    },
    error::unsupported,
};

/// The interface `tenants`.
#[allow(unused_variables, reason = "the names tell implementors what the defaults do not use")]
pub trait Tenants {
    /// Makes the tenant's place, or finds the one that bears this owner's mark.
    fn ensure(call: Call, tenant: String, limits: Vec<Limit>) -> Result<Progress> {
        Err(unsupported("tenants.ensure"))
    }
    /// What the tenant's place is now.
    fn inspect(native: NativeRef) -> Result<TenantState> {
        Err(unsupported("tenants.inspect"))
    }
    /// Sets all its limits; those left out are removed.
    fn set_limits(call: Call, native: NativeRef, limits: Vec<Limit>) -> Result<Progress> {
        Err(unsupported("tenants.set-limits"))
    }
    /// Ends every session and mount token of the tenant.
    fn revoke_tokens(call: Call, native: NativeRef) -> Result<Progress> {
        Err(unsupported("tenants.revoke-tokens"))
    }
    /// Removes it; answers `in-use` while anything is left in it. Absent is done.
    fn delete_empty(call: Call, native: NativeRef) -> Result<Progress> {
        Err(unsupported("tenants.delete-empty"))
    }
}

impl<T: Tenants> Guest for T {
    fn ensure(call: Call, tenant: String, limits: Vec<Limit>) -> Result<Progress> {
        <T as Tenants>::ensure(call, tenant, limits)
    }
    fn inspect(native: NativeRef) -> Result<TenantState> {
        <T as Tenants>::inspect(native)
    }
    fn set_limits(call: Call, native: NativeRef, limits: Vec<Limit>) -> Result<Progress> {
        <T as Tenants>::set_limits(call, native, limits)
    }
    fn revoke_tokens(call: Call, native: NativeRef) -> Result<Progress> {
        <T as Tenants>::revoke_tokens(call, native)
    }
    fn delete_empty(call: Call, native: NativeRef) -> Result<Progress> {
        <T as Tenants>::delete_empty(call, native)
    }
}
