//! Principals, policies and credentials of the fake.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared among test binaries")]
mod common;

use std::sync::Arc;

use common::*;
use serde_json::json;
use stowage_plugin_fake::Fake;
use stowage_provider_sdk::{error::ErrorKind, native::MemoryHost, prelude::*};

fn principal(bench: &Bench, name: &str) -> NativeRef {
    let spec = PrincipalSpec {
        name: name.to_owned(),
        kind: PrincipalKind::Parent,
        parent: None,
        posix: None,
        secret: None,
        extensions: vec![],
    };
    match bench.run(|| <Fake as Access>::ensure_principal(call(&format!("make-{name}")), spec)).unwrap() {
        Progress::Done(native) => native,
        other => panic!("{other:?}"),
    }
}

fn session(principal: &[u8], ttl_s: u32) -> CredentialRequest {
    CredentialRequest::Session(SessionRequest {
        principal: principal.to_vec(),
        parent_secret: None,
        session_name: "job-1".to_owned(),
        policy: Policy::IamJson(br#"{"Version":"2012-10-17","Statement":[]}"#.to_vec()),
        ttl_s,
    })
}

fn issue(bench: &Bench, owner: &str, request: CredentialRequest) -> Result<Issued> {
    match bench.run(|| <Fake as Access>::issue_credential(call(owner), request))? {
        Issue::Issued(issued) => Ok(issued),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_credential_is_issued_once_per_owner_and_found_by_it() {
    let bench = Bench::booked();
    let parent = principal(&bench, "p");
    let first = issue(&bench, "o", session(&parent, 900)).unwrap();
    bench.host.set_now_ms(1_700_000_000_500);
    assert_eq!(issue(&bench, "o", session(&parent, 900)).unwrap(), first);
    let found = bench.run(|| <Fake as Access>::find_credential("o".into())).unwrap().unwrap();
    assert_eq!((found.owner.as_deref(), found.expires_at), (Some("o"), Some(1_700_000_900_000)));
    bench.host.set_now_ms(1_700_000_900_000);
    let listed = bench.run(|| <Fake as Access>::list_credentials(Some(parent), first_page())).unwrap();
    assert_eq!(listed.items[0].state, "expired");
}

#[test]
fn sessions_keep_their_bounds_and_policies_their_size() {
    let bench = Bench::booked();
    let parent = principal(&bench, "p");
    for ttl in [1, 100_000] {
        assert!(matches!(issue(&bench, "o", session(&parent, ttl)).unwrap_err().kind, ErrorKind::Invalid(_)));
    }
    let large = Policy::IamJson(format!("[{}0]", "0,".repeat(2000)).into_bytes());
    let at = AttachPoint::Principal(parent.clone());
    let plan = bench.run(|| <Fake as Access>::plan_policy(large.clone(), at.clone())).unwrap();
    assert!(plan.bytes > plan.max_bytes);
    let refused = bench.run(|| <Fake as Access>::apply_policy(call("o"), Some(large), at.clone())).unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::TooLarge(_)), "{refused:?}");
    let small = Policy::IamJson(b"{}".to_vec());
    bench.run(|| <Fake as Access>::apply_policy(call("o"), Some(small.clone()), at.clone())).unwrap();
    assert_eq!(bench.run(|| <Fake as Access>::read_policy(at.clone())).unwrap(), Some(small));
    bench.run(|| <Fake as Access>::apply_policy(call("o"), None, at.clone())).unwrap();
    assert_eq!(bench.run(|| <Fake as Access>::read_policy(at)).unwrap(), None);
}

#[test]
fn revoking_ends_what_the_scope_says_and_counts_it() {
    let bench = Bench::booked();
    let parent = principal(&bench, "p");
    let revoke =
        |native: &[u8], scope| match bench.run(|| <Fake as Access>::revoke(call("r"), native.to_vec(), scope)).unwrap()
        {
            Revocation::Revoked(revoked) => revoked,
            other => panic!("{other:?}"),
        };
    let left = || bench.run(|| <Fake as Access>::list_credentials(None, first_page())).unwrap().items.len();
    let one = issue(&bench, "o1", session(&parent, 900)).unwrap();
    issue(&bench, "o2", session(&parent, 900)).unwrap();
    bench.host.set_now_ms(1_700_000_001_000);
    issue(&bench, "o3", session(&parent, 900)).unwrap();
    revoke(&one.ref_, RevokeScope::Session);
    assert_eq!(left(), 2);
    assert_eq!(revoke(&parent, RevokeScope::PrincipalBefore(1_700_000_000_500)).also_ended, Some(1));
    assert_eq!(left(), 1);
    revoke(&parent, RevokeScope::FutureOnly);
    assert_eq!(left(), 1);
    assert_eq!(issue(&bench, "o4", session(&parent, 900)).unwrap_err().kind, ErrorKind::PermissionDenied);
    assert_eq!(revoke(&parent, RevokeScope::PrincipalAll).also_ended, Some(1));
    assert_eq!(left(), 0);
}

#[test]
fn rotation_replaces_the_key_and_a_principal_takes_its_keys_along() {
    let bench = Bench::booked();
    let parent = principal(&bench, "p");
    let key = KeyRequest { principal: parent.clone(), parent_secret: None, policy: None, expires_at: None };
    let old = issue(&bench, "o1", CredentialRequest::AccessKey(key)).unwrap();
    let rotate = || bench.run(|| <Fake as Access>::rotate(call("o2"), old.ref_.clone())).unwrap();
    let Issue::Issued(new) = rotate() else { panic!() };
    assert_ne!(new.ref_, old.ref_);
    assert_eq!(rotate(), Issue::Issued(new));
    assert_eq!(bench.run(|| <Fake as Access>::find_credential("o1".into())).unwrap(), None);
    assert!(bench.run(|| <Fake as Access>::find_principal("make-p".into())).unwrap().is_some());
    for _ in 0..2 {
        bench.run(|| <Fake as Access>::delete_principal(call("d"), parent.clone())).unwrap();
    }
    assert_eq!(bench.run(|| <Fake as Access>::find_credential("o2".into())).unwrap(), None);
    assert!(bench.run(|| <Fake as Access>::list_principals(first_page())).unwrap().items.is_empty());
}

#[test]
fn with_an_exchange_the_secrets_of_a_key_are_handles_of_captures() {
    let host =
        MemoryHost::new(&json!({ "node_directories": false, "key_exchange": true }).to_string()).answering(|r| {
            assert_eq!(r.exchange, "keys.make");
            let captured = vec![Some("sealed:1".to_owned()), Some("sealed:2".to_owned())];
            Ok(http::Response { status: 200, headers: vec![], body: b"{}".to_vec(), captured })
        });
    let bench = Bench { host: Arc::new(host) };
    let parent = principal(&bench, "p");
    let Credential::AccessKey(pair) = issue(&bench, "o", session(&parent, 900)).unwrap().credential else { panic!() };
    assert_eq!((pair.secret.as_str(), pair.token.as_deref()), ("sealed:1", Some("sealed:2")));
}
