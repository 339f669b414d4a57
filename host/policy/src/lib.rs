//! Access decisions, pure: what is asked, what is held, and the answer with its reasons. Nothing here reads or waits.
//!
//! - [`held`]: what is held, and which of it carries an ask
//! - [`mounts`]: what a workload may mount of a namespace, and which grants that rests on
//! - [`objects`]: what a credential may open of a namespace
//! - [`iam`]: the document that tells an S3 provider so
#![forbid(unsafe_code)]

pub mod held;
pub mod iam;
pub mod mounts;
pub mod objects;

pub use held::{Entitlement, Source};
pub use iam::{Document, IamError};
pub use mounts::{Allowed, Ask, Mode, MountAccess, Refusal};
pub use objects::{ObjectAccess, ObjectRefusal};
