//! Long-running changes: a record with its next step, and the runner that takes the steps.
//!
//! The record is committed together with the intent, before the answer leaves. A step may be taken any number of times: what
//! it makes at the provider bears the operation's owner token, so after a crash, a lost answer or a wait for a node the
//! same call is simply made again. Only the commit of its outcome moves the operation on.

mod dispatch;
mod drive;
mod intent;
mod purpose;
mod query;
mod queue;
mod record;
mod retry;
mod runner;
mod step;

pub use purpose::{OperationKind, Purpose};
pub use query::{ListOperations, OperationFilter};
pub(crate) use queue::Queue;
pub use record::{Item, Operation, OperationState, Response, StepName, Waiting};
pub(crate) use retry::{CallKind, Policy};
pub(crate) use runner::Runner;
pub(crate) use step::{Called, Flow, Stepping, progress, sort};
