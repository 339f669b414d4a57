//! What happens in the middle of a change: sessions end, releases change, tables are full.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::{Fault, Preset, Rule};

use crate::bench::{Bench, DIRECTORY, FILESYSTEM, GIB, ORGANIZATION, call, kind, spec};
use crate::mounting::{prepare, request};
use crate::node;
use crate::organization::spec_of;

/// Goes through a create and does `upset` before each of its calls.
fn create_with(bench: &Bench, wanted: &NamespaceSpec, upset: impl Fn(usize)) -> NativeRef {
    let mut call = call("op-1");
    for round in 0..12 {
        upset(round);
        match bench.call(|| <Weka as Namespaces>::create(call.clone(), wanted.clone())).unwrap() {
            Progress::Done(native) => return native,
            Progress::Pending(job) => {
                bench.control().clock().advance(i64::from(job.poll_after_ms));
            }
            Progress::NeedsNode(work) => call.node_results = node::run(bench.control(), &work),
            other => panic!("{other:?}"),
        }
    }
    panic!("the create is stuck")
}

fn wanted(bench: &Bench, config: &str) -> NamespaceSpec {
    if config == ORGANIZATION {
        spec_of(&bench.ensure_tenant("acme", &[]).unwrap(), "aaaa-bbbb", GIB)
    } else {
        spec("aaaa-bbbb", GIB)
    }
}

#[test]
pub(crate) fn a_refresh_token_that_is_revoked_midway_costs_one_login() {
    for config in [DIRECTORY, FILESYSTEM, ORGANIZATION] {
        let bench = Bench::configured(config);
        let wanted = wanted(&bench, config);
        bench.control().add_fault(Rule::new(Fault::Unauthorized).on("POST", "/login/refresh"));
        let logins = || bench.requests("POST", "/login").len();
        let before = logins();
        let native = create_with(&bench, &wanted, |_| {
            // The access token ends before each call, and its refresh is refused.
            bench.control().clock().advance(400_000);
        });
        assert!(logins() > before, "{config}");
        assert_eq!(bench.call(|| Weka::find("op-1".to_owned())).unwrap(), Some(native), "{config}");
        assert_eq!(bench.listed(10).len(), 1, "{config}");
    }
}

#[test]
pub(crate) fn a_tenant_whose_tokens_are_revoked_midway_still_gets_its_namespace() {
    let bench = Bench::configured(ORGANIZATION);
    let tenant = bench.ensure_tenant("acme", &[]).unwrap();
    create_with(&bench, &spec_of(&tenant, "aaaa-bbbb", GIB), |round| {
        if round > 0 {
            bench.settle("op-r", |call| Weka::revoke_tokens(call, tenant.clone())).unwrap();
        }
    });
    assert_eq!(bench.listed(10).len(), 1);
}

#[test]
pub(crate) fn a_release_that_is_upgraded_midway_ends_with_one_namespace() {
    for config in [DIRECTORY, FILESYSTEM, ORGANIZATION] {
        let bench = Bench::of_release(config, Preset::Live, "4.3.9");
        let wanted = wanted(&bench, config);
        let native = create_with(&bench, &wanted, |round| {
            if round == 1 {
                bench.control().set_release("5.1.2".parse().unwrap());
            }
        });
        assert_eq!(bench.listed(10).len(), 1, "{config}");
        // And its plans have what the new release offers.
        let plan = prepare(&bench, request(&native, "", AccessMode::ReadOnly)).unwrap();
        let by = lookup(&plan.extensions, "read-only.enforced-by");
        assert_eq!(by, Some(if config == DIRECTORY { "client" } else { "server" }), "{config}");
    }
}

#[test]
pub(crate) fn a_lock_out_midway_is_told_with_its_time_and_the_change_goes_on_after_it() {
    let bench = Bench::configured(ORGANIZATION);
    let tenant = bench.ensure_tenant("acme", &[]).unwrap();
    bench.settle("op-r", |call| Weka::revoke_tokens(call, tenant.clone())).unwrap();
    let rule = bench.control().add_fault(Rule::new(Fault::LockedOut).on("POST", "/login"));
    bench.control().add_fault(Rule::new(Fault::Unauthorized).on("POST", "/login/refresh").times(1));
    let wanted = spec_of(&tenant, "aaaa-bbbb", GIB);
    let error = bench.create("op-1", &wanted).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::LockedOut(seconds) if seconds > 0), "{error:?}");
    bench.control().remove_fault(rule).unwrap();
    bench.create("op-1", &wanted).unwrap();
    assert_eq!(bench.listed(10).len(), 1);
}

#[test]
pub(crate) fn the_thirty_third_background_task_is_put_off_and_comes_through_later() {
    let bench = Bench::start();
    bench.switch("data_services", true);
    bench.switch("quota_coloring_ms", 3_600_000);
    let adopt = |n: u32| {
        let path = format!("/legacy/{n}");
        bench.control().make_dir("gpuaas-kind-fs", &format!("{path}/inner"), weka_emulator::Owner::default()).unwrap();
        let wanted = spec(&format!("ns-{n}"), GIB);
        bench.call(|| Weka::adopt(call(&format!("op-{n}")), path.clone(), wanted.clone(), false))
    };
    for n in 0..32 {
        assert!(matches!(adopt(n), Ok(Progress::Pending(_))), "{n}");
    }
    let report = bench.call(|| Weka::probe(ProbeMode::ReadOnly)).unwrap();
    let tasks = report.counters.iter().find(|counter| counter.name == "tasks").unwrap();
    assert_eq!((tasks.used, tasks.limit), (32, Some(32)));
    assert_eq!(kind(adopt(32)), "Throttled");
    bench.control().clock().advance(3_700_000);
    assert!(adopt(32).is_ok());
}

#[test]
pub(crate) fn names_that_the_backend_could_not_hold_are_refused_before_anything_is_sent() {
    let bench = Bench::configured(ORGANIZATION);
    let long = "a".repeat(63);
    let tenant = bench.ensure_tenant(&long, &[]).unwrap();
    let name = bench.requests("POST", "/organizations")[0].body["name"].as_str().unwrap().to_owned();
    assert!(name.len() <= 32, "a long tenant gets a name that fits: {name}");
    let before = bench.changes().len();
    assert_eq!(kind(bench.create("op-1", &spec_of(&tenant, &"b".repeat(21), GIB))), "Invalid");
    assert_eq!(bench.changes().len(), before);
    let native = bench.create("op-1", &spec_of(&tenant, "aaaaaaaa-bbbbbbbbbb", GIB)).unwrap();
    let before = bench.changes().len();
    let take = |call| <Weka as Snapshots>::create(call, native.clone(), "n".repeat(21));
    assert_eq!(kind(bench.settle("op-2", take)), "Invalid");
    assert_eq!(bench.changes().len(), before);
}
