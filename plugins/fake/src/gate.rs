//! The gate before each change: what was demanded of it comes about here, and the rest of the adapter knows of none of it.

use stowage_provider_sdk::prelude::*;

use crate::{
    Fake,
    config::Config,
    demand::{Demand, JobEnd, parse},
    state,
};

/// A native job in the state.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct JobRecord {
    /// What started it.
    pub(crate) function: String,
    /// Polls that remain.
    pub(crate) polls_left: u32,
    /// How it ends.
    pub(crate) end: JobEnd,
}

/// What to do with a call.
#[derive(Debug)]
pub(crate) enum Gate {
    /// Make the change, then answer as `After` says.
    Go(After),
    /// Answer this and change nothing.
    Stop(Stop),
}

/// How the first answer after the change differs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Twist {
    /// It does not.
    None,
    /// It is partial.
    Partial(String),
    /// It is lost.
    Ambiguous,
}

/// Answers for a change that was made.
#[derive(Debug)]
#[must_use]
pub(crate) struct After {
    function: String,
    owner: String,
    twist: Twist,
}

/// An answer in place of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A job runs.
    Pending(Job),
    /// A node first.
    NeedsNode(NodeWork),
    /// An outcome that no host knows.
    Other(String),
}

impl From<Stop> for Progress {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Pending(job) => Self::Pending(job),
            Stop::NeedsNode(work) => Self::NeedsNode(work),
            Stop::Other(word) => Self::Other(word),
        }
    }
}

impl From<Stop> for Prepared {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Pending(job) => Self::Pending(job),
            Stop::NeedsNode(work) => Self::NeedsNode(work),
            Stop::Other(word) => Self::Other(word),
        }
    }
}

impl From<Stop> for Issue {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Pending(job) => Self::Pending(job),
            Stop::NeedsNode(work) => Self::NeedsNode(work),
            Stop::Other(word) => Self::Other(word),
        }
    }
}

impl Stop {
    /// As the outcome of `revoke`, which knows no node work.
    pub(crate) fn revocation(self) -> Result<Revocation> {
        match self {
            Self::Pending(job) => Ok(Revocation::Pending(job)),
            Self::Other(word) => Ok(Revocation::Other(word)),
            Self::NeedsNode(_) => Err(error::invalid("fake.access.revoke", "`needs-node` is no outcome of `revoke`")),
        }
    }

    /// As the outcome of `read-usage`, which knows no jobs.
    pub(crate) fn usages(self) -> Result<Usages> {
        match self {
            Self::NeedsNode(work) => Ok(Usages::NeedsNode(work)),
            Self::Other(word) => Ok(Usages::Other(word)),
            Self::Pending(_) => {
                Err(error::invalid("fake.namespaces.read-usage", "`pending` is no outcome of `read-usage`"))
            }
        }
    }
}

impl After {
    /// The answer of a change that was made. The count is taken here, not at the gate: a change that first waits for a job
    /// or a node passes the gate more than once.
    pub(crate) fn finish(self, native: NativeRef) -> Result<Progress> {
        match self.twist {
            Twist::Partial(what) if first(&self.function, &self.owner, 1)? => Ok(Progress::partial(native, vec![what])),
            Twist::Ambiguous if first(&self.function, &self.owner, 1)? => Err(lost()),
            _ => Ok(Progress::Done(native)),
        }
    }

    /// The answer of a change that knows no partial outcome.
    pub(crate) fn finish_with<T>(self, answer: T) -> Result<T> {
        match self.twist {
            Twist::Ambiguous if first(&self.function, &self.owner, 1)? => Err(lost()),
            _ => Ok(answer),
        }
    }
}

fn lost() -> Error {
    error::ambiguous("the answer was lost, on demand").with_native_code("FAKE_AMBIGUOUS")
}

/// What was demanded of a call, by the first of: its extensions, the labels, the configuration.
fn demanded(
    config: &Config,
    function: &str,
    extensions: &[(String, String)],
    labels: &[(String, String)],
) -> Result<Demand> {
    let long = format!("fake.{function}");
    let short = function.strip_prefix("namespaces.").map(|f| format!("fake.{f}"));
    let labelled = || lookup(labels, &long).or_else(|| short.as_deref().and_then(|key| lookup(labels, key)));
    let text = lookup(extensions, &long).or_else(labelled).or_else(|| config.faults.get(function).map(String::as_str));
    match text {
        Some(text) => parse(text),
        None => Ok(Demand::Done),
    }
}

impl Fake {
    /// The gate of a change.
    pub(crate) fn gate(config: &Config, function: &str, call: &Call, labels: &[(String, String)]) -> Result<Gate> {
        let demand = match demanded(config, function, &call.extensions, labels)? {
            Demand::Done if config.job_polls > 0 => Demand::Pending(config.job_polls, JobEnd::Ended),
            demand => demand,
        };
        open(config, function, call, demand)
    }

    /// The gate of a question: only errors and, where the caller can answer them, other outcomes.
    pub(crate) fn ask(config: &Config, function: &str, labels: &[(String, String)]) -> Result<()> {
        match demanded(config, function, &[], labels)? {
            Demand::Error(error) => Err(*error),
            Demand::Done => Ok(()),
            demand => Err(error::invalid(
                &format!("fake.{function}"),
                format_args!("a question has no outcome but errors, and {demand:?} is none"),
            )),
        }
    }

    /// The gate of `read-usage`, which is a question with outcomes.
    pub(crate) fn ask_usage(config: &Config, node_results: &[NodeResult]) -> Result<Gate> {
        let demand = demanded(config, "namespaces.read-usage", &[], &[])?;
        let call =
            Call { owner: String::new(), attempt: 1, node_results: node_results.to_vec(), extensions: Vec::new() };
        open(config, "namespaces.read-usage", &call, demand)
    }
}

fn open(config: &Config, function: &str, call: &Call, demand: Demand) -> Result<Gate> {
    let go = |twist| Gate::Go(After { function: function.to_owned(), owner: call.owner.clone(), twist });
    // With a node's results in hand, whatever came before the node's work is over.
    let after_node = !call.node_results.is_empty();
    Ok(match demand {
        Demand::Done => go(Twist::None),
        Demand::Error(error) => return Err(*error),
        Demand::Other(word) => Gate::Stop(Stop::Other(word)),
        Demand::NeedsNode | Demand::Pending(..) if after_node => go(Twist::None),
        Demand::NeedsNode => {
            let source = MountSource::host_path(&config.root, "");
            Gate::Stop(Stop::NeedsNode(NodeWork { source, steps: vec![NodeStep::new("look", "stat", ".")] }))
        }
        Demand::Partial(what) => go(Twist::Partial(what)),
        Demand::AmbiguousAfterApply => go(Twist::Ambiguous),
        Demand::Times(times, inner) => {
            if first(function, &call.owner, times)? {
                return open(config, function, call, *inner);
            }
            go(Twist::None)
        }
        Demand::Pending(polls, end) => match job(config, function, call, polls, end)? {
            Some(running) => Gate::Stop(Stop::Pending(running)),
            None => go(Twist::None),
        },
    })
}

/// Whether this is among the first `times` with this owner. Counted in the state.
fn first(function: &str, owner: &str, times: u32) -> Result<bool> {
    state::change::<u32, _>(&format!("count/{function}/{owner}"), |seen| {
        let seen = seen.unwrap_or(0);
        Ok((seen.saturating_add(1), seen < times))
    })
}

/// Starts the job of this call or waits for it; `None` when it has ended.
fn job(config: &Config, function: &str, call: &Call, polls: u32, end: JobEnd) -> Result<Option<Job>> {
    let handle = short_name(&format!("{function}/{}", call.owner), 24);
    let key = format!("job/{handle}");
    let running = Job {
        handle: handle.into_bytes(),
        poll_after_ms: config.poll_after_ms,
        expected_ms: Some(config.poll_after_ms.saturating_mul(polls)),
    };
    let Some(found) = host::kv::load::<JobRecord>(&key)? else {
        let record = JobRecord { function: function.to_owned(), polls_left: polls, end };
        host::kv::store(&key, &record, Some(host::kv::ABSENT))?;
        return Ok(Some(running));
    };
    if found.value.polls_left > 0 {
        return Ok(Some(running));
    }
    host::kv::delete(&key, Some(found.version))?;
    match found.value.end {
        JobEnd::Failed(error) => Err(*error),
        JobEnd::Ended | JobEnd::Other(_) => Ok(None),
    }
}
