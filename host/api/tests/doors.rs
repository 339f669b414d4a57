//! Who gets in where: every method of the table, by callers without a token, from elsewhere, and with the wrong role.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use std::collections::HashMap;

use stowage_api::{Callers, DEFERRED, RPCS, Rpc, Scope};
use stowage_ports::Role;
use support::{ALL_ROLES, Host, identity, raw};
use tonic::{Code, Status};
use tonic_types::StatusExt;

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

async fn call(host: &Host, row: &Rpc, tenant: &str, token: Option<&str>) -> Result<Vec<u8>, Status> {
    raw::call(&host.channel, row.path, raw::request(&raw::method(row.path), tenant), token).await
}

#[tokio::test]
async fn without_a_token_no_method_answers() {
    let host = Host::start(&[]).await;
    for row in RPCS {
        for token in [None, Some("stw_wrong")] {
            let status = call(&host, row, "acme", token).await.unwrap_err();
            if row.callers == Callers::Anyone {
                assert_ne!(status.code(), Code::Ok, "{}", row.path);
            } else {
                assert_eq!(status.code(), Code::Unauthenticated, "{}: {status:?}", row.path);
                let expected = if token.is_none() { "CREDENTIAL_MISSING" } else { "CREDENTIAL_INVALID" };
                assert_eq!(reason(&status), expected, "{}", row.path);
            }
        }
    }
}

/// Every role at once, but bound to another tenant: the binding alone must stop the call. The same call by the right
/// tenant is not stopped, so the first half can fail.
#[tokio::test]
async fn a_caller_of_another_tenant_is_refused_everywhere_but_in_the_region() {
    let callers =
        [identity("foreign", &ALL_ROLES, Some("other"), None), identity("own", &ALL_ROLES, Some("acme"), None)];
    let host = Host::start(&callers).await;
    for row in RPCS {
        let foreign = call(&host, row, "acme", Some(host.token("foreign"))).await;
        let own = call(&host, row, "acme", Some(host.token("own"))).await;
        let code = |answer: &Result<Vec<u8>, Status>| answer.as_ref().map_or_else(Status::code, |_| Code::Ok);
        match row.scope {
            Scope::Region => assert_ne!(code(&foreign), Code::PermissionDenied, "{}", row.path),
            Scope::Tenant | Scope::Project => {
                assert_eq!(code(&foreign), Code::PermissionDenied, "{}: {foreign:?}", row.path);
                assert_eq!(reason(&foreign.unwrap_err()), "PERMISSION_DENIED", "{}", row.path);
                assert_ne!(code(&own), Code::PermissionDenied, "{}: {own:?}", row.path);
            }
            Scope::Operator | Scope::Owner => {
                assert_eq!(code(&foreign), Code::PermissionDenied, "{}: {foreign:?}", row.path);
                assert_eq!(code(&own), Code::PermissionDenied, "{}: {own:?}", row.path);
            }
            Scope::Node => assert_ne!(code(&foreign), Code::Ok, "{}", row.path),
        }
    }
}

#[tokio::test]
async fn a_caller_of_another_project_is_refused_in_every_project_method() {
    let host = Host::start(&[identity("beside", &ALL_ROLES, Some("acme"), Some("beside"))]).await;
    for row in RPCS.iter().filter(|row| matches!(row.scope, Scope::Project | Scope::Tenant)) {
        let status = call(&host, row, "acme", Some(host.token("beside"))).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{}: {status:?}", row.path);
    }
}

#[tokio::test]
async fn each_role_gets_through_exactly_where_its_rows_say() {
    let callers: Vec<_> = ALL_ROLES.iter().map(|role| identity(&format!("{role:?}"), &[*role], None, None)).collect();
    let host = Host::start(&callers).await;
    for row in RPCS {
        let Callers::Roles(roles) = row.callers else { continue };
        for role in ALL_ROLES {
            let answer = call(&host, row, "acme", Some(host.token(&format!("{role:?}")))).await;
            let denied = answer.is_err_and(|status| status.code() == Code::PermissionDenied);
            assert_eq!(denied, !roles.contains(&role), "{} as {role:?}", row.path);
        }
    }
}

#[tokio::test]
async fn only_node_agents_reach_the_methods_of_nodes() {
    let host = Host::start(&[identity("everything", &ALL_ROLES, None, None)]).await;
    for row in RPCS.iter().filter(|row| row.callers == Callers::Nodes) {
        let status = call(&host, row, "acme", Some(host.token("everything"))).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{}: {status:?}", row.path);
    }
}

#[tokio::test]
async fn a_deferred_method_gives_its_stable_reason_to_who_may_call_it() {
    let host = Host::start(&[identity("root", &[Role::Operator], None, None)]).await;
    let rows: HashMap<&str, &Rpc> = RPCS.iter().map(|row| (row.path, row)).collect();
    for deferred in DEFERRED {
        let status = call(&host, rows[deferred.path], "acme", Some(host.token("root"))).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{}", deferred.path);
        assert_eq!(reason(&status), deferred.reason, "{}", deferred.path);
    }
    let others = RPCS.iter().filter(|row| !DEFERRED.iter().any(|deferred| deferred.path == row.path));
    for row in others {
        let answer = call(&host, row, "acme", Some(host.token("root"))).await;
        assert!(!answer.is_err_and(|status| status.code() == Code::Unimplemented), "{} is not listed", row.path);
    }
}

#[tokio::test]
async fn an_unknown_method_is_refused_by_name_to_known_callers_only() {
    let host = Host::start(&[identity("root", &[Role::Operator], None, None)]).await;
    let path = "/stowage.v1.NamespaceService/Explode";
    let status = raw::call(&host.channel, path, Vec::new(), Some(host.token("root"))).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "UNKNOWN_METHOD"));
    assert!(status.message().contains(path));
    let status = raw::call(&host.channel, path, Vec::new(), None).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn health_needs_no_token_and_reflection_does() {
    let host = Host::start(&[identity("viewer", &[Role::Viewer], Some("acme"), None)]).await;
    let healthy = raw::call(&host.channel, "/grpc.health.v1.Health/Check", Vec::new(), None).await.unwrap();
    assert_eq!(healthy, [8, 1], "SERVING");
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    // `list_services: ""`
    let request = vec![0x3a, 0];
    let status = raw::call(&host.channel, path, request.clone(), None).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let listed = raw::call(&host.channel, path, request, Some(host.token("viewer"))).await.unwrap();
    assert!(String::from_utf8_lossy(&listed).contains("stowage.v1.NamespaceService"));
}

#[tokio::test]
async fn a_call_is_named_in_its_answer_by_the_caller_or_by_the_host() {
    let host = Host::start(&[identity("root", &[Role::Operator], None, None)]).await;
    let root = host.client("root").await;
    let named = |given: Option<&str>| {
        let mut request = tonic::Request::new(stowage_client::proto::ListTenantsRequest::default());
        if let Some(given) = given {
            request.metadata_mut().insert("x-request-id", given.parse().unwrap());
        }
        let root = root.clone();
        async move {
            let answer = root.tenants().list_tenants(request).await.unwrap();
            answer.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned()
        }
    };
    assert_eq!(named(Some("job-7")).await, "job-7");
    let (first, second) = (named(None).await, named(None).await);
    assert!(first.len() == 32 && first != second, "{first} {second}");
}
