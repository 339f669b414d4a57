//! What a step answers, and the way from a provider's answer to it.

use stowage_domain::{Millis, NodeName};
use stowage_ports::provider::{Answer, Call, CallContext, Job, NodeWork, Progress};
use stowage_store::Transaction;

use super::{
    CallKind, Operation, OperationState, Response, StepName,
    retry::{Policy, Verdict},
};
use crate::{ControlError, Problem, Status, work::Order};

/// Where an operation goes from a step. The changes of the transaction are committed with it.
#[derive(Debug)]
pub(crate) enum Flow {
    /// To this step, at once.
    Next(StepName),
    /// To the same step, at once: a part of it is done.
    Again,
    /// To the same call, once the job has ended.
    Job(Job),
    /// To the same call, with what a node finds.
    Steps(NodeWork),
    /// To the same step, once this node has reported, or when its patience ends.
    Assign(NodeName, Box<Order>, Millis),
    /// To the same step, when one of the operations that it waits for has ended.
    Operations,
    /// To the same step, after a pause of at least this; `few` after a defect.
    Retry { problem: Box<Problem>, after: Option<Millis>, few: bool },
    /// Nowhere: it will not succeed. What may have been made is taken back.
    Fail(Box<Problem>),
    /// To its end.
    End { state: OperationState, response: Option<Response> },
}

impl Flow {
    pub(crate) fn done(response: Response) -> Self {
        Self::End { state: OperationState::Succeeded, response: Some(response) }
    }

    /// The end of what was taken back.
    pub(crate) fn undone(operation: &Operation) -> Self {
        let cancelled = operation.cancel_requested;
        let state = if cancelled { OperationState::Cancelled } else { OperationState::Failed };
        Self::End { state, response: None }
    }

    pub(crate) fn fail(error: ControlError) -> Self {
        Self::Fail(error.0)
    }

    pub(crate) fn retry(error: ControlError) -> Self {
        Self::Retry { problem: error.0, after: None, few: true }
    }

    /// Nothing but this flow.
    pub(crate) fn alone(self) -> Stepping {
        (self, Transaction::new())
    }
}

/// A step's flow with the changes that are committed with it.
pub(crate) type Stepping = (Flow, Transaction);

/// How a call of the provider went.
pub(crate) enum Called<T> {
    /// With this value.
    Value(T),
    /// What was to be removed is not there.
    Gone,
    /// It may have been applied: look, then flow on.
    Unknown(Flow),
    /// Not.
    Flow(Flow),
}

/// Sorts a provider's answer.
pub(crate) fn sort<T>(operation: &Operation, call: CallKind, answer: Answer<T>) -> Called<T> {
    let failure = match answer {
        Ok(called) => return Called::Value(called.value),
        Err(failure) => failure,
    };
    let provider = operation.provider.as_ref().map(ToString::to_string).unwrap_or_default();
    let problem = ControlError::provider(provider, &failure.error).0;
    match Verdict::of(call, &failure) {
        Verdict::Done => Called::Gone,
        Verdict::Retry(after) => Called::Flow(Flow::Retry { problem, after, few: false }),
        Verdict::RetryFew => Called::Flow(Flow::Retry { problem, after: None, few: true }),
        Verdict::Look => Called::Unknown(Flow::Retry { problem, after: None, few: false }),
        Verdict::Fail => Called::Flow(Flow::Fail(problem)),
    }
}

/// Splits a change's progress into the finished object and what is waited for.
pub(crate) fn progress(progress: Progress) -> Result<stowage_ports::provider::NativeRef, Flow> {
    match progress {
        Progress::Done(native) => Ok(native),
        Progress::Pending(job) => Err(Flow::Job(job)),
        Progress::NeedsNode(work) => Err(Flow::Steps(work)),
        Progress::Partial { remaining, .. } => {
            let message = format!("done in part; remaining: {}", remaining.join(", "));
            let problem = ControlError::new(Status::Unavailable, "PROVIDER_PARTIAL", message).0;
            Err(Flow::Retry { problem, after: None, few: false })
        }
        Progress::Other(word) => Err(unknown(&word)),
    }
}

/// An outcome of a newer contract.
pub(crate) fn unknown(word: &str) -> Flow {
    let message = format!("the provider answered {word:?}, which this host does not know; update the host");
    Flow::retry(ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message))
}

impl Operation {
    /// The change's identity for the next call.
    pub(crate) fn call(&self) -> Call {
        Call {
            owner: self.owner.clone(),
            attempt: self.attempts.saturating_add(1),
            node_results: self.node_outcome.as_ref().map(|outcome| outcome.results.clone()).unwrap_or_default(),
            extensions: Vec::new(),
        }
    }

    /// What the calls run under.
    pub(crate) fn context(&self) -> CallContext {
        CallContext { request_id: self.name.to_string(), deadline: None, safe_only: false }
    }

    pub(crate) fn policy(&self) -> Policy {
        if self.step == StepName::Undo { Policy::UNDO } else { Policy::of(self.purpose.kind()) }
    }
}
