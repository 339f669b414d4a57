//! The life of a tenant with a namespace, its plans and its snapshot: at each exchange in turn the answer is lost, and one
//! object of each kind is left nevertheless, and none at the end.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::{Fault, Rule};

use crate::bench::{Bench, FILESYSTEM, GIB, ORGANIZATION, call, limit, spec};
use crate::cuts::{CUTS, insist, may_repeat};
use crate::mounting::request;
use crate::organization::spec_of;

/// Exchanges of one whole life, generously.
const MOST_EXCHANGES: u64 = 120;

/// Prepares a fenced plan again and again, as the runner does.
fn prepare(bench: &Bench, owner: &str, namespace: &NativeRef) -> NativeRef {
    for _ in 0..4 {
        let extensions = vec![("mount.option.fence".to_owned(), "clients".to_owned())];
        let asked = MountRequest { extensions, ..request(namespace, "", AccessMode::ReadOnly) };
        match bench.call(|| Weka::prepare(call(owner), asked)) {
            Ok(Prepared::Plan(plan)) => return plan.ref_,
            Ok(other) => panic!("{other:?}"),
            Err(error) => assert!(may_repeat(&error), "{error:?}"),
        }
    }
    panic!("the plan does not converge")
}

fn tenant(bench: &Bench) -> NativeRef {
    for _ in 0..4 {
        match bench.ensure_tenant("acme", &[]) {
            Ok(tenant) => return tenant,
            Err(error) => assert!(may_repeat(&error), "{error:?}"),
        }
    }
    panic!("the tenant does not converge")
}

/// What is at the cluster: organizations, filesystems of Stowage's, snapshots, fences.
fn left(bench: &Bench) -> (usize, usize, u64) {
    let summary = bench.control().summary();
    let organizations = summary["organizations"].as_array().unwrap().len();
    let ours = |name: &&serde_json::Value| name.as_str().is_some_and(|name| name.starts_with("sw-"));
    let filesystems = summary["filesystems"].as_array().unwrap().iter().filter(ours).count();
    (organizations, filesystems, summary["snapshots"].as_u64().unwrap())
}

/// One life with the n-th exchange cut; whether the cut struck.
fn life(config: &str, fault: Fault, cut: u64) -> bool {
    let bench = Bench::configured(config);
    let id = bench.control().add_fault(Rule::new(fault).skip(cut).times(1));
    let place = if config == ORGANIZATION { tenant(&bench) } else { NativeRef::new() };
    let wanted = if config == ORGANIZATION { spec_of(&place, "aaaa-bbbb", GIB) } else { spec("aaaa-bbbb", GIB) };
    let native = insist(&bench, "op-1", |call| <Weka as Namespaces>::create(call, wanted.clone()));
    let grown = vec![limit(2 * GIB, Enforcement::Block)];
    insist(&bench, "op-2", |call| <Weka as Namespaces>::set_limits(call, native.clone(), grown.clone()));
    let snapshot = insist(&bench, "op-3", |call| <Weka as Snapshots>::create(call, native.clone(), "epoch".to_owned()));
    insist(&bench, "op-4", |call| Weka::restore(call, snapshot.clone()));
    let plan = prepare(&bench, "op-5", &native);
    assert_eq!(left(&bench), (if config == ORGANIZATION { 2 } else { 1 }, 1, 1), "{fault:?} at exchange {cut}");
    insist(&bench, "op-6", |call| Weka::release(call, plan.clone()));
    insist(&bench, "op-7", |call| <Weka as Snapshots>::delete(call, snapshot.clone()));
    insist(&bench, "op-8", |call| <Weka as Namespaces>::delete(call, native.clone(), DataPolicy::Purge));
    if config == ORGANIZATION {
        insist(&bench, "op-9", |call| Weka::revoke_tokens(call, place.clone()));
        insist(&bench, "op-10", |call| Weka::delete_empty(call, place.clone()));
    }
    let struck = bench.control().faults().iter().any(|rule| rule.id == id && rule.struck > 0);
    bench.control().remove_fault(id).unwrap();
    assert_eq!(left(&bench), (1, 0, 0), "{fault:?} at exchange {cut} left an object");
    struck
}

fn lives(config: &str, fault: Fault) {
    for cut in 0..MOST_EXCHANGES {
        if !life(config, fault, cut) {
            assert!(cut > 25, "a whole life has more than {cut} exchanges");
            return;
        }
    }
    panic!("a life has more than {MOST_EXCHANGES} exchanges");
}

#[test]
fn a_tenant_its_namespace_its_snapshot_and_its_fence_converge_when_an_answer_is_lost() {
    lives(ORGANIZATION, Fault::ResetAfter);
}

#[test]
fn a_filesystem_its_snapshot_and_its_fence_converge_when_an_answer_is_lost() {
    lives(FILESYSTEM, Fault::ResetAfter);
}

#[test]
fn matrix_a_tenant_converges_whatever_happens_to_an_answer() {
    for config in [ORGANIZATION, FILESYSTEM] {
        CUTS.into_iter().filter(|fault| *fault != Fault::ResetAfter).for_each(|fault| lives(config, fault));
    }
}
