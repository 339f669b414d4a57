//! The first commit of an operation: everything that makes the change true, before the answer leaves.

use stowage_audit::Outcome;
use stowage_domain::{OperationName, ProjectName, ProviderName};
use stowage_store::Transaction;

use super::{Operation, OperationState, Policy, Purpose, Waiting};
use crate::{
    Caller, Control, Result, ids,
    rows::{Reads, Request, Writes, index_operation},
};

impl Control {
    /// A new operation, not yet written.
    pub(crate) fn intend(
        &self,
        caller: &Caller,
        purpose: Purpose,
        project: &ProjectName,
        provider: Option<ProviderName>,
    ) -> Result<Operation> {
        let now = self.now();
        let id = ids::operation(now)?;
        let deadline = Policy::of(purpose.kind()).deadline;
        Ok(Operation {
            owner: ids::owner(&self.config.installation, &id),
            name: OperationName::new(id),
            tenant: Some(project.tenant.clone()),
            project: Some(project.project.clone()),
            provider,
            requester: caller.identity.subject.clone(),
            call_id: caller.call_id.clone(),
            state: OperationState::Running,
            step: purpose.first_step(),
            steps_done: 0,
            attempts: 0,
            next_at: now,
            deadline: now.plus(stowage_domain::Millis(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX))),
            waiting: Waiting::No,
            node_outcome: None,
            cancel_requested: false,
            last_error: None,
            error: None,
            items: Vec::new(),
            response: None,
            created_at: now,
            updated_at: now,
            ended_at: None,
            purpose,
        })
    }

    /// Adds the operation, its index rows, its audit entry and its request id to the change.
    pub(crate) fn write_intent(
        &self,
        change: &mut Transaction,
        caller: &Caller,
        operation: &Operation,
        request: Option<&Request>,
    ) {
        change.insert(operation);
        index_operation(change, operation);
        let action = format!("storage.{}", operation.purpose.kind().word());
        self.audit(change, caller, &action, operation.purpose.resource(), Outcome::Accepted, &operation.name);
        if let Some(request) = request {
            request.claim(change, &operation.name);
        }
    }

    /// The operation that the request made before, if it did.
    pub(crate) async fn answered(&self, request: &Request) -> Result<Option<Operation>> {
        match request.answered(&self.tables).await? {
            Some(name) => Ok(Some(self.tables.read::<Operation>(&OperationName::parse(&name)?).await?.value)),
            None => Ok(None),
        }
    }
}
