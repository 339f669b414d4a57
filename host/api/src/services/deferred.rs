//! Credentials: authorized like all others, filled by a later release.

use stowage_domain::ProjectName;
use stowage_proto::v1::{
    Credential, GetCredentialRequest, IssueCredentialRequest, IssueCredentialResponse, ListCredentialsRequest,
    ListCredentialsResponse, RevokeCredentialRequest, credential_service_server::CredentialService,
};
use tonic::{Request, Response, Status};

use crate::{api::Api, call::Call, convert::names, deferred, refusal::Refusal};

/// Refuses a caller from elsewhere, then the method.
fn in_project<T>(request: Request<T>, field: &str, name: impl FnOnce(&T) -> &str) -> Status {
    let refuse = || -> Result<Status, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        call.in_project(&project_of(field, name(&message))?)?;
        Ok(deferred::answer(path))
    };
    refuse().unwrap_or_else(|refusal| refusal)
}

/// The project that a name begins with.
fn project_of(field: &str, name: &str) -> Result<ProjectName, Refusal> {
    let end = name.match_indices('/').nth(3).map_or(name.len(), |(at, _)| at);
    names::read(field, name.get(..end).unwrap_or_default())
}

#[tonic::async_trait]
impl CredentialService for Api {
    async fn issue_credential(
        &self,
        request: Request<IssueCredentialRequest>,
    ) -> Result<Response<IssueCredentialResponse>, Status> {
        Err(in_project(request, "parent", |message| &message.parent))
    }

    async fn get_credential(&self, request: Request<GetCredentialRequest>) -> Result<Response<Credential>, Status> {
        Err(in_project(request, "name", |message| &message.name))
    }

    async fn list_credentials(
        &self,
        request: Request<ListCredentialsRequest>,
    ) -> Result<Response<ListCredentialsResponse>, Status> {
        Err(in_project(request, "parent", |message| &message.parent))
    }

    async fn revoke_credential(
        &self,
        request: Request<RevokeCredentialRequest>,
    ) -> Result<Response<Credential>, Status> {
        Err(in_project(request, "name", |message| &message.name))
    }
}
