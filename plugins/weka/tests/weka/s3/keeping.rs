//! Service accounts: keys of long life.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::Fault;

use super::{document, envelope, issue, key_ids, key_request, pair, parent, parent_with_policy, principal, ready};
use crate::bench::{Bench, call, kind};

fn key(bench: &Bench, owner: &str, parent: &NativeRef) -> Result<Issued> {
    issue(bench, owner, CredentialRequest::AccessKey(key_request(parent)))
}

fn revoke(bench: &Bench, native: &NativeRef, scope: RevokeScope) -> Result<Revoked> {
    match bench.call(|| Weka::revoke(call("op-revoke"), native.clone(), scope))? {
        Revocation::Revoked(revoked) => Ok(revoked),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_made_under_the_parents_own_login_with_a_policy_that_bears_its_owner() {
    let bench = ready();
    let parent = parent_with_policy(&bench);
    let issued = key(&bench, "op-1", &parent).unwrap();
    let keys = pair(&issued);
    assert_eq!((keys.id.len(), keys.expires_at, keys.token.as_deref()), (20, None, None));
    assert_eq!(bench.host.opened(&keys.secret).len(), 40);
    let logins = bench.requests("POST", "/login");
    assert_eq!(logins.last().unwrap().body["username"], super::PARENT);

    let found = bench.call(|| Weka::find_credential("op-1".to_owned())).unwrap().unwrap();
    assert_eq!((found.id.as_str(), &found.ref_, &found.principal), (keys.id.as_str(), &issued.ref_, &parent));
    assert_eq!(bench.call(|| Weka::find_credential("op-2".to_owned())).unwrap(), None);
    assert_eq!(key_ids(&bench, Some(&parent), 10), std::slice::from_ref(&keys.id));
    let read = bench.call(|| Weka::read_policy(AttachPoint::Key(issued.ref_.clone()))).unwrap();
    assert_eq!(read, key_request(&parent).policy, "without the mark");

    let gone = revoke(&bench, &issued.ref_, RevokeScope::Credential).unwrap();
    assert_eq!((gone.scope, gone.also_ended), (RevokeScope::Credential, Some(0)));
    assert!(key_ids(&bench, Some(&parent), 10).is_empty());
    revoke(&bench, &issued.ref_, RevokeScope::Credential).unwrap();
    assert_eq!(kind(revoke(&bench, &issued.ref_, RevokeScope::FutureOnly)), "Unsupported");
}

#[test]
fn a_repeated_issue_leaves_one_key() {
    let bench = ready();
    let parent = parent_with_policy(&bench);
    let first = key(&bench, "op-1", &parent).unwrap();
    let second = key(&bench, "op-1", &parent).unwrap();
    assert_ne!(pair(&first).id, pair(&second).id, "the first one's secret was answered once");
    assert_eq!(key_ids(&bench, Some(&parent), 10), [pair(&second).id.clone()]);
}

#[test]
fn a_key_is_rotated_into_one_with_the_same_policy_and_both_work_until_the_old_one_is_revoked() {
    let bench = ready();
    let parent = parent_with_policy(&bench);
    let old = key(&bench, "op-1", &parent).unwrap();
    let rotate = || match bench.call(|| Weka::rotate(call("op-2"), old.ref_.clone())).unwrap() {
        Issue::Issued(issued) => issued,
        other => panic!("{other:?}"),
    };
    let two = |a: &Issued, b: &Issued| {
        let mut ids = vec![pair(a).id.clone(), pair(b).id.clone()];
        ids.sort_unstable();
        ids
    };
    let new = rotate();
    assert_eq!(key_ids(&bench, Some(&parent), 10), two(&old, &new));
    // Its answer was lost: the same rotation again.
    let again = rotate();
    assert_eq!(key_ids(&bench, Some(&parent), 10), two(&old, &again));
    let read = bench.call(|| Weka::read_policy(AttachPoint::Key(again.ref_.clone()))).unwrap();
    assert_eq!(read, key_request(&parent).policy);
    revoke(&bench, &old.ref_, RevokeScope::Credential).unwrap();
    assert_eq!(key_ids(&bench, Some(&parent), 10), [pair(&again).id.clone()]);
    // And once more, though the old one is gone.
    let last = rotate();
    assert_eq!(key_ids(&bench, Some(&parent), 10), [pair(&last).id.clone()]);
    let lost = bench.call(|| Weka::rotate(call("op-3"), old.ref_.clone()));
    assert_eq!(kind(lost), "NotFound");
}

#[test]
fn the_101st_key_is_capacity_with_its_numbers() {
    let bench = ready();
    bench.switch("service_accounts_per_user", 1000);
    let parent = parent_with_policy(&bench);
    for n in 0..100 {
        key(&bench, &format!("op-{n}"), &parent).unwrap();
    }
    let error = key(&bench, "op-100", &parent).unwrap_err();
    let ErrorKind::CapacityExhausted(hit) = &error.kind else { panic!("{error:?}") };
    assert_eq!((hit.counter.as_str(), hit.used, hit.limit), ("key.max-per-principal", 100, 100));
    assert_eq!(key_ids(&bench, None, 30).len(), 100, "page by page");
    assert_eq!(key_ids(&bench, Some(&parent), 7).len(), 100);
}

#[test]
fn a_full_cluster_of_keys_is_capacity() {
    let bench = ready();
    bench.switch("service_account_limit", 1);
    let parent = parent_with_policy(&bench);
    key(&bench, "op-1", &parent).unwrap();
    let error = key(&bench, "op-2", &parent).unwrap_err();
    assert!(matches!(&error.kind, ErrorKind::CapacityExhausted(hit) if hit.counter == "key.max"), "{error:?}");
}

#[test]
fn keys_of_every_parent_are_listed_and_a_foreign_one_is_told() {
    let bench = ready();
    let first = parent_with_policy(&bench);
    bench.host.give("made/weka/sw-zz99", "sw-zz99", "Made-by-the-host-1");
    let second = bench.settle("other", |call| Weka::ensure_principal(call, principal("sw-zz99"))).unwrap();
    super::apply(&bench, &second, Some(envelope())).unwrap();
    let mut ids = vec![pair(&key(&bench, "a", &first).unwrap()).id.clone()];
    ids.push(pair(&key(&bench, "b", &first).unwrap()).id.clone());
    ids.push(pair(&key(&bench, "c", &second).unwrap()).id.clone());
    // Made by hand, as the parent: it bears no mark.
    bench.call(|| {
        use stowage_provider_sdk::host;
        const MAKE: Exchange =
            Exchange::new("s3.service-accounts.create").post("control", "/api/v2/s3/serviceAccounts");
        let request = Request::new().flow_with("login", super::SECRET, &[("org", "Root")]);
        assert!(host::send(&MAKE, request.json(&serde_json::json!({}))).unwrap().is_success());
    });
    for limit in [1, 2, 100] {
        let listed = key_ids(&bench, None, limit);
        assert_eq!(listed.len(), 4, "{limit}");
        assert!(ids.iter().all(|id| listed.contains(id)), "{limit}");
    }
    let page = bench.call(|| Weka::list_credentials(None, PageRequest { cursor: None, limit: 100 })).unwrap();
    let unmarked: Vec<_> = page.items.iter().filter(|item| item.state == "unmarked").collect();
    assert_eq!(unmarked.len(), 1);
    assert!(!ids.contains(&unmarked[0].id));
}

#[test]
fn what_cannot_be_a_key_is_refused_before_anything_is_sent() {
    let bench = ready();
    let parent = parent_with_policy(&bench);
    let before = bench.control().requests_after(0).len();
    let base = key_request(&parent);
    for (request, expected) in [
        (KeyRequest { policy: None, ..base.clone() }, "Invalid"),
        (KeyRequest { expires_at: Some(7), ..base.clone() }, "Unsupported"),
        (KeyRequest { policy: Some(document(&["s3:GetObject"], &"x".repeat(1960))), ..base.clone() }, "TooLarge"),
        (KeyRequest { principal: Vec::new(), ..base.clone() }, "Invalid"),
    ] {
        assert_eq!(kind(issue(&bench, "op-1", CredentialRequest::AccessKey(request.clone()))), expected, "{request:?}");
    }
    assert_eq!(bench.control().requests_after(0).len(), before);
}

#[test]
fn a_removal_that_was_not_done_is_no_success() {
    let bench = ready();
    let parent = parent_with_policy(&bench);
    let issued = key(&bench, "op-1", &parent).unwrap();
    bench.fault(Fault::DeleteIgnored, "DELETE", "/s3/serviceAccounts/*");
    let error = revoke(&bench, &issued.ref_, RevokeScope::Credential).unwrap_err();
    assert_eq!(error.native_code.as_deref(), Some("DeleteNotApplied"));
    revoke(&bench, &issued.ref_, RevokeScope::Credential).unwrap();
}

#[test]
fn a_parent_takes_its_keys_along() {
    let bench = ready();
    let native = parent_with_policy(&bench);
    key(&bench, "op-1", &native).unwrap();
    let all = revoke(&bench, &native, RevokeScope::PrincipalAll).unwrap();
    assert_eq!((all.scope, all.also_ended), (RevokeScope::PrincipalAll, None));
    assert_eq!(kind(revoke(&bench, &native, RevokeScope::Credential)), "Unsupported");
    assert!(key_ids(&bench, None, 10).is_empty());
    parent(&bench);
    assert!(key_ids(&bench, None, 10).is_empty(), "the new one begins with none");
}
