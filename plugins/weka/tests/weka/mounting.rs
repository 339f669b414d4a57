//! Plans as they are prepared for real namespaces, and what the cluster sees of their clients.

use std::sync::Arc;

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::native::{MemoryHost, with_host};
use stowage_provider_sdk::prelude::*;
use weka_emulator::Fault;

use crate::bench::{Bench, FILESYSTEM, GIB, call, kind, spec};

pub(crate) fn request(namespace: &NativeRef, prefix: &str, mode: AccessMode) -> MountRequest {
    MountRequest {
        namespace: namespace.clone(),
        workload: "job-1".to_owned(),
        node: "node-a".to_owned(),
        node_addresses: vec!["10.0.1.7".to_owned()],
        prefixes: vec![(prefix.to_owned(), mode)],
        multi_writer: false,
        form: PlanForm::NodeMount,
        extensions: Vec::new(),
    }
}

pub(crate) fn prepare(bench: &Bench, request: MountRequest) -> Result<MountPlan> {
    match bench.call(|| Weka::prepare(call("op-m"), request))? {
        Prepared::Plan(plan) => Ok(plan),
        other => panic!("{other:?}"),
    }
}

#[test]
pub(crate) fn a_plan_for_a_directory_needs_no_token_and_says_who_is_trusted() {
    let bench = Bench::start();
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let plan = prepare(&bench, request(&native, "shared", AccessMode::ReadOnly)).unwrap();
    assert_eq!(plan.mounts[0].subpath, "stowage/aaaa-bbbb/shared");
    assert_eq!(plan.mounts[0].enforced_by, EnforcedBy::MountOptionOnly);
    assert_eq!(lookup(&plan.extensions, "trust.node"), Some("filesystem"));
    assert!(plan.secrets.is_empty() && bench.requests("GET", "/mountToken").is_empty());
    assert_eq!(bench.settle("op-2", |call| Weka::release(call, plan.ref_.clone())).unwrap(), plan.ref_);
}

#[test]
pub(crate) fn a_filesystem_that_requires_authentication_gets_a_sealed_token_that_mounts_it() {
    let bench = Bench::configured(FILESYSTEM);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let plan = prepare(&bench, request(&native, "", AccessMode::ReadWrite)).unwrap();
    let [secret] = plan.secrets.as_slice() else { panic!("{plan:?}") };
    assert_eq!(secret.deliver, Delivery::OptionKey("token".to_owned()));
    let token = bench.host.opened(&secret.handle);
    assert!(token.len() > 8 && !format!("{plan:?}").contains(&token), "the plan never holds the token");
    assert_eq!(plan.mounts[0].enforced_by, EnforcedBy::Credential);
}

#[test]
fn a_cluster_without_mount_tokens_falls_back_to_the_nodes_token_file() {
    let bench = Bench::configured(FILESYSTEM);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    bench.switch("mount_token_get", false);
    let error = prepare(&bench, request(&native, "", AccessMode::ReadWrite)).unwrap_err();
    let ErrorKind::NotReady(ready) = error.kind else { panic!("{error:?}") };
    assert_eq!(ready.reason, "MOUNT_TOKEN_UNAVAILABLE");
    bench.host.reconfigure(r#"{"isolation":"filesystem","mount":{"token_file":"/etc/weka/token.json"}}"#);
    let plan = prepare(&bench, request(&native, "", AccessMode::ReadWrite)).unwrap();
    assert_eq!(lookup(&plan.mounts[0].options, "auth_token_path"), Some("/etc/weka/token.json"));
    assert!(plan.secrets.is_empty());
}

#[test]
fn a_kubernetes_plan_asks_for_no_token() {
    let bench = Bench::configured(FILESYSTEM);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let request = MountRequest { form: PlanForm::CsiVolume, ..request(&native, "", AccessMode::ReadWrite) };
    let plan = prepare(&bench, request).unwrap();
    let handle = lookup(&plan.extensions, "csi.volume-handle").unwrap();
    assert!(handle.starts_with("weka/v2/sw-aaaa-bbbb-"), "{handle}");
    assert!(plan.secrets.is_empty() && bench.requests("GET", "/mountToken").is_empty());
}

#[test]
fn a_plan_that_would_be_refused_makes_no_token_first() {
    let bench = Bench::configured(FILESYSTEM);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    assert_eq!(kind(prepare(&bench, request(&native, "../x", AccessMode::ReadWrite))), "Invalid");
    assert!(bench.requests("GET", "/mountToken").is_empty());
}

#[test]
pub(crate) fn a_token_that_is_denied_is_a_permission() {
    let bench = Bench::configured(FILESYSTEM);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let rule = weka_emulator::Rule { status: Some(403), ..weka_emulator::Rule::new(Fault::Status) };
    bench.control().add_fault(rule.on("GET", "/fileSystems/*/mountToken"));
    assert_eq!(kind(prepare(&bench, request(&native, "", AccessMode::ReadWrite))), "PermissionDenied");
}

#[test]
fn clients_are_seen_in_one_call_for_all_plans() {
    let row = |hostname: &str, ip: &str, status: &str| {
        format!(
            r#"{{"uid":"u-{hostname}","hostname":"{hostname}","mode":"client","status":"{status}","ips":["{ip}"],"sw_version":"4.4.22"}}"#
        )
    };
    let body = format!(r#"{{"data":[{},{}]}}"#, row("node-a", "10.0.1.1", "UP"), row("other", "10.0.1.7", "DOWN"));
    let host = Arc::new(MemoryHost::new(crate::bench::DIRECTORY).answering(move |_| {
        Ok(http::Response { status: 200, headers: vec![], body: body.clone().into_bytes(), captured: vec![] })
    }));
    let plan = |node: &str, address: &str| {
        format!(r#"{{"k":"m","n":"gpuaas-kind-fs","h":"{node}","a":["{address}"]}}"#).into_bytes()
    };
    let plans = vec![plan("node-a", "10.9.9.9"), plan("node-b", "10.0.1.7"), plan("node-c", "10.9.9.8")];
    let seen = with_host(host.clone(), || Weka::observe(plans)).unwrap();
    let states: Vec<_> = seen.into_iter().map(|status| status.state).collect();
    assert_eq!(states, [MountState::Mounted, MountState::Stale, MountState::Requested]);
    assert_eq!(host.sent().len(), 1);
}

#[test]
fn one_client_cannot_be_detached() {
    let bench = Bench::start();
    assert_eq!(kind(bench.call(|| Weka::detach(call("op"), Vec::new(), true))), "Unsupported");
}
