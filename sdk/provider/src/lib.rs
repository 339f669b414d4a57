//! What a storage provider adapter is written against.
//!
//! An adapter is a WebAssembly component that a Stowage host loads into a sandbox: it has no network, no files and no
//! secrets. It declares every exchange it can ever make with its backend, the host makes them, and the adapter turns
//! answers into the neutral words of the contract (`wit/v0.1.0/provider.wit`).
//!
//! Five rules make an adapter that survives crashes:
//!
//! 1. **Every change is repeated.** A call comes again with the same owner token after a job, after node work and after a
//!    lost answer. Derive the native name from what the call brings ([`owner::short_name`], `physical-id`), mark the object
//!    with the owner where the backend can hold a mark, and find your own object before you make one.
//! 2. **Adopt only your own mark.** An object of the right name with another mark is [`error::foreign_owner`].
//! 3. **Do not sleep, do not retry.** Answer `pending` or a typed error; the host knows when to come again.
//! 4. **Lost is not failed.** `?` on [`host::send`] makes `ambiguous` of a lost change; keep it so.
//! 5. **Never hold a secret.** Name it, and say where the host must put it.
//!
//! # A worked example
//!
//! A backend with volumes behind a JSON API and a login. It exports `namespaces` only, so the host answers `unsupported`
//! for everything else.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use serde_json::json;
//! use stowage_provider_sdk::prelude::*;
//!
//! const LOGIN: Exchange = Exchange::new("login")
//!     .post("control", "/login")
//!     .slots(&[&[At::Pointer("/user")], &[At::Pointer("/password")]])
//!     .sensitive(&[(&[At::Pointer("/token")], Keep::Session)])
//!     .doc("Logs in; run by the host.");
//! const VERSION: Exchange = Exchange::new("version").get("control", "/version").safe().doc("Reads the version.");
//! const GET: Exchange = Exchange::new("volumes.get").get("control", "/volumes/{name}").safe().doc("Reads a volume.");
//! const PUT: Exchange = Exchange::new("volumes.put").put("control", "/volumes/{name}").doc("Makes a volume.");
//!
//! #[derive(Serialize, Deserialize)]
//! struct Volume {
//!     name: String,
//!     comment: String,
//!     bytes: u64,
//! }
//!
//! fn as_admin() -> Request {
//!     Request::new().flow("login", "admin")
//! }
//!
//! fn volume(name: &str) -> Result<Option<Volume>> {
//!     let answer = host::send(&GET, as_admin().param("name", name))?;
//!     match answer.status() {
//!         200 => answer.json().map(Some),
//!         404 => Ok(None),
//!         status => Err(error::internal(format_args!("reading {name}: status {status}"))),
//!     }
//! }
//!
//! struct Volumes;
//!
//! impl Identity for Volumes {
//!     fn describe() -> Description {
//!         let body = json!({ "user": "", "password": "" });
//!         let login = Flow::new("login", &LOGIN, &body, &[At::Pointer("/token")])
//!             .login_slot(&[At::Pointer("/user")], "username")
//!             .login_slot(&[At::Pointer("/password")], "password");
//!         Describe::new("volumes", "Example", env!("CARGO_PKG_VERSION"))
//!             .doc("Namespaces as volumes.")
//!             .endpoint("control", true, "The JSON API.")
//!             .secret("admin", &["username", "password"], true, "An account that may make volumes.")
//!             .exchanges(&[&LOGIN, &VERSION, &GET, &PUT])
//!             .auth_flow(login)
//!             .capability(Capability::supported("namespaces.posix").with("quota.latency", Value::Text("immediate".into())))
//!             .build()
//!     }
//! }
//!
//! impl Health for Volumes {
//!     fn probe(_: ProbeMode) -> Result<ProbeReport> {
//!         #[derive(Deserialize)]
//!         struct Version {
//!             release: String,
//!             cluster: String,
//!         }
//!         let version: Version = host::send(&VERSION, as_admin())?.json()?;
//!         Ok(ProbeReport {
//!             native_version: version.release,
//!             instance_id: version.cluster,
//!             capabilities: Self::describe().capabilities,
//!             health: vec![],
//!             counters: vec![],
//!             extensions: vec![],
//!         })
//!     }
//!     fn preflight(_: ProbeMode) -> Result<Vec<Finding>> {
//!         Ok(vec![])
//!     }
//! }
//!
//! impl Namespaces for Volumes {
//!     fn create(call: Call, spec: NamespaceSpec) -> Result<Progress> {
//!         let name = spec.physical_id;
//!         match volume(&name)? {
//!             Some(found) if found.comment == call.owner => {}
//!             Some(found) => return Err(error::foreign_owner(format_args!("volume {name}"), found.comment)),
//!             None => {
//!                 let bytes = spec.limits.iter().find(|l| l.dimension == Dimension::Bytes).map_or(0, |l| l.value);
//!                 let body = Volume { name: name.clone(), comment: call.owner, bytes };
//!                 let answer = host::send(&PUT, as_admin().param("name", &name).json(&body))?;
//!                 if !answer.is_success() {
//!                     return Err(error::internal(answer.text()).with_native_code(answer.status()));
//!                 }
//!             }
//!         }
//!         Ok(Progress::Done(name.into_bytes()))
//!     }
//! }
//!
//! export_provider!(Volumes: namespaces);
//!
//! // The same adapter runs natively against a host in memory.
//! use std::sync::Arc;
//! use stowage_provider_sdk::native::{MemoryHost, with_host};
//!
//! let host = Arc::new(MemoryHost::new("{}").answering(|request| {
//!     let status = if request.exchange == "volumes.get" { 404 } else { 200 };
//!     Ok(http::Response { status, headers: vec![], body: b"{}".to_vec(), captured: vec![] })
//! }));
//! let spec = NamespaceSpec {
//!     tenant: vec![],
//!     project: "p".into(),
//!     name: "n".into(),
//!     physical_id: "ab12cd34-ef56gh78ij".into(),
//!     protocols: vec![Protocol::Posix],
//!     limits: vec![],
//!     prefixes: vec![],
//!     posix: None,
//!     labels: vec![],
//!     extensions: vec![],
//! };
//! let call = Call { owner: "op-1".into(), attempt: 1, node_results: vec![], extensions: vec![] };
//! let made = with_host(host.clone(), || Volumes::create(call, spec));
//! assert_eq!(made, Ok(Progress::Done(b"ab12cd34-ef56gh78ij".to_vec())));
//! assert_eq!(host.sent().len(), 2);
//! ```

pub mod adapter;
#[doc(hidden)]
pub mod bindings;
pub mod contract;
pub mod describe;
pub mod error;
pub mod exchange;
pub mod host;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod owner;
pub mod page;
pub mod progress;
pub mod request;

pub use adapter::{Access, Audit, Health, Identity, Jobs, Mounts, Namespaces, Snapshots, Tenants};
pub use error::Error;
pub use exchange::Exchange;
pub use request::{Request, Response, SendError};

/// What every function of the contract answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that an adapter usually names.
pub mod prelude {
    pub use crate::{
        Error, Request, Response, Result, SendError,
        adapter::{Access, Audit, Health, Identity, Jobs, Mounts, Namespaces, Snapshots, Tenants},
        contract::{
            access::{Credentials, Issue, PrincipalInfo, Principals, Revocation},
            audit,
            health::ProbeReport,
            http,
            identity::{Description, Matcher},
            jobs::Status,
            mounts::Prepared,
            namespaces,
            namespaces::Usages,
            snapshots,
            snapshots::Snapshot,
            tenants::TenantState,
            types::*,
        },
        describe::{Describe, Flow},
        error,
        exchange::{At, Exchange, Keep},
        export_provider, host,
        owner::short_name,
        page,
        progress::lookup,
    };
}
