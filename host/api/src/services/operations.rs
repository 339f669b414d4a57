//! Operations: get, list, wait, cancel.
//!
//! An operation's name doesn't tell whose it is, so a caller that is bound to a tenant gets the same refusal for one that
//! isn't there and for one that is another's.

use std::time::Duration;

use stowage_control::{Caller, ControlError, ListOperations, Operation, OperationFilter, Status as Kind};
use stowage_domain::{OperationName, ProjectName, TenantName};
use stowage_proto::v1::{
    self, CancelOperationRequest, GetOperationRequest, ListOperationsRequest, ListOperationsResponse,
    WaitOperationRequest, operation_service_server::OperationService,
};
use tonic::{Request, Response, Status};

use crate::{
    api::Api,
    call::{Call, covers_project, covers_tenant, denied, is_operator, unbound},
    convert::{errors::status, names, namespaces::View, operations, time},
    refusal::Refusal,
};

const USUAL_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How much of an operation's response a caller sees.
pub(super) fn view(caller: &Caller) -> View {
    if is_operator(caller) { View::Whole } else { View::Own }
}

impl Api {
    /// An operation as `caller` sees it.
    pub(super) fn shown(&self, operation: &Operation, caller: &Caller) -> Response<v1::Operation> {
        Response::new(operations::to(operation, view(caller), self.control.now()))
    }
}

/// The refusal that doesn't tell whether the operation is there.
fn hidden(error: ControlError, caller: &Caller, permission: &'static str, name: &OperationName) -> Status {
    let tells = matches!(error.status(), Kind::NotFound | Kind::PermissionDenied);
    if tells && !unbound(&caller.identity) {
        denied(&caller.identity.subject, permission, &name.to_string()).into()
    } else {
        status(error)
    }
}

/// What a caller's operations are within, as a parent.
fn reach(identity: &stowage_ports::CallerIdentity) -> String {
    match (&identity.tenant, &identity.project) {
        (Some(tenant), Some(project)) => format!("tenants/{tenant}/projects/{project}"),
        (Some(tenant), None) => format!("tenants/{tenant}"),
        (None, _) => "the region".to_owned(),
    }
}

#[tonic::async_trait]
impl OperationService for Api {
    async fn get_operation(&self, request: Request<GetOperationRequest>) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let name: OperationName = names::read("name", &message.name)?;
        let permission = call.rpc.permission;
        let caller = call.of_owner()?;
        let found = self.control.get_operation(&caller, &name).await;
        let operation = found.map_err(|error| hidden(error, &caller, permission, &name))?;
        Ok(self.shown(&operation, &caller))
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let (path, permission) = (call.rpc.path, call.rpc.permission);
        let caller = call.of_owner()?;
        let (of, fits) = match message.parent.split('/').count() {
            1 if message.parent.is_empty() => (OperationFilter::All, unbound(&caller.identity)),
            2 => {
                let tenant: TenantName = names::read("parent", &message.parent)?;
                let fits = covers_tenant(&caller.identity, &tenant);
                (OperationFilter::Tenant(tenant), fits)
            }
            4 => {
                let project: ProjectName = names::read("parent", &message.parent)?;
                let fits = covers_project(&caller.identity, &project);
                (OperationFilter::Project(project), fits)
            }
            _ => {
                let problem = "must be tenants/{tenant}, tenants/{tenant}/projects/{project} or empty";
                return Err(Refusal::field("parent", problem).into());
            }
        };
        if !fits {
            let about = if message.parent.is_empty() { "the region" } else { &message.parent };
            let refusal = denied(&caller.identity.subject, permission, about);
            return Err(refusal.at_field("parent", format!("must be within {}", reach(&caller.identity))).into());
        }
        let filter = format!("{} {}", message.unfinished_only, message.parent);
        let page = self.page(path, &filter, message.page_size, &message.page_token)?;
        let command = ListOperations { of, unfinished_only: message.unfinished_only, page };
        let listed = self.control.list_operations(&caller, command).await.map_err(status)?;
        let (view, now) = (view(&caller), self.control.now());
        Ok(Response::new(ListOperationsResponse {
            operations: listed.items.iter().map(|operation| operations::to(operation, view, now)).collect(),
            next_page_token: self.next(path, &filter, listed.next),
            unreachable: Vec::new(),
        }))
    }

    async fn wait_operation(&self, request: Request<WaitOperationRequest>) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let name: OperationName = names::read("name", &message.name)?;
        let permission = call.rpc.permission;
        let caller = call.of_owner()?;
        let timeout = time::wait_from("timeout", message.timeout, USUAL_WAIT, LONGEST_WAIT)?;
        let waited = match self.unless_closing(self.control.wait_operation(&caller, &name, timeout)).await {
            Some(waited) => waited,
            None => self.control.get_operation(&caller, &name).await,
        };
        let operation = waited.map_err(|error| hidden(error, &caller, permission, &name))?;
        Ok(self.shown(&operation, &caller))
    }

    async fn cancel_operation(
        &self,
        request: Request<CancelOperationRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let name: OperationName = names::read("name", &message.name)?;
        let permission = call.rpc.permission;
        let caller = call.of_owner()?;
        let cancelled = self.control.cancel_operation(&caller, &name).await;
        let operation = cancelled.map_err(|error| hidden(error, &caller, permission, &name))?;
        Ok(self.shown(&operation, &caller))
    }
}
