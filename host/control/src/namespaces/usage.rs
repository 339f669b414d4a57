//! Usage: asked in batches, remembered for some seconds, always told with the time it was observed.
//!
//! Callers who ask for namespaces of the same provider at the same time share one call: whoever gets the provider's turn
//! asks for all that are waiting. So a thousand reads of a console are some tens of calls and not a thousand.
//!
//! How many are asked for at once follows from what the adapter needs: one that reads a list however many are asked for
//! (WEKA's quotas) is asked for twice as many next time, so that ten thousand namespaces soon cost one list and not
//! eighty; one that looks at each namespace stays at a page of the contract, which its limits allow.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use stowage_domain::{Limits, Millis, Namespace, NamespaceName, Provider, ProviderName, UnixMillis};
use stowage_ports::provider::{CallContext, NativeRef, Usage, Usages};

use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::{Caller, Control, ControlError, Result, Status, rows::Reads};

/// Namespaces of one call at first: a page of the contract.
const PAGE: usize = 128;
/// Namespaces of one call at most: their answer is well below an answer's limit.
const MOST: usize = 10_000;
/// Namespaces that are remembered.
const REMEMBERED: usize = 100_000;

/// What a namespace uses.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageReport {
    /// One entry a dimension, each with its time.
    pub usages: Vec<Usage>,
    /// The limits in force.
    pub limits: Option<Limits>,
}

#[derive(Debug, Clone)]
struct Seen {
    usages: Vec<Usage>,
    asked_at: UnixMillis,
}

type Answered = std::result::Result<Seen, ControlError>;

struct Waiter {
    name: NamespaceName,
    native: NativeRef,
    answer: oneshot::Sender<Answered>,
}

#[derive(Default)]
struct Line {
    waiting: Mutex<Vec<Waiter>>,
    /// Whose turn it is, and how many may be asked for in it.
    turn: tokio::sync::Mutex<Batch>,
}

/// Namespaces of the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Batch(usize);

impl Default for Batch {
    fn default() -> Self {
        Self(PAGE)
    }
}

impl Batch {
    /// After a call for so many, which took so many calls of the host; `None` when it failed.
    fn after(self, asked: usize, host_calls: Option<u32>) -> Self {
        match host_calls.and_then(|calls| usize::try_from(calls).ok()) {
            Some(calls) if calls < asked && asked == self.0 => Self((self.0 * 2).min(MOST)),
            Some(calls) if calls < asked || asked < PAGE => self,
            _ => Self::default(),
        }
    }
}

/// What was seen last, and who waits to see.
#[derive(Default)]
pub(crate) struct UsageCache {
    seen: Mutex<HashMap<NamespaceName, Seen>>,
    lines: Mutex<HashMap<ProviderName, Arc<Line>>>,
}

impl UsageCache {
    pub(super) fn forget(&self, name: &NamespaceName) {
        self.seen.lock().remove(name);
    }

    fn fresh(&self, name: &NamespaceName, now: UnixMillis, age: Millis) -> Option<Vec<Usage>> {
        self.seen.lock().get(name).filter(|seen| now.since(seen.asked_at) <= age).map(|seen| seen.usages.clone())
    }

    fn remember(&self, name: &NamespaceName, seen: Seen) {
        let mut all = self.seen.lock();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(name.clone(), seen);
    }
}

impl Control {
    /// What the namespace uses, as observed within [`crate::Config::usage_age`], or now with `refresh`.
    ///
    /// # Errors
    /// `NAMESPACE_NOT_READY`, what the provider answered. An unreachable provider is answered with what was seen last, if
    /// anything was.
    pub async fn namespace_usage(&self, caller: &Caller, name: &NamespaceName, refresh: bool) -> Result<UsageReport> {
        let namespace = self.get_namespace(caller, name).await?.value;
        let limits = namespace.effective_limits.or(Some(namespace.limits));
        if !refresh && let Some(usages) = self.usage.fresh(name, self.now(), self.config.usage_age) {
            return Ok(UsageReport { usages, limits });
        }
        match self.ask_usage(&namespace).await {
            Ok(seen) => Ok(UsageReport { usages: seen.usages, limits }),
            Err(error) if error.status() == Status::Unavailable && !refresh => {
                match self.usage.fresh(name, self.now(), Millis(u64::MAX)) {
                    Some(usages) => Ok(UsageReport { usages, limits }),
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn ask_usage(&self, namespace: &Namespace) -> Result<Seen> {
        let name = &namespace.name;
        let Some(native) = namespace.native.as_ref().map(|native| NativeRef(native.reference.clone())) else {
            let what = format!("it is {:?} and has nothing to measure", namespace.state);
            return Err(ControlError::precondition("NAMESPACE_NOT_READY", name, what));
        };
        let line = Arc::clone(self.usage.lines.lock().entry(namespace.provider.clone()).or_default());
        loop {
            let (answer, mut answered) = oneshot::channel();
            line.waiting.lock().push(Waiter { name: name.clone(), native: native.clone(), answer });
            let mut size = line.turn.lock().await;
            loop {
                match answered.try_recv() {
                    Ok(answer) => return answer,
                    // Whoever asked for us was dropped in the middle: stand in line again.
                    Err(TryRecvError::Closed) => break,
                    Err(TryRecvError::Empty) => {}
                }
                // Whoever asks at this moment comes along.
                tokio::task::yield_now().await;
                let batch: Vec<Waiter> = {
                    let mut waiting = line.waiting.lock();
                    let end = waiting.len().min(size.0);
                    waiting.drain(..end).collect()
                };
                let (answers, host_calls) = self.read_batch(&namespace.provider, &batch).await;
                *size = size.after(batch.len(), host_calls);
                for (waiter, answer) in batch.into_iter().zip(answers) {
                    if let Ok(seen) = &answer {
                        self.usage.remember(&waiter.name, seen.clone());
                    }
                    // One who has gone away misses nothing.
                    let _ = waiter.answer.send(answer);
                }
            }
        }
    }

    /// One answer for each of the batch, in order, and how many calls of the host that took.
    async fn read_batch(&self, provider: &ProviderName, batch: &[Waiter]) -> (Vec<Answered>, Option<u32>) {
        let mut host_calls = None;
        let answers = self.read_answers(provider, batch, &mut host_calls).await;
        (answers, host_calls)
    }

    async fn read_answers(
        &self,
        provider: &ProviderName,
        batch: &[Waiter],
        host_calls: &mut Option<u32>,
    ) -> Vec<Answered> {
        let all = |error: ControlError| batch.iter().map(|_| Err(error.clone())).collect();
        let asked_at = self.now();
        let natives: Vec<NativeRef> = batch.iter().map(|waiter| waiter.native.clone()).collect();
        let read = async {
            let record = self.tables.read::<Provider>(provider).await?.value;
            let loaded = self.load(&record).await?;
            let cx = CallContext {
                request_id: "usage".to_owned(),
                deadline: Some(crate::providers::PATIENCE),
                safe_only: true,
            };
            let answer = loaded.read_usage(&cx, &natives, &[]).await;
            *host_calls = answer.as_ref().ok().map(|called| called.receipt.host_calls);
            crate::providers::value(provider, answer)
        };
        match read.await {
            Ok(Usages::Done(entries)) if entries.len() == batch.len() => entries
                .into_iter()
                .map(|entry| match entry {
                    Ok(usages) => Ok(Seen { usages, asked_at }),
                    Err(error) => Err(ControlError::provider(provider, &error)),
                })
                .collect(),
            Ok(Usages::Done(entries)) => {
                let message = format!("{provider} answered {} usages for {} namespaces", entries.len(), batch.len());
                all(ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message))
            }
            Ok(Usages::NeedsNode(_)) => {
                let message = format!("{provider} needs a node to read usage, which is not supported");
                all(ControlError::new(Status::Unimplemented, "USAGE_NEEDS_NODE", message))
            }
            Ok(Usages::Other(word)) => {
                let message = format!("{provider} answered {word:?}, which this host does not know; update the host");
                all(ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message))
            }
            Err(error) => all(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_that_reads_a_list_is_asked_for_more_and_one_that_looks_at_each_is_not() {
        let mut size = Batch::default();
        for _ in 0..10 {
            size = size.after(size.0, Some(13));
        }
        assert_eq!(size, Batch(MOST));
        assert_eq!(size.after(700, Some(13)), size, "fewer waited");
        assert_eq!(size.after(1, Some(3)), size, "a single one says nothing");
        assert_eq!(size.after(size.0, None), Batch::default(), "it was too much");
        assert_eq!(Batch::default().after(PAGE, Some(129)), Batch::default());
    }
}
