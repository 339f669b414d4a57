//! What makes the server refuse: fences (4.4) and read-only tokens (5.1).

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::Preset;

use crate::bench::{Bench, DIRECTORY, FILESYSTEM, GIB, call, kind, spec};
use crate::mounting::request;

const FENCED: &str = r#"{"isolation":"filesystem","mount":{"fence":"clients"}}"#;

fn plan(bench: &Bench, owner: &str, request: MountRequest) -> Result<MountPlan> {
    match bench.call(|| Weka::prepare(call(owner), request))? {
        Prepared::Plan(plan) => Ok(plan),
        other => panic!("{other:?}"),
    }
}

fn fences(bench: &Bench) -> u64 {
    let report = bench.call(|| Weka::probe(ProbeMode::ReadOnly)).unwrap();
    report.counters.iter().find(|counter| counter.name == "fences").unwrap().used
}

fn asked_for_tokens(bench: &Bench) -> (usize, usize) {
    (bench.requests("GET", "/mountToken").len(), bench.requests("POST", "/mountToken").len())
}

#[test]
pub(crate) fn a_fenced_read_only_plan_is_kept_by_the_server_and_its_fence_goes_with_it() {
    let bench = Bench::configured(FENCED);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let asked = || request(&native, "", AccessMode::ReadOnly);
    let first = plan(&bench, "op-m", asked()).unwrap();
    assert_eq!(first.mounts[0].enforced_by, EnforcedBy::ServerPolicy);
    assert_eq!(lookup(&first.extensions, "read-only.enforced-by"), Some("server"));
    assert_eq!(plan(&bench, "op-m", asked()).unwrap().ref_, first.ref_, "a repeat finds its fence");
    let made = bench.requests("POST", "/security/policies");
    assert_eq!(made.len(), 1);
    assert_eq!((&made[0].body["ip"][0], &made[0].body["read_only"]), (&"10.0.1.7".into(), &true.into()));
    assert_eq!(fences(&bench), 1);
    for _ in 0..2 {
        bench.settle("op-r", |call| Weka::release(call, first.ref_.clone())).unwrap();
    }
    assert_eq!(fences(&bench), 0);
}

#[test]
pub(crate) fn on_a_node_that_may_also_write_read_only_is_the_clients_promise_and_the_plan_says_so() {
    let bench = Bench::configured(FENCED);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let writer = plan(&bench, "op-w", request(&native, "", AccessMode::ReadWrite)).unwrap();
    assert_eq!(writer.mounts[0].enforced_by, EnforcedBy::Credential);
    let reader = plan(&bench, "op-r", request(&native, "", AccessMode::ReadOnly)).unwrap();
    assert_eq!(reader.mounts[0].enforced_by, EnforcedBy::MountOptionOnly);
    assert_eq!(lookup(&reader.extensions, "read-only.enforced-by"), Some("client"));
    let elsewhere =
        MountRequest { node_addresses: vec!["10.0.1.8".to_owned()], ..request(&native, "", AccessMode::ReadOnly) };
    assert_eq!(plan(&bench, "op-e", elsewhere).unwrap().mounts[0].enforced_by, EnforcedBy::ServerPolicy);
}

#[test]
fn a_class_can_ask_for_a_fence_and_not_lift_the_providers() {
    let bench = Bench::configured(FILESYSTEM);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let asked = |wish: &str| MountRequest {
        extensions: vec![("mount.option.fence".to_owned(), wish.to_owned())],
        ..request(&native, "", AccessMode::ReadWrite)
    };
    let fenced = plan(&bench, "op-a", asked("clients")).unwrap();
    assert_eq!(lookup(&fenced.extensions, "fence"), Some("clients"));
    assert_eq!(lookup(&plan(&bench, "op-b", asked("off")).unwrap().extensions, "fence"), None);
    assert_eq!(kind(plan(&bench, "op-c", asked("moat"))), "Unsupported");
    bench.host.reconfigure(FENCED);
    assert_eq!(lookup(&plan(&bench, "op-d", asked("off")).unwrap().extensions, "fence"), Some("clients"));
}

#[test]
pub(crate) fn a_shared_filesystem_has_no_fence_and_no_read_only_token() {
    let bench = Bench::of_release(DIRECTORY, Preset::Live, "5.1.2");
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let asked = request(&native, "", AccessMode::ReadOnly);
    let told = plan(&bench, "op-m", asked.clone()).unwrap();
    assert_eq!(told.mounts[0].enforced_by, EnforcedBy::MountOptionOnly);
    for key in ["fence", "server-read-only"] {
        assert!(lookup(&told.extensions, key).unwrap().starts_with("unsupported"), "{key}");
    }
    let wish = vec![("mount.option.fence".to_owned(), "clients".to_owned())];
    assert_eq!(kind(plan(&bench, "op-n", MountRequest { extensions: wish, ..asked })), "Unsupported");
    assert!(bench.requests("POST", "/security/policies").is_empty() && asked_for_tokens(&bench) == (0, 0));
}

#[test]
pub(crate) fn the_seventeenth_fence_of_a_filesystem_is_a_limit_and_makes_nothing() {
    let bench = Bench::configured(FENCED);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let asked = |n: u32| MountRequest {
        node_addresses: vec![format!("10.0.1.{n}")],
        ..request(&native, "", AccessMode::ReadWrite)
    };
    for n in 0..16 {
        plan(&bench, &format!("op-{n}"), asked(n)).unwrap();
    }
    let ErrorKind::CapacityExhausted(hit) = plan(&bench, "op-16", asked(16)).unwrap_err().kind else { panic!() };
    assert_eq!((hit.counter.as_str(), hit.used, hit.limit), ("filesystem.fences", 16, 16));
    assert_eq!(fences(&bench), 16);
}

#[test]
fn a_fence_needs_an_address_and_a_release_that_has_it() {
    let bench = Bench::configured(FENCED);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let nowhere =
        MountRequest { node_addresses: vec!["node-a".to_owned()], ..request(&native, "", AccessMode::ReadOnly) };
    let ErrorKind::NotReady(ready) = plan(&bench, "op-m", nowhere).unwrap_err().kind else { panic!() };
    assert_eq!(ready.reason, "NODE_ADDRESS_UNKNOWN");
    let volume = MountRequest {
        form: PlanForm::CsiVolume,
        node_addresses: Vec::new(),
        ..request(&native, "", AccessMode::ReadOnly)
    };
    let ErrorKind::NotReady(ready) = plan(&bench, "op-k", volume).unwrap_err().kind else { panic!() };
    assert_eq!(ready.reason, "FENCE_NEEDS_ADDRESSES");
    let fences = || {
        let findings = bench.call(|| Weka::preflight(ProbeMode::ReadOnly)).unwrap();
        findings.into_iter().find(|finding| finding.check == "fences").unwrap().level
    };
    assert_eq!(fences(), FindingLevel::Pass);
    bench.control().set_release("4.3.5".parse().unwrap());
    assert_eq!(fences(), FindingLevel::Fail);
    assert_eq!(kind(plan(&bench, "op-m", request(&native, "", AccessMode::ReadOnly))), "Unsupported");
}

#[test]
pub(crate) fn from_5_1_a_read_only_plan_gets_a_token_that_cannot_write_and_ends() {
    let bench = Bench::of_release(FILESYSTEM, Preset::Live, "5.1.2");
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let reader = plan(&bench, "op-m", request(&native, "", AccessMode::ReadOnly)).unwrap();
    assert_eq!(reader.mounts[0].enforced_by, EnforcedBy::Credential);
    assert_eq!(lookup(&reader.extensions, "read-only.enforced-by"), Some("server"));
    let made = bench.requests("POST", "/mountToken");
    assert_eq!((&made[0].body["read_only"], &made[0].body["expires"]), (&true.into(), &3600.into()));
    let now = bench.control().clock().now();
    assert!(reader.valid_until.is_some_and(|until| until > now && until <= now + 3_600_000));
    assert_eq!(asked_for_tokens(&bench), (0, 1));
    // One token serves the whole plan, so a plan that also writes has one that can write.
    let mut both = request(&native, "", AccessMode::ReadOnly);
    both.prefixes.push(("shared".to_owned(), AccessMode::ReadWrite));
    let both = plan(&bench, "op-n", both).unwrap();
    assert_eq!(both.mounts[0].enforced_by, EnforcedBy::MountOptionOnly);
}

#[test]
fn before_5_1_a_read_only_plan_falls_back_to_the_token_that_there_is() {
    let bench = Bench::of_release(FILESYSTEM, Preset::Live, "5.0.1");
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let reader = plan(&bench, "op-m", request(&native, "", AccessMode::ReadOnly)).unwrap();
    assert_eq!(reader.mounts[0].enforced_by, EnforcedBy::MountOptionOnly);
    assert_eq!(lookup(&reader.extensions, "read-only.enforced-by"), Some("client"));
    assert_eq!(asked_for_tokens(&bench), (1, 1));
}
