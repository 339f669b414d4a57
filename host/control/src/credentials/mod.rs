//! Direct S3 access: one credential for one prefix of one namespace, never more than the grants hold.
//!
//! Each project that owns namespaces has one parent principal at a provider, made on first need, and every credential on
//! its namespaces hangs beneath that. A credential is counted before the provider is asked for it: the commit of the
//! intent takes its place in the ledger, and an answer that was lost keeps it until the time at which whatever was made
//! would end. A repeat after a lost answer takes another place, since a second key may come of it. For example, a session
//! of one hour whose answer was lost twice counts as three for up to an hour.
//!
//! Secrets are never in the state: the adapter's answer is captured into the secret store, the record holds handles, and
//! they are opened for the one answer to the one who asked. With a request id they stay for five minutes, so that a client
//! whose answer was lost asks again; then they are deleted.
//!
//! - `issue`: the use case, in two commits around one call
//! - `parents`: the principals, made and retired by operations
//! - `revoke`: ending one, or a whole parent

mod ask;
mod count;
mod ends;
mod issue;
mod keys;
mod parents;
mod plan;
mod read;
mod record;
mod release;
mod retire;
mod revoke;
mod rows;
mod turns;

pub use issue::{IssueCredential, Issued};
pub use keys::Keys;
pub(crate) use parents::Parent;
pub use record::{Credential, CredentialKind, CredentialState};
pub(crate) use rows::PROVIDER_PARENTS;
pub(crate) use turns::Turns;
