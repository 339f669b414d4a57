//! The gRPC contract `stowage.v1`.
//!
//! The proto files beside this crate are the source; [`v1`] is generated from them. Whoever reads the contract at run time
//! (reflection, JSON, the OpenAPI document, the test over the RPC table) takes [`descriptors`].

mod descriptors;
mod json;
pub mod openapi;
mod secret;
mod structs;

pub use descriptors::{DOCUMENTED_DESCRIPTOR_SET, FILE_DESCRIPTOR_SET, descriptors};
pub use json::{JsonError, to_json};
pub use structs::{json_to_struct, struct_to_json};
pub use tonic_types::Status as RpcStatus;

/// Messages, clients (`…_client`) and services (`…_server`) of the contract.
#[allow(missing_docs, reason = "generated: modules and accessors have no comment in the proto files")]
#[allow(clippy::all, unreachable_pub, rust_2018_idioms, reason = "generated code")]
#[allow(clippy::allow_attributes_without_reason, reason = "generated code")]
#[allow(rustdoc::all, reason = "comments are written for every language, not for rustdoc")]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/stowage.v1.rs"));
}
