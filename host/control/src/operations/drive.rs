//! Driving one operation: look at its record, take its step, commit what came of it, until it ends or has to wait.

use std::time::Duration;

use stowage_domain::{Millis, OperationId, OperationName, UnixMillis, WorkName};
use stowage_ports::provider::JobStatus;
use stowage_store::Transaction;
use tracing::Instrument as _;

use super::{
    CallKind, Flow, Operation, OperationState, Policy, StepName, Waiting,
    retry::pause,
    step::{Called, Stepping, sort},
};
use crate::{
    Control, ControlError, Problem, Result, Status, Stored, ids,
    rows::{Reads, Writes, index_end},
    work::{Order, Work, pick_node},
};

/// How a drive ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parked {
    /// It ended, or is not there.
    Out,
    /// It is due again then, or when it is woken.
    Until(UnixMillis),
}

/// How often the record of a waiting operation is looked at, should a wake-up have been lost with a crash.
const WAIT_CHECK: Millis = Millis(15_000);
/// How long after trouble with the state store.
const STORE_PAUSE: Millis = Millis(1_000);
/// How many lost races in a row before a pause.
const RACES: u32 = 20;

impl Control {
    /// Drives the operation as far as it goes now.
    pub(crate) async fn drive(&self, id: &OperationId) -> Parked {
        let name = OperationName::new(id.clone());
        let mut races = 0;
        loop {
            match self.turn(&name).await {
                Ok(Some(parked)) => return parked,
                Ok(None) => races = 0,
                Err(error) if error.status() == Status::Aborted && races < RACES => races += 1,
                Err(error) => {
                    tracing::warn!(operation = %name, error = %error, "the operation pauses on trouble with its record");
                    return Parked::Until(self.now().plus(STORE_PAUSE));
                }
            }
        }
    }

    /// One commit further; `None` when there may be more to do at once.
    async fn turn(&self, name: &OperationName) -> Result<Option<Parked>> {
        let Some(stored) = self.tables.find::<Operation>(name).await? else { return Ok(Some(Parked::Out)) };
        let operation = &stored.value;
        if operation.done() {
            return Ok(Some(Parked::Out));
        }
        // It runs long after its call was answered; the call's id leads from the one to the other.
        let span = tracing::info_span!(
            "operation", operation = %name, step = operation.step.word(), call_id = %operation.call_id
        );
        self.advance(stored).instrument(span).await
    }

    async fn advance(&self, stored: Stored<Operation>) -> Result<Option<Parked>> {
        let mut operation = stored.value.clone();
        let now = self.now();
        if operation.cancel_requested && operation.step != StepName::Undo {
            let message = "the operation was cancelled on request";
            let problem = ControlError::new(Status::Cancelled, "OPERATION_CANCELLED", message).0;
            return self.apply(&stored, operation, Flow::Fail(problem).alone()).await;
        }
        let stepping = match operation.waiting.clone() {
            Waiting::No if operation.next_at > now => return Ok(Some(Parked::Until(operation.next_at))),
            Waiting::No | Waiting::Operations => self.timed_step(&mut operation).await?,
            Waiting::Job(job) => match self.poll(&mut operation, &job).await? {
                Poll::Ended => self.timed_step(&mut operation).await?,
                Poll::Running(at) => return Ok(Some(Parked::Until(at))),
                Poll::Flow(flow) => flow.alone(),
            },
            Waiting::Node(work) => match self.watch_node(&operation, &work).await? {
                None => return Ok(Some(Parked::Until(now.plus(WAIT_CHECK).min(operation.deadline)))),
                Some(stepping) => stepping,
            },
            Waiting::AnyNode(work) => {
                self.queue.waits_for_any_node(&operation.name.operation);
                if now >= operation.deadline {
                    self.node_timeout(&mut operation).await?
                } else if pick_node(&self.tables, &work.source, now, self.config.report_interval).await?.is_some() {
                    Flow::Steps(*work).alone()
                } else {
                    return Ok(Some(Parked::Until(now.plus(WAIT_CHECK).min(operation.deadline))));
                }
            }
        };
        self.apply(&stored, operation, stepping).await
    }

    async fn timed_step(&self, operation: &mut Operation) -> Result<Stepping> {
        let started = tokio::time::Instant::now();
        let step = operation.step;
        let stepping = self.step(operation).await;
        let labels = [("kind", operation.purpose.kind().word()), ("step", step.word())];
        metrics::histogram!("stowage_operation_step_seconds", &labels).record(started.elapsed().as_secs_f64());
        stepping
    }

    async fn poll(&self, operation: &mut Operation, job: &stowage_ports::provider::Job) -> Result<Poll> {
        let now = self.now();
        if operation.next_at > now {
            return Ok(Poll::Running(operation.next_at));
        }
        if now >= operation.deadline && operation.step != StepName::Undo {
            let problem = overdue(operation, now);
            return Ok(Poll::Flow(Flow::Fail(problem)));
        }
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Poll::Flow(Flow::retry(error))),
        };
        let answer = self.guard(operation, provider.poll_job(&operation.context(), &job.handle)).await;
        Ok(match sort(operation, CallKind::Look, answer) {
            Called::Value(JobStatus::Running(next)) if next.handle == job.handle => {
                Poll::Running(now.plus(poll_pause(&next)))
            }
            Called::Value(JobStatus::Running(next)) => Poll::Flow(Flow::Job(next)),
            // The same call again tells what came of it.
            Called::Value(JobStatus::Ended) | Called::Gone => Poll::Ended,
            Called::Value(JobStatus::Failed(error)) => {
                let provider = operation.provider.as_ref().map(ToString::to_string).unwrap_or_default();
                Poll::Flow(Flow::retry(ControlError::provider(provider, &error)))
            }
            Called::Value(JobStatus::Other(word)) => Poll::Flow(super::step::unknown(&word)),
            Called::Flow(Flow::Fail(problem)) if problem.status == Status::NotFound => Poll::Ended,
            Called::Unknown(flow) | Called::Flow(flow) => Poll::Flow(flow),
        })
    }

    /// A node has the work: wait on, take the work away from a node that is gone, or give up.
    async fn watch_node(&self, operation: &Operation, name: &WorkName) -> Result<Option<Stepping>> {
        let now = self.now();
        let work = self.tables.find::<Work>(name).await?;
        // An unmount stays with its node: it is done whenever the node comes back.
        let unmount = work.as_ref().is_some_and(|work| matches!(work.value.order, Order::Unmount { .. }));
        if now >= operation.deadline && (operation.step != StepName::Undo || unmount) {
            let mut operation = operation.clone();
            let (flow, mut change) = self.node_timeout(&mut operation).await?;
            if !unmount && !matches!(flow, Flow::Fail(_)) {
                withdraw(&mut change, work.as_ref());
            }
            return Ok(Some((flow, change)));
        }
        let Some(work) = work else { return Ok(Some(Flow::Again.alone())) };
        let Order::Steps(steps) = &work.value.order else { return Ok(None) };
        let node = stowage_domain::NodeName::new(name.node.clone());
        let online = match self.tables.find::<stowage_domain::Node>(&node).await? {
            Some(node) => {
                node.value.presence(now, self.config.report_interval) == stowage_domain::node::Presence::Online
            }
            None => false,
        };
        if online {
            return Ok(None);
        }
        let mut change = Transaction::new();
        withdraw(&mut change, Some(&work));
        Ok(Some((Flow::Steps(steps.clone()), change)))
    }

    /// Writes down where the step led, with all its changes, in one commit.
    async fn apply(
        &self,
        stored: &Stored<Operation>,
        mut operation: Operation,
        (flow, mut change): Stepping,
    ) -> Result<Option<Parked>> {
        let now = self.now();
        let flow = limit(&operation, flow, now);
        let mut parked = None;
        operation.updated_at = now;
        let waited_for = std::mem::take(&mut operation.waiting);
        if let (Waiting::Node(work), Flow::Fail(_)) = (&waited_for, &flow) {
            let work = self.tables.find::<Work>(work).await?;
            withdraw(&mut change, work.as_ref());
        }
        match flow {
            Flow::Next(step) => {
                operation.steps_done = operation.steps_done.saturating_add(1);
                enter(&mut operation, step, now);
            }
            Flow::Again => {
                let step = operation.step;
                enter(&mut operation, step, now);
            }
            Flow::Job(job) => {
                operation.next_at = now.plus(poll_pause(&job));
                operation.state = OperationState::WaitingJob;
                parked = Some(Parked::Until(operation.next_at));
                operation.waiting = Waiting::Job(job);
            }
            Flow::Steps(work) => {
                operation.node_outcome = None;
                operation.deadline = later(now, operation.policy().node_patience);
                operation.state = OperationState::WaitingNode;
                operation.next_at = now.plus(WAIT_CHECK);
                let node = pick_node(&self.tables, &work.source, now, self.config.report_interval).await?;
                let reason = match &node {
                    Some(node) => format!("waits for {node} to prepare its directories"),
                    None => format!("waits for a node that has {}", crate::work::need(&work.source)),
                };
                self.note_waiting(&operation, &mut change, reason).await?;
                match node {
                    Some(node) => self.order(&mut operation, &mut change, &node, Order::Steps(work))?,
                    None => operation.waiting = Waiting::AnyNode(Box::new(work)),
                }
                parked = Some(Parked::Until(operation.next_at));
            }
            Flow::Assign(node, order, patience) => {
                operation.node_outcome = None;
                operation.deadline = now.plus(patience);
                operation.state = OperationState::WaitingNode;
                operation.next_at = now.plus(WAIT_CHECK.min(patience));
                self.order(&mut operation, &mut change, &node, *order)?;
                parked = Some(Parked::Until(operation.next_at));
            }
            Flow::Operations => {
                operation.waiting = Waiting::Operations;
                operation.state = OperationState::Running;
                operation.next_at = now.plus(WAIT_CHECK);
                parked = Some(Parked::Until(operation.next_at));
            }
            Flow::Retry { problem, after, .. } => {
                operation.attempts = operation.attempts.saturating_add(1);
                operation.next_at = now.plus(pause(operation.attempts, after));
                operation.state = if operation.step == StepName::Undo {
                    OperationState::Compensating
                } else {
                    OperationState::Retrying
                };
                self.note_retry(&operation, &mut change, &problem).await?;
                tracing::info!(
                    operation = %operation.name, step = operation.step.word(), attempts = operation.attempts,
                    reason = %problem.reason, "a step failed and is tried again"
                );
                operation.last_error = Some(*problem);
                parked = Some(Parked::Until(operation.next_at));
            }
            Flow::Fail(problem) if operation.purpose.can_undo() && operation.step != StepName::Undo => {
                operation.last_error = Some((*problem).clone());
                operation.error = Some(*problem);
                enter(&mut operation, StepName::Undo, now);
            }
            Flow::Fail(problem) => {
                operation.last_error = Some((*problem).clone());
                operation.error = Some((*problem).clone());
                self.failed(&operation, &mut change, &problem).await?;
                self.end(&mut operation, &mut change, OperationState::Failed, None, now);
                parked = Some(Parked::Out);
            }
            Flow::End { state, response } => {
                operation.steps_done = operation.steps_done.saturating_add(1);
                self.end(&mut operation, &mut change, state, response, now);
                parked = Some(Parked::Out);
            }
        }
        change.update(&operation, stored.version);
        change.commit(&self.tables).await?;
        self.committed(&operation);
        Ok(parked)
    }

    fn order(
        &self,
        operation: &mut Operation,
        change: &mut Transaction,
        node: &stowage_domain::NodeName,
        order: Order,
    ) -> Result<()> {
        let now = self.now();
        let Some(provider) = operation.provider.clone() else {
            return Err(ControlError::new(
                Status::Internal,
                "NO_PROVIDER",
                format!("{} has no provider", operation.name),
            ));
        };
        let name = WorkName::new(node.node.clone(), ids::work(now)?);
        let work = Work {
            name: name.clone(),
            operation: operation.name.clone(),
            provider,
            order,
            attempt: 0,
            lease: None,
            created_at: now,
        };
        change.insert(&work);
        operation.waiting = Waiting::Node(name);
        Ok(())
    }

    fn end(
        &self,
        operation: &mut Operation,
        change: &mut Transaction,
        state: OperationState,
        response: Option<super::Response>,
        now: UnixMillis,
    ) {
        operation.state = state;
        operation.response = response;
        operation.ended_at = Some(now);
        operation.next_at = now;
        operation.node_outcome = None;
        index_end(change, &operation.name.operation, now);
        self.audit_end(operation, change);
    }

    /// Tells everybody inside the process what was just made durable.
    fn committed(&self, operation: &Operation) {
        if let Waiting::Node(work) = &operation.waiting {
            self.hub.wake(&stowage_domain::NodeName::new(work.node.clone()).to_string());
        }
        if operation.done() {
            let labels = [("kind", operation.purpose.kind().word()), ("state", operation.state.word())];
            metrics::counter!("stowage_operations_total", &labels).increment(1);
            if let super::Purpose::ReleaseMount { parent: Some(parent), .. }
            | super::Purpose::RevokeCredential { parent: Some(parent), .. } = &operation.purpose
            {
                self.queue.wake(&parent.operation);
            }
        }
        self.hub.wake(&operation.name.to_string());
    }
}

enum Poll {
    Ended,
    Running(UnixMillis),
    Flow(Flow),
}

fn poll_pause(job: &stowage_ports::provider::Job) -> Millis {
    Millis(u64::from(job.poll_after_ms).clamp(20, 60_000))
}

fn later(now: UnixMillis, by: Duration) -> UnixMillis {
    now.plus(Millis(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
}

/// Begins a step.
fn enter(operation: &mut Operation, step: StepName, now: UnixMillis) {
    operation.step = step;
    operation.attempts = 0;
    operation.node_outcome = None;
    operation.next_at = now;
    operation.state = if step == StepName::Undo { OperationState::Compensating } else { OperationState::Running };
    operation.deadline = later(now, operation.policy().deadline);
}

/// Takes work back that its node need not do any more.
fn withdraw(change: &mut Transaction, work: Option<&Stored<Work>>) {
    if let Some(work) = work {
        change.remove::<Work>(&work.value.name, work.version);
    }
}

fn overdue(operation: &Operation, now: UnixMillis) -> Box<Problem> {
    let waited = now.since(operation.created_at);
    let message = format!("step {} was given up {} s after the request", operation.step.word(), waited.0 / 1000);
    ControlError::new(Status::DeadlineExceeded, "OPERATION_DEADLINE", message).0
}

/// Gives a step up that has failed too often or too long.
fn limit(operation: &Operation, flow: Flow, now: UnixMillis) -> Flow {
    let Flow::Retry { problem, after, few } = flow else { return flow };
    let policy = operation.policy();
    let attempts = operation.attempts.saturating_add(1);
    let most = if few && operation.step != StepName::Undo {
        policy.attempts.min(Policy::DEFECT_ATTEMPTS)
    } else {
        policy.attempts
    };
    let endless = operation.step == StepName::Undo;
    if !endless && (attempts >= most || now >= operation.deadline) {
        let mut problem = problem;
        problem.metadata.push(("attempts".to_owned(), attempts.to_string()));
        return Flow::Fail(problem);
    }
    Flow::Retry { problem, after, few }
}
