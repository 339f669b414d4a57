//! Isolation `organization`: a tenant's own organization, and namespaces in it.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::Fault;

use crate::bench::{Bench, DIRECTORY, FILESYSTEM, GIB, ORGANIZATION, call, kind, limit, spec};
use crate::mounting::{prepare, request};

fn tenant_limit(value: u64) -> Limit {
    Limit { scope: LimitScope::Tenant, ..limit(value, Enforcement::Block) }
}

pub(crate) fn spec_of(tenant: &NativeRef, physical_id: &str, hard: u64) -> NamespaceSpec {
    NamespaceSpec { tenant: tenant.clone(), ..spec(physical_id, hard) }
}

fn organizations(bench: &Bench) -> Vec<String> {
    let summary = bench.control().summary();
    summary["organizations"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
pub(crate) fn a_tenant_gets_an_organization_with_an_administrator_whose_password_the_adapter_never_sees() {
    let bench = Bench::configured(ORGANIZATION);
    let tenant = bench.ensure_tenant("acme-ai", &[tenant_limit(10 * GIB)]).unwrap();
    let names = organizations(&bench);
    let [root, organization] = names.as_slice() else { panic!("{names:?}") };
    assert_eq!(root, "Root");
    assert!(organization.starts_with("sw-acme-ai-") && organization.len() <= 32, "{organization}");
    let made = bench.requests("POST", "/organizations");
    assert_eq!(made[0].body["total_quota"], 10 * GIB);
    assert!(!String::from_utf8(tenant.clone()).unwrap().contains("Made-by-the-host"));

    let changes = bench.changes().len();
    assert_eq!(bench.ensure_tenant("acme-ai", &[tenant_limit(10 * GIB)]).unwrap(), tenant, "a repeat finds it");
    assert_eq!(bench.changes().len(), changes);

    let state = bench.call(|| <Weka as Tenants>::inspect(tenant.clone())).unwrap();
    assert_eq!(state.limits, [tenant_limit(10 * GIB)]);
    assert_eq!(state.usage[0].used, 0);
}

#[test]
pub(crate) fn the_tenant_of_another_host_is_never_taken() {
    let bench = Bench::configured(ORGANIZATION);
    bench.ensure_tenant("acme-ai", &[]).unwrap();
    let other = bench.call(|| {
        let extensions = vec![("tenant.secret".to_owned(), "made/weka/tenant-acme-ai".to_owned())];
        Weka::ensure(Call { extensions, ..call("another-host") }, "acme-ai".to_owned(), Vec::new())
    });
    assert_eq!(kind(other), "ForeignOwner");
    assert_eq!(organizations(&bench).len(), 2);
}

#[test]
pub(crate) fn an_organization_that_the_hosts_password_does_not_open_is_not_ready_and_says_what_to_do() {
    let bench = Bench::configured(ORGANIZATION);
    bench.ensure_tenant("acme-ai", &[]).unwrap();
    let extensions = vec![("tenant.secret".to_owned(), "made/weka/other".to_owned())];
    bench.host.give("made/weka/other", "stowage-admin", "Another-Password-2");
    let answer =
        bench.call(|| Weka::ensure(Call { extensions, ..call("tenant-acme-ai") }, "acme-ai".to_owned(), Vec::new()));
    let ErrorKind::NotReady(ready) = answer.unwrap_err().kind else { panic!() };
    assert_eq!(ready.reason, "TENANT_LOGIN_REFUSED");
}

#[test]
fn a_tenant_without_a_secret_is_not_ready() {
    let bench = Bench::configured(ORGANIZATION);
    let answer = bench.call(|| Weka::ensure(call("o"), "acme-ai".to_owned(), Vec::new()));
    let ErrorKind::NotReady(ready) = answer.unwrap_err().kind else { panic!() };
    assert_eq!(ready.reason, "NO_TENANT_SECRET");
    assert!(bench.changes().is_empty());
}

#[test]
fn other_isolations_have_no_tenants() {
    for config in [DIRECTORY, FILESYSTEM] {
        let bench = Bench::configured(config);
        assert_eq!(kind(bench.ensure_tenant("acme-ai", &[])), "Unsupported", "{config}");
    }
}

#[test]
pub(crate) fn a_namespace_lives_in_its_tenants_organization_and_is_mounted_by_its_token() {
    let bench = Bench::configured(ORGANIZATION);
    let tenant = bench.ensure_tenant("acme-ai", &[]).unwrap();
    let native = bench.create("op-1", &spec_of(&tenant, "aaaa-bbbb", GIB)).unwrap();
    let organization = organizations(&bench).pop().unwrap();

    let listed = bench.listed(10);
    let [state] = listed.as_slice() else { panic!("{listed:?}") };
    let (place, filesystem) = state.location.split_once('/').unwrap();
    assert_eq!(place, organization);
    let tree = bench.control().list_tree(Some(&organization), filesystem, "/").unwrap();
    assert!(tree.iter().any(|entry| entry.path == "/shared" && entry.uid == 2001), "{tree:?}");
    assert_eq!(bench.call(|| Weka::find("op-1".to_owned())).unwrap(), Some(native.clone()));

    let plan = prepare(&bench, request(&native, "", AccessMode::ReadWrite)).unwrap();
    assert_eq!(lookup(&plan.extensions, "isolation"), Some("organization"));
    assert_eq!(lookup(&plan.extensions, "isolation.server-enforced"), Some("true"));
    assert_eq!(plan.mounts[0].enforced_by, EnforcedBy::Credential);
    assert!(bench.host.opened(&plan.secrets[0].handle).len() > 8);
    let csi = MountRequest { form: PlanForm::CsiVolume, ..request(&native, "", AccessMode::ReadWrite) };
    let plan = prepare(&bench, csi).unwrap();
    assert_eq!(lookup(&plan.extensions, "csi.organization"), Some(organization.as_str()));
    assert_eq!(lookup(&plan.extensions, "csi.volume-handle"), Some(format!("weka/v2/{filesystem}").as_str()));

    let change =
        |call| <Weka as Namespaces>::set_limits(call, native.clone(), vec![limit(2 * GIB, Enforcement::Block)]);
    bench.settle("op-2", change).unwrap();
    assert_eq!(bench.usage(std::slice::from_ref(&native))[0].as_ref().unwrap().len(), 1);
    let state = bench.call(|| <Weka as Tenants>::inspect(tenant.clone())).unwrap();
    assert_eq!(state.usage[0].used, 2 * GIB);

    assert_eq!(kind(bench.settle("op-3", |call| Weka::delete_empty(call, tenant.clone()))), "InUse");
    bench.delete("op-4", &native, &DataPolicy::Purge).unwrap();
    bench.settle("op-5", |call| Weka::delete_empty(call, tenant.clone())).unwrap();
    bench.settle("op-5", |call| Weka::delete_empty(call, tenant.clone())).unwrap();
    assert_eq!(organizations(&bench), ["Root"]);
    assert!(bench.listed(10).is_empty());
}

#[test]
pub(crate) fn the_namespaces_of_every_tenant_are_listed_once_page_by_page() {
    let bench = Bench::configured(ORGANIZATION);
    let mut made = Vec::new();
    for tenant in ["acme", "beta", "empty", "zeta"] {
        let native = bench.ensure_tenant(tenant, &[]).unwrap();
        let count = if tenant == "empty" { 0 } else { 3 };
        for n in 0..count {
            made.push(
                bench.create(&format!("op-{tenant}-{n}"), &spec_of(&native, &format!("{tenant}-{n}"), GIB)).unwrap(),
            );
        }
    }
    for page in [1, 2, 100] {
        let listed = bench.listed(page);
        assert!(listed.iter().all(|state| state.owner.as_ref().is_some_and(|owner| owner.starts_with("op-"))));
        let mut listed: Vec<_> = listed.into_iter().map(|state| state.ref_).collect();
        let mut wanted = made.clone();
        listed.sort();
        wanted.sort();
        assert_eq!(listed, wanted, "pages of {page}");
    }
    // A list for usage costs one exchange for each organization.
    let before = bench.control().requests_after(0).len();
    assert!(bench.usage(&made).iter().all(Result::is_ok));
    assert_eq!(bench.control().requests_after(0).len() - before, 3);
}

#[test]
pub(crate) fn a_full_table_of_organizations_is_told_with_its_counter() {
    let bench = Bench::configured(&ORGANIZATION.replacen('{', r#"{"organization_limit":3,"#, 1));
    bench.ensure_tenant("one", &[]).unwrap();
    bench.ensure_tenant("two", &[]).unwrap();
    let ErrorKind::CapacityExhausted(hit) = bench.ensure_tenant("three", &[]).unwrap_err().kind else { panic!() };
    assert_eq!((hit.counter.as_str(), hit.used, hit.limit), ("organizations", 3, 3));
    assert_eq!(organizations(&bench).len(), 3, "nothing was asked of the cluster");
    bench.ensure_tenant("two", &[]).unwrap();

    // The cluster knows better than the configuration.
    let bench = Bench::configured(ORGANIZATION);
    bench.fault(Fault::OrganizationTableFull, "POST", "/organizations");
    let ErrorKind::CapacityExhausted(hit) = bench.ensure_tenant("one", &[]).unwrap_err().kind else { panic!() };
    assert_eq!((hit.counter.as_str(), hit.used, hit.limit), ("organizations", 1, 1));
}

#[test]
pub(crate) fn a_tenants_quota_holds_its_namespaces_and_can_be_changed() {
    let bench = Bench::configured(ORGANIZATION);
    let tenant = bench.ensure_tenant("acme-ai", &[tenant_limit(2 * GIB)]).unwrap();
    bench.create("op-1", &spec_of(&tenant, "aaaa-bbbb", GIB)).unwrap();
    let changes = bench.changes().len();
    let error = bench.create("op-2", &spec_of(&tenant, "cccc-dddd", 2 * GIB)).unwrap_err();
    let ErrorKind::CapacityExhausted(hit) = error.kind else { panic!("{error:?}") };
    assert_eq!((hit.counter.as_str(), hit.used, hit.limit), ("tenant.bytes", 3 * GIB, 2 * GIB));
    assert_eq!(bench.changes().len(), changes);
    let set = |bytes: u64| {
        bench.settle("op-3", |call| <Weka as Tenants>::set_limits(call, tenant.clone(), vec![tenant_limit(bytes)]))
    };
    assert!(matches!(set(GIB / 2).unwrap_err().kind, ErrorKind::TooLarge(_)));
    set(4 * GIB).unwrap();
    bench.create("op-2", &spec_of(&tenant, "cccc-dddd", 2 * GIB)).unwrap();
    bench.settle("op-4", |call| <Weka as Tenants>::set_limits(call, tenant.clone(), Vec::new())).unwrap();
    assert!(bench.call(|| <Weka as Tenants>::inspect(tenant.clone())).unwrap().limits.is_empty());
}

#[test]
pub(crate) fn revoking_a_tenants_tokens_ends_its_mount_tokens_and_the_host_logs_in_again() {
    let bench = Bench::configured(ORGANIZATION);
    let tenant = bench.ensure_tenant("acme-ai", &[]).unwrap();
    let native = bench.create("op-1", &spec_of(&tenant, "aaaa-bbbb", GIB)).unwrap();
    prepare(&bench, request(&native, "", AccessMode::ReadWrite)).unwrap();
    bench.settle("op-2", |call| Weka::revoke_tokens(call, tenant.clone())).unwrap();
    let logins = bench.requests("POST", "/login").len();
    assert_eq!(bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap().lifecycle, Lifecycle::Ready);
    assert_eq!(bench.requests("POST", "/login").len(), logins + 1);
    bench.control().set_release("4.3.5".parse().unwrap());
    assert_eq!(kind(bench.settle("op-3", |call| Weka::revoke_tokens(call, tenant.clone()))), "Unsupported");
}

#[test]
fn a_renamed_organization_is_nobodys_to_remove() {
    let bench = Bench::configured(ORGANIZATION);
    let tenant = bench.ensure_tenant("acme-ai", &[]).unwrap();
    let renamed = String::from_utf8(tenant).unwrap().replace("sw-acme-ai", "sw-acme-zz").into_bytes();
    assert_eq!(kind(bench.settle("op", |call| Weka::delete_empty(call, renamed.clone()))), "ForeignOwner");
    assert_eq!(organizations(&bench).len(), 2);
}

#[test]
pub(crate) fn s3_in_an_organization_is_unsupported_and_says_since_when() {
    for (release, told) in [("5.0.1", "before release 5.1"), ("5.1.0", "isolation organization")] {
        let bench = Bench::of_release(ORGANIZATION, weka_emulator::Preset::S3Ready, release);
        let tenant = bench.ensure_tenant("acme-ai", &[]).unwrap();
        let both = vec![Protocol::Posix, Protocol::S3];
        let wanted = NamespaceSpec { protocols: both, ..spec_of(&tenant, "aaaa-bbbb", GIB) };
        let error = bench.create("op-1", &wanted).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Unsupported(_)) && error.message.contains(told), "{error:?}");
    }
}

#[test]
fn a_namespace_without_a_tenant_is_refused_before_anything_is_sent() {
    let bench = Bench::configured(ORGANIZATION);
    assert_eq!(kind(bench.create("op-1", &spec("aaaa-bbbb", GIB))), "Invalid");
    assert!(bench.control().requests_after(0).is_empty());
}
