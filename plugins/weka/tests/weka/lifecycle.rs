//! The life of a namespace, in both isolations.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;

use crate::bench::{Bench, DIRECTORY, FILESYSTEM, GIB, call, kind, limit, spec};

const KIND_FS: &str = "gpuaas-kind-fs";

#[test]
fn a_directory_is_made_limited_filled_listed_and_purged() {
    let bench = Bench::start();
    let native = bench.create("op-1", &spec("ab12cd34-ef56gh78ij", 10 * GIB + 1)).unwrap();

    let tree = bench.control().list_tree(None, KIND_FS, "/stowage").unwrap();
    let paths: Vec<_> = tree.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/stowage",
            "/stowage/ab12cd34-ef56gh78ij",
            "/stowage/ab12cd34-ef56gh78ij/.stowage-owner",
            "/stowage/ab12cd34-ef56gh78ij/datasets",
            "/stowage/ab12cd34-ef56gh78ij/shared",
        ]
    );
    let shared = tree.last().unwrap();
    assert_eq!((shared.uid, shared.gid, shared.perm), (2001, 2002, 0o770));

    let state = bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap();
    assert_eq!(state.lifecycle, Lifecycle::Ready);
    assert_eq!(state.location, "gpuaas-kind-fs:/stowage/ab12cd34-ef56gh78ij");
    assert_eq!(state.effective_limits, [limit(10 * GIB + 4096, Enforcement::Block)]);

    let file = "/stowage/ab12cd34-ef56gh78ij/shared/model.bin";
    bench.control().write_file(None, KIND_FS, file, &vec![7; 8192]).unwrap();
    let usages = bench.usage(std::slice::from_ref(&native));
    let usage = usages[0].as_ref().unwrap()[0].clone();
    assert!(usage.used >= 8192 && usage.state == LimitState::Ok, "{usage:?}");

    let listed = bench.listed(100);
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].owner.as_deref(), &listed[0].ref_), (Some("op-1"), &native));
    assert_eq!(bench.call(|| Weka::find("op-1".to_owned())).unwrap(), Some(native.clone()));
    assert_eq!(bench.call(|| Weka::find("op-2".to_owned())).unwrap(), None);

    bench.delete("op-9", &native, &DataPolicy::Purge).unwrap();
    assert_eq!(bench.control().list_tree(None, KIND_FS, "/stowage").unwrap().len(), 1);
    assert!(bench.listed(100).is_empty());
    assert_eq!(bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap().lifecycle, Lifecycle::Gone);
    bench.delete("op-9", &native, &DataPolicy::Purge).unwrap();
}

#[test]
fn a_writer_is_stopped_by_the_quota_and_freed_by_a_larger_one() {
    let bench = Bench::start();
    let native = bench.create("op-1", &spec("aaaa-bbbb", 64 * 1024)).unwrap();
    let write = |bytes| bench.control().write_file(None, KIND_FS, "/stowage/aaaa-bbbb/shared/f", &vec![1; bytes]);
    assert!(write(128 * 1024).is_err());
    let change = |call| <Weka as Namespaces>::set_limits(call, native.clone(), vec![limit(GIB, Enforcement::Block)]);
    assert_eq!(bench.settle("op-2", change).unwrap(), native);
    write(128 * 1024).unwrap();
    let listed = bench.listed(10);
    assert_eq!(listed[0].owner.as_deref(), Some("op-1"), "a later change keeps the creator's mark");
    assert_eq!(listed[0].effective_limits, [limit(GIB, Enforcement::Block)]);
}

#[test]
fn soft_limits_have_their_grace_and_show_it() {
    let bench = Bench::start();
    let mut wanted = spec("aaaa-bbbb", GIB);
    wanted.limits.push(limit(16 * 1024, Enforcement::SoftThenBlock(3600)));
    let native = bench.create("op-1", &wanted).unwrap();
    bench.control().write_file(None, KIND_FS, "/stowage/aaaa-bbbb/shared/f", &[1; 32 * 1024]).unwrap();
    bench.control().clock().advance(600_000);
    let listed = bench.listed(10);
    assert_eq!(listed[0].effective_limits.len(), 2);
    let other = bench.create("op-2", &spec("cccc-dddd", GIB)).unwrap();
    let usages = bench.usage(&[native, other]);
    let usage = &usages[0].as_ref().unwrap()[0];
    assert!(matches!(usage.state, LimitState::Grace(until) if until > usage.observed_at), "{usage:?}");
}

#[test]
fn kept_data_stays_when_the_namespace_goes() {
    let bench = Bench::start();
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    bench.control().write_file(None, KIND_FS, "/stowage/aaaa-bbbb/shared/f", b"kept").unwrap();
    bench.delete("op-2", &native, &DataPolicy::Keep).unwrap();
    assert_eq!(bench.control().read_file(None, KIND_FS, "/stowage/aaaa-bbbb/shared/f").unwrap(), b"kept");
    assert!(bench.listed(10).is_empty());
}

#[test]
pub(crate) fn a_repeated_create_answers_the_same_reference_and_changes_nothing() {
    let bench = Bench::start();
    let first = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let changes = bench.changes().len();
    assert_eq!(bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap(), first);
    assert_eq!(bench.changes().len(), changes);
}

#[test]
fn an_object_of_another_owner_is_neither_adopted_nor_deleted() {
    let bench = Bench::start();
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    assert_eq!(kind(bench.create("op-2", &spec("aaaa-bbbb", GIB))), "ForeignOwner");
    // Somebody takes the quota over by hand.
    let uid = bench.control().filesystem_uid(KIND_FS).unwrap();
    bench.delete("op-3", &native, &DataPolicy::Keep).unwrap();
    assert_eq!(kind(bench.create("op-2", &spec("aaaa-bbbb", GIB))), "ForeignOwner", "the file still bears op-1's mark");
    let text = String::from_utf8(native).unwrap();
    assert!(text.contains(&uid.to_string()));
}

#[test]
fn a_foreign_mark_in_the_directory_stops_before_any_quota() {
    let bench = Bench::start();
    bench.control().make_dir(KIND_FS, "/stowage/aaaa-bbbb", weka_emulator::Owner::default()).unwrap();
    bench.control().write_file(None, KIND_FS, "/stowage/aaaa-bbbb/.stowage-owner", b"sw:someone").unwrap();
    assert_eq!(kind(bench.create("op-1", &spec("aaaa-bbbb", GIB))), "ForeignOwner");
    assert!(bench.changes().is_empty());
}

#[test]
fn adoption_is_shown_by_a_dry_run_and_keeps_the_data() {
    let bench = Bench::start();
    bench.switch("data_services", true);
    bench.control().make_dir(KIND_FS, "/legacy/team", weka_emulator::Owner { uid: 7, gid: 7, perm: 0o700 }).unwrap();
    bench.control().write_file(None, KIND_FS, "/legacy/team/f", &[1; 9000]).unwrap();
    let wanted = spec("aaaa-bbbb", GIB);
    let adopt = |dry| {
        let wanted = wanted.clone();
        move |call| Weka::adopt(call, "gpuaas-kind-fs:/legacy/team".to_owned(), wanted.clone(), dry)
    };
    let dry = bench.call(|| adopt(true)(call("op-1"))).unwrap();
    assert!(bench.changes().is_empty(), "a dry run changes nothing");
    let native = bench.settle("op-1", adopt(false)).unwrap();
    assert_eq!(dry, Progress::Done(native.clone()));
    let tree = bench.control().list_tree(None, KIND_FS, "/legacy/team").unwrap();
    assert_eq!((tree[0].uid, tree[0].perm), (7, 0o700), "owner and permissions stay");
    assert!(bench.usage(&[native])[0].as_ref().unwrap()[0].used >= 9000);
    assert_eq!(bench.listed(10)[0].owner.as_deref(), Some("op-1"));
    // Another namespace may lie neither above nor below it.
    let inside = |call| Weka::adopt(call, "/legacy".to_owned(), spec("cccc-dddd", GIB), false);
    assert_eq!(kind(bench.settle("op-2", inside)), "InUse");
}

#[test]
fn adoption_names_what_is_wrong_with_a_location() {
    let bench = Bench::start();
    for location in ["other-fs:/a", "/", "/../etc", "/stowage", "gpuaas-kind-fs:"] {
        let answer = bench.call(|| Weka::adopt(call("op-1"), location.to_owned(), spec("aaaa-bbbb", GIB), true));
        assert_eq!(kind(answer), "Invalid", "{location}");
    }
    let answer = bench.call(|| Weka::adopt(call("op-1"), "/nowhere".to_owned(), spec("aaaa-bbbb", GIB), true));
    assert_eq!(kind(answer), "NotFound");
}

#[test]
fn bad_specifications_are_refused_before_anything_is_sent() {
    let bench = Bench::start();
    let wrong = [
        NamespaceSpec { physical_id: "../up".to_owned(), ..spec("x", GIB) },
        NamespaceSpec { physical_id: "a/b".to_owned(), ..spec("x", GIB) },
        NamespaceSpec { physical_id: String::new(), ..spec("x", GIB) },
        NamespaceSpec { prefixes: vec!["../../etc".to_owned()], ..spec("x", GIB) },
        NamespaceSpec { posix: Some(PosixIdentity { uid: 1, gid: 1, mode: 0o4755 }), ..spec("x", GIB) },
        NamespaceSpec { limits: vec![limit(0, Enforcement::Block)], ..spec("x", GIB) },
    ];
    for spec in wrong {
        assert_eq!(kind(bench.create("op-1", &spec)), "Invalid", "{spec:?}");
    }
    let s3 = NamespaceSpec { protocols: vec![Protocol::S3], ..spec("x", GIB) };
    assert_eq!(kind(bench.create("op-1", &s3)), "Invalid", "a bucket's name has three letters at least");
    assert!(bench.control().requests_after(0).is_empty());
}

#[test]
fn a_filesystem_is_made_grown_and_removed() {
    let bench = Bench::configured(FILESYSTEM);
    let native = bench.create("op-1", &spec("ab12cd34-ef56gh78ij", GIB)).unwrap();
    let listed = bench.listed(10);
    let name = listed[0].location.clone();
    assert!(name.starts_with("sw-ab12cd34-ef56gh78ij-") && name.len() <= 32, "{name}");
    let tree = bench.control().list_tree(None, &name, "/").unwrap();
    assert!(tree.iter().any(|entry| entry.path == "/shared" && entry.uid == 2001), "{tree:?}");
    assert_eq!(bench.call(|| Weka::find("op-1".to_owned())).unwrap(), Some(native.clone()));

    let puts = bench.requests("PUT", "");
    assert_eq!(puts.last().unwrap().body["auth_required"], true, "authentication is turned on once it is filled");
    let change =
        |call| <Weka as Namespaces>::set_limits(call, native.clone(), vec![limit(2 * GIB, Enforcement::Block)]);
    bench.settle("op-2", change).unwrap();
    let state = bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap();
    assert_eq!(state.effective_limits, [limit(2 * GIB, Enforcement::Block)]);
    assert_eq!(bench.usage(std::slice::from_ref(&native))[0].as_ref().unwrap().len(), 1);

    bench.delete("op-3", &native, &DataPolicy::Purge).unwrap();
    assert!(bench.listed(10).is_empty());
    assert_eq!(bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap().lifecycle, Lifecycle::Gone);
    assert!(bench.usage(&[native])[0].is_err());
}

#[test]
fn a_filesystem_that_is_repeated_is_the_same_and_another_owners_is_refused() {
    let bench = Bench::configured(FILESYSTEM);
    let first = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let changes = bench.changes().len();
    assert_eq!(bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap(), first);
    assert_eq!(bench.changes().len(), changes);
    assert_eq!(kind(bench.create("op-2", &spec("aaaa-bbbb", GIB))), "ForeignOwner");
}

#[test]
fn a_renamed_filesystem_is_not_deleted() {
    let bench = Bench::configured(FILESYSTEM);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let renamed = String::from_utf8(native).unwrap().replace("sw-aaaa", "sw-zzzz").into_bytes();
    assert_eq!(kind(bench.delete("op-2", &renamed, &DataPolicy::Purge)), "ForeignOwner");
    assert_eq!(bench.listed(10).len(), 1);
}

#[test]
fn a_missing_filesystem_is_not_ready_with_its_remedy() {
    let bench = Bench::configured(r#"{"filesystem":"nowhere"}"#);
    let error = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap_err();
    let ErrorKind::NotReady(ready) = error.kind else { panic!("{error:?}") };
    assert_eq!(ready.reason, "FILESYSTEM_MISSING");
    assert!(ready.remedy.contains("nowhere"));
}

#[test]
fn a_reserved_filesystem_is_refused_by_every_call() {
    let bench = Bench::start();
    for name in ["default", "s3-data", "s3-config", ".config_fs"] {
        bench.host.reconfigure(&DIRECTORY.replace("gpuaas-kind-fs", name));
        let error = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Invalid(_)) && error.message.contains("never touched"), "{error:?}");
        assert_eq!(kind(bench.call(|| Weka::probe(ProbeMode::ReadOnly))), "Invalid");
    }
    assert!(bench.control().requests_after(0).is_empty());
}

#[test]
fn node_work_that_failed_is_asked_for_again_in_the_next_attempt_only() {
    let bench = Bench::start();
    let spec = spec("aaaa-bbbb", GIB);
    let ask = |call: Call| bench.call(|| <Weka as Namespaces>::create(call, spec.clone()));
    let Progress::NeedsNode(work) = ask(call("op-1")).unwrap() else { panic!() };
    let fail = |step: &NodeStep| NodeResult {
        id: step.id.clone(),
        values: Vec::new(),
        error: Some("system: no such device".to_owned()),
    };
    let mut again = Call { node_results: vec![fail(&work.steps[0])], ..call("op-1") };
    let error = ask(again.clone()).unwrap_err();
    assert_eq!((kind::<()>(Err(error.clone())).as_str(), error.native_code.as_deref()), ("Other", Some("system")));
    again.attempt = 2;
    let Progress::NeedsNode(second) = ask(again.clone()).unwrap() else { panic!() };
    assert_ne!(second.steps[0].id, work.steps[0].id);
    // What was done counts in every later attempt.
    again.node_results = crate::node::run(bench.control(), &second);
    again.attempt = 7;
    let Progress::NeedsNode(third) = ask(again).unwrap() else { panic!() };
    assert!(third.steps.iter().any(|step| lookup(&step.args, "mark") == Some("sw:op-1")), "{third:?}");
}

#[test]
fn the_schema_refuses_what_the_adapter_refuses() {
    use stowage_provider_sdk::Identity as _;
    let schema: serde_json::Value = serde_json::from_str(&Weka::describe().config_schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (text, good) in [
        (DIRECTORY, true),
        (FILESYSTEM, true),
        (r#"{"filesystem":"x","mount":{"client":"stateless","backends":["b"],"net":["udp"],"num_cores":0}}"#, true),
        (r#"{"filesystem":"default"}"#, false),
        (r#"{"filesystem":"s3-data"}"#, false),
        (r#"{"filesystem":"a/b"}"#, false),
        (r#"{"filesystem":"x","root":"/abs"}"#, false),
        (r#"{"filesystem":"x","colour":"red"}"#, false),
        (r#"{"isolation":"none"}"#, false),
    ] {
        assert_eq!(validator.is_valid(&serde_json::from_str(text).unwrap()), good, "{text}");
    }
}

#[test]
fn references_of_others_are_refused() {
    let bench = Bench::start();
    for bytes in [b"".to_vec(), b"junk".to_vec(), br#"{"k":"m","n":"a","h":"b"}"#.to_vec()] {
        assert_eq!(kind(bench.call(|| <Weka as Namespaces>::inspect(bytes.clone()))), "Invalid");
        assert_eq!(kind(bench.delete("op", &bytes, &DataPolicy::Purge)), "Invalid");
    }
}
