//! Namespaces as a caller sees them.

use std::time::Duration;

use stowage_control::{
    AdoptNamespace, ControlError, CreateGrant, NamespaceChanges, OperationState, PageRequest, PrefixAccess, Status,
    Update, WriteOptions,
};
use stowage_domain::{
    Action, Bytes, ClassName, DataPolicy, Labels, Limits, NamespaceId, NamespaceState, Prefix, Principal, ProviderName,
    ProviderState, UnixMillis,
};
use stowage_policy::Mode;

use crate::support::{Live, Way, World, namespace, new_namespace, new_workload, operator, project, request, wait_done};

async fn ready(live: &Live, id: &str, bytes: u64) {
    let command = new_namespace(id, bytes);
    let started = live.control.create_namespace(&operator(), command, WriteOptions::default()).await.unwrap();
    let operation = wait_done(&live.control, &started.operation.unwrap().name).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{:?}", operation.error);
}

fn reason(error: &ControlError) -> (Status, &str) {
    (error.status(), error.reason())
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_placed_made_and_told_of() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let before = world.store.commits();
    let started =
        live.control.create_namespace(&operator(), new_namespace("data", 100), WriteOptions::default()).await.unwrap();
    assert_eq!(started.namespace.state, NamespaceState::Provisioning);
    wait_done(&live.control, &started.operation.unwrap().name).await;
    let commits = world.store.commits() - before;
    let made = live.control.get_namespace(&operator(), &namespace("data")).await.unwrap().value;
    assert_eq!(made.state, NamespaceState::Ready);
    assert_eq!(made.effective_limits, Some(Limits::hard(Bytes(100))));
    assert_eq!(made.prefixes.len(), 6);
    assert_eq!(made.provider.to_string(), "providers/model");
    let placement = live.control.get_placement(&operator(), &namespace("data")).await.unwrap();
    let verdict = &placement.verdicts[0];
    assert!(verdict.filters.iter().all(|filter| filter.passed));
    assert!(verdict.filters.iter().any(|filter| filter.detail.contains("free 1000 B, asked 100 B")), "{verdict:?}");
    let (project, id) = made.physical_id.split_once('-').unwrap();
    assert_eq!((project.len(), id.len()), (8, 10));
    assert!(made.native.unwrap().location.starts_with("model:/"));
    // The intent, the tenant's object on first need, the outcome; the agent's reports are not the namespace's.
    assert!(commits <= 5, "{commits} commits");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_request_is_answered_the_same_and_another_with_its_id_is_refused() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let ask =
        async |bytes| live.control.create_namespace(&operator(), new_namespace("data", bytes), request("r1")).await;
    let first = ask(100).await.unwrap().operation.unwrap();
    assert_eq!(ask(100).await.unwrap().operation.unwrap().name, first.name);
    wait_done(&live.control, &first.name).await;
    assert_eq!(ask(100).await.unwrap().operation.unwrap().name, first.name);
    assert_eq!(reason(&ask(101).await.unwrap_err()), (Status::AlreadyExists, "REQUEST_ID_CONFLICT"));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn wrong_requests_are_refused_with_the_reason_and_the_field() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let create = async |change: fn(&mut stowage_control::CreateNamespace)| {
        let mut command = new_namespace("data", 100);
        change(&mut command);
        live.control.create_namespace(&operator(), command, WriteOptions::default()).await.unwrap_err()
    };
    let error = create(|c| c.class = Some(ClassName::parse("storageClasses/none").unwrap())).await;
    assert_eq!(reason(&error), (Status::InvalidArgument, "UNKNOWN_CLASS"));
    assert_eq!(error.0.fields[0].field, "namespace.storage_class");
    let error = create(|c| c.limits = Limits::hard(Bytes(0))).await;
    assert_eq!(error.0.fields[0].field, "namespace.quota.hard_bytes");
    let error = create(|c| c.prefixes = vec!["../x".into()]).await;
    assert_eq!(error.0.fields[0].field, "namespace.prefixes[0]");
    let error = create(|c| c.limits = Limits::hard(Bytes(801))).await;
    assert_eq!(reason(&error), (Status::ResourceExhausted, "PROJECT_QUOTA"));
    assert_eq!(error.0.quotas[0].subject, "tenants/acme/projects/vision");
    let error = create(|c| c.limits = Limits::hard(Bytes(1001))).await;
    assert_eq!(reason(&error), (Status::ResourceExhausted, "PROVIDER_CAPACITY"));
    assert!(error.0.quotas[0].description.contains("free 1000 B"), "{error}");
    let error = create(|c| c.project = stowage_domain::ProjectName::parse("tenants/acme/projects/none").unwrap()).await;
    assert_eq!(reason(&error), (Status::NotFound, "NOT_FOUND"));
    let mut foreign = operator();
    foreign.identity.tenant = Some("other".into());
    let command = new_namespace("data", 100);
    let error = live.control.create_namespace(&foreign, command, WriteOptions::default()).await.unwrap_err();
    assert_eq!(reason(&error), (Status::PermissionDenied, "OUT_OF_SCOPE"));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn validate_only_places_and_changes_nothing() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let before = world.store.commits();
    let options = WriteOptions { validate_only: true, ..WriteOptions::default() };
    let shown = live.control.create_namespace(&operator(), new_namespace("data", 100), options).await.unwrap();
    assert!(shown.operation.is_none());
    assert_eq!(shown.namespace.provider.to_string(), "providers/model");
    assert_eq!(world.store.commits(), before);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cordoned_provider_gets_nothing_new_and_the_refusal_says_so() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let provider = ProviderName::parse("providers/model").unwrap();
    let cordon = async |state| {
        let why = "disks are moved".to_owned();
        live.control.set_provider_state(&operator(), &provider, state, why, WriteOptions::default()).await
    };
    cordon(ProviderState::Cordoned).await.unwrap();
    let create =
        async || live.control.create_namespace(&operator(), new_namespace("data", 1), WriteOptions::default()).await;
    let error = create().await.unwrap_err();
    assert_eq!(reason(&error), (Status::FailedPrecondition, "NO_PROVIDER_FITS"));
    assert!(error.to_string().contains("cordoned: disks are moved"), "{error}");
    cordon(ProviderState::Active).await.unwrap();
    create().await.unwrap();
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn growth_is_held_to_the_quota_and_shrinking_gives_room_back() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    ready(&live, "data", 700).await;
    let set = async |bytes| {
        let limits = Limits::hard(Bytes(bytes));
        live.control.set_namespace_limits(&operator(), &namespace("data"), limits, WriteOptions::default()).await
    };
    assert_eq!(reason(&set(801).await.unwrap_err()), (Status::ResourceExhausted, "PROJECT_QUOTA"));
    for bytes in [800, 50] {
        let started = set(bytes).await.unwrap();
        assert_eq!(started.namespace.state, NamespaceState::Updating);
        wait_done(&live.control, &started.operation.unwrap().name).await;
        let ledger = live.control.project_ledger(&operator(), &project("vision")).await.unwrap();
        assert_eq!(ledger.reserved, Bytes(bytes));
    }
    ready(&live, "more", 750).await;
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_protected_namespace_is_not_deleted() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    ready(&live, "data", 100).await;
    let protect = async |on| {
        let changes = NamespaceChanges { deletion_protection: Update::Set(on), ..NamespaceChanges::default() };
        live.control.update_namespace(&operator(), &namespace("data"), changes, WriteOptions::default()).await
    };
    let delete = async || {
        let name = namespace("data");
        live.control.delete_namespace(&operator(), &name, DataPolicy::Purge, WriteOptions::default()).await
    };
    let etag = protect(true).await.unwrap().etag();
    assert_eq!(delete().await.unwrap_err().reason(), "DELETION_PROTECTED");
    protect(false).await.unwrap();
    let options = WriteOptions { etag: Some(etag), ..WriteOptions::default() };
    let error = live.control.delete_namespace(&operator(), &namespace("data"), DataPolicy::Purge, options).await;
    assert_eq!(reason(&error.unwrap_err()), (Status::Aborted, "ETAG_MISMATCH"));
    let deleted = wait_done(&live.control, &delete().await.unwrap().operation.unwrap().name).await;
    let Some(stowage_control::Response::Namespace(last)) = deleted.response else { panic!("no response") };
    assert_eq!((last.state, last.reserved), (NamespaceState::Deleted, Bytes(0)));
    let error = live.control.get_namespace(&operator(), &namespace("data")).await.unwrap_err();
    assert_eq!(error.status(), Status::NotFound);
    ready(&live, "data", 100).await;
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn usage_is_asked_once_for_all_who_wait_and_then_remembered() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    for id in ["a", "b", "c"] {
        ready(&live, id, 10).await;
    }
    let asked = || world.backend.calls().iter().filter(|call| *call == "read-usage").count();
    let read = |id: &str| {
        let name = namespace(id);
        let control = &live.control;
        async move { control.namespace_usage(&operator(), &name, false).await.unwrap() }
    };
    let (a, b, c, again) = tokio::join!(read("a"), read("b"), read("c"), read("a"));
    assert_eq!([a, b, c, again].map(|report| report.usages[0].used), [7, 7, 7, 7]);
    assert_eq!(asked(), 1);
    read("b").await;
    assert_eq!(asked(), 1);
    tokio::time::advance(Duration::from_secs(6)).await;
    read("b").await;
    assert_eq!(asked(), 2);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_provider_is_answered_with_what_was_seen_last() {
    use stowage_ports::provider::ErrorKind;
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    ready(&live, "a", 10).await;
    let read = |refresh| {
        let control = &live.control;
        async move { control.namespace_usage(&operator(), &namespace("a"), refresh).await }
    };
    read(false).await.unwrap();
    world.backend.fail_always("read-usage", Some(ErrorKind::Unreachable));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(read(false).await.unwrap().usages[0].observed_at, 5);
    assert_eq!(read(true).await.unwrap_err().reason(), "PROVIDER_UNREACHABLE");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_has_is_adopted_after_a_dry_run() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let command = AdoptNamespace {
        project: project("vision"),
        id: NamespaceId::parse("old").unwrap(),
        provider: ProviderName::parse("providers/model").unwrap(),
        location: "legacy/tree".into(),
        class: None,
        protocols: Vec::new(),
        limits: Limits::hard(Bytes(10)),
        labels: Labels::default(),
        deletion_protection: true,
    };
    let dry = WriteOptions { validate_only: true, ..WriteOptions::default() };
    let shown = live.control.adopt_namespace(&operator(), command.clone(), dry).await.unwrap();
    assert_eq!(shown.namespace.native.unwrap().location, "legacy/tree");
    assert!(world.backend.holds.lock().unwrap().namespaces.is_empty());
    let started = live.control.adopt_namespace(&operator(), command, WriteOptions::default()).await.unwrap();
    wait_done(&live.control, &started.operation.unwrap().name).await;
    let adopted = live.control.get_namespace(&operator(), &namespace("old")).await.unwrap().value;
    assert_eq!(adopted.state, NamespaceState::Ready);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn shared_namespaces_are_listed_page_by_page_once_each() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let ops = operator();
    live.control.register_workload(&ops, new_workload("audio", "w"), WriteOptions::default()).await.unwrap();
    for id in ["a", "b", "c", "d"] {
        ready(&live, id, 10).await;
    }
    let grant = async |id: &str, principal: Principal, expires_at| {
        let command = CreateGrant {
            namespace: namespace(id),
            id: None,
            principal,
            prefix: Prefix::default(),
            actions: [Action::Read, Action::List].into(),
            expires_at,
        };
        live.control.create_grant(&operator(), command, WriteOptions::default()).await.unwrap().value.name
    };
    let workload = project("audio").workload(stowage_domain::WorkloadId::parse("w").unwrap());
    grant("a", Principal::Project(project("audio")), None).await;
    grant("a", Principal::User("ops".into()), None).await;
    grant("b", Principal::Workload(workload), None).await;
    let soon = UnixMillis(1_700_000_000_000 + 3_600_000);
    grant("c", Principal::Project(project("audio")), Some(soon)).await;
    grant("d", Principal::User("ops".into()), None).await;
    let all = async || {
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let page = PageRequest { size: 1, token };
            let found = live.control.list_shared_namespaces(&operator(), &project("audio"), page).await.unwrap();
            let shown = found.items.iter().map(|s| (s.namespace.value.name.namespace.to_string(), s.grants.len()));
            names.extend(shown);
            token = found.next;
            if token.is_empty() {
                return names;
            }
        }
    };
    let named = |all: &[(&str, usize)]| all.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(all().await, named(&[("a", 2), ("b", 1), ("c", 1), ("d", 1)]));
    tokio::time::advance(Duration::from_secs(7200)).await;
    assert_eq!(all().await, named(&[("a", 2), ("b", 1), ("d", 1)]));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_mounted_namespace_is_not_deleted_and_its_plans_are_named() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    ready(&live, "data", 10).await;
    let workload = crate::mounting::workload(&live, "vision", "w").await;
    let access = PrefixAccess { prefix: Prefix::default(), mode: Mode::ReadWrite };
    let mount = crate::mounting::mounted(&live, &world, &workload, vec![access]).await;
    let error = live
        .control
        .delete_namespace(&operator(), &namespace("data"), DataPolicy::Purge, WriteOptions::default())
        .await
        .unwrap_err();
    assert_eq!(reason(&error), (Status::FailedPrecondition, "MOUNTED"));
    assert_eq!(error.0.preconditions[0].subject, mount.name.to_string());
    live.stop().await;
}
