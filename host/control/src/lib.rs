//! The use cases of storage: what a caller may want, decided by pure rules and carried out by operations.
//!
//! A change is decided on versioned reads and committed as one transaction with preconditions on what it read: record,
//! operation with its next step, audit entry, index rows, reservations. The commit is durable before the answer leaves.
//! The runner then takes the operation's steps, each idempotent under the operation's owner token, so a crash between any
//! two commits loses nothing and leaves nothing behind at a provider.
//!
//! `control` knows ports, not engines: providers come through a [`ProviderLoader`], state through
//! [`Tables`](stowage_store::Tables), secrets and time through their ports.
//!
//! - [`Control`]: every use case is a method that takes the [`Caller`] and a command
//! - [`ControlError`]: a status, a stable reason and the details that an API hands on
//! - [`TokenAuthenticator`]: tokens of a file and of nodes
#![forbid(unsafe_code)]

mod authn;
mod caller;
mod classes;
mod config;
mod control;
mod convert;
mod credentials;
mod drift;
mod ends;
mod error;
mod grants;
mod held;
mod hub;
mod ids;
mod loader;
mod made;
mod mounts;
mod namespaces;
mod nodes;
mod operations;
mod page;
mod providers;
mod retention;
mod rows;
mod tenants;
mod update;
mod work;
mod workloads;

pub use authn::{TokenAuthenticator, TokenEntry, TokenFile, TokenFileError, TokenKind};
pub use caller::{Caller, WriteOptions};
pub use classes::{ClassChanges, CreateClass};
pub use config::Config;
pub use control::{Control, Deps};
pub use credentials::{Credential, CredentialKind, CredentialState, IssueCredential, Issued, Keys};
pub use drift::{DriftFilter, DriftScan};
pub use error::{ControlError, FieldViolation, PreconditionViolation, Problem, QuotaViolation, Result, Status};
pub use grants::CreateGrant;
pub use loader::{LoadError, PluginInfo, ProviderLoader};
pub use mounts::{CreateMount, Form, Mount, MountState, PrefixAccess, RedeemedSecret, SecretHandle};
pub use namespaces::{
    AdoptNamespace, Adoption, CreateNamespace, NamespaceChanges, SharedNamespace, Started, UsageReport,
};
pub use nodes::{CreateNode, CreatedNode, JoinNode, JoinedNode, NodeReport, ReportedMount};
pub use operations::{
    Item, ListOperations, Operation, OperationFilter, OperationKind, OperationState, Purpose, Response, StepName,
    Waiting,
};
pub use page::{Listed, PageRequest, Stored};
pub use providers::{CreateProvider, Measurement, ProviderChanges};
pub use rows::migrations;
pub use stowage_policy::Mode;
pub use tenants::{CreateProject, CreateTenant, ProjectChanges, TenantChanges};
pub use update::Update;
pub use work::{ClaimWork, ClaimedWork, Lease, Order, ReportWork, SourceAccess, Work, WorkOutcome};
pub use workloads::RegisterWorkload;
