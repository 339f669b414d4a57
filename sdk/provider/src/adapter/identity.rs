//! What an adapter says of itself before it is admitted.

use crate::{bindings::identity::exports::stowage::provider::identity::Guest, contract::identity::Description};

/// The interface `identity`: required.
pub trait Identity {
    /// Everything that this adapter can ever say to its backend. The host calls it at admission, without configuration,
    /// endpoints or secrets, pins the answer, and shows it to the operator. Build it with [`crate::describe::Describe`].
    fn describe() -> Description;
}

impl<T: Identity> Guest for T {
    fn describe() -> Description {
        <T as Identity>::describe()
    }
}
