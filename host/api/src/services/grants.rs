//! Grants.

use stowage_control::{Caller, CreateGrant, Response as Ended, Stored};
use stowage_domain::{Grant, GrantName, NamespaceName};
use stowage_proto::v1::{
    self, CreateGrantRequest, GetGrantRequest, ListGrantsRequest, ListGrantsResponse, RevokeGrantRequest,
    grant_service_server::GrantService,
};
use tonic::{Request, Response, Status};

use super::operations::view;
use crate::{
    api::{Api, options},
    call::Call,
    convert::{
        errors::status,
        grants::{actions_from, grantee_from, prefix_from, to},
        names, needed, operations, time,
    },
};

impl Api {
    fn grant(&self, stored: &Stored<Grant>) -> v1::Grant {
        to(&stored.value, self.control.now(), stored.etag())
    }

    /// The answer to a change: its operation, or what a dry run would have led to.
    pub(super) fn begun(
        &self,
        operation: Option<&stowage_control::Operation>,
        would_be: &Ended,
        caller: &Caller,
    ) -> Response<v1::Operation> {
        match operation {
            Some(operation) => self.shown(operation, caller),
            None => {
                let would_be = operations::response_to(would_be, view(caller), self.control.now());
                Response::new(operations::dry_run(would_be))
            }
        }
    }
}

#[tonic::async_trait]
impl GrantService for Api {
    async fn create_grant(&self, request: Request<CreateGrantRequest>) -> Result<Response<v1::Grant>, Status> {
        let (call, message) = Call::of(request)?;
        let namespace: NamespaceName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&namespace.project_name())?;
        let id = names::read_given("grant_id", &message.grant_id)?;
        let grant = message.grant.ok_or_else(|| needed("grant"))?;
        let command = CreateGrant {
            namespace,
            id,
            principal: grantee_from(grant.grantee)?,
            prefix: prefix_from(&grant.prefix)?,
            actions: actions_from(&grant.actions)?,
            expires_at: grant.expire_time.map(|at| time::from("grant.expire_time", at)).transpose()?,
        };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let stored = self.control.create_grant(&caller, command, options).await.map_err(status)?;
        Ok(Response::new(self.grant(&stored)))
    }

    async fn get_grant(&self, request: Request<GetGrantRequest>) -> Result<Response<v1::Grant>, Status> {
        let (call, message) = Call::of(request)?;
        let name: GrantName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.namespace_name().project_name())?;
        let stored = self.control.get_grant(&caller, &name).await.map_err(status)?;
        Ok(Response::new(self.grant(&stored)))
    }

    async fn list_grants(&self, request: Request<ListGrantsRequest>) -> Result<Response<ListGrantsResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let namespace: NamespaceName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&namespace.project_name())?;
        let page = self.page(path, &message.parent, message.page_size, &message.page_token)?;
        let listed = self.control.list_grants(&caller, &namespace, page).await.map_err(status)?;
        Ok(Response::new(ListGrantsResponse {
            grants: listed.items.iter().map(|stored| self.grant(stored)).collect(),
            next_page_token: self.next(path, &message.parent, listed.next),
        }))
    }

    async fn revoke_grant(&self, request: Request<RevokeGrantRequest>) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let name: GrantName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.namespace_name().project_name())?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        let (operation, grant) = self.control.revoke_grant(&caller, &name, options).await.map_err(status)?;
        Ok(self.begun(operation.as_ref(), &Ended::Grant(Box::new(grant)), &caller))
    }
}
