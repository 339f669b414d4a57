//! Buckets over the directories of namespaces.

use std::sync::Arc;

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::native::{MemoryHost, with_host};
use stowage_provider_sdk::prelude::*;
use weka_emulator::Fault;

use super::{CONFIG, NAMESPACE, both, document, ready, served, with};
use crate::bench::{Bench, GIB, call, kind, spec};

const KIND_FS: &str = "gpuaas-kind-fs";

/// Bodies of the buckets that were made.
fn made(bench: &Bench) -> Vec<serde_json::Value> {
    bench.requests("POST", "/s3/buckets").into_iter().map(|request| request.body).collect()
}

fn set_protocols(bench: &Bench, native: &NativeRef, protocols: &[Protocol]) -> Result<NativeRef> {
    bench.settle("op-protocols", |call| Weka::set_protocols(call, native.clone(), protocols.to_vec()))
}

fn protocols(bench: &Bench, native: &NativeRef) -> Vec<Protocol> {
    bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap().protocols
}

#[test]
pub(crate) fn a_namespace_with_s3_is_a_bucket_over_its_directory() {
    let bench = ready();
    let native = bench.create("op-1", &both()).unwrap();
    let [body] = &made(&bench)[..] else { panic!() };
    assert_eq!(body["bucket_name"], NAMESPACE);
    assert_eq!(body["existing_path"], format!("/stowage/{NAMESPACE}"));
    assert_eq!(body["fs_uid"], bench.control().filesystem_uid(KIND_FS).unwrap().to_string());
    assert_eq!(body["policy"], "none");
    assert!(body.get("hard_quota").is_none(), "the directory's quota is the bucket's");
    assert_eq!(protocols(&bench, &native), [Protocol::Posix, Protocol::S3]);
    assert_eq!(bench.call(|| Weka::find("op-1".to_owned())).unwrap(), Some(native.clone()));
    assert_eq!(bench.listed(10)[0].protocols, [Protocol::Posix, Protocol::S3]);

    assert_eq!(bench.create("op-1", &both()).unwrap(), native);
    assert_eq!(made(&bench).len(), 1, "a repeated create makes no second bucket");
    bench.delete("op-2", &native, &DataPolicy::Purge).unwrap();
    assert!(bench.requests("DELETE", NAMESPACE).iter().any(|request| request.path.contains("/s3/buckets/")));
    assert!(bench.listed(10).is_empty());
    assert!(bench.control().list_tree(None, KIND_FS, &format!("/stowage/{NAMESPACE}")).is_err());
}

#[test]
fn a_namespace_of_s3_alone_has_a_directory_too_and_says_s3() {
    let bench = ready();
    let native = bench.create("op-1", &served(&[Protocol::S3])).unwrap();
    assert_eq!(protocols(&bench, &native), [Protocol::S3]);
    assert!(bench.control().list_tree(None, KIND_FS, &format!("/stowage/{NAMESPACE}/shared")).is_ok());
}

#[test]
pub(crate) fn s3_is_given_to_data_and_taken_again_and_the_data_stays() {
    let bench = ready();
    let native = bench.create("op-1", &spec(NAMESPACE, GIB)).unwrap();
    assert!(made(&bench).is_empty());
    let file = format!("/stowage/{NAMESPACE}/shared/model.bin");
    bench.control().write_file(None, KIND_FS, &file, b"weights").unwrap();

    let given = set_protocols(&bench, &native, &[Protocol::Posix, Protocol::S3]).unwrap();
    assert_eq!(protocols(&bench, &given), [Protocol::Posix, Protocol::S3]);
    assert_eq!(protocols(&bench, &native), [Protocol::Posix, Protocol::S3], "an older reference sees it too");
    assert_eq!(set_protocols(&bench, &given, &[Protocol::Posix, Protocol::S3]).unwrap(), given);
    assert_eq!(made(&bench).len(), 1);

    let taken = set_protocols(&bench, &given, &[Protocol::Posix]).unwrap();
    assert_eq!(taken, native);
    assert_eq!(protocols(&bench, &given), [Protocol::Posix]);
    assert_eq!(bench.control().read_file(None, KIND_FS, &file).unwrap(), b"weights");
}

#[test]
fn a_bucket_of_the_same_name_over_other_data_is_somebody_elses() {
    let bench = ready();
    let admin = |work: &dyn Fn()| bench.call(work);
    admin(&|| {
        use stowage_provider_sdk::host;
        const MAKE: Exchange = Exchange::new("s3.buckets.create").post("control", "/api/v2/s3/buckets");
        let request = Request::new().flow_with("login", "admin", &[("org", "Root")]);
        let body = serde_json::json!({ "bucket_name": NAMESPACE, "policy": "public" });
        assert!(host::send(&MAKE, request.json(&body)).unwrap().is_success());
    });
    assert_eq!(kind(bench.create("op-1", &both())), "ForeignOwner");
    let native = bench.create("op-1", &spec(NAMESPACE, GIB)).unwrap();
    assert_eq!(kind(set_protocols(&bench, &native, &[Protocol::S3])), "ForeignOwner");
    bench.delete("op-2", &native, &DataPolicy::Purge).unwrap();
    let unlinked = bench.requests("DELETE", NAMESPACE);
    assert!(unlinked.iter().all(|request| !request.path.contains("/s3/buckets/")), "it is not touched");
}

#[test]
fn s3_that_does_not_serve_is_told_before_anything_is_made() {
    let bench = Bench::configured(CONFIG);
    let error = bench.create("op-1", &both()).unwrap_err();
    let ErrorKind::NotReady(why) = error.kind else { panic!("{error:?}") };
    assert_eq!((why.capability.as_str(), why.reason.as_str()), ("namespaces.s3", "S3_NOT_ENABLED"));
    assert!(why.remedy.contains("S3 protocol container"));
    assert!(bench.changes().is_empty() && bench.listed(10).is_empty());
    // POSIX goes on as if nothing were missing.
    let native = bench.create("op-2", &spec(NAMESPACE, GIB)).unwrap();
    assert_eq!(kind(set_protocols(&bench, &native, &[Protocol::S3])), "NotReady");
    bench.delete("op-3", &native, &DataPolicy::Purge).unwrap();
}

#[test]
fn s3_that_vanishes_is_not_ready_and_comes_back_to_the_same_namespace() {
    let bench = ready();
    let native = bench.create("op-1", &both()).unwrap();
    bench.control().set_s3_containers(0);
    let state = bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap();
    assert_eq!(state.protocols, [Protocol::Posix, Protocol::S3], "what it was is kept while nobody can tell");
    assert_eq!(lookup(&state.extensions, "bucket"), Some("not-ready"));
    assert_eq!(kind(bench.create("op-2", &NamespaceSpec { physical_id: "cccc-dddd".into(), ..both() })), "NotReady");
    assert_eq!(kind(bench.delete("op-3", &native, &DataPolicy::Purge)), "NotReady", "no bucket over removed data");
    bench.control().set_s3_containers(1);
    assert_eq!(bench.create("op-1", &both()).unwrap(), native);
    bench.delete("op-3", &native, &DataPolicy::Purge).unwrap();
}

#[test]
pub(crate) fn containers_that_are_not_ready_are_waited_for() {
    let s3 = r#"{"data":{"active":true,"s3_hosts":["HostId<1>"],"port":"9000"}}"#;
    for (ready, expected) in [
        (r#"{"data":{"a":false,"b":false}}"#, Some("S3_CONTAINERS_NOT_READY")),
        (r#"{"data":{"a":false,"b":true}}"#, None),
        (r#"{"data":{}}"#, None),
    ] {
        let ready = ready.to_owned();
        let host = MemoryHost::new(CONFIG).answering(move |request| {
            let body = match request.exchange.as_str() {
                "s3.get" => s3.to_owned(),
                "s3.containers-ready" => ready.clone(),
                other => return Err(http::HttpError::Unreachable(other.to_owned())),
            };
            Ok(http::Response { status: 200, headers: vec![], body: body.into_bytes(), captured: vec![] })
        });
        let error = with_host(Arc::new(host), || <Weka as Namespaces>::create(call("op-1"), both())).unwrap_err();
        let reason = match error.kind {
            ErrorKind::NotReady(why) => Some(why.reason),
            ErrorKind::Unreachable => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason.as_deref(), expected);
    }
}

#[test]
fn a_bucket_that_went_by_hand_shows_and_is_made_again() {
    let bench = ready();
    let native = bench.create("op-1", &both()).unwrap();
    let without = native.clone();
    set_protocols(&bench, &without, &[Protocol::Posix]).unwrap();
    let state = bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap();
    assert_eq!((state.protocols, lookup(&state.extensions, "bucket")), (vec![Protocol::Posix], Some("missing")));
    set_protocols(&bench, &native, &[Protocol::Posix, Protocol::S3]).unwrap();
    assert_eq!(protocols(&bench, &native), [Protocol::Posix, Protocol::S3]);
}

#[test]
fn an_adopted_directory_keeps_its_name_and_its_bucket_has_the_namespaces() {
    let bench = ready();
    bench.switch("data_services", true);
    let owner = weka_emulator::Owner { uid: 7, gid: 7, perm: 0o755 };
    bench.control().make_dir(KIND_FS, "/legacy/Team A", owner).unwrap();
    bench.control().write_file(None, KIND_FS, "/legacy/Team A/f", b"kept").unwrap();
    let adopt = |spec: NamespaceSpec| {
        bench.settle("op-1", |call| Weka::adopt(call, "/legacy/Team A".to_owned(), spec.clone(), false)).unwrap()
    };
    let native = adopt(spec(NAMESPACE, GIB));
    let given = set_protocols(&bench, &native, &[Protocol::Posix, Protocol::S3]).unwrap();
    let [body] = &made(&bench)[..] else { panic!() };
    assert_eq!(
        (body["bucket_name"].as_str(), body["existing_path"].as_str()),
        (Some(NAMESPACE), Some("/legacy/Team A"))
    );
    assert_eq!(adopt(both()), given);
    assert_eq!(bench.call(|| Weka::find("op-1".to_owned())).unwrap(), Some(given.clone()));
    assert_eq!(set_protocols(&bench, &given, &[Protocol::Posix]).unwrap(), native);
    assert_eq!(bench.control().read_file(None, KIND_FS, "/legacy/Team A/f").unwrap(), b"kept");
}

#[test]
fn an_unlink_that_was_not_done_is_no_success() {
    let bench = ready();
    let native = bench.create("op-1", &both()).unwrap();
    bench.fault(Fault::DeleteIgnored, "DELETE", "/s3/buckets/*");
    let error = set_protocols(&bench, &native, &[Protocol::Posix]).unwrap_err();
    assert_eq!(error.native_code.as_deref(), Some("DeleteNotApplied"));
    set_protocols(&bench, &native, &[Protocol::Posix]).unwrap();
}

#[test]
fn switched_off_or_in_another_isolation_s3_is_unsupported_and_never_asked_for() {
    for config in [r#"{"filesystem":"gpuaas-kind-fs","s3":{"enabled":false}}"#, r#"{"isolation":"filesystem"}"#] {
        let bench = with(config);
        assert_eq!(kind(bench.create("op-1", &both())), "Unsupported", "{config}");
        assert_eq!(kind(bench.call(|| Weka::find_principal("x".to_owned()))), "Unsupported", "{config}");
        assert_eq!(kind(bench.call(|| Weka::configure(call("x"), audit::Target::None))), "Unsupported", "{config}");
        let asked = bench.control().requests_after(0);
        assert!(asked.iter().all(|request| !request.path.contains("/s3")), "{config}");
    }
}

#[test]
fn an_empty_set_of_protocols_is_refused() {
    let bench = ready();
    assert_eq!(kind(bench.create("op-1", &served(&[]))), "Invalid");
    let native = bench.create("op-1", &both()).unwrap();
    assert_eq!(kind(set_protocols(&bench, &native, &[])), "Invalid");
    assert_eq!(kind(set_protocols(&bench, &native, &[Protocol::Other("nfs".into())])), "Unsupported");
}

#[test]
pub(crate) fn lifecycle_rules_become_exactly_what_was_asked_for() {
    let bench = ready();
    let native = bench.create("op-1", &both()).unwrap();
    let rule = |days: &str, prefix: &str| {
        vec![("expire-days".to_owned(), days.to_owned()), ("prefix".to_owned(), prefix.to_owned())]
    };
    let set =
        |rules: Vec<Extensions>| bench.settle("op-2", |call| Weka::set_lifecycle(call, native.clone(), rules.clone()));
    let adds = || bench.requests("POST", "/lifecycle/rules").len();
    set(vec![rule("30", "tmp/"), rule("90", "logs/")]).unwrap();
    assert_eq!(adds(), 2);
    set(vec![rule("90", "logs/"), rule("30", "tmp/"), rule("30", "tmp/")]).unwrap();
    assert_eq!(adds(), 2, "the same rules need no change");
    set(vec![rule("7", "tmp/"), rule("90", "logs/")]).unwrap();
    assert_eq!(adds(), 3);
    let removed = bench.control().requests_after(0).into_iter().filter(|request| request.method == "DELETE").count();
    assert_eq!(removed, 1);
    set(Vec::new()).unwrap();
    assert_eq!(kind(set(vec![rule("0", "")])), "Invalid");
    let many = (0..1001).map(|n| rule("1", &format!("p{n}/"))).collect();
    assert_eq!(kind(set(many)), "TooLarge");
    let files = bench
        .create("op-3", &NamespaceSpec { protocols: vec![Protocol::Posix], physical_id: "cccc-dddd".into(), ..both() });
    let files = files.unwrap();
    assert_eq!(kind(bench.call(|| Weka::set_lifecycle(call("op-4"), files, Vec::new()))), "Invalid");
}

#[test]
fn a_bucket_is_closed_without_a_key_until_a_document_opens_it() {
    let bench = ready();
    let native = bench.create("op-1", &both()).unwrap();
    let at = || AttachPoint::Namespace(native.clone());
    let read = || bench.call(|| Weka::read_policy(at())).unwrap();
    assert_eq!(read(), None);
    let mut open: serde_json::Value = match document(&["s3:GetObject"], &format!("{NAMESPACE}/public/*")) {
        Policy::IamJson(bytes) => serde_json::from_slice(&bytes).unwrap(),
        other => panic!("{other:?}"),
    };
    open["Statement"][0]["Principal"] = serde_json::json!({ "AWS": ["*"] });
    let open = Policy::IamJson(open.to_string().into_bytes());
    let set = |policy: Option<Policy>| bench.settle("op-2", |call| Weka::apply_policy(call, policy.clone(), at()));
    set(Some(open.clone())).unwrap();
    assert_eq!(read(), Some(open));
    set(None).unwrap();
    assert_eq!(read(), None);
    assert_eq!(kind(set(Some(document(&["s3:*"], NAMESPACE)))), "Invalid");
}
