//! Releasing a workload, and everything that rests on a revoked grant: one operation over many mounts and credentials.
//!
//! Each mount gets a release operation of its own, so a node that is gone holds up its own mount and no other. The parent
//! waits for them all and tells each one's end state.

use stowage_domain::{MountName, NodeName, Workload, WorkloadName, WorkloadState};
use stowage_store::{Segments, Transaction};

use crate::{
    Caller, Control, ControlError, Item, Mount, MountState, Operation, PageRequest, Purpose, Response, Result, Status,
    Stored, WriteOptions,
    operations::{Flow, Stepping},
    rows::{EXPIRIES, Reads, Request, Writes, expiry_key},
};

/// The most mounts that one operation shows one by one.
const MOST_ITEMS: usize = 1000;

impl Control {
    /// Ends a workload: no new mounts from the commit on, then every mount is unmounted and released.
    ///
    /// # Errors
    /// `WORKLOAD_RELEASED`, `ETAG_MISMATCH`, `NOT_FOUND`.
    pub async fn release_workload(
        &self,
        caller: &Caller,
        name: &WorkloadName,
        options: WriteOptions,
    ) -> Result<(Option<Operation>, Workload)> {
        let request = Request::new(caller, &options, "release-workload", name, self.now())?;
        loop {
            let stored = self.get_workload(caller, name).await?;
            if let Some(operation) = self.answered(&request).await? {
                return Ok((Some(operation), stored.value));
            }
            stored.check_etag(options.etag.as_deref(), name)?;
            if stored.value.state != WorkloadState::Active {
                let what = format!("it is {:?} already", stored.value.state);
                return Err(ControlError::precondition("WORKLOAD_RELEASED", name, what));
            }
            let mut workload = stored.value;
            workload.state = WorkloadState::Releasing;
            workload.updated_at = self.now();
            if options.validate_only {
                return Ok((None, workload));
            }
            let purpose = Purpose::ReleaseWorkload { workload: name.clone() };
            let operation = self.intend(caller, purpose, &name.project_name(), None)?;
            let mut change = Transaction::new();
            change.update(&workload, stored.version);
            if let Some(end) = workload.expires_at {
                change.unindex(EXPIRIES, &expiry_key(end, name));
            }
            self.write_intent(&mut change, caller, &operation, Some(&request));
            match change.commit(&self.tables).await {
                Ok(_) => {
                    self.queue.wake(&operation.name.operation);
                    return Ok((Some(operation), workload));
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) async fn step_release_workload(
        &self,
        operation: &mut Operation,
        name: &WorkloadName,
    ) -> Result<Stepping> {
        let prefix = Segments::of([name.tenant.as_str(), name.project.as_str(), name.workload.as_str()]);
        let mut open = Vec::new();
        let mut page = PageRequest { size: 1000, token: String::new() };
        loop {
            let found = self.tables.list::<Mount>(&prefix, &page).await?;
            open.extend(found.items.into_iter().filter(|mount| !mount.value.state.ended()).map(|m| m.value.name));
            if found.next.is_empty() {
                break;
            }
            page.token = found.next;
        }
        let mounts = self.release_each(operation, open, false).await?;
        let ended = self.end_workload_credentials(operation, name).await?;
        if let Some(flow) = mounts.or_else(|| (!ended).then_some(Flow::Operations)) {
            return Ok(flow.alone());
        }
        let Stored { value: mut workload, version } = self.tables.read::<Workload>(name).await?;
        let now = self.now();
        workload.state = WorkloadState::Released;
        workload.released_at = Some(now);
        workload.updated_at = now;
        let mut change = Transaction::new();
        change.update(&workload, version);
        Ok((Flow::done(Response::Workload(Box::new(workload))), change))
    }

    /// Starts the release of each open mount that has none, and tells whether to wait. Items are kept from turn to turn, so
    /// a mount that has ended is still told of.
    pub(crate) async fn release_each(
        &self,
        operation: &mut Operation,
        open: Vec<MountName>,
        revoked: bool,
    ) -> Result<Option<Flow>> {
        for name in &open {
            self.release_one(operation, name, revoked).await?;
            let resource = name.to_string();
            let known = operation.items.iter().any(|item| item.resource == resource);
            if !known && operation.items.len() < MOST_ITEMS {
                operation.items.push(Item { resource, state: "releasing".to_owned(), problem: None });
            }
        }
        for item in &mut operation.items {
            let Ok(name) = MountName::parse(&item.resource) else { continue };
            if let Some(mount) = self.tables.find::<Mount>(&name).await? {
                (item.state, item.problem) = end_state(&mount.value);
            }
        }
        Ok(if open.is_empty() { None } else { Some(Flow::Operations) })
    }

    async fn release_one(&self, parent: &Operation, name: &MountName, revoked: bool) -> Result<()> {
        loop {
            let Some(stored) = self.tables.find::<Mount>(name).await? else { return Ok(()) };
            if stored.value.state.ended() || stored.value.state == MountState::Releasing {
                return Ok(());
            }
            if let Some(running) = &stored.value.operation {
                // It is still being made: stop that; its end wakes nobody, so the parent looks again.
                let host = Caller::host();
                match self.cancel_operation(&host, running).await {
                    Ok(_) => {}
                    Err(error) if matches!(error.status(), Status::FailedPrecondition | Status::NotFound) => {}
                    Err(error) => return Err(error),
                }
                return Ok(());
            }
            match self.start_release(&requester(parent), stored, revoked, Some(parent.name.clone())).await {
                Ok(_) => return Ok(()),
                Err(error) if error.status() == Status::Aborted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Who asked for the parent asks for its children.
fn requester(parent: &Operation) -> Caller {
    let mut caller = Caller::host();
    caller.identity.subject.clone_from(&parent.requester);
    caller.call_id.clone_from(&parent.call_id);
    caller
}

/// A mount's end state in a word, and what is wrong with it.
fn end_state(mount: &Mount) -> (String, Option<crate::Problem>) {
    let word = match mount.state {
        MountState::Released | MountState::Revoked if mount.state_reason.is_empty() => "released",
        MountState::Released | MountState::Revoked => {
            let node = mount.node.as_ref().map(NodeName::to_string).unwrap_or_default();
            let reason = mount.state_reason.clone();
            let problem = ControlError::new(Status::Unavailable, "NODE_UNREACHABLE", reason).with("node", node);
            return ("node-unreachable".to_owned(), Some(*problem.0));
        }
        MountState::Failed => "failed",
        MountState::Releasing => "releasing",
        MountState::Preparing | MountState::Requested | MountState::Mounted | MountState::Stale => "unmounting",
    };
    (word.to_owned(), None)
}
