//! A typed client of the Stowage host.
//!
//! [`Client::connect`] takes a [`Target`] and gives one struct with a client for every service of the contract, all over
//! one connection and with the caller's token on every call. A failed call becomes a [`Failure`], which knows the stable
//! reason, the fields at fault and the fix, and prints them for people. [`Client::wait`] follows an operation to its end,
//! also across a restart of the host.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use stowage_client::{Client, Target, proto};
//!
//! let target = Target::new("https://stowage.example:7070").with_token(std::env::var("STOWAGE_TOKEN")?);
//! let client = Client::connect(target).await?;
//! let operation = client
//!     .namespaces()
//!     .create_namespace(proto::CreateNamespaceRequest {
//!         parent: "tenants/acme/projects/vision".to_owned(),
//!         namespace_id: "train".to_owned(),
//!         namespace: Some(proto::Namespace {
//!             quota: Some(proto::Quota { hard_bytes: 100 << 30, ..Default::default() }),
//!             ..Default::default()
//!         }),
//!         ..Default::default()
//!     })
//!     .await
//!     .map_err(stowage_client::Failure::from)?
//!     .into_inner();
//! let namespace: proto::Namespace = client.wait_for(operation, None).await?;
//! println!("{} is ready", namespace.name);
//! # Ok(())
//! # }
//! ```

mod connect;
mod failure;
mod token;
mod wait;

pub use connect::{Client, ConnectError, Target};
pub use failure::{Failure, FieldFault};
pub use stowage_proto::v1 as proto;
pub use token::{Authorized, Token};
pub use wait::WaitError;
