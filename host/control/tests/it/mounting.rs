//! Mounts, workloads and nodes.

use std::time::Duration;

use secrecy::ExposeSecret;
use stowage_control::{
    ClaimWork, CreateGrant, CreateMount, Form, Mount, MountState, Operation, OperationState, PrefixAccess, ReportWork,
    Status, WorkOutcome, WriteOptions,
};
use stowage_domain::{Action, GrantId, GrantName, Prefix, Principal, WorkloadName, WorkloadState};
use stowage_policy::Mode;

use crate::support::{
    Agent, Fault, Live, Way, World, namespace, new_namespace, new_workload, operator, project, until, wait_done,
};

fn none() -> WriteOptions {
    WriteOptions::default()
}

pub(crate) async fn workload(live: &Live, of: &str, id: &str) -> WorkloadName {
    live.control.register_workload(&operator(), new_workload(of, id), none()).await.unwrap().value.name
}

fn access(prefix: &str, mode: Mode) -> PrefixAccess {
    PrefixAccess { prefix: Prefix::parse("prefix", prefix).unwrap(), mode }
}

fn command(world: &World, workload: &WorkloadName, prefixes: Vec<PrefixAccess>) -> CreateMount {
    CreateMount {
        workload: workload.clone(),
        id: None,
        namespace: namespace("data"),
        node: Some(world.agent.node.clone()),
        prefixes,
        form: Form::Node,
        multi_writer: false,
    }
}

pub(crate) async fn mounted(live: &Live, world: &World, workload: &WorkloadName, prefixes: Vec<PrefixAccess>) -> Mount {
    let asked = live.control.create_mount(&operator(), command(world, workload, prefixes), none()).await.unwrap();
    let operation = wait_done(&live.control, &asked.0.unwrap().name).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{:?}", operation.error);
    live.control.get_mount(&operator(), &asked.1.name).await.unwrap().value
}

/// Why the owner may not mount the namespace.
pub(crate) async fn refused(live: &Live, world: &World) -> stowage_control::ControlError {
    let workload = workload(live, "vision", "refused").await;
    let command = command(world, &workload, vec![access("", Mode::ReadOnly)]);
    live.control.create_mount(&operator(), command, none()).await.unwrap_err()
}

async fn data(live: &Live) {
    let started = live.control.create_namespace(&operator(), new_namespace("data", 100), none()).await.unwrap();
    wait_done(&live.control, &started.operation.unwrap().name).await;
}

async fn grant(live: &Live, id: &str, prefix: &str, actions: &[Action]) -> GrantName {
    let command = CreateGrant {
        namespace: namespace("data"),
        id: Some(GrantId::parse(id).unwrap()),
        principal: Principal::Project(project("audio")),
        prefix: Prefix::parse("prefix", prefix).unwrap(),
        actions: actions.iter().copied().collect(),
        expires_at: None,
    };
    live.control.create_grant(&operator(), command, none()).await.unwrap().value.name
}

async fn ended(live: &Live, operation: Option<Operation>) -> Operation {
    wait_done(&live.control, &operation.unwrap().name).await
}

#[tokio::test(start_paused = true)]
async fn an_owner_mounts_and_the_plan_shows_handles_and_no_secret() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    let mount = mounted(&live, &world, &workload, vec![access("", Mode::ReadWrite)]).await;
    assert_eq!(mount.state, MountState::Mounted);
    assert_eq!(mount.paths.len(), 1);
    assert!(mount.grants.is_empty());
    assert!(mount.notices[0].contains("the node is trusted"));
    assert!(mount.secrets[0].redeemed_at.is_some());
    assert!(!format!("{mount:?}").contains("token-of-the-mount"));
    assert_eq!(world.secrets.names(), Vec::<String>::new(), "a redeemed secret is gone");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_beyond_the_grants_is_refused_with_what_is_missing() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let workload = workload(&live, "audio", "w").await;
    let ask = async |prefixes: Vec<PrefixAccess>| {
        live.control.create_mount(&operator(), command(&world, &workload, prefixes), none()).await.unwrap_err()
    };
    let error = ask(vec![access("", Mode::ReadOnly)]).await;
    assert_eq!((error.status(), error.reason()), (Status::PermissionDenied, "MOUNT_NOT_GRANTED"));
    grant(&live, "reader", "shared/", &[Action::Read, Action::List]).await;
    let error = ask(vec![access("", Mode::ReadOnly)]).await;
    assert!(error.to_string().contains("\"shared/\": ask for these"), "{error}");
    let error = ask(vec![access("shared/", Mode::ReadOnly), access("shared/x/", Mode::ReadWrite)]).await;
    assert!(error.to_string().contains("a read-write mount needs write, delete as well"), "{error}");
    assert_eq!(error.0.fields[0].field, "mount_plan.prefixes[1]");
    assert!(world.backend.calls().iter().all(|call| call != "prepare-mount"));
    let mount = mounted(&live, &world, &workload, vec![access("shared/", Mode::ReadOnly)]).await;
    assert_eq!(mount.grants.len(), 1);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn revoking_a_grant_unmounts_what_rests_on_it_and_nothing_else() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let (own, guest) = (workload(&live, "vision", "w").await, workload(&live, "audio", "w").await);
    let grant = grant(&live, "reader", "shared/", &[Action::Read, Action::List]).await;
    let kept = mounted(&live, &world, &own, vec![access("", Mode::ReadWrite)]).await;
    let lost = mounted(&live, &world, &guest, vec![access("shared/", Mode::ReadOnly)]).await;
    let (operation, revoked) = live.control.revoke_grant(&operator(), &grant, none()).await.unwrap();
    assert!(revoked.revoked_at.is_some());
    // It counts no more from the answer on.
    let again = command(&world, &guest, vec![access("shared/", Mode::ReadOnly)]);
    assert_eq!(live.control.create_mount(&operator(), again, none()).await.unwrap_err().reason(), "MOUNT_NOT_GRANTED");
    let operation = ended(&live, operation).await;
    assert_eq!(operation.items.len(), 1);
    assert_eq!(
        (operation.items[0].resource.clone(), operation.items[0].state.as_str()),
        (lost.name.to_string(), "released")
    );
    let state = |mount: &Mount| {
        let name = mount.name.clone();
        let control = &live.control;
        async move { control.get_mount(&operator(), &name).await.unwrap().value.state }
    };
    assert_eq!((state(&kept).await, state(&lost).await), (MountState::Mounted, MountState::Revoked));
    assert_eq!(world.agent.mounted(), [kept.name].into());
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn releasing_a_workload_ends_every_mount_even_with_a_node_that_is_gone_and_says_which() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    let mount = mounted(&live, &world, &workload, vec![access("", Mode::ReadWrite)]).await;
    live.stop().await;

    let live = world.open_without_agent(None).await;
    let (operation, _) = live.control.release_workload(&operator(), &workload, none()).await.unwrap();
    let operation = ended(&live, operation).await;
    assert_eq!(operation.state, OperationState::Succeeded);
    assert_eq!(operation.items[0].state, "node-unreachable");
    assert_eq!(operation.items[0].problem.as_ref().unwrap().reason, "NODE_UNREACHABLE");
    let released = live.control.get_workload(&operator(), &workload).await.unwrap().value;
    assert_eq!(released.state, WorkloadState::Released);
    let error = live
        .control
        .create_mount(&operator(), command(&world, &workload, vec![access("", Mode::ReadOnly)]), none())
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "WORKLOAD_RELEASED");
    assert_eq!(world.agent.mounted().len(), 1);
    live.stop().await;

    // The order waits for the node, and its late report settles the record.
    let live = world.open(None).await;
    until("the node has unmounted", || world.agent.mounted().is_empty()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mount = live.control.get_mount(&operator(), &mount.name).await.unwrap().value;
    assert_eq!((mount.state, mount.state_reason.as_str()), (MountState::Released, ""));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_for_its_node_and_plan_alone_and_works_once() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    let ask = command(&world, &workload, vec![access("", Mode::ReadWrite)]);
    let (_, mount) = live.control.create_mount(&operator(), ask, none()).await.unwrap();
    let me = world.agent.caller();
    let claim = ClaimWork { node: world.agent.node.clone(), max: 0, wait: Duration::from_secs(30) };
    let work = live.control.claim_work(&me, claim).await.unwrap();
    assert_eq!(work.len(), 1);
    let handle = live.control.get_mount(&operator(), &mount.name).await.unwrap().value.secrets[0].handle.clone();
    let redeem = async |agent: &Agent, of: &Agent, handle: &str| {
        live.control.redeem_mount_secret(&agent.caller(), &of.node, &mount.name, handle).await
    };
    let other = Agent::new("n2", std::sync::Arc::clone(&world.backend));
    assert_eq!(redeem(&other, &world.agent, &handle).await.unwrap_err().reason(), "OUT_OF_SCOPE");
    assert_eq!(redeem(&other, &other, &handle).await.unwrap_err().reason(), "SECRET_NOT_FOUND");
    assert_eq!(redeem(&world.agent, &world.agent, "sealed/model/x").await.unwrap_err().reason(), "SECRET_NOT_FOUND");
    let first = redeem(&world.agent, &world.agent, &handle).await.unwrap();
    assert_eq!(first.value.expose_secret(), "token-of-the-mount");
    assert_eq!(redeem(&world.agent, &world.agent, &handle).await.unwrap_err().reason(), "SECRET_REDEEMED");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_a_works_source_is_for_its_node_and_work_alone_and_works_once() {
    const HANDLE: &str = "sealed/model/source-1";
    let world = World::new(Way::Node).await;
    let live = world.open_without_agent(None).await;
    world.secrets.insert(HANDLE, "token-of-the-source");
    world.secrets.insert("sealed/model/other", "token-of-another");
    world.backend.holds.lock().unwrap().source_secret = Some(HANDLE.to_owned());
    world.agent.report(&live.control).await.unwrap();
    live.control.create_namespace(&operator(), new_namespace("data", 100), none()).await.unwrap();
    let me = world.agent.caller();
    let claim = ClaimWork { node: world.agent.node.clone(), max: 0, wait: Duration::from_secs(30) };
    let work = live.control.claim_work(&me, claim).await.unwrap().remove(0);
    let other = Agent::new("n2", std::sync::Arc::clone(&world.backend));
    let redeem = async |agent: &Agent, of: &Agent, handle: &str| {
        live.control.redeem_work_secret(&agent.caller(), &of.node, &work.name, handle).await
    };
    assert_eq!(redeem(&other, &world.agent, HANDLE).await.unwrap_err().reason(), "OUT_OF_SCOPE");
    assert_eq!(redeem(&other, &other, HANDLE).await.unwrap_err().reason(), "SECRET_NOT_FOUND");
    let another = redeem(&world.agent, &world.agent, "sealed/model/other").await;
    assert_eq!(another.unwrap_err().reason(), "SECRET_NOT_FOUND", "a handle that the work does not name");
    let first = redeem(&world.agent, &world.agent, HANDLE).await.unwrap();
    assert_eq!(first.value.expose_secret(), "token-of-the-source");
    assert_eq!(redeem(&world.agent, &world.agent, HANDLE).await.unwrap_err().reason(), "SECRET_NOT_FOUND");
    assert!(!world.secrets.names().contains(&HANDLE.to_owned()), "a redeemed secret is gone");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_adapter_asks_for_a_secret_gets_one_that_the_host_makes_and_keeps() {
    let world = World::new(Way::Direct).await;
    world.backend.holds.lock().unwrap().asks_for_tenant_secrets = true;
    let live = world.open(None).await;
    data(&live).await;
    let named = world.backend.holds.lock().unwrap().tenant_secret.clone().unwrap();
    assert!(named.starts_with("made/model/swt-"), "{named}");
    let (username, password) = (world.secrets.field(&named, "username"), world.secrets.field(&named, "password"));
    assert_eq!(username.as_deref(), named.rsplit('/').next());
    assert!(password.is_some_and(|password| password.len() >= 16));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn unreported_work_is_handed_out_again_and_the_older_claim_is_refused() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    let ask = command(&world, &workload, vec![access("", Mode::ReadWrite)]);
    live.control.create_mount(&operator(), ask, none()).await.unwrap();
    let me = world.agent.caller();
    let claim = || {
        let claim = ClaimWork { node: world.agent.node.clone(), max: 0, wait: Duration::from_secs(60) };
        live.control.claim_work(&me, claim)
    };
    let first = claim().await.unwrap().remove(0);
    let second = loop {
        if let Some(work) = claim().await.unwrap().pop() {
            break work;
        }
    };
    assert_eq!((first.name.clone(), first.attempt, second.attempt), (second.name.clone(), 1, 2));
    let report = async |work: &stowage_control::Work, error: Option<&str>| {
        let outcome =
            WorkOutcome { results: Vec::new(), error: error.map(str::to_owned), reason: "MOUNT_FAILED".into() };
        let claim = work.lease.as_ref().unwrap().claim.clone();
        live.control.report_work(&me, ReportWork { name: work.name.clone(), claim, outcome }).await
    };
    assert_eq!(report(&first, Some("no")).await.unwrap_err().reason(), "STALE_CLAIM");
    report(&second, Some("no")).await.unwrap();
    report(&second, Some("no")).await.unwrap();
    assert_eq!(report(&second, None).await.unwrap_err().reason(), "STALE_CLAIM");
    let other = Agent::new("n2", std::sync::Arc::clone(&world.backend));
    let foreign = ClaimWork { node: world.agent.node.clone(), max: 0, wait: Duration::ZERO };
    assert_eq!(live.control.claim_work(&other.caller(), foreign).await.unwrap_err().reason(), "OUT_OF_SCOPE");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_mount_that_its_node_cannot_make_is_taken_back_and_says_why() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    let ask = command(&world, &workload, vec![access("", Mode::ReadWrite)]);
    let (operation, mount) = live.control.create_mount(&operator(), ask, none()).await.unwrap();
    let me = world.agent.caller();
    for error in [Some("no client of kind x"), None] {
        let claim = ClaimWork { node: world.agent.node.clone(), max: 0, wait: Duration::from_secs(60) };
        let work = live.control.claim_work(&me, claim).await.unwrap().remove(0);
        let outcome =
            WorkOutcome { results: Vec::new(), error: error.map(str::to_owned), reason: "UNKNOWN_CLIENT_KIND".into() };
        let claim = work.lease.unwrap().claim;
        live.control.report_work(&me, ReportWork { name: work.name, claim, outcome }).await.unwrap();
    }
    let operation = ended(&live, operation).await;
    assert_eq!(operation.error.unwrap().reason, "UNKNOWN_CLIENT_KIND");
    let mount = live.control.get_mount(&operator(), &mount.name).await.unwrap().value;
    assert_eq!(mount.state, MountState::Failed);
    assert!(mount.state_reason.contains("no client of kind x"));
    assert!(world.backend.holds.lock().unwrap().mounts.is_empty());
    assert_eq!(world.secrets.names(), Vec::<String>::new());
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_waits_for_a_node_that_can_and_is_made_when_one_comes() {
    use stowage_domain::NamespaceState;
    let world = World::new(Way::Node).await;
    let live = world.open_without_agent(None).await;
    tokio::time::advance(Duration::from_secs(120)).await;
    let started = live.control.create_namespace(&operator(), new_namespace("data", 100), none()).await.unwrap();
    let name = started.operation.unwrap().name;
    let waiting = live.control.wait_operation(&operator(), &name, Duration::from_secs(1)).await.unwrap();
    assert_eq!(waiting.state, OperationState::WaitingNode);
    let shown = live.control.get_namespace(&operator(), &namespace("data")).await.unwrap().value;
    assert_eq!(shown.state, NamespaceState::AwaitingNode);
    assert!(shown.state_reason.contains("waits for a node that has the root \"data\""), "{}", shown.state_reason);
    let agent = async { world.agent.run(&live.control).await };
    let done = wait_done(&live.control, &name);
    tokio::select! {
        () = agent => panic!("the agent ends"),
        operation = done => assert_eq!(operation.state, OperationState::Succeeded),
    }
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_expired_grant_takes_its_mounts_away_and_an_expired_workload_is_released() {
    use stowage_domain::UnixMillis;
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let hour = UnixMillis(1_700_000_000_000 + 3_600_000);
    let guest = workload(&live, "audio", "guest").await;
    let command = CreateGrant {
        namespace: namespace("data"),
        id: None,
        principal: Principal::Workload(guest.clone()),
        prefix: Prefix::default(),
        actions: [Action::Read, Action::List].into(),
        expires_at: Some(hour),
    };
    live.control.create_grant(&operator(), command, none()).await.unwrap();
    let mut brief = new_workload("vision", "brief");
    brief.expires_at = Some(UnixMillis(hour.0 + 3_600_000));
    let brief = live.control.register_workload(&operator(), brief, none()).await.unwrap().value.name;
    let lent = mounted(&live, &world, &guest, vec![access("", Mode::ReadOnly)]).await;
    assert_eq!(lent.granted_until, Some(hour));
    let own = mounted(&live, &world, &brief, vec![access("", Mode::ReadWrite)]).await;
    tokio::time::sleep(Duration::from_secs(3700)).await;
    let state = async |mount: &Mount| live.control.get_mount(&operator(), &mount.name).await.unwrap().value.state;
    assert_eq!((state(&lent).await, state(&own).await), (MountState::Revoked, MountState::Mounted));
    tokio::time::sleep(Duration::from_secs(3700)).await;
    assert_eq!(state(&own).await, MountState::Released);
    let released = live.control.get_workload(&operator(), &brief).await.unwrap().value;
    assert_eq!(released.state, WorkloadState::Released);
    assert!(world.agent.mounted().is_empty());
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_plan_whose_answer_was_lost_is_released_at_the_provider() {
    use stowage_ports::provider::ErrorKind;
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    world.backend.fail(world.backend.calls().len(), Fault::Lost(ErrorKind::Ambiguous));
    let ask = command(&world, &workload, vec![access("", Mode::ReadWrite)]);
    let (operation, mount) = live.control.create_mount(&operator(), ask, none()).await.unwrap();
    let name = operation.as_ref().unwrap().name.clone();
    until("the answer was lost", || !world.backend.holds.lock().unwrap().mounts.is_empty()).await;
    live.control.cancel_operation(&operator(), &name).await.unwrap();
    assert_eq!(ended(&live, operation).await.state, OperationState::Cancelled);
    assert!(world.backend.holds.lock().unwrap().mounts.is_empty());
    assert_eq!(world.secrets.names(), Vec::<String>::new());
    let mount = live.control.get_mount(&operator(), &mount.name).await.unwrap().value;
    assert_eq!(mount.state, MountState::Failed);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_wider_than_was_asked_is_refused_and_released() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    world.backend.widen();
    let ask = command(&world, &workload, vec![access("shared/", Mode::ReadOnly)]);
    let (operation, mount) = live.control.create_mount(&operator(), ask, none()).await.unwrap();
    let operation = ended(&live, operation).await;
    assert_eq!(operation.error.unwrap().reason, "PLAN_REFUSED");
    assert!(world.backend.holds.lock().unwrap().mounts.is_empty());
    assert!(!world.agent.mounted().contains(&mount.name));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_plan_is_released_and_the_others_of_its_workload_stay() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    let kept = mounted(&live, &world, &workload, vec![access("", Mode::ReadWrite)]).await;
    let one = mounted(&live, &world, &workload, vec![access("", Mode::ReadOnly)]).await;
    let (operation, _) = live.control.release_mount(&operator(), &one.name, none()).await.unwrap();
    let operation = ended(&live, operation).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{:?}", operation.error);
    let state = async |mount: &Mount| live.control.get_mount(&operator(), &mount.name).await.unwrap().value.state;
    assert_eq!((state(&one).await, state(&kept).await), (MountState::Released, MountState::Mounted));
    assert_eq!(world.agent.mounted(), [kept.name].into());
    assert_eq!(world.backend.holds.lock().unwrap().mounts.len(), 1, "the provider has released it, too");
    let again = live.control.release_mount(&operator(), &one.name, none()).await.unwrap_err();
    assert_eq!(again.reason(), "MOUNT_ENDED");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn several_writers_need_a_class_and_a_provider_that_allow_it() {
    use stowage_control::{ClassChanges, Update};
    use stowage_domain::{ClassName, ProviderName};
    use stowage_ports::provider::ProbeMode;
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    let ask = || CreateMount { multi_writer: true, ..command(&world, &workload, vec![access("", Mode::ReadWrite)]) };
    let refused = async || live.control.create_mount(&operator(), ask(), none()).await.unwrap_err();
    let error = refused().await;
    assert_eq!(error.reason(), "MULTI_WRITER");
    assert!(error.to_string().contains("its class does not allow"), "{error}");

    let class = ClassName::parse("storageClasses/fast").unwrap();
    let changes = ClassChanges { multi_writer: Update::Set(true), ..ClassChanges::default() };
    live.control.update_class(&operator(), &class, changes, none()).await.unwrap();
    let error = refused().await;
    assert_eq!(error.reason(), "MULTI_WRITER");
    assert!(error.to_string().contains("mounts.multi-writer"), "{error}");

    world.backend.can("mounts.multi-writer");
    let provider = ProviderName::parse("providers/model").unwrap();
    live.control.probe_provider(&operator(), &provider, ProbeMode::ReadOnly).await.unwrap();
    let (operation, mount) = live.control.create_mount(&operator(), ask(), none()).await.unwrap();
    assert!(mount.multi_writer);
    assert_eq!(ended(&live, operation).await.state, OperationState::Succeeded);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn plans_of_a_silent_node_are_listed_as_stale_with_its_name() {
    use stowage_control::PageRequest;
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let workload = workload(&live, "vision", "w").await;
    mounted(&live, &world, &workload, vec![access("", Mode::ReadWrite)]).await;
    let list = async |live: &Live| {
        let mut found = live.control.list_mounts(&operator(), &workload, PageRequest::default()).await.unwrap().items;
        found.remove(0).value
    };
    assert_eq!(list(&live).await.state, MountState::Mounted);
    live.stop().await;
    let live = world.open_without_agent(None).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    let silent = list(&live).await;
    assert_eq!((silent.state, silent.node.as_ref()), (MountState::Stale, Some(&world.agent.node)));
    assert!(silent.state_reason.contains("nodes/n1 has not been heard of"), "{}", silent.state_reason);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_grant_across_tenants_is_made_and_mounted_once_both_allow_it() {
    use stowage_control::{CreateProject, CreateTenant, TenantChanges, Update};
    use stowage_domain::{Labels, PosixIdentity, ProjectId, TenantId};
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    data(&live).await;
    let partner = CreateTenant {
        id: TenantId::parse("partner").unwrap(),
        display_name: String::new(),
        byte_quota: None,
        cross_tenant_sharing: false,
        labels: Labels::default(),
    };
    let partner = live.control.create_tenant(&operator(), partner, none()).await.unwrap().value.name;
    let lab = CreateProject {
        tenant: partner.clone(),
        id: ProjectId::parse("lab").unwrap(),
        display_name: String::new(),
        posix: PosixIdentity { uid: 3001, gid: 3001, mode: 0o770 },
        byte_quota: None,
        labels: Labels::default(),
    };
    let lab = live.control.create_project(&operator(), lab, none()).await.unwrap().value.name;
    let guest = stowage_control::RegisterWorkload { project: lab.clone(), ..new_workload("audio", "w") };
    let guest = live.control.register_workload(&operator(), guest, none()).await.unwrap().value.name;
    let share = async || {
        let command = CreateGrant {
            namespace: namespace("data"),
            id: None,
            principal: Principal::Project(lab.clone()),
            prefix: Prefix::parse("prefix", "shared/").unwrap(),
            actions: [Action::Read, Action::List].into(),
            expires_at: None,
        };
        live.control.create_grant(&operator(), command, none()).await
    };
    for (allowing, refusing) in [(project("vision").tenant_name(), "tenants/partner"), (partner.clone(), "")] {
        let error = share().await.unwrap_err();
        assert_eq!(error.reason(), "CROSS_TENANT", "{error}");
        let allow = TenantChanges { cross_tenant_sharing: Update::Set(true), ..TenantChanges::default() };
        live.control.update_tenant(&operator(), &allowing, allow, none()).await.unwrap();
        if !refusing.is_empty() {
            let error = share().await.unwrap_err();
            assert!(error.to_string().contains(refusing), "the other side has not allowed it: {error}");
        }
    }
    share().await.unwrap();
    let mount = mounted(&live, &world, &guest, vec![access("shared/", Mode::ReadOnly)]).await;
    assert_eq!((mount.state, mount.grants.len()), (MountState::Mounted, 1));
    let beyond = command(&world, &guest, vec![access("", Mode::ReadOnly)]);
    assert_eq!(live.control.create_mount(&operator(), beyond, none()).await.unwrap_err().reason(), "MOUNT_NOT_GRANTED");
    live.stop().await;
}
