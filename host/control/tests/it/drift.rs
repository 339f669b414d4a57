//! Drift: what is believed against what the model of a backend shows.

use std::{sync::atomic::Ordering, time::Duration};

use stowage_control::{
    Control, DriftFilter, DriftScan, Measurement, MountState, NodeReport, PageRequest, PrefixAccess, ReportedMount,
    Status, WriteOptions,
};
use stowage_domain::{
    Drift, DriftKind, DriftSeverity, MountName, Prefix, ProviderName, Standing, capability::ConstraintValue,
};
use stowage_policy::Mode;
use stowage_ports::provider as port;

use crate::{
    mounting::{mounted, workload},
    support::{Live, Way, World, namespace, new_namespace, operator, until, wait_done},
};

fn provider() -> ProviderName {
    ProviderName::parse("providers/model").unwrap()
}

async fn make(live: &Live, id: &str) -> String {
    let started = live.control.create_namespace(&operator(), new_namespace(id, 10), WriteOptions::default()).await;
    let operation = wait_done(&live.control, &started.unwrap().operation.unwrap().name).await;
    assert_eq!(operation.error, None);
    tokio::time::advance(Duration::from_millis(2)).await;
    live.control.get_namespace(&operator(), &namespace(id)).await.unwrap().value.physical_id
}

async fn scan(control: &Control) -> DriftScan {
    tokio::time::advance(Duration::from_millis(2)).await;
    control.scan_drifts(&operator(), &provider()).await.unwrap()
}

async fn drifts(control: &Control, resolved: bool) -> Vec<Drift> {
    let filter = DriftFilter { resolved, kind: None };
    let listed = control.list_drifts(&operator(), &provider(), filter, PageRequest::default()).await.unwrap();
    assert_eq!(listed.next, "");
    listed.items.into_iter().map(|row| row.value).collect()
}

fn kinds(drifts: &[Drift]) -> Vec<DriftKind> {
    drifts.iter().map(|drift| drift.kind).collect()
}

fn hard(bytes: u64) -> Vec<port::Limit> {
    vec![port::Limit {
        dimension: port::Dimension::Bytes,
        scope: port::LimitScope::Namespace,
        enforcement: port::Enforcement::Block,
        value: bytes,
        extensions: Vec::new(),
    }]
}

#[tokio::test(start_paused = true)]
async fn what_was_changed_removed_and_added_behind_the_hosts_back_is_told_and_resolved_when_it_is_mended() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let (changed, removed) = (make(&live, "changed").await, make(&live, "removed").await);
    make(&live, "untouched").await;
    let first = scan(&live.control).await;
    assert_eq!((first.listed, first.namespaces, first.new), (3, 3, 0), "{first:?}");
    let gone = {
        let mut holds = world.backend.holds.lock().unwrap();
        holds.namespaces.get_mut(&changed).unwrap().limits = hard(99);
        let gone = holds.namespaces.remove(&removed).unwrap();
        let mut foreign = gone.clone();
        foreign.owner = "somebody-else".into();
        holds.namespaces.insert("stray".into(), foreign);
        gone
    };
    let calls = world.backend.calls().len();
    let scanned = scan(&live.control).await;
    assert_eq!((scanned.new, scanned.resolved, scanned.broken_off.as_str()), (3, 0, ""));
    let found = drifts(&live.control, false).await;
    let wanted = [DriftKind::NamespaceMissing, DriftKind::NamespaceUnknown, DriftKind::QuotaDiffers];
    assert_eq!(kinds(&found), wanted);
    assert_eq!(found[0].resource, namespace("removed").to_string());
    assert_eq!((found[0].severity, found[1].severity), (DriftSeverity::Critical, DriftSeverity::Warning));
    assert_eq!((found[1].resource.as_str(), found[1].subject.as_str()), ("", "model:/stray"));
    assert!(found[2].evidence.contains("10 bytes") && found[2].evidence.contains("99 bytes"), "{found:?}");
    assert_eq!(live.control.get_drift(&operator(), &found[2].name).await.unwrap().value, found[2]);

    let again = scan(&live.control).await;
    assert_eq!((again.new, again.resolved), (0, 0), "what stays is one row");
    let later = drifts(&live.control, false).await;
    assert_eq!(later[0].first_seen, found[0].first_seen);
    assert!(later[0].last_seen > found[0].last_seen);

    {
        let mut holds = world.backend.holds.lock().unwrap();
        holds.namespaces.get_mut(&changed).unwrap().limits = hard(10);
        holds.namespaces.insert(removed.clone(), gone.clone());
        holds.namespaces.remove("stray");
    }
    let mended = scan(&live.control).await;
    assert_eq!((mended.new, mended.resolved), (0, 3));
    assert_eq!(drifts(&live.control, false).await, vec![]);
    let past = drifts(&live.control, true).await;
    assert_eq!(kinds(&past), wanted);
    assert!(past.iter().all(|drift| drift.resolved_at.is_some()));

    world.backend.holds.lock().unwrap().namespaces.remove(&removed);
    assert_eq!(scan(&live.control).await.new, 1, "what comes back is new again");
    let back = drifts(&live.control, false).await;
    assert!(back[0].first_seen > later[0].first_seen && back[0].open());
    assert_eq!(world.backend.calls().len(), calls, "nothing was changed at the provider");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_off_makes_nothing_missing_and_nothing_resolved() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let mut ids = Vec::new();
    for id in ["one", "two", "three"] {
        ids.push(make(&live, id).await);
    }
    ids.sort();
    {
        let mut holds = world.backend.holds.lock().unwrap();
        holds.script.page = Some(1);
        holds.namespaces.get_mut(&ids[2]).unwrap().limits = hard(99);
    }
    assert_eq!(scan(&live.control).await.new, 1);
    {
        let mut holds = world.backend.holds.lock().unwrap();
        holds.namespaces.get_mut(&ids[0]).unwrap().limits = hard(77);
        holds.namespaces.remove(&ids[1]);
        holds.script.breaks_at = Some(1);
    }
    let broken = scan(&live.control).await;
    assert!(broken.broken_off.contains("model"), "{broken:?}");
    assert_eq!((broken.new, broken.resolved), (1, 0));
    assert_eq!(kinds(&drifts(&live.control, false).await), [DriftKind::QuotaDiffers, DriftKind::QuotaDiffers]);
    world.backend.holds.lock().unwrap().script.breaks_at = None;
    assert_eq!(scan(&live.control).await.found.get(&DriftKind::NamespaceMissing), Some(&1));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn behind_another_backend_nothing_is_missing() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    make(&live, "data").await;
    let held = {
        let mut holds = world.backend.holds.lock().unwrap();
        holds.script.instance = Some("model-2".into());
        std::mem::take(&mut holds.namespaces)
    };
    let scanned = scan(&live.control).await;
    assert!(scanned.broken_off.contains("model-2"), "{scanned:?}");
    let found = drifts(&live.control, false).await;
    assert_eq!((kinds(&found), found[0].severity), (vec![DriftKind::InstanceChanged], DriftSeverity::Critical));
    {
        let mut holds = world.backend.holds.lock().unwrap();
        holds.script.instance = None;
        holds.namespaces = held;
    }
    assert_eq!(scan(&live.control).await.resolved, 1);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_does_not_answer_changes_no_row() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let id = make(&live, "data").await;
    let held = world.backend.holds.lock().unwrap().namespaces.remove(&id).unwrap();
    scan(&live.control).await;
    world.backend.holds.lock().unwrap().namespaces.insert(id, held);
    world.backend.fail_always("probe", Some(port::ErrorKind::Unreachable));
    let refused = live.control.scan_drifts(&operator(), &provider()).await.unwrap_err();
    assert_eq!(refused.status(), Status::Unavailable);
    assert_eq!(kinds(&drifts(&live.control, false).await), [DriftKind::NamespaceMissing]);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_an_operation_works_on_is_no_drift() {
    let world = World::new(Way::Node).await;
    // Without its agent the node makes no directory, so the create stays open.
    let live = world.open_without_agent(None).await;
    let started = live.control.create_namespace(&operator(), new_namespace("new", 10), WriteOptions::default()).await;
    until("the provider has a part of it", || !world.backend.holds.lock().unwrap().namespaces.is_empty()).await;
    assert_eq!(scan(&live.control).await.new, 0, "half made at the provider");
    world.backend.holds.lock().unwrap().namespaces.clear();
    assert_eq!(scan(&live.control).await.new, 0, "not yet made at the provider");
    let operation = started.unwrap().operation.unwrap();
    assert!(!live.control.get_operation(&operator(), &operation.name).await.unwrap().done());
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_scan_asks_for_pages_and_never_for_each_namespace() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    for number in 0..30 {
        make(&live, &format!("n{number}")).await;
    }
    let before = {
        let mut holds = world.backend.holds.lock().unwrap();
        holds.script.page = Some(10);
        holds.script.asked()
    };
    let scanned = scan(&live.control).await;
    let after = world.backend.holds.lock().unwrap().script.asked();
    assert_eq!((scanned.pages, scanned.listed, scanned.namespaces, scanned.looks), (3, 30, 30, 0));
    assert_eq!((after.0 - before.0, after.1 - before.1), (3, 0));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_list_left_out_by_accident_is_looked_at_before_it_is_called_missing() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let id = make(&live, "data").await;
    world.backend.holds.lock().unwrap().script.hides.push(id);
    let scanned = scan(&live.control).await;
    assert_eq!((scanned.listed, scanned.looks, scanned.new), (0, 1, 0));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_lost_its_mark_is_known_by_its_place() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    let id = make(&live, "data").await;
    world.backend.holds.lock().unwrap().script.marks.insert(id, None);
    scan(&live.control).await;
    let found = drifts(&live.control, false).await;
    assert_eq!(kinds(&found), [DriftKind::NamespaceMarkLost]);
    assert_eq!(found[0].resource, namespace("data").to_string());
    live.stop().await;
}

async fn with_mount(world: &World) -> (Live, MountName) {
    let live = world.open(None).await;
    make(&live, "data").await;
    let workload = workload(&live, "vision", "job").await;
    let whole = PrefixAccess { prefix: Prefix::parse("prefix", "").unwrap(), mode: Mode::ReadWrite };
    let mount = mounted(&live, world, &workload, vec![whole]).await;
    world.agent.report(&live.control).await.unwrap();
    (live, mount.name)
}

#[tokio::test(start_paused = true)]
async fn a_mount_is_stale_when_its_node_lost_it_and_well_when_it_is_back() {
    let world = World::new(Way::Direct).await;
    let (live, mount) = with_mount(&world).await;
    assert_eq!((scan(&live.control).await.mounts, drifts(&live.control, false).await), (1, vec![]));
    let report = |state, reason: &str| NodeReport {
        node: world.agent.node.clone(),
        agent_version: "1".into(),
        boot_id: "b".into(),
        source_roots: vec!["data".into()],
        clients: Vec::new(),
        mounts: vec![ReportedMount { mount: mount.clone(), state, paths: Vec::new(), reason: reason.into() }],
    };
    let stale = report(MountState::Stale, "the mount does not answer");
    live.control.report_node(&world.agent.caller(), stale).await.unwrap();
    scan(&live.control).await;
    let found = drifts(&live.control, false).await;
    assert_eq!(kinds(&found), [DriftKind::MountStale]);
    assert_eq!((found[0].resource.as_str(), found[0].subject.as_str()), (mount.to_string().as_str(), "nodes/n1"));
    assert!(found[0].evidence.contains("does not answer"), "{found:?}");
    live.control.report_node(&world.agent.caller(), report(MountState::Mounted, "")).await.unwrap();
    assert_eq!(scan(&live.control).await.resolved, 1);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_mount_of_a_silent_node_is_stale() {
    let world = World::new(Way::Direct).await;
    let (live, _) = with_mount(&world).await;
    live.stop().await;
    let live = world.open_without_agent(None).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    scan(&live.control).await;
    let found = drifts(&live.control, false).await;
    assert_eq!(kinds(&found), [DriftKind::MountStale]);
    assert!(found[0].evidence.contains("silent for"), "{found:?}");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_alone_sees_otherwise_is_for_information() {
    let world = World::new(Way::Direct).await;
    let (live, _) = with_mount(&world).await;
    let says = |state| world.backend.holds.lock().unwrap().script.mounts = Some(state);
    says(port::MountState::Requested);
    scan(&live.control).await;
    let found = drifts(&live.control, false).await;
    assert_eq!((kinds(&found), found[0].severity), (vec![DriftKind::MountDiffers], DriftSeverity::Info));
    says(port::MountState::Mounted);
    assert_eq!(scan(&live.control).await.resolved, 1);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_ability_that_was_lost_is_told_until_it_is_back() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    world.backend.can("namespaces.s3");
    assert_eq!(scan(&live.control).await.new, 0, "the first look is the baseline");
    let off = port::NotReady {
        capability: "namespaces.s3".into(),
        reason: "S3_NOT_ENABLED".into(),
        remedy: "enable it".into(),
    };
    let set = |state| world.backend.holds.lock().unwrap().probed[0].state = state;
    set(port::CapabilityState::Unavailable(off));
    for _ in 0..2 {
        scan(&live.control).await;
        let found = drifts(&live.control, false).await;
        assert_eq!((kinds(&found), found[0].subject.as_str()), (vec![DriftKind::ReadinessChanged], "namespaces.s3"));
        assert!(found[0].evidence.contains("S3_NOT_ENABLED"), "{found:?}");
    }
    set(port::CapabilityState::Supported);
    assert_eq!(scan(&live.control).await.resolved, 1);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn every_provider_is_scanned_on_schedule() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let interval = Duration::from_millis(live.control.config().drift_interval.0);
    make(&live, "data").await;
    let id = world.backend.holds.lock().unwrap().namespaces.keys().next().unwrap().clone();
    world.backend.holds.lock().unwrap().namespaces.remove(&id);
    let lists = || world.backend.holds.lock().unwrap().script.lists.load(Ordering::Relaxed);
    tokio::time::sleep(interval - Duration::from_secs(5)).await;
    assert_eq!(lists(), 0);
    until("the schedule has come", || lists() == 1).await;
    tokio::time::sleep(interval).await;
    assert_eq!(lists(), 2);
    assert_eq!(kinds(&drifts(&live.control, false).await), [DriftKind::NamespaceMissing]);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn drifts_are_listed_by_kind_and_page() {
    let world = World::new(Way::Direct).await;
    let live = world.open(None).await;
    for number in 0..5 {
        let id = make(&live, &format!("n{number}")).await;
        let mut holds = world.backend.holds.lock().unwrap();
        if number < 3 {
            holds.namespaces.remove(&id);
        } else {
            holds.namespaces.get_mut(&id).unwrap().limits = hard(99);
        }
    }
    scan(&live.control).await;
    let filter = DriftFilter { resolved: false, kind: Some(DriftKind::NamespaceMissing) };
    let page = |token: String| PageRequest { size: 2, token };
    let first = live.control.list_drifts(&operator(), &provider(), filter, page(String::new())).await.unwrap();
    let second = live.control.list_drifts(&operator(), &provider(), filter, page(first.next)).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next.as_str()), (2, 1, ""));
    let mut names: Vec<_> = first.items.iter().chain(&second.items).map(|row| row.value.resource.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3);
    live.stop().await;
}

fn measurement(confirmed: bool) -> Measurement {
    Measurement {
        capability: "quota.hard".into(),
        confirmed,
        evidence: "wrote 2 MiB into a quota of 1 MiB".into(),
        constraints: vec![("quota.latency".into(), ConstraintValue::Seconds(5))],
    }
}

async fn standing(control: &Control, id: &str) -> Standing {
    let record = control.get_provider(&operator(), &provider()).await.unwrap().value;
    record.capabilities.into_iter().find(|capability| capability.id == id).unwrap().standing
}

#[tokio::test(start_paused = true)]
async fn a_measurement_counts_until_the_backend_has_another_release() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let (ops, name) = (operator(), provider());
    let record = |measurements| live.control.record_evidence(&ops, &name, measurements, WriteOptions::default());
    record(vec![measurement(false)]).await.unwrap();
    assert!(matches!(standing(&live.control, "quota.hard").await, Standing::Refuted { .. }));
    let probe = || live.control.probe_provider(&ops, &name, port::ProbeMode::ReadOnly);
    probe().await.unwrap();
    assert!(matches!(standing(&live.control, "quota.hard").await, Standing::Refuted { .. }), "a probe leaves it");
    record(vec![measurement(true)]).await.unwrap();
    let Standing::Probed { evidence, .. } = standing(&live.control, "quota.hard").await else { panic!("not probed") };
    assert_eq!(evidence, "wrote 2 MiB into a quota of 1 MiB");
    world.backend.holds.lock().unwrap().script.release = Some("2".into());
    probe().await.unwrap();
    assert!(matches!(standing(&live.control, "quota.hard").await, Standing::Declared), "another release is unmeasured");
    assert_eq!(record(Vec::new()).await.unwrap_err().status(), Status::InvalidArgument);
    live.stop().await;
}
