//! A WEKA cluster in a process: its REST API v2 as observed, documented and used by clients in production, and a real
//! tree behind every filesystem that clients mount by FUSE and in which quotas stop real writers.
//!
//! What was observed on a real cluster is reproduced exactly; what the documents or shipping clients say is reproduced as
//! they say it; everything inferred is a switch ([`Switches`]). Faults ([`Fault`]) break single requests, outages whole
//! endpoints, and the clock ([`Clock`]) moves on demand.
//!
//! ```no_run
//! # async fn example() -> Result<(), weka_emulator::StartError> {
//! use weka_emulator::{Emulator, Fault, Options, Rule};
//!
//! let emulator = Emulator::start(Options::default()).await?;
//! let base = format!("{}/api/v2", emulator.rest_url());
//! emulator.control().add_fault(Rule::new(Fault::Unavailable).on("GET", "/cluster").times(1));
//! emulator.control().clock().advance(300_000);
//! emulator.stop().await;
//! # Ok(())
//! # }
//! ```

// Rows of the API have more fields than `json!` reads by default.
#![recursion_limit = "256"]

mod admin;
mod alerts;
mod attachments;
mod auth;
mod call;
mod clock;
mod cluster;
mod containers;
pub mod contract;
mod control;
mod default_quotas;
mod emulator;
mod envelope;
mod events;
mod faults;
mod filesystems;
mod groups;
mod keep;
mod licence;
mod listen;
mod login_page;
mod mount_defaults;
mod mount_options;
mod mounts;
mod net_devices;
mod object_stores;
mod organizations;
mod paths;
mod presets;
mod processes;
mod quota_batches;
mod quotas;
mod release;
mod requests;
mod routes;
mod s3;
mod s3_server;
mod security;
mod server;
mod snapshot_diff;
mod snapshot_policies;
mod snapshots;
mod state;
mod switches;
mod tasks;
mod tree;
mod uid;
mod user_quotas;
mod users;

pub use clock::{Clock, Millis};
pub use control::{Control, ControlError, Owner, TreeEntry};
pub use emulator::{DEFAULT_PASSWORD, Emulator, Options, Running, StartError, Tls};
pub use faults::{Fault, Port, Rule};
pub use listen::Outage;
pub use mounts::{Mode, MountRefused, MountRequest, MountRow};
pub use presets::{Preset, UnknownPreset};
pub use release::{Release, UnreadableRelease};
pub use requests::LoggedRequest;
pub use switches::{Conditions, FieldsFrom, PoliciesShape, PolicyInUse, StsCallers, Switches};
pub use uid::Uid;
