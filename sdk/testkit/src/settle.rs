//! Drives one change to its end, as the host's runner would: polls jobs, lets a node work, and repeats the call.

use std::{future::Future, time::Duration};

use stowage_ports::provider::{
    Answer, Call, ErrorKind, Failure, Fault, Issue, Issued, Job, JobStatus, MountPlan, NativeRef, NodeWork, Prepared,
    Progress,
};

use crate::Subject;

/// Most calls and polls of one change. A change that takes more never ends.
const MAX_TURNS: u32 = 500;

/// The contract was broken on the way: what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

/// How a change ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// It is done.
    Done(T),
    /// It was refused with a typed error.
    Refused(Box<Failure>),
}

impl<T> Ended<T> {
    /// The value, or a text that says what was expected.
    pub fn done(self, what: &str) -> Result<T, Broken> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Refused(failure) => Err(Broken(format!("{what} failed: {:?} ({failure})", failure.error.kind))),
        }
    }

    /// The error, or a text that says that it should have been one.
    pub fn refused(self, what: &str) -> Result<ErrorKind, Broken> {
        match self {
            Self::Done(_) => Err(Broken(format!("{what} was done, and should have been refused"))),
            Self::Refused(failure) => Ok(failure.error.kind),
        }
    }
}

/// One answer of a change.
#[derive(Debug)]
pub enum Turn<T> {
    /// It is done.
    Done(T),
    /// Poll, then call again.
    Pending(Job),
    /// Let a node work, then call again with its results.
    NeedsNode(NodeWork),
    /// Call again.
    Again,
    /// An outcome that no host knows.
    Other(String),
}

/// An outcome that may not be the last.
pub trait Change {
    /// What it ends with.
    type End;
    /// The next turn.
    fn turn(self) -> Turn<Self::End>;
}

impl Change for Progress {
    type End = NativeRef;
    fn turn(self) -> Turn<NativeRef> {
        match self {
            Self::Done(native) => Turn::Done(native),
            Self::Pending(job) => Turn::Pending(job),
            Self::NeedsNode(work) => Turn::NeedsNode(work),
            Self::Partial { .. } => Turn::Again,
            Self::Other(word) => Turn::Other(word),
        }
    }
}

impl Change for Prepared {
    type End = MountPlan;
    fn turn(self) -> Turn<MountPlan> {
        match self {
            Self::Plan(plan) => Turn::Done(plan),
            Self::Pending(job) => Turn::Pending(job),
            Self::NeedsNode(work) => Turn::NeedsNode(work),
            Self::Other(word) => Turn::Other(word),
        }
    }
}

impl Change for Issue {
    type End = Issued;
    fn turn(self) -> Turn<Issued> {
        match self {
            Self::Issued(issued) => Turn::Done(issued),
            Self::Pending(job) => Turn::Pending(job),
            Self::NeedsNode(work) => Turn::NeedsNode(work),
            Self::Other(word) => Turn::Other(word),
        }
    }
}

/// Makes the call with this owner until it is done or refused.
pub async fn settle<C, F, A>(subject: &Subject<'_>, owner: &str, make: F) -> Result<Ended<C::End>, Broken>
where
    C: Change,
    F: Fn(Call) -> A,
    A: Future<Output = Answer<C>>,
{
    let mut call = Call { owner: owner.to_owned(), attempt: 0, ..Call::default() };
    for _ in 0..MAX_TURNS {
        call.attempt += 1;
        let answer = match make(call.clone()).await {
            Ok(called) => called.value,
            Err(failure) => match failure.error.kind {
                ErrorKind::ConflictRetry => continue,
                ErrorKind::Throttled(after) => {
                    pause(after.unwrap_or(100)).await;
                    continue;
                }
                _ if failure.fault == Fault::Plugin && failure.error.native_code.as_deref() == Some("trap") => {
                    return Err(Broken(format!("the adapter trapped: {failure}")));
                }
                _ => return Ok(Ended::Refused(failure)),
            },
        };
        match answer.turn() {
            Turn::Done(value) => return Ok(Ended::Done(value)),
            Turn::Again => {}
            Turn::Other(word) => return Err(Broken(format!("an outcome that no host knows: {word:?}"))),
            Turn::Pending(job) => {
                call.node_results.clear();
                if let Some(failure) = wait(subject, job).await? {
                    return Ok(Ended::Refused(failure));
                }
            }
            Turn::NeedsNode(work) => {
                let Some(node) = subject.node else {
                    return Err(Broken("a node is needed, and the subject has none".to_owned()));
                };
                call.node_results = node.work(&work).await;
            }
        }
    }
    Err(Broken(format!("still not done after {MAX_TURNS} turns")))
}

/// Polls a job to its end; answers why it failed, if it did.
async fn wait(subject: &Subject<'_>, mut job: Job) -> Result<Option<Box<Failure>>, Broken> {
    for _ in 0..MAX_TURNS {
        pause(job.poll_after_ms).await;
        let polled = subject.provider.poll_job(&subject.context(), &job.handle).await;
        match polled.map_err(|f| Broken(format!("polling a job failed: {f}")))?.value {
            JobStatus::Running(next) => job = next,
            JobStatus::Ended => return Ok(None),
            JobStatus::Failed(error) => {
                let receipt = Default::default();
                return Ok(Some(Box::new(Failure { error, fault: Fault::Backend, receipt })));
            }
            JobStatus::Other(word) => return Err(Broken(format!("a job in a state that no host knows: {word:?}"))),
        }
    }
    Err(Broken(format!("the job still ran after {MAX_TURNS} polls")))
}

/// The one wait of this crate: as long as the provider asked for.
async fn pause(ms: u32) {
    tokio::time::sleep(Duration::from_millis(ms.into())).await;
}
