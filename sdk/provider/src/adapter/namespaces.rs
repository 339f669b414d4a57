//! Namespaces: made, limited, looked at and removed.

use crate::{
    Result,
    bindings::namespaces::exports::stowage::provider::namespaces::Guest,
    contract::{
        namespaces::{Page, Usages},
        types::{
            Call, DataPolicy, Extensions, Limit, NamespaceSpec, NamespaceState, NativeRef, NodeResult, OwnerToken,
            PageRequest, Progress, Protocol,
        },
    },
    error::unsupported,
};

/// The interface `namespaces`.
#[allow(unused_variables, reason = "the names tell implementors what the defaults do not use")]
pub trait Namespaces {
    /// Makes it, marks it with the owner, and answers its reference. Repeated with the same owner it answers the same reference;
    /// an object of that name with another mark is `foreign-owner`.
    fn create(call: Call, spec: NamespaceSpec) -> Result<Progress> {
        Err(unsupported("namespaces.create"))
    }
    /// Takes an object over that is there already. A dry run changes nothing and tells what it would do.
    fn adopt(call: Call, location: String, spec: NamespaceSpec, dry_run: bool) -> Result<Progress> {
        Err(unsupported("namespaces.adopt"))
    }
    /// Sets all its limits; those left out are removed.
    fn set_limits(call: Call, native: NativeRef, limits: Vec<Limit>) -> Result<Progress> {
        Err(unsupported("namespaces.set-limits"))
    }
    /// Sets how it is reached.
    fn set_protocols(call: Call, native: NativeRef, protocols: Vec<Protocol>) -> Result<Progress> {
        Err(unsupported("namespaces.set-protocols"))
    }
    /// Sets the rules by which its objects age, each a set of registered keys.
    fn set_lifecycle(call: Call, native: NativeRef, rules: Vec<Extensions>) -> Result<Progress> {
        Err(unsupported("namespaces.set-lifecycle"))
    }
    /// Removes it. Absent is done.
    fn delete(call: Call, native: NativeRef, data: DataPolicy) -> Result<Progress> {
        Err(unsupported("namespaces.delete"))
    }
    /// Takes a recoverable one back.
    fn undelete(call: Call, native: NativeRef) -> Result<Progress> {
        Err(unsupported("namespaces.undelete"))
    }
    /// Ends a recoverable one at once.
    fn purge(call: Call, native: NativeRef) -> Result<Progress> {
        Err(unsupported("namespaces.purge"))
    }
    /// What it is now.
    fn inspect(native: NativeRef) -> Result<NamespaceState> {
        Err(unsupported("namespaces.inspect"))
    }
    /// The object that bears this mark. The host asks after a lost answer, before it acts again.
    fn find(owner: OwnerToken) -> Result<Option<NativeRef>> {
        Err(unsupported("namespaces.find"))
    }
    /// Everything that bears a mark of Stowage's, page by page.
    fn list_page(page: PageRequest) -> Result<Page> {
        Err(unsupported("namespaces.list-page"))
    }
    /// Usage of many, one entry for each reference and in their order.
    fn read_usage(natives: Vec<NativeRef>, node_results: Vec<NodeResult>) -> Result<Usages> {
        Err(unsupported("namespaces.read-usage"))
    }
}

impl<T: Namespaces> Guest for T {
    fn create(call: Call, spec: NamespaceSpec) -> Result<Progress> {
        <T as Namespaces>::create(call, spec)
    }
    fn adopt(call: Call, location: String, spec: NamespaceSpec, dry_run: bool) -> Result<Progress> {
        <T as Namespaces>::adopt(call, location, spec, dry_run)
    }
    fn set_limits(call: Call, native: NativeRef, limits: Vec<Limit>) -> Result<Progress> {
        <T as Namespaces>::set_limits(call, native, limits)
    }
    fn set_protocols(call: Call, native: NativeRef, protocols: Vec<Protocol>) -> Result<Progress> {
        <T as Namespaces>::set_protocols(call, native, protocols)
    }
    fn set_lifecycle(call: Call, native: NativeRef, rules: Vec<Extensions>) -> Result<Progress> {
        <T as Namespaces>::set_lifecycle(call, native, rules)
    }
    fn delete(call: Call, native: NativeRef, data: DataPolicy) -> Result<Progress> {
        <T as Namespaces>::delete(call, native, data)
    }
    fn undelete(call: Call, native: NativeRef) -> Result<Progress> {
        <T as Namespaces>::undelete(call, native)
    }
    fn purge(call: Call, native: NativeRef) -> Result<Progress> {
        <T as Namespaces>::purge(call, native)
    }
    fn inspect(native: NativeRef) -> Result<NamespaceState> {
        <T as Namespaces>::inspect(native)
    }
    fn find(owner: OwnerToken) -> Result<Option<NativeRef>> {
        <T as Namespaces>::find(owner)
    }
    fn list_page(page: PageRequest) -> Result<Page> {
        <T as Namespaces>::list_page(page)
    }
    fn read_usage(natives: Vec<NativeRef>, node_results: Vec<NodeResult>) -> Result<Usages> {
        <T as Namespaces>::read_usage(natives, node_results)
    }
}
