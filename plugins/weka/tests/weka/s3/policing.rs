//! IAM policies of parents.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::Fault;

use super::{PARENT, apply, document, envelope, parent, parent_with_policy, ready};
use crate::bench::{Bench, kind};

fn read(bench: &Bench, native: &NativeRef) -> Option<Policy> {
    bench.call(|| Weka::read_policy(AttachPoint::Principal(native.clone()))).unwrap()
}

fn changes(bench: &Bench) -> Vec<String> {
    let all = bench.changes();
    let policies = all.iter().filter(|request| request.path.contains("/s3/policies"));
    policies
        .map(|request| format!("{} {}", request.method, request.path.rsplit("/s3/policies").next().unwrap()))
        .collect()
}

#[test]
pub(crate) fn a_policy_is_replaced_by_making_attaching_and_only_then_removing() {
    let bench = ready();
    let native = parent_with_policy(&bench);
    assert_eq!(read(&bench, &native), Some(envelope()));
    let first = changes(&bench);
    assert_eq!((first[0].as_str(), first[1].as_str(), first.len()), ("POST ", "POST /attach", 2));

    let narrow = document(&["s3:GetObject"], "ab12cd34-ef56gh78ij/*");
    apply(&bench, &native, Some(narrow.clone())).unwrap();
    let second = &changes(&bench)[2..];
    assert_eq!((second[0].as_str(), second[1].as_str(), second.len()), ("POST ", "POST /attach", 3));
    assert!(second[2].starts_with(&format!("DELETE /{PARENT}-")), "{second:?}");
    assert_eq!(read(&bench, &native), Some(narrow.clone()));

    let before = changes(&bench).len();
    apply(&bench, &native, Some(narrow)).unwrap();
    assert_eq!(changes(&bench).len(), before, "the same document changes nothing");
    apply(&bench, &native, None).unwrap();
    assert_eq!(read(&bench, &native), None);
    assert_eq!(changes(&bench)[before], "POST /detach");
}

#[test]
fn the_parent_has_one_policy_whole_after_every_exchange_of_a_replacement() {
    for cut in 0..20 {
        let bench = ready();
        let native = parent_with_policy(&bench);
        let narrow = document(&["s3:GetObject"], "ab12cd34-ef56gh78ij/*");
        let id = bench.control().add_fault(weka_emulator::Rule::new(Fault::ResetAfter).skip(cut).times(1));
        let answer = apply(&bench, &native, Some(narrow.clone()));
        bench.control().remove_fault(id).ok();
        let now = read(&bench, &native).expect("never none");
        assert!(now == narrow || now == envelope(), "cut {cut}: {now:?}");
        if answer.is_ok() {
            assert!(cut > 5, "a replacement has more than {cut} exchanges");
            return;
        }
        apply(&bench, &native, Some(narrow.clone())).unwrap();
        assert_eq!(read(&bench, &native), Some(narrow));
        let left = bench.call(|| Weka::read_policy(AttachPoint::Principal(native.clone()))).unwrap();
        assert!(left.is_some());
    }
    panic!("the replacement does not end");
}

#[test]
fn a_policy_that_another_hand_has_changed_is_passed_by_and_not_taken_for_ours() {
    let bench = ready();
    let native = parent_with_policy(&bench);
    // Somebody makes the name wide: the document under it is no longer the one that it was made for.
    let name = bench.requests("POST", "/attach")[0].body["policy_name"].as_str().unwrap().to_owned();
    bench.call(|| {
        use stowage_provider_sdk::host;
        let admin = || Request::new().flow_with("login", "admin", &[("org", "Root")]);
        const DROP: Exchange = Exchange::new("s3.policies.delete").delete("control", "/api/v2/s3/policies/{policy}");
        const MAKE: Exchange = Exchange::new("s3.policies.create").post("control", "/api/v2/s3/policies");
        const GIVE: Exchange = Exchange::new("s3.policies.attach").post("control", "/api/v2/s3/policies/attach");
        let Policy::IamJson(wide) = document(&["s3:*"], "*") else { panic!() };
        let wide: serde_json::Value = serde_json::from_slice(&wide).unwrap();
        assert!(host::send(&DROP, admin().param("policy", &name)).unwrap().is_success());
        let body = serde_json::json!({ "policy_name": name, "policy_file_content": wide });
        assert!(host::send(&MAKE, admin().json(&body)).unwrap().is_success());
        let body = serde_json::json!({ "policy_name": name, "user_name": PARENT });
        assert!(host::send(&GIVE, admin().json(&body)).unwrap().is_success());
    });
    assert_ne!(read(&bench, &native), Some(envelope()), "drift is seen");
    apply(&bench, &native, Some(envelope())).unwrap();
    assert_eq!(read(&bench, &native), Some(envelope()));
}

#[test]
fn a_parent_whose_name_ends_like_a_secret_gets_its_policy_too() {
    let bench = ready();
    let name = "sw-p2k4tpem";
    bench.host.give("made/weka/sw-p2k4tpem", name, "Made-by-the-host-1");
    bench.host.mask(name);
    let native = bench.settle("parent", |call| Weka::ensure_principal(call, super::principal(name))).unwrap();
    apply(&bench, &native, Some(envelope())).unwrap();
    assert_eq!(read(&bench, &native), Some(envelope()));
    let before = changes(&bench).len();
    apply(&bench, &native, Some(envelope())).unwrap();
    assert_eq!(changes(&bench).len(), before);
}

#[test]
fn policies_are_listed_in_every_shape() {
    for shape in ["names", "objects", "map"] {
        let bench = ready();
        bench.switch("s3_policies_shape", shape);
        bench.departs_from_contract();
        bench.switch("policy_delete_in_use", "refused");
        let native = parent_with_policy(&bench);
        apply(&bench, &native, Some(document(&["s3:GetObject"], "ab12cd34-x/*"))).unwrap();
        apply(&bench, &native, Some(envelope())).unwrap();
        assert_eq!(read(&bench, &native), Some(envelope()), "{shape}");
        let removed = changes(&bench).iter().filter(|change| change.starts_with("DELETE")).count();
        assert_eq!(removed, 2, "{shape}: nothing is left behind");
    }
}

#[test]
pub(crate) fn a_policy_over_2048_bytes_is_refused_with_both_numbers_and_a_smaller_one_fits() {
    let bench = ready();
    let native = parent(&bench);
    let long = |length: usize| document(&["s3:GetObject"], &"x".repeat(length));
    let plan = |policy: &Policy, at: AttachPoint| bench.call(|| Weka::plan_policy(policy.clone(), at)).unwrap();
    let base = plan(&long(0), AttachPoint::Session).bytes;
    let room = usize::try_from(2048 - base).unwrap();
    let whole = plan(&long(room), AttachPoint::Principal(native.clone()));
    assert_eq!((whole.bytes, whole.max_bytes, whole.losses.len()), (2048, 2048, 0));
    apply(&bench, &native, Some(long(room))).unwrap();
    let error = apply(&bench, &native, Some(long(room + 1))).unwrap_err();
    let ErrorKind::TooLarge(hit) = error.kind else { panic!("{error:?}") };
    assert_eq!((hit.used, hit.limit), (2049, 2048));
    assert!(plan(&envelope(), AttachPoint::Key(Vec::new())).bytes > plan(&envelope(), AttachPoint::Session).bytes);
}

#[test]
pub(crate) fn actions_that_the_backend_does_not_have_are_losses_and_never_sent() {
    let bench = ready();
    let native = parent(&bench);
    let unknown = document(&["s3:GetObject", "s3:GetObjectVersion", "s3:Put*"], "b/*");
    let plan = bench.call(|| Weka::plan_policy(unknown.clone(), AttachPoint::Session)).unwrap();
    assert_eq!(plan.losses.len(), 2, "{:?}", plan.losses);
    assert_eq!(kind(apply(&bench, &native, Some(unknown))), "Invalid");
    assert_eq!(kind(apply(&bench, &native, Some(Policy::IamJson(b"[]".to_vec())))), "Invalid");
    assert_eq!(kind(apply(&bench, &native, Some(Policy::Native(Vec::new())))), "Unsupported");
    assert!(changes(&bench).is_empty());
}
