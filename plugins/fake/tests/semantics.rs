//! The fake behaves as a real backend would: idempotent by owner, careful with marks, limited and paged.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared among test binaries")]
mod common;

use common::*;
use serde_json::json;
use stowage_plugin_fake::Fake;
use stowage_provider_sdk::{error::ErrorKind, prelude::*};

fn create(bench: &Bench, call: Call, spec: NamespaceSpec) -> Result<Progress> {
    bench.run(|| <Fake as Namespaces>::create(call, spec))
}

fn capacity_used(bench: &Bench) -> u64 {
    let report = bench.run(|| <Fake as Health>::probe(ProbeMode::ReadOnly)).unwrap();
    report.counters.iter().find(|c| c.name == "capacity.bytes").unwrap().used
}

#[test]
fn blocks_of_byte_limits_are_told_where_the_host_looks_for_them() {
    let bench = Bench::new(json!({ "granularity_bytes": 8192 }));
    let report = bench.run(|| <Fake as Health>::probe(ProbeMode::ReadOnly)).unwrap();
    let constraints: Vec<_> = report.capabilities.into_iter().flat_map(|capability| capability.constraints).collect();
    assert!(constraints.contains(&("quota.rounding-bytes".to_owned(), Value::Number(8192))), "{constraints:?}");
}

#[test]
fn create_is_idempotent_by_owner_and_refuses_a_foreign_mark() {
    let bench = Bench::booked();
    let first = create(&bench, call("o1"), spec("ns")).unwrap();
    assert_eq!(create(&bench, call("o1"), spec("ns")).unwrap(), first);
    assert_eq!(bench.run(|| <Fake as Namespaces>::find("o1".into())).unwrap(), Some(b"ns".to_vec()));
    let refused = create(&bench, call("o2"), spec("ns")).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::ForeignOwner("o1".into()));
    assert_eq!(bench.run(|| <Fake as Namespaces>::find("o2".into())).unwrap(), None);
}

#[test]
fn a_create_without_directories_writes_the_mark_and_the_namespace_and_nothing_else() {
    let bench = Bench::booked();
    bench.namespace("a");
    assert_eq!(bench.host.state().keys().map(String::as_str).collect::<Vec<_>>(), ["ns/a", "owner/ns/make-a"]);
    let state = bench.run(|| <Fake as Namespaces>::inspect(b"a".to_vec())).unwrap();
    assert_eq!((state.lifecycle, state.revision.as_deref()), (Lifecycle::Ready, Some("0")), "written twice");
}

#[test]
fn with_real_directories_a_node_makes_them_before_the_namespace_is_ready() {
    let bench = Bench::new(json!({ "root": "demo" }));
    let Progress::NeedsNode(work) = create(&bench, call("o1"), spec("ns")).unwrap() else { panic!() };
    assert_eq!(work.source, MountSource::host_path("demo", ""));
    let verbs: Vec<(&str, &str)> = work.steps.iter().map(|s| (s.verb.as_str(), s.path.as_str())).collect();
    assert_eq!(verbs, [("make-directory", "ns"), ("make-directory", "ns/shared")]);
    assert_eq!(lookup(&work.steps[0].args, "mark"), Some("o1"));
    assert_eq!(lookup(&work.steps[0].args, "mode"), Some("0770"));
    assert_eq!(bench.run(|| <Fake as Namespaces>::inspect(b"ns".to_vec())).unwrap().lifecycle, Lifecycle::Creating);

    let results: &[(&str, &[(&str, &str)])] = &[("root", &[("inode", "7")]), ("prefix-0", &[])];
    assert_eq!(create(&bench, with_results("o1", results), spec("ns")).unwrap(), Progress::Done(b"ns".to_vec()));
    assert_eq!(bench.run(|| <Fake as Namespaces>::inspect(b"ns".to_vec())).unwrap().lifecycle, Lifecycle::Ready);

    let delete = |call| bench.run(|| <Fake as Namespaces>::delete(call, b"ns".to_vec(), DataPolicy::Purge));
    let Progress::NeedsNode(work) = delete(call("o2")).unwrap() else { panic!() };
    assert_eq!((work.steps[0].verb.as_str(), lookup(&work.steps[0].args, "mark")), ("remove-directory", Some("o1")));
    assert_eq!(delete(with_results("o2", &[("root", &[])])).unwrap(), Progress::Done(b"ns".to_vec()));
    assert_eq!(delete(call("o2")).unwrap(), Progress::Done(b"ns".to_vec()));
    assert_eq!(bench.host.state().keys().filter(|k| k.starts_with("ns/") || k.starts_with("owner/")).count(), 0);
}

#[test]
fn a_directory_with_another_mark_is_never_taken() {
    let bench = Bench::new(json!({}));
    create(&bench, call("o1"), spec("ns")).unwrap();
    let failed = NodeResult { id: "root".into(), values: vec![], error: Some("foreign-mark: it is of o9".into()) };
    let refused = create(&bench, Call { node_results: vec![failed], ..call("o1") }, spec("ns")).unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::ForeignOwner(_)), "{refused:?}");
    assert_eq!(bench.run(|| <Fake as Namespaces>::inspect(b"ns".to_vec())).unwrap().lifecycle, Lifecycle::Creating);
}

#[test]
fn jobs_and_node_work_come_one_after_the_other_and_end() {
    let bench = Bench::new(json!({ "job_polls": 2 }));
    let Progress::Pending(job) = create(&bench, call("o1"), spec("ns")).unwrap() else { panic!() };
    assert_eq!(create(&bench, call("o1"), spec("ns")).unwrap(), Progress::Pending(job.clone()), "asked too early");
    let poll = || bench.run(|| <Fake as Jobs>::poll(job.handle.clone())).unwrap();
    assert!(matches!(poll(), Status::Running(_)));
    assert_eq!(poll(), Status::Ended);
    assert!(matches!(create(&bench, call("o1"), spec("ns")).unwrap(), Progress::NeedsNode(_)));
    let done = create(&bench, with_results("o1", &[("root", &[])]), spec("ns")).unwrap();
    assert_eq!(done, Progress::Done(b"ns".to_vec()));
}

#[test]
fn capacity_is_taken_once_given_back_once_and_runs_out() {
    let bench = Bench::new(json!({ "node_directories": false, "capacity_bytes": 40960 }));
    let limited = |id: &str, value| NamespaceSpec { limits: vec![bytes(value)], ..spec(id) };
    create(&bench, call("o1"), limited("a", 8000)).unwrap();
    create(&bench, call("o1"), limited("a", 8000)).unwrap();
    assert_eq!(capacity_used(&bench), 8192, "8000 rounded up to 4096s, once");
    let refused = create(&bench, call("o2"), limited("b", 40000)).unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::CapacityExhausted(_)), "{refused:?}");
    assert_eq!(bench.run(|| <Fake as Namespaces>::find("o2".into())).unwrap(), None);
    bench.run(|| <Fake as Namespaces>::set_limits(call("o3"), b"a".to_vec(), vec![bytes(40960)])).unwrap();
    assert_eq!(capacity_used(&bench), 40960);
    for _ in 0..2 {
        bench.run(|| <Fake as Namespaces>::delete(call("o4"), b"a".to_vec(), DataPolicy::Keep)).unwrap();
        assert_eq!(capacity_used(&bench), 0);
    }
    create(&bench, call("o5"), limited("a", 40960)).unwrap();
    assert_eq!(capacity_used(&bench), 40960);
}

#[test]
fn a_create_stopped_between_capacity_and_namespace_takes_nothing_twice() {
    use stowage_provider_sdk::native::NativeHost as _;
    let bench = Bench::new(json!({ "node_directories": false }));
    let limited = NamespaceSpec { limits: vec![bytes(4096)], ..spec("a") };
    create(&bench, call("o1"), limited.clone()).unwrap();
    // As if the host had been killed after the capacity was taken and before the namespace was written.
    bench.host.kv_delete("ns/a", None).unwrap();
    assert_eq!(bench.run(|| <Fake as Namespaces>::find("o1".into())).unwrap(), None);
    create(&bench, call("o1"), limited).unwrap();
    assert_eq!(capacity_used(&bench), 4096);
}

#[test]
fn usage_is_as_booked_and_tells_how_near_the_limit_is() {
    let bench = Bench::booked();
    let limits = vec![bytes(4096)];
    create(&bench, call("o1"), NamespaceSpec { limits, ..labelled("a", &[("fake.used-bytes", "4096")]) }).unwrap();
    let natives = vec![b"a".to_vec(), b"missing".to_vec()];
    let Usages::Done(seen) = bench.run(|| <Fake as Namespaces>::read_usage(natives, vec![])).unwrap() else { panic!() };
    let usage = &seen[0].as_ref().unwrap()[0];
    assert_eq!((usage.used, &usage.state), (4096, &LimitState::Hard));
    assert_eq!(seen[1].as_ref().unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn usage_can_be_read_by_a_node() {
    let bench = Bench::new(json!({ "node_directories": false, "usage_from_node": true }));
    let native = bench.namespace("a");
    let read = |results| bench.run(|| <Fake as Namespaces>::read_usage(vec![native.clone()], results)).unwrap();
    let Usages::NeedsNode(work) = read(vec![]) else { panic!() };
    assert_eq!(work.steps[0].verb, "read-quota");
    let results = with_results("", &[("a", &[("used-bytes", "12"), ("used-inodes", "3")])]).node_results;
    let Usages::Done(seen) = read(results) else { panic!() };
    assert_eq!(seen[0].as_ref().unwrap().iter().map(|u| u.used).collect::<Vec<_>>(), [12, 3]);
}

#[test]
fn a_deleted_namespace_can_be_had_back_until_its_time_is_over() {
    let bench = Bench::new(json!({ "node_directories": false, "recoverable_s": 60 }));
    let native = bench.namespace("a");
    let delete = || bench.run(|| <Fake as Namespaces>::delete(call("d"), native.clone(), DataPolicy::Recoverable));
    let undelete = || bench.run(|| <Fake as Namespaces>::undelete(call("u"), native.clone()));
    delete().unwrap();
    undelete().unwrap();
    assert_eq!(bench.run(|| <Fake as Namespaces>::inspect(native.clone())).unwrap().lifecycle, Lifecycle::Ready);
    delete().unwrap();
    bench.host.set_now_ms(1_700_000_061_000);
    assert_eq!(undelete().unwrap_err().kind, ErrorKind::NotFound);
    bench.run(|| <Fake as Namespaces>::purge(call("p"), native.clone())).unwrap();
    assert_eq!(bench.run(|| <Fake as Namespaces>::inspect(native.clone())).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn adoption_looks_first_and_a_dry_run_changes_nothing() {
    let bench = Bench::new(json!({}));
    let adopt = |call, dry| bench.run(|| <Fake as Namespaces>::adopt(call, "old/data".into(), spec("a"), dry));
    assert!(matches!(adopt(call("o"), true).unwrap(), Progress::NeedsNode(_)));
    let absent = with_results("o", &[("stat", &[("exists", "false")])]);
    assert_eq!(adopt(absent, true).unwrap_err().kind, ErrorKind::NotFound);
    let foreign = with_results("o", &[("stat", &[("exists", "true"), ("mark", "o9")])]);
    assert_eq!(adopt(foreign, true).unwrap_err().kind, ErrorKind::ForeignOwner("o9".into()));
    let seen = || with_results("o", &[("stat", &[("exists", "true")])]);
    assert_eq!(adopt(seen(), true).unwrap(), Progress::Done(b"a".to_vec()));
    assert!(bench.host.state().is_empty(), "a dry run wrote something");
    assert!(matches!(adopt(seen(), false).unwrap(), Progress::NeedsNode(_)));
    let marked = with_results("o", &[("stat", &[("exists", "true")]), ("root", &[])]);
    assert_eq!(adopt(marked, false).unwrap(), Progress::Done(b"a".to_vec()));
    assert_eq!(bench.run(|| <Fake as Namespaces>::inspect(b"a".to_vec())).unwrap().location, "fake/old/data");
}

#[test]
fn pages_hold_everything_once_even_when_something_is_added_in_between() {
    let bench = Bench::booked();
    for i in 0..7 {
        bench.namespace(&format!("n{i}"));
    }
    let mut page = PageRequest { cursor: None, limit: 3 };
    let mut seen = Vec::new();
    loop {
        let got = bench.run(|| <Fake as Namespaces>::list_page(page.clone())).unwrap();
        assert!(got.items.len() <= 3);
        seen.extend(got.items.into_iter().map(|s| String::from_utf8(s.ref_).unwrap()));
        if seen.len() == 3 {
            bench.namespace("a-before");
        }
        let Some(next) = got.next else { break };
        page.cursor = Some(next);
    }
    assert_eq!(seen, (0..7).map(|i| format!("n{i}")).collect::<Vec<_>>());
    let wrong = PageRequest { cursor: Some(b"owner/x".to_vec()), limit: 3 };
    assert!(matches!(bench.run(|| <Fake as Namespaces>::list_page(wrong)).unwrap_err().kind, ErrorKind::Invalid(_)));
}

#[test]
fn labels_demand_outcomes_of_later_calls_too() {
    let bench = Bench::booked();
    let labels = [("fake.delete", "times:2:error:unreachable"), ("fake.inspect", "error:throttled:5")];
    create(&bench, call("o"), labelled("a", &labels)).unwrap();
    let inspected = bench.run(|| <Fake as Namespaces>::inspect(b"a".to_vec())).unwrap_err();
    assert_eq!(inspected.kind, ErrorKind::Throttled(Some(5)));
    let delete = || bench.run(|| <Fake as Namespaces>::delete(call("d"), b"a".to_vec(), DataPolicy::Purge));
    assert_eq!(delete().unwrap_err().kind, ErrorKind::Unreachable);
    assert_eq!(delete().unwrap_err().kind, ErrorKind::Unreachable);
    assert_eq!(delete().unwrap(), Progress::Done(b"a".to_vec()));
}

#[test]
fn a_lost_answer_was_applied_and_the_repeated_call_finds_it() {
    for config in [json!({ "node_directories": false }), json!({})] {
        let bench = Bench::new(config);
        let spec = labelled("a", &[("fake.create", "ambiguous-after-apply")]);
        let results: &[(&str, &[(&str, &str)])] = &[("root", &[])];
        let lost = create(&bench, with_results("o", results), spec.clone()).unwrap_err();
        assert_eq!(lost.kind, ErrorKind::Ambiguous);
        assert_eq!(bench.run(|| <Fake as Namespaces>::find("o".into())).unwrap(), Some(b"a".to_vec()));
        assert_eq!(create(&bench, with_results("o", results), spec).unwrap(), Progress::Done(b"a".to_vec()));
    }
}

#[test]
fn plans_are_paths_beneath_the_root_and_never_leave_the_namespace() {
    let bench = Bench::new(json!({ "node_directories": false, "root": "demo" }));
    let native = bench.namespace("a");
    let prepare = |request| bench.run(|| <Fake as Mounts>::prepare(call("m"), request));
    let Prepared::Plan(plan) = prepare(mount(&native)).unwrap() else { panic!() };
    assert_eq!(plan.mounts[0].source, MountSource::host_path("demo", "a"));
    assert_eq!((plan.mounts[1].subpath.as_str(), &plan.mounts[1].mode), ("shared", &AccessMode::ReadOnly));
    let Prepared::Plan(again) = prepare(mount(&native)).unwrap() else { panic!() };
    assert_eq!(again, plan);
    for prefix in ["../b", "x/../..", "/etc", "x//y"] {
        let outside = MountRequest { prefixes: vec![(prefix.into(), AccessMode::ReadOnly)], ..mount(&native) };
        assert!(matches!(prepare(outside).unwrap_err().kind, ErrorKind::Invalid(_)), "{prefix}");
    }
    let seen = bench.run(|| <Fake as Mounts>::observe(vec![plan.ref_.clone()])).unwrap();
    assert_eq!((&seen[0].state, seen[0].clients.len()), (&MountState::Mounted, 2));
    bench.run(|| <Fake as Mounts>::detach(call("x"), seen[0].clients[0].id.clone(), true)).unwrap();
    assert_eq!(bench.run(|| <Fake as Mounts>::observe(vec![plan.ref_.clone()])).unwrap()[0].clients.len(), 1);
    for _ in 0..2 {
        bench.run(|| <Fake as Mounts>::release(call("r"), plan.ref_.clone())).unwrap();
    }
    assert_eq!(bench.run(|| <Fake as Mounts>::observe(vec![plan.ref_])).unwrap()[0].state, MountState::Revoked);
}

#[test]
fn snapshots_exist_where_the_book_is_all_there_is_and_nowhere_else() {
    let bench = Bench::booked();
    let native = bench.namespace("a");
    let take = |owner: &str| bench.run(|| <Fake as Snapshots>::create(call(owner), native.clone(), "s1".into()));
    let Progress::Done(snapshot) = take("o").unwrap() else { panic!() };
    assert_eq!(take("o").unwrap(), Progress::Done(snapshot.clone()));
    assert!(matches!(take("p").unwrap_err().kind, ErrorKind::ForeignOwner(_)));
    let listed = || bench.run(|| <Fake as Snapshots>::list_page(native.clone(), first_page())).unwrap().items.len();
    assert_eq!(listed(), 1);
    bench.run(|| <Fake as Snapshots>::restore(call("r"), snapshot.clone())).unwrap();
    bench.run(|| <Fake as Snapshots>::delete(call("d"), snapshot)).unwrap();
    assert_eq!(listed(), 0);
    let real = Bench::new(json!({}));
    let refused = real.run(|| <Fake as Snapshots>::create(call("o"), b"a".to_vec(), "s".into())).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unsupported("snapshots.create".into()));
}

#[test]
fn tenants_are_kept_while_a_namespace_uses_them() {
    let bench = Bench::booked();
    let Progress::Done(tenant) = bench.run(|| <Fake as Tenants>::ensure(call("t"), "acme".into(), vec![])).unwrap()
    else {
        panic!()
    };
    let missing = NamespaceSpec { tenant: b"nobody".to_vec(), ..spec("x") };
    assert_eq!(create(&bench, call("o0"), missing).unwrap_err().kind, ErrorKind::NotFound);
    create(&bench, call("o1"), NamespaceSpec { tenant: tenant.clone(), ..spec("a") }).unwrap();
    let delete = || bench.run(|| <Fake as Tenants>::delete_empty(call("d"), tenant.clone()));
    assert_eq!(delete().unwrap_err().kind, ErrorKind::InUse("namespace a".into()));
    bench.run(|| <Fake as Namespaces>::delete(call("o2"), b"a".to_vec(), DataPolicy::Keep)).unwrap();
    delete().unwrap();
    assert_eq!(bench.run(|| <Fake as Tenants>::inspect(tenant.clone())).unwrap_err().kind, ErrorKind::NotFound);
    delete().unwrap();
}

#[test]
fn the_log_is_read_to_its_end_and_goes_on_from_there() {
    let bench = Bench::new(json!({ "node_directories": false, "events": true }));
    bench.namespace("a");
    let read = |cursor| bench.run(|| <Fake as Audit>::read(cursor)).unwrap();
    let page = read(None);
    assert_eq!(page.items.iter().map(|e| e.operation.as_str()).collect::<Vec<_>>(), ["namespace.create"]);
    bench.namespace("b");
    let next = read(page.next);
    assert_eq!(next.items.len(), 1);
    assert!(read(next.next).items.is_empty());
    let body = br#"[{"at":5,"operation":"GET","namespace":"a","status":200}]"#.to_vec();
    let parsed = bench.run(|| <Fake as Audit>::parse(body, vec![])).unwrap();
    assert_eq!((parsed[0].operation.as_str(), parsed[0].status), ("GET", 200));
    let junk = bench.run(|| <Fake as Audit>::parse(b"<html>".to_vec(), vec![])).unwrap_err();
    assert!(matches!(junk.kind, ErrorKind::Invalid(_)));
}

#[test]
fn what_is_asked_wrongly_is_refused_with_the_field() {
    let bench = Bench::booked();
    let field = |spec: NamespaceSpec| match create(&bench, call("o"), spec).unwrap_err().kind {
        ErrorKind::Invalid(faults) => faults[0].field.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(spec("")), "physical-id");
    assert_eq!(field(spec("../etc")), "physical-id");
    assert_eq!(field(NamespaceSpec { protocols: vec![Protocol::Other("ftp".into())], ..spec("a") }), "protocols");
    assert_eq!(field(NamespaceSpec { limits: vec![bytes(0)], ..spec("a") }), "limits[0].value");
    let tenant = Limit { scope: LimitScope::Tenant, ..bytes(1) };
    assert_eq!(field(NamespaceSpec { limits: vec![bytes(1), tenant], ..spec("a") }), "limits[1].scope");
    assert_eq!(field(labelled("a", &[("fake.create", "explode")])), "fake");
}
