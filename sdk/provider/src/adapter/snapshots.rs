//! Snapshots of a namespace.

use crate::{
    Result,
    bindings::snapshots::exports::stowage::provider::snapshots::Guest,
    contract::{
        snapshots::Page,
        types::{Call, NativeRef, PageRequest, Progress},
    },
    error::unsupported,
};

/// The interface `snapshots`.
#[allow(unused_variables, reason = "the names tell implementors what the defaults do not use")]
pub trait Snapshots {
    /// Takes one.
    fn create(call: Call, namespace: NativeRef, name: String) -> Result<Progress> {
        Err(unsupported("snapshots.create"))
    }
    /// Removes it. Absent is done.
    fn delete(call: Call, native: NativeRef) -> Result<Progress> {
        Err(unsupported("snapshots.delete"))
    }
    /// Puts the namespace back to it.
    fn restore(call: Call, native: NativeRef) -> Result<Progress> {
        Err(unsupported("snapshots.restore"))
    }
    /// Those of a namespace, page by page.
    fn list_page(namespace: NativeRef, page: PageRequest) -> Result<Page> {
        Err(unsupported("snapshots.list-page"))
    }
}

impl<T: Snapshots> Guest for T {
    fn create(call: Call, namespace: NativeRef, name: String) -> Result<Progress> {
        <T as Snapshots>::create(call, namespace, name)
    }
    fn delete(call: Call, native: NativeRef) -> Result<Progress> {
        <T as Snapshots>::delete(call, native)
    }
    fn restore(call: Call, native: NativeRef) -> Result<Progress> {
        <T as Snapshots>::restore(call, native)
    }
    fn list_page(namespace: NativeRef, page: PageRequest) -> Result<Page> {
        <T as Snapshots>::list_page(namespace, page)
    }
}
