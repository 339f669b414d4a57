//! Temporary credentials.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::Fault;

use super::{CONFIG, document, issue, pair, parent, parent_with_policy, ready, session_request, with};
use crate::bench::{Bench, call, kind};

fn session(bench: &Bench, owner: &str, parent: &NativeRef) -> Result<Issued> {
    issue(bench, owner, CredentialRequest::Session(session_request(parent)))
}

#[test]
pub(crate) fn a_session_is_issued_with_handles_and_ends_by_the_hosts_clock() {
    let bench = ready();
    let parent = parent_with_policy(&bench);
    let now = bench.control().clock().now();
    let issued = session(&bench, "op-1", &parent).unwrap();
    let keys = pair(&issued);
    assert_eq!((issued.endpoint.as_str(), issued.region.as_str()), ("https://s3.example:9000", "us-east-1"));
    assert_eq!(issued.owner, "op-1");
    assert_eq!(keys.id.len(), 20);
    assert_eq!(bench.host.opened(&keys.secret).len(), 40);
    assert!(bench.host.opened(keys.token.as_deref().unwrap()).starts_with("eyJ"));
    let until = keys.expires_at.unwrap();
    assert!((now + 3_600_000..now + 3_700_000).contains(&until));
    let body = &bench.requests("POST", "/s3/sts")[0].body;
    assert_eq!((body["duration"].as_u64(), body["policy_file_content"].is_object()), (Some(3600), true));
    assert_ne!(session(&bench, "op-1", &parent).unwrap().ref_, issued.ref_, "each is another one");
    assert_eq!(bench.call(|| Weka::find_credential("op-1".to_owned())).unwrap(), None, "no list has it");
}

#[test]
fn whoever_the_cluster_lets_ask_is_asked_and_the_protocol_last() {
    for (callers, sts, rest, bound) in [
        ("both", "auto", 1, false),
        ("admin", "auto", 1, false),
        ("user", "auto", 2, false),
        ("none", "auto", 2, true),
        ("both", "user", 1, false),
        ("both", "protocol", 0, true),
    ] {
        let bench = with(&CONFIG.replace("\"endpoint\"", &format!("\"sts\":\"{sts}\",\"endpoint\"")));
        bench.switch("sts_callers", callers);
        if bound {
            bench.host.bind_s3(bench.s3_url());
        }
        let parent = parent_with_policy(&bench);
        let issued = session(&bench, "op-1", &parent).unwrap();
        let keys = pair(&issued);
        assert_eq!(bench.host.opened(&keys.secret).len(), 40, "{callers} {sts}");
        assert!(bench.host.opened(keys.token.as_deref().unwrap()).starts_with("eyJ"), "{callers} {sts}");
        assert_eq!(bench.requests("POST", "/s3/sts").len(), rest, "{callers} {sts}");
    }
}

#[test]
fn a_cluster_that_lets_nobody_ask_says_so_and_the_endpoint_can_be_bound() {
    let bench = ready();
    bench.switch("sts_callers", "none");
    let parent = parent_with_policy(&bench);
    assert_eq!(kind(session(&bench, "op-1", &parent)), "PermissionDenied");
    let bench = with(&CONFIG.replace("\"endpoint\"", "\"sts\":\"protocol\",\"endpoint\""));
    let parent = parent_with_policy(&bench);
    let error = session(&bench, "op-1", &parent).unwrap_err();
    assert!(matches!(&error.kind, ErrorKind::NotReady(why) if why.reason == "S3_ENDPOINT_NOT_BOUND"), "{error:?}");
}

#[test]
fn a_cluster_that_takes_generated_keys_alone_is_asked_to_make_them_once() {
    let bench = Bench::of_release(CONFIG, weka_emulator::Preset::S3Ready, "5.1.2");
    bench.host.give(super::SECRET, super::PARENT, "Made-by-the-host-1");
    bench.switch("s3_keys_are_separate", true);
    let native = parent_with_policy(&bench);
    let made = || bench.requests("POST", "/resetCredentials").len();
    for owner in ["op-1", "op-2"] {
        let issued = session(&bench, owner, &native).unwrap();
        assert_eq!(bench.host.opened(&pair(&issued).secret).len(), 40);
        assert_eq!(made(), 1);
    }
    assert_eq!(bench.requests("POST", "/s3/sts").len(), 3, "noted keys are tried first");
    // The note outlives another look at the parent, and keys that somebody made anew are made once more.
    assert_eq!(parent(&bench), native);
    session(&bench, "op-3", &native).unwrap();
    assert_eq!(made(), 1);
    bench.host.forget_state();
    session(&bench, "op-4", &native).unwrap();
    assert_eq!(made(), 2);
    // An older release makes none, and the refusal is the parent's.
    let bench = ready();
    bench.switch("s3_keys_are_separate", true);
    let native = parent_with_policy(&bench);
    assert_eq!(kind(session(&bench, "op-1", &native)), "NotFound");
}

#[test]
fn the_protocols_refusals_have_kinds_of_their_own() {
    let bench = with(&CONFIG.replace("\"endpoint\"", "\"sts\":\"protocol\",\"endpoint\""));
    bench.host.bind_s3(bench.s3_url());
    let native = parent(&bench);
    let refused = session(&bench, "op-1", &native).unwrap_err();
    assert!(refused.native_code.is_some(), "{refused:?}");
    super::apply(&bench, &native, Some(super::envelope())).unwrap();
    bench.host.give(super::SECRET, super::PARENT, "Not-the-password-9");
    assert_eq!(kind(session(&bench, "op-1", &native)), "PermissionDenied");
    bench.host.give(super::SECRET, "sw-nobody", "Not-the-password-9");
    assert_eq!(kind(session(&bench, "op-1", &native)), "NotFound");
    bench.control().set_s3_outage(weka_emulator::Outage::Refuse);
    let lost = kind(session(&bench, "op-1", &native));
    assert!(["Unreachable", "Ambiguous"].contains(&lost.as_str()), "{lost}");
}

#[test]
fn the_5001st_live_session_is_capacity_and_an_ended_one_makes_room() {
    let bench = ready();
    bench.switch("sts_session_limit", 2);
    let parent = parent_with_policy(&bench);
    session(&bench, "op-1", &parent).unwrap();
    session(&bench, "op-2", &parent).unwrap();
    let error = session(&bench, "op-3", &parent).unwrap_err();
    let ErrorKind::CapacityExhausted(hit) = &error.kind else { panic!("{error:?}") };
    assert_eq!(hit.counter, "session.max-live");
    bench.control().clock().advance(3_600_001);
    session(&bench, "op-3", &parent).unwrap();
    bench.fault(Fault::StsTableFull, "POST", "/s3/sts");
    assert_eq!(kind(session(&bench, "op-4", &parent)), "CapacityExhausted");
}

#[test]
pub(crate) fn what_cannot_be_a_session_is_refused_before_anything_is_sent() {
    let bench = ready();
    let parent = parent_with_policy(&bench);
    let before = bench.control().requests_after(0).len();
    let base = session_request(&parent);
    for (request, expected) in [
        (SessionRequest { ttl_s: 899, ..base.clone() }, "Invalid"),
        (SessionRequest { ttl_s: 604_801, ..base.clone() }, "TooLarge"),
        (SessionRequest { principal: b"junk".to_vec(), ..base.clone() }, "Invalid"),
        (SessionRequest { policy: document(&["s3:GetObject"], &"x".repeat(2100)), ..base.clone() }, "TooLarge"),
        (SessionRequest { policy: document(&["s3:Get*"], "b/*"), ..base.clone() }, "Invalid"),
        (SessionRequest { policy: Policy::Other("x".into()), ..base.clone() }, "Unsupported"),
    ] {
        assert_eq!(kind(issue(&bench, "op-1", CredentialRequest::Session(request.clone()))), expected, "{request:?}");
    }
    assert_eq!(kind(issue(&bench, "op", CredentialRequest::ClientAllow(Vec::new()))), "Unsupported");
    assert_eq!(bench.control().requests_after(0).len(), before);
    for ttl_s in [900, 604_800] {
        issue(&bench, "op-1", CredentialRequest::Session(SessionRequest { ttl_s, ..base.clone() })).unwrap();
    }
}

#[test]
fn a_parent_without_policy_or_gone_or_without_endpoint_is_told_apart() {
    let bench = ready();
    let native = parent(&bench);
    let error = session(&bench, "op-1", &native).unwrap_err();
    assert!(matches!(&error.kind, ErrorKind::NotReady(why) if why.reason == "PARENT_HAS_NO_POLICY"), "{error:?}");
    bench.call(|| Weka::delete_principal(call("op-2"), native.clone())).unwrap();
    assert_eq!(kind(session(&bench, "op-3", &native)), "NotFound");

    let bench = with(r#"{"filesystem":"gpuaas-kind-fs"}"#);
    let native = parent_with_policy(&bench);
    let before = bench.control().requests_after(0).len();
    let error = session(&bench, "op-1", &native).unwrap_err();
    assert!(matches!(&error.kind, ErrorKind::NotReady(why) if why.reason == "S3_ENDPOINT_UNKNOWN"), "{error:?}");
    assert_eq!(bench.control().requests_after(0).len(), before);
}

#[test]
fn s3_that_vanishes_before_a_session_is_not_ready() {
    let bench = ready();
    let parent = parent_with_policy(&bench);
    bench.control().set_s3_containers(0);
    assert_eq!(kind(session(&bench, "op-1", &parent)), "NotReady");
}

#[test]
pub(crate) fn one_session_cannot_be_ended_alone_and_the_answer_names_what_can() {
    let bench = ready();
    let parent = parent_with_policy(&bench);
    let issued = session(&bench, "op-1", &parent).unwrap();
    let other = session(&bench, "op-2", &parent).unwrap();
    let revoke = |scope: RevokeScope| bench.call(|| Weka::revoke(call("op-3"), issued.ref_.clone(), scope));
    for scope in [RevokeScope::Session, RevokeScope::Credential] {
        let error = revoke(scope).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Unsupported(_)));
        assert_eq!(lookup(&error.extensions, "choices"), Some("principal-all,future-only"));
    }
    let until = pair(&issued).expires_at;
    let Revocation::Revoked(future) = revoke(RevokeScope::FutureOnly).unwrap() else { panic!() };
    assert_eq!((future.effective_by, future.also_ended), (until, Some(0)));
    assert_eq!(kind(revoke(RevokeScope::PrincipalBefore(7))), "Unsupported");

    let Revocation::Revoked(all) = revoke(RevokeScope::PrincipalAll).unwrap() else { panic!() };
    assert_eq!(all.scope, RevokeScope::PrincipalAll);
    assert_eq!(all.also_ended, None, "how many ended with it the backend does not tell");
    assert!(all.effective_by.is_some());
    let summary = bench.control().summary();
    assert_eq!(summary["s3"]["sessions"].as_u64().or(summary["s3"]["live_sessions"].as_u64()), Some(0), "{summary}");
    assert!(revoke(RevokeScope::PrincipalAll).is_ok(), "again is done too");
    assert_eq!(kind(bench.call(|| Weka::rotate(call("op-4"), other.ref_.clone()))), "Unsupported");
}
