//! Requests for credentials at the door: wrong ones are named at their field, and reading tells nothing secret.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use stowage_client::{
    Client, Failure,
    proto::{
        Action, CreateTenantRequest, Credential, CredentialKind, GetCredentialRequest, IssueCredentialRequest,
        ListCredentialsRequest, Protocol, RevokeCredentialRequest, SetNamespaceProtocolsRequest, Tenant,
    },
};
use stowage_ports::Role;
use support::{Host, identity};
use tonic::{Code, Response, Status};

const PROJECT: &str = "tenants/acme/projects/vision";

async fn root() -> (Host, Client) {
    let host = Host::start(&[identity("root", &[Role::Operator], None, None)]).await;
    let root = host.client("root").await;
    let request = CreateTenantRequest {
        tenant_id: "acme".to_owned(),
        tenant: Some(Tenant::default()),
        ..CreateTenantRequest::default()
    };
    root.tenants().create_tenant(request).await.unwrap();
    (host, root)
}

fn failure<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> Failure {
    answer.unwrap_err().into()
}

fn wanted(change: impl FnOnce(&mut IssueCredentialRequest, &mut Credential)) -> IssueCredentialRequest {
    let mut credential = Credential {
        namespace: format!("{PROJECT}/namespaces/data"),
        actions: vec![Action::Read.into()],
        ..Credential::default()
    };
    let mut request = IssueCredentialRequest { parent: PROJECT.to_owned(), ..IssueCredentialRequest::default() };
    change(&mut request, &mut credential);
    IssueCredentialRequest { credential: request.credential.take().or(Some(credential)), ..request }
}

#[tokio::test]
async fn a_wrong_request_for_a_credential_is_named_at_its_field() {
    let (_host, root) = root().await;
    let ttl = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
    for (request, field) in [
        (wanted(|request, _| request.parent = "tenants/acme".to_owned()), "parent"),
        (wanted(|_, credential| credential.namespace.clear()), "credential.namespace"),
        (wanted(|_, credential| credential.prefix = "../up".to_owned()), "credential.prefix"),
        (wanted(|_, credential| credential.prefix = "a*".to_owned()), "credential.prefix"),
        (wanted(|_, credential| credential.actions.clear()), "credential.actions"),
        (wanted(|_, credential| credential.actions.push(99)), "credential.actions[1]"),
        (wanted(|_, credential| credential.workload = "w".to_owned()), "credential.workload"),
        (wanted(|_, credential| credential.kind = 99), "credential.kind"),
        (wanted(|_, credential| credential.kind = CredentialKind::ServiceAccount.into()), "credential.workload"),
        (wanted(|request, _| request.ttl = ttl(-1, 0)), "ttl"),
        (wanted(|request, _| request.ttl = ttl(1, 5)), "ttl"),
    ] {
        let refused = failure(root.credentials().issue_credential(request).await);
        let named = refused.fields.first().map(|fault| fault.field.as_str());
        assert_eq!((refused.code, named), (Code::InvalidArgument, Some(field)), "{refused}");
    }
    let missing = IssueCredentialRequest { parent: PROJECT.to_owned(), ..IssueCredentialRequest::default() };
    let refused = failure(root.credentials().issue_credential(missing).await);
    assert_eq!(refused.fields[0].field, "credential");
    let request = SetNamespaceProtocolsRequest {
        name: format!("{PROJECT}/namespaces/data"),
        protocols: vec![Protocol::S3.into(), 0],
        ..SetNamespaceProtocolsRequest::default()
    };
    assert_eq!(failure(root.namespaces().set_namespace_protocols(request).await).fields[0].field, "protocols[1]");
}

#[tokio::test]
async fn a_credential_that_is_not_there_is_not_found_and_a_project_without_any_lists_none() {
    let (_host, root) = root().await;
    let name = format!("{PROJECT}/credentials/c-0000");
    let unknown = failure(root.credentials().get_credential(GetCredentialRequest { name: name.clone() }).await);
    assert_eq!(unknown.code, Code::NotFound);
    let request = RevokeCredentialRequest { name, ..RevokeCredentialRequest::default() };
    assert_eq!(failure(root.credentials().revoke_credential(request).await).code, Code::NotFound);
    let request = ListCredentialsRequest { parent: PROJECT.to_owned(), ..ListCredentialsRequest::default() };
    assert!(root.credentials().list_credentials(request).await.unwrap().into_inner().credentials.is_empty());
    let refused = failure(root.credentials().issue_credential(wanted(|_, _| ())).await);
    assert_eq!(refused.code, Code::NotFound, "the namespace is not there: {refused}");
}
