//! Creates that come at the same time share a commit.
//!
//! Every create writes the ledgers of its provider, so of two that commit apart one loses the race, and one after the other
//! they wait for a sync each. At the desk up to eight are decided one after the other on one book and committed as one
//! transaction of at most 100 writes. Each is still refused or accepted by itself: one over its quota takes nothing from
//! the next. Should the shared commit lose a race, each is tried alone.

use parking_lot::Mutex;
use stowage_domain::{Decision, Namespace, NamespaceName};
use stowage_ports::store::Commit;
use stowage_store::Transaction;
use tokio::sync::{mpsc, oneshot};

use super::{CreateNamespace, Started};
use crate::{
    Caller, Control, ControlError, Operation, Result, Status,
    rows::{Book, Request},
};

/// Creates of one commit.
const TOGETHER: usize = 8;
/// The most writes of one create: thirteen rows of its own and three ledgers, which creates of one project share.
const EACH: usize = 16;
/// Creates that wait at the desk before callers wait at the door.
const QUEUE: usize = 1024;
/// How often a lost race is run again.
const RACES: u32 = 64;

struct Intent {
    caller: Caller,
    command: CreateNamespace,
    validate_only: bool,
    request: Request,
    answer: oneshot::Sender<Result<Started>>,
}

impl Intent {
    fn name(&self) -> NamespaceName {
        self.command.project.namespace(self.command.id.clone())
    }
}

/// Where creates are handed in.
pub(crate) struct Desk {
    intents: mpsc::Sender<Intent>,
    /// Taken by whoever attends.
    waiting: Mutex<Option<mpsc::Receiver<Intent>>>,
}

impl Default for Desk {
    fn default() -> Self {
        let (intents, waiting) = mpsc::channel(QUEUE);
        Self { intents, waiting: Mutex::new(Some(waiting)) }
    }
}

impl Control {
    pub(super) async fn hand_in(
        &self,
        caller: &Caller,
        command: CreateNamespace,
        validate_only: bool,
        request: Request,
    ) -> Result<Started> {
        let stopping = || {
            let message = "the host is stopping: repeat the request with the same request id";
            ControlError::new(Status::Unavailable, "HOST_STOPPING", message)
        };
        let (answer, answered) = oneshot::channel();
        let intent = Intent { caller: caller.clone(), command, validate_only, request, answer };
        self.desk.intents.send(intent).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }

    /// Attends until the host stops. What was handed in and not answered then is told so.
    pub(crate) async fn attend_desk(&self) {
        let Some(mut waiting) = self.desk.waiting.lock().take() else { return };
        let mut batch = Vec::with_capacity(TOGETHER);
        loop {
            tokio::select! {
                () = self.draining() => return,
                received = waiting.recv_many(&mut batch, TOGETHER) => if received == 0 { return },
            }
            tokio::select! {
                () = self.stopping() => return,
                () = self.serve(std::mem::take(&mut batch)) => {}
            }
        }
    }

    async fn serve(&self, batch: Vec<Intent>) {
        let _turn = self.reserving.lock().await;
        let (mut book, mut change) = (Book::default(), Transaction::new());
        let mut drafts: Vec<(Intent, Operation, Namespace)> = Vec::new();
        let mut alone = Vec::new();
        for intent in batch {
            let name = intent.name();
            let twice = drafts
                .iter()
                .any(|(other, _, namespace)| namespace.name == name || other.request.same_id(&intent.request));
            let full = change.len().saturating_add(book.entered()).saturating_add(EACH) > Commit::MAX_WRITES;
            if intent.validate_only || twice || full {
                alone.push(intent);
                continue;
            }
            match self.draft(&intent, &mut book, &mut change).await {
                Ok(Draft::New(operation, namespace, _)) => drafts.push((intent, *operation, *namespace)),
                Ok(Draft::Answered(started)) => tell(intent, Ok(*started)),
                Err(error) => tell(intent, Err(error)),
            }
        }
        if !drafts.is_empty() {
            book.write(&mut change);
            metrics::histogram!("stowage_creates_per_commit")
                .record(f64::from(u32::try_from(drafts.len()).unwrap_or(0)));
            match change.commit(&self.tables).await {
                Ok(_) => {
                    for (intent, operation, namespace) in drafts {
                        self.queue.wake(&operation.name.operation);
                        tell(intent, Ok(Started::running(operation, namespace)));
                    }
                }
                Err(error) if error.is_conflict() => alone.extend(drafts.into_iter().map(|(intent, _, _)| intent)),
                Err(error) => {
                    let error = ControlError::from(error);
                    drafts.into_iter().for_each(|(intent, _, _)| tell(intent, Err(error.clone())));
                }
            }
        }
        for intent in alone {
            let answer = self.serve_alone(&intent).await;
            tell(intent, answer);
        }
    }

    async fn draft(&self, intent: &Intent, book: &mut Book, change: &mut Transaction) -> Result<Draft> {
        if let Some(operation) = self.answered(&intent.request).await? {
            return Ok(Draft::Answered(Box::new(self.started(operation).await?)));
        }
        let (operation, namespace, decision) =
            self.intend_namespace(&intent.caller, &intent.command, &intent.request, book, change).await?;
        Ok(Draft::New(Box::new(operation), Box::new(namespace), decision))
    }

    async fn serve_alone(&self, intent: &Intent) -> Result<Started> {
        let mut races = 0;
        loop {
            let (mut book, mut change) = (Book::default(), Transaction::new());
            let (operation, namespace, decision) = match self.draft(intent, &mut book, &mut change).await? {
                Draft::Answered(started) => return Ok(*started),
                Draft::New(operation, namespace, decision) => (*operation, *namespace, decision),
            };
            if intent.validate_only {
                return Ok(Started { placement: Some(decision), ..Started::would_be(namespace) });
            }
            book.write(&mut change);
            match change.commit(&self.tables).await {
                Ok(_) => {
                    self.queue.wake(&operation.name.operation);
                    return Ok(Started::running(operation, namespace));
                }
                Err(error) if error.is_conflict() && races < RACES => races += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

enum Draft {
    New(Box<Operation>, Box<Namespace>, Decision),
    Answered(Box<Started>),
}

/// One who has gone away finds the operation by its request id.
fn tell(intent: Intent, answer: Result<Started>) {
    let _ = intent.answer.send(answer);
}
