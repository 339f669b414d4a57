//! Operations as callers see them: get, list, wait, cancel.

use std::time::Duration;

use stowage_domain::{OperationId, OperationName, ProjectName, TenantName};
use stowage_store::{Segments, Transaction};

use super::{Operation, StepName};
use crate::{
    Caller, Control, ControlError, Listed, PageRequest, Result, Stored,
    rows::{OPEN_OPERATIONS, PROJECT_OPERATIONS, Reads, TENANT_OPERATIONS, Writes},
};

/// Whose operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationFilter {
    /// Everybody's.
    All,
    /// A tenant's.
    Tenant(TenantName),
    /// A project's.
    Project(ProjectName),
}

/// Which operations.
#[derive(Debug, Clone)]
pub struct ListOperations {
    /// Whose.
    pub of: OperationFilter,
    /// Only those that have not ended.
    pub unfinished_only: bool,
    /// Which part of the list.
    pub page: PageRequest,
}

/// The longest wait for an operation.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Control {
    fn check_operation(&self, caller: &Caller, operation: &Operation) -> Result<()> {
        match (&operation.tenant, &operation.project) {
            (Some(tenant), Some(project)) => caller.may_touch(&ProjectName::new(tenant.clone(), project.clone())),
            (Some(tenant), None) => caller.may_touch_tenant(&TenantName::new(tenant.clone())),
            _ => caller.may_touch_region(),
        }
    }

    /// One operation.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn get_operation(&self, caller: &Caller, name: &OperationName) -> Result<Operation> {
        let operation = self.tables.read::<Operation>(name).await?.value;
        self.check_operation(caller, &operation)?;
        Ok(operation)
    }

    /// Operations, newest first.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`, a wrong page token.
    pub async fn list_operations(&self, caller: &Caller, command: ListOperations) -> Result<Listed<Operation>> {
        let page = &command.page;
        let (index, prefix, at) = match &command.of {
            OperationFilter::All => {
                caller.may_touch_region()?;
                if !command.unfinished_only {
                    let found = self.tables.list::<Operation>(&Segments::new(), page).await?;
                    return Ok(Listed { items: found.items.into_iter().map(|o| o.value).collect(), next: found.next });
                }
                (OPEN_OPERATIONS, Segments::new(), 0)
            }
            OperationFilter::Tenant(tenant) => {
                caller.may_touch_tenant(tenant)?;
                (TENANT_OPERATIONS, Segments::of([tenant.tenant.as_str()]), 1)
            }
            OperationFilter::Project(project) => {
                caller.may_touch(project)?;
                let prefix = Segments::of([project.tenant.as_str(), project.project.as_str()]);
                (PROJECT_OPERATIONS, prefix, 2)
            }
        };
        let found = self.tables.entries(index, &prefix, page.cursor()?.as_ref(), page.limit()).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for (key, _, _) in &found.items {
            let Some(id) = key.text_at(at).and_then(|id| OperationId::parse(&id).ok()) else { continue };
            if let Some(operation) = self.tables.find::<Operation>(&OperationName::new(id)).await?
                && !(command.unfinished_only && operation.value.done())
                && self.check_operation(caller, &operation.value).is_ok()
            {
                items.push(operation.value);
            }
        }
        Ok(Listed::of(items, found.next))
    }

    /// The operation when it has ended, or as it is after `timeout` (at most 60 s).
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn wait_operation(&self, caller: &Caller, name: &OperationName, timeout: Duration) -> Result<Operation> {
        let end = tokio::time::Instant::now() + timeout.min(LONGEST_WAIT);
        let key = name.to_string();
        let topic = self.hub.topic(&key);
        let waited = async {
            loop {
                let mut woken = std::pin::pin!(topic.notified());
                woken.as_mut().enable();
                let operation = self.get_operation(caller, name).await?;
                if operation.done() {
                    return Ok(operation);
                }
                if tokio::time::timeout_at(end, woken).await.is_err() {
                    return self.get_operation(caller, name).await;
                }
            }
        }
        .await;
        self.hub.leave(&key, topic);
        waited
    }

    /// Asks an operation to stop and to undo what it made. It still has to end: wait for it.
    ///
    /// # Errors
    /// `OPERATION_NOT_CANCELLABLE` when it has ended, or removes or changes what is there already.
    pub async fn cancel_operation(&self, caller: &Caller, name: &OperationName) -> Result<Operation> {
        loop {
            let Stored { value: mut operation, version } = self.tables.read::<Operation>(name).await?;
            self.check_operation(caller, &operation)?;
            if operation.cancel_requested {
                return Ok(operation);
            }
            if operation.done() || !operation.purpose.can_undo() || operation.step == StepName::Undo {
                let what = if operation.done() { "it has ended" } else { "it cannot be undone" };
                return Err(ControlError::precondition("OPERATION_NOT_CANCELLABLE", name, what));
            }
            operation.cancel_requested = true;
            operation.updated_at = self.now();
            let mut change = Transaction::new();
            change.update(&operation, version);
            self.audit(&mut change, caller, "storage.operation.cancel", name, stowage_audit::Outcome::Accepted, name);
            match change.commit(&self.tables).await {
                Ok(_) => {
                    self.queue.wake(&name.operation);
                    return Ok(operation);
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
