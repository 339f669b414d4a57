//! Wrong requests get typed answers that name the field, and lists come in pages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use prost_types::FieldMask;
use stowage_client::{
    Client, Failure,
    proto::{
        CreateNamespaceRequest, CreateProjectRequest, CreateProviderRequest, CreateStorageClassRequest,
        CreateTenantRequest, DeleteProjectRequest, DeleteTenantRequest, GetNamespaceRequest, GetOperationRequest,
        GetTenantRequest, ListNamespacesRequest, ListOperationsRequest, ListTenantsRequest, ListWorkloadsRequest,
        Namespace, PosixIdentity, Project, Protocol, Provider, Quota, RegisterWorkloadRequest, StorageClass, Tenant,
        UpdateProjectRequest, UpdateStorageClassRequest, UpdateTenantRequest, Workload,
    },
};
use stowage_ports::Role;
use support::{Host, identity};
use tonic::{Code, Response, Status};

const PROJECT: &str = "tenants/acme/projects/vision";

async fn region() -> (Host, Client) {
    let callers = [
        identity("root", &[Role::Operator], None, None),
        identity("member", &[Role::Member], Some("acme"), Some("vision")),
    ];
    let host = Host::start(&callers).await;
    let root = host.client("root").await;
    create_tenant(&root, "acme", "").await.unwrap();
    let project = Project {
        posix_identity: Some(PosixIdentity { uid: 1000, gid: 1000, mode: 0o770 }),
        byte_quota: Some(1 << 40),
        ..Project::default()
    };
    let request = CreateProjectRequest {
        parent: "tenants/acme".to_owned(),
        project_id: "vision".to_owned(),
        project: Some(project),
        ..CreateProjectRequest::default()
    };
    root.tenants().create_project(request).await.unwrap();
    (host, root)
}

async fn create_tenant(client: &Client, id: &str, request_id: &str) -> Result<Response<Tenant>, Status> {
    client
        .tenants()
        .create_tenant(CreateTenantRequest {
            tenant_id: id.to_owned(),
            tenant: Some(Tenant::default()),
            request_id: request_id.to_owned(),
            ..CreateTenantRequest::default()
        })
        .await
}

fn namespace(id: &str, class: &str, bytes: u64) -> CreateNamespaceRequest {
    CreateNamespaceRequest {
        parent: PROJECT.to_owned(),
        namespace_id: id.to_owned(),
        namespace: Some(Namespace {
            storage_class: class.to_owned(),
            quota: Some(Quota { hard_bytes: bytes, ..Quota::default() }),
            ..Namespace::default()
        }),
        ..CreateNamespaceRequest::default()
    }
}

fn failure<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> Failure {
    answer.unwrap_err().into()
}

fn field_of(failure: &Failure) -> &str {
    failure.fields.first().map_or("", |fault| &fault.field)
}

#[tokio::test]
async fn every_broken_name_is_refused_at_its_field() {
    let (_host, root) = region().await;
    for bad in ["", "Acme", "a_b", "-a", "a-", "7up", "a/b", &"a".repeat(64)] {
        let refused = failure(create_tenant(&root, bad, "").await);
        assert_eq!((refused.code, field_of(&refused)), (Code::InvalidArgument, "tenant_id"), "{bad:?}");
        let refused = failure(root.namespaces().create_namespace(namespace(bad, "", 1)).await);
        assert_eq!((refused.code, field_of(&refused)), (Code::InvalidArgument, "namespace_id"), "{bad:?}");
    }
    for bad in ["", "acme", "tenants/", "tenants/acme/", "tenants/acme/projects/p"] {
        let refused = failure(root.tenants().get_tenant(GetTenantRequest { name: bad.to_owned() }).await);
        assert_eq!((refused.code, field_of(&refused)), (Code::InvalidArgument, "name"), "{bad:?}");
        assert!(refused.to_string().contains("tenants/{tenant}") || bad == "tenants/", "{refused}");
    }
}

#[tokio::test]
async fn an_unknown_class_and_an_unknown_plugin_are_named() {
    let (_host, root) = region().await;
    let refused = failure(root.namespaces().create_namespace(namespace("data", "storageClasses/gold", 1 << 30)).await);
    assert!(matches!(refused.code, Code::NotFound | Code::InvalidArgument), "{refused:?}");
    assert!(refused.to_string().contains("storageClasses/gold"), "{refused}");
    let provider = Provider { plugin: "plugins/nothing".to_owned(), ..Provider::default() };
    let request = CreateProviderRequest {
        provider_id: "prod".to_owned(),
        provider: Some(provider),
        ..CreateProviderRequest::default()
    };
    let refused = failure(root.providers().create_provider(request).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::NotFound, "PLUGIN_NOT_FOUND"));
    assert!(refused.to_string().contains("nothing"), "{refused}");
}

#[tokio::test]
async fn a_namespace_without_a_fitting_provider_tells_why_each_was_refused() {
    let (_host, root) = region().await;
    let class = StorageClass { protocols: vec![Protocol::Posix.into()], ..StorageClass::default() };
    let request = CreateStorageClassRequest {
        storage_class_id: "fast".to_owned(),
        storage_class: Some(class),
        ..CreateStorageClassRequest::default()
    };
    root.storage_classes().create_storage_class(request).await.unwrap();
    let refused = failure(root.namespaces().create_namespace(namespace("data", "storageClasses/fast", 1 << 30)).await);
    assert!(matches!(refused.code, Code::FailedPrecondition | Code::ResourceExhausted), "{refused:?}");
    assert!(!refused.reason.is_empty(), "{refused:?}");
    assert!(refused.to_string().contains("provider"), "{refused}");
}

#[tokio::test]
async fn an_unknown_path_in_a_mask_is_named_with_the_known_ones() {
    let (_host, root) = region().await;
    let request = UpdateTenantRequest {
        tenant: Some(Tenant { name: "tenants/acme".to_owned(), ..Tenant::default() }),
        update_mask: Some(FieldMask { paths: vec!["colour".to_owned()] }),
        ..UpdateTenantRequest::default()
    };
    let refused = failure(root.tenants().update_tenant(request).await);
    assert_eq!((refused.code, field_of(&refused)), (Code::InvalidArgument, "update_mask"));
    assert!(refused.to_string().contains("`colour`") && refused.to_string().contains("byte_quota"), "{refused}");
    let mask = Some(FieldMask { paths: vec!["quota.colour".to_owned()] });
    let request = ListNamespacesRequest {
        parent: PROJECT.to_owned(),
        read_mask: mask.clone(),
        ..ListNamespacesRequest::default()
    };
    assert_eq!(field_of(&failure(root.namespaces().list_namespaces(request).await)), "read_mask");
    let request = GetNamespaceRequest { name: format!("{PROJECT}/namespaces/data"), read_mask: mask };
    assert_eq!(field_of(&failure(root.namespaces().get_namespace(request).await)), "read_mask");
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names_and_an_old_etag_stops_it() {
    let (_host, root) = region().await;
    let update = |display_name: &str, etag: &str| UpdateTenantRequest {
        tenant: Some(Tenant {
            name: "tenants/acme".to_owned(),
            display_name: display_name.to_owned(),
            cross_tenant_sharing: true,
            etag: etag.to_owned(),
            ..Tenant::default()
        }),
        update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
        ..UpdateTenantRequest::default()
    };
    let changed = root.tenants().update_tenant(update("Acme", "")).await.unwrap().into_inner();
    assert_eq!((changed.display_name.as_str(), changed.cross_tenant_sharing), ("Acme", false));
    root.tenants().update_tenant(update("Acme Inc", &changed.etag)).await.unwrap();
    let refused = failure(root.tenants().update_tenant(update("Acme Ltd", &changed.etag)).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::Aborted, "ETAG_MISMATCH"));
}

#[tokio::test]
async fn a_repeated_request_id_gives_the_same_answer_and_another_request_is_refused() {
    let (_host, root) = region().await;
    let first = create_tenant(&root, "twice", "id-1").await.unwrap().into_inner();
    let again = create_tenant(&root, "twice", "id-1").await.unwrap().into_inner();
    assert_eq!(first.uid, again.uid);
    let refused = failure(create_tenant(&root, "other", "id-1").await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::AlreadyExists, "REQUEST_ID_CONFLICT"));
    let refused = failure(create_tenant(&root, "twice", "").await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::AlreadyExists, "ALREADY_EXISTS"));
    assert_eq!(field_of(&failure(create_tenant(&root, "odd", "two words").await)), "request_id");
}

#[tokio::test]
async fn a_dry_run_checks_everything_and_changes_nothing() {
    let (_host, root) = region().await;
    let request = |validate_only| CreateTenantRequest {
        tenant_id: "dry".to_owned(),
        tenant: Some(Tenant::default()),
        validate_only,
        ..CreateTenantRequest::default()
    };
    root.tenants().create_tenant(request(true)).await.unwrap();
    let name = GetTenantRequest { name: "tenants/dry".to_owned() };
    assert_eq!(failure(root.tenants().get_tenant(name).await).code, Code::NotFound);
    root.tenants().create_tenant(request(false)).await.unwrap();
    assert_eq!(failure(root.tenants().create_tenant(request(true)).await).code, Code::AlreadyExists);
}

async fn page(client: &Client, size: i32, token: &str) -> Result<(Vec<String>, String), Failure> {
    let request = ListWorkloadsRequest { parent: PROJECT.to_owned(), page_size: size, page_token: token.to_owned() };
    let answer = client.workloads().list_workloads(request).await.map_err(Failure::from)?.into_inner();
    Ok((answer.workloads.into_iter().map(|workload| workload.name).collect(), answer.next_page_token))
}

#[tokio::test]
async fn pages_hold_every_item_once_in_order_and_a_token_fits_only_its_list() {
    let (host, root) = region().await;
    let member = host.client("member").await;
    let mut expected = Vec::new();
    for number in 0..7 {
        let request = RegisterWorkloadRequest {
            parent: PROJECT.to_owned(),
            workload_id: format!("job-{number}"),
            workload: Some(Workload { kind: "job".to_owned(), ..Workload::default() }),
            ..RegisterWorkloadRequest::default()
        };
        expected.push(member.workloads().register_workload(request).await.unwrap().into_inner().name);
    }
    for size in [1, 3, 7, 100] {
        let (mut seen, mut token) = page(&member, size, "").await.unwrap();
        while !token.is_empty() {
            let (more, next) = page(&member, size, &token).await.unwrap();
            seen.extend(more);
            token = next;
        }
        assert_eq!(seen, expected, "pages of {size}");
    }
    let (_, token) = page(&member, 3, "").await.unwrap();
    for bad in ["garbage", &token[1..], &format!("{token}A")] {
        let refused = page(&member, 3, bad).await.unwrap_err();
        assert_eq!((refused.code, field_of(&refused)), (Code::InvalidArgument, "page_token"), "{bad}");
    }
    let foreign = ListTenantsRequest { page_token: token.clone(), ..ListTenantsRequest::default() };
    assert_eq!(field_of(&failure(root.tenants().list_tenants(foreign).await)), "page_token");
    let elsewhere = ListWorkloadsRequest {
        parent: "tenants/acme/projects/other".to_owned(),
        page_token: token,
        ..ListWorkloadsRequest::default()
    };
    assert_eq!(field_of(&failure(root.workloads().list_workloads(elsewhere).await)), "page_token");
    assert_eq!(field_of(&page(&member, -1, "").await.unwrap_err()), "page_size");
}

/// A caller that is bound to a tenant can't find out which operations there are.
#[tokio::test]
async fn an_operation_of_another_and_one_that_is_not_there_read_the_same() {
    let (host, root) = region().await;
    let member = host.client("member").await;
    let request = || GetOperationRequest { name: "operations/op-1".to_owned() };
    assert_eq!(failure(root.operations().get_operation(request()).await).code, Code::NotFound);
    assert_eq!(failure(member.operations().get_operation(request()).await).code, Code::PermissionDenied);
}

#[tokio::test]
async fn a_shutdown_ends_the_server_while_a_client_stays_connected() {
    let (host, root) = region().await;
    host.shut_down().await;
    let refused = failure(root.tenants().get_tenant(GetTenantRequest { name: "tenants/acme".to_owned() }).await);
    assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
}

#[tokio::test]
async fn an_updated_class_answers_what_it_is_now_and_only_one_is_the_default() {
    let (_host, root) = region().await;
    let mut classes = root.storage_classes();
    for id in ["fast", "cheap"] {
        let class = StorageClass {
            protocols: vec![Protocol::Posix.into()],
            is_default: id == "fast",
            ..StorageClass::default()
        };
        let request = CreateStorageClassRequest {
            storage_class_id: id.to_owned(),
            storage_class: Some(class),
            ..CreateStorageClassRequest::default()
        };
        classes.create_storage_class(request).await.unwrap();
    }
    let update = |class: StorageClass, paths: &[&str]| UpdateStorageClassRequest {
        storage_class: Some(StorageClass { name: "storageClasses/cheap".to_owned(), ..class }),
        update_mask: Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
        ..UpdateStorageClassRequest::default()
    };
    let fields = StorageClass {
        description: "spinning".to_owned(),
        max_quota_bytes: 1 << 20,
        multi_writer: true,
        is_default: true,
        ..StorageClass::default()
    };
    let answer = classes.update_storage_class(update(fields, &["description", "max_quota_bytes", "is_default"])).await;
    let changed = answer.unwrap().into_inner();
    assert_eq!(
        (changed.description.as_str(), changed.max_quota_bytes, changed.is_default),
        ("spinning", 1 << 20, true)
    );
    assert!(!changed.multi_writer, "what the mask does not name stays");
    assert_eq!(changed.protocols, [i32::from(Protocol::Posix)]);
    let fast = stowage_client::proto::GetStorageClassRequest { name: "storageClasses/fast".to_owned() };
    assert!(!classes.get_storage_class(fast).await.unwrap().into_inner().is_default, "there is one default");
    let wrong = StorageClass { min_quota_bytes: 1 << 30, ..StorageClass::default() };
    let refused = failure(classes.update_storage_class(update(wrong, &["min_quota_bytes"])).await);
    assert_eq!(refused.code, Code::InvalidArgument);
    assert!(field_of(&refused).contains("quota"), "{refused:?}");
}

#[tokio::test]
async fn a_project_is_changed_as_its_mask_says_and_an_empty_tenant_is_deleted() {
    let (_host, root) = region().await;
    let mut tenants = root.tenants();
    let update = |project: Project, path: &str| UpdateProjectRequest {
        project: Some(Project { name: PROJECT.to_owned(), ..project }),
        update_mask: Some(FieldMask { paths: vec![path.to_owned()] }),
        ..UpdateProjectRequest::default()
    };
    let named = Project { display_name: "Vision".to_owned(), ..Project::default() };
    let changed = tenants.update_project(update(named, "display_name")).await.unwrap().into_inner();
    assert_eq!((changed.display_name.as_str(), changed.byte_quota), ("Vision", Some(1 << 40)));
    let unlimited = tenants.update_project(update(Project::default(), "byte_quota")).await.unwrap().into_inner();
    assert_eq!((unlimited.display_name.as_str(), unlimited.byte_quota), ("Vision", None));

    let delete = || DeleteTenantRequest { name: "tenants/acme".to_owned(), ..DeleteTenantRequest::default() };
    assert_eq!(failure(tenants.delete_tenant(delete()).await).reason, "TENANT_NOT_EMPTY");
    let project = DeleteProjectRequest { name: PROJECT.to_owned(), ..DeleteProjectRequest::default() };
    tenants.delete_project(project).await.unwrap();
    tenants.delete_tenant(delete()).await.unwrap();
    let gone = GetTenantRequest { name: "tenants/acme".to_owned() };
    assert_eq!(failure(tenants.get_tenant(gone).await).code, Code::NotFound);
}

#[tokio::test]
async fn what_is_not_there_is_refused_with_the_command_that_lists_what_is() {
    let (_host, root) = region().await;
    let refused = failure(root.tenants().get_tenant(GetTenantRequest { name: "tenants/absent".to_owned() }).await);
    assert_eq!(refused.remedy(), Some("`stowage tenant list` shows what is there"));
    let request = GetNamespaceRequest { name: format!("{PROJECT}/namespaces/absent"), read_mask: None };
    let refused = failure(root.namespaces().get_namespace(request).await);
    assert_eq!(refused.remedy(), Some("`stowage ns list acme/vision` shows what is there"));
}

#[tokio::test]
async fn a_caller_of_one_tenant_that_lists_operations_without_a_parent_is_told_which_field_it_needs() {
    let (host, _root) = region().await;
    let member = host.client("member").await;
    let refused = failure(member.operations().list_operations(ListOperationsRequest::default()).await);
    assert_eq!((refused.code, field_of(&refused)), (Code::PermissionDenied, "parent"));
    assert!(refused.to_string().contains("tenants/acme/projects/vision"), "{refused}");
}
