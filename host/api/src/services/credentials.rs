//! Credentials.

use stowage_control::{IssueCredential, Stored};
use stowage_domain::{CredentialName, Prefix, ProjectName};
use stowage_proto::v1::{
    self, GetCredentialRequest, IssueCredentialRequest, IssueCredentialResponse, ListCredentialsRequest,
    ListCredentialsResponse, RevokeCredentialRequest, credential_service_server::CredentialService,
};
use tonic::{Request, Response, Status};

use crate::{
    api::{Api, options},
    call::Call,
    convert::{
        credentials::{keys_to, kind_from, to},
        errors::status,
        grants::actions_at,
        names, needed, time,
    },
    refusal::Refusal,
};

impl Api {
    fn credential(&self, stored: &Stored<stowage_control::Credential>) -> v1::Credential {
        to(&stored.value, self.control.now())
    }
}

#[tonic::async_trait]
impl CredentialService for Api {
    async fn issue_credential(
        &self,
        request: Request<IssueCredentialRequest>,
    ) -> Result<Response<IssueCredentialResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let project: ProjectName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&project)?;
        let credential = message.credential.ok_or_else(|| needed("credential"))?;
        let command = IssueCredential {
            project,
            namespace: names::read("credential.namespace", &credential.namespace)?,
            prefix: Prefix::parse("credential.prefix", &credential.prefix).map_err(Refusal::from)?,
            actions: actions_at("credential.actions", &credential.actions)?,
            workload: names::read_given("credential.workload", &credential.workload)?,
            kind: kind_from(credential.kind)?,
            ttl: message.ttl.map(|ttl| time::seconds_from("ttl", ttl)).transpose()?.map(|ttl| ttl.0),
        };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let issued = self.control.issue_credential(&caller, command, options).await.map_err(status)?;
        Ok(Response::new(IssueCredentialResponse {
            credentials: vec![to(&issued.credential, self.control.now())],
            keys: issued.keys.iter().map(|keys| keys_to(&issued.credential, keys)).collect(),
        }))
    }

    async fn get_credential(&self, request: Request<GetCredentialRequest>) -> Result<Response<v1::Credential>, Status> {
        let (call, message) = Call::of(request)?;
        let name: CredentialName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.project_name())?;
        let stored = self.control.get_credential(&caller, &name).await.map_err(status)?;
        Ok(Response::new(self.credential(&stored)))
    }

    async fn list_credentials(
        &self,
        request: Request<ListCredentialsRequest>,
    ) -> Result<Response<ListCredentialsResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let project: ProjectName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&project)?;
        let page = self.page(path, &message.parent, message.page_size, &message.page_token)?;
        let listed = self.control.list_credentials(&caller, &project, page).await.map_err(status)?;
        Ok(Response::new(ListCredentialsResponse {
            credentials: listed.items.iter().map(|stored| self.credential(stored)).collect(),
            next_page_token: self.next(path, &message.parent, listed.next),
        }))
    }

    async fn revoke_credential(
        &self,
        request: Request<RevokeCredentialRequest>,
    ) -> Result<Response<v1::Credential>, Status> {
        let (call, message) = Call::of(request)?;
        let name: CredentialName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.project_name())?;
        let options = options(message.request_id, String::new(), false)?;
        let revoked = self.control.revoke_credential(&caller, &name, message.revoke_parent, options).await;
        Ok(Response::new(self.credential(&revoked.map_err(status)?)))
    }
}
