//! A node's agent reports how work ended.

use stowage_domain::{Millis, NodeName, UnixMillis, WorkName};
use stowage_store::{Segments, Transaction};

use super::{Order, Work, WorkOutcome};
use crate::{
    Caller, Control, ControlError, Mount, MountState, Result, Status, Stored, ids,
    operations::{Operation, OperationState, Waiting},
    rows::{REPORTED_WORK, Reads, Writes},
};

/// A report.
#[derive(Debug, Clone)]
pub struct ReportWork {
    /// The work.
    pub name: WorkName,
    /// Proof of the claim.
    pub claim: String,
    /// How it ended.
    pub outcome: WorkOutcome,
}

/// How long a repeat of a report is answered.
const KEPT: Millis = Millis(3_600_000);

fn reported_key(name: &WorkName) -> Segments {
    Segments::of([name.node.as_str(), name.work.as_str()])
}

impl Control {
    /// Records the report and moves the operation on, in one commit. A repeat changes nothing.
    ///
    /// # Errors
    /// `STALE_CLAIM` when the work was handed out again or withdrawn since; `OUT_OF_SCOPE` for another node's work.
    pub async fn report_work(&self, caller: &Caller, command: ReportWork) -> Result<()> {
        let name = &command.name;
        caller.must_be_node(&NodeName::new(name.node.clone()))?;
        let digest = ids::digest(40, &[&command.claim, &format!("{:?}", command.outcome)]);
        loop {
            let Some(work) = self.tables.find::<Work>(name).await? else {
                return match self.tables.lookup(REPORTED_WORK, &reported_key(name)).await? {
                    Some((text, _)) if text == digest => Ok(()),
                    _ => Err(stale(name)),
                };
            };
            if work.value.lease.as_ref().is_none_or(|lease| lease.claim != command.claim) {
                return Err(stale(name));
            }
            let now = self.now();
            let mut change = Transaction::new();
            change.remove::<Work>(name, work.version);
            change.index(REPORTED_WORK, &reported_key(name), &digest);
            self.forget_reports(&mut change, name, now).await?;
            let operation = self.tables.find::<Operation>(&work.value.operation).await?;
            if let Some(stored) = operation
                && stored.value.waiting == Waiting::Node(name.clone())
            {
                let mut operation = stored.value;
                operation.waiting = Waiting::No;
                operation.state = OperationState::Running;
                operation.next_at = now;
                operation.updated_at = now;
                operation.node_outcome = Some(command.outcome.clone());
                change.update(&operation, stored.version);
            }
            self.note_late_unmount(&mut change, &work.value, &command.outcome).await?;
            match change.commit(&self.tables).await {
                Ok(_) => {
                    self.queue.wake(&work.value.operation.operation);
                    return Ok(());
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// An unmount that was given up and happened after all is a confirmed one.
    async fn note_late_unmount(&self, change: &mut Transaction, work: &Work, outcome: &WorkOutcome) -> Result<()> {
        if let Order::Unmount { mount, .. } = &work.order
            && outcome.failure().is_none()
            && let Some(Stored { value: mut mount, version }) = self.tables.find::<Mount>(mount).await?
            && matches!(mount.state, MountState::Released | MountState::Revoked)
        {
            mount.state_reason.clear();
            mount.updated_at = self.now();
            change.update(&mount, version);
        }
        Ok(())
    }

    /// Drops a few reports that are too old to be repeated: ids of work are in order of time.
    async fn forget_reports(&self, change: &mut Transaction, name: &WorkName, now: UnixMillis) -> Result<()> {
        let prefix = Segments::of([name.node.as_str()]);
        let oldest = format!("w-{:011x}", now.0.saturating_sub(KEPT.0));
        for (key, _, _) in self.tables.entries(REPORTED_WORK, &prefix, None, 4).await?.items {
            if key.text_at(1).is_some_and(|id| id < oldest) {
                change.unindex(REPORTED_WORK, &key);
            }
        }
        Ok(())
    }
}

fn stale(name: &WorkName) -> ControlError {
    let message = format!("the claim on {name} holds no more: the work was handed out again, ended or withdrawn");
    ControlError::new(Status::Aborted, "STALE_CLAIM", message)
}
