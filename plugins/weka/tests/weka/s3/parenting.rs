//! Parent S3 users.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::Fault;

use super::{CONFIG, PARENT, SECRET, parent, parent_with_policy, principal, ready};
use crate::bench::{Bench, call, kind};

fn ensure(bench: &Bench, spec: &PrincipalSpec) -> Result<NativeRef> {
    bench.settle("parent", |call| Weka::ensure_principal(call, spec.clone()))
}

fn creates(bench: &Bench) -> usize {
    bench.requests("POST", "/users").len()
}

#[test]
pub(crate) fn a_parent_is_made_once_with_a_password_that_only_the_host_knows() {
    let bench = ready();
    let native = parent(&bench);
    let body = &bench.requests("POST", "/users")[0].body;
    assert_eq!((body["username"].as_str(), body["role"].as_str()), (Some(PARENT), Some("S3")));
    assert_eq!((body["posix_uid"].as_u64(), body["posix_gid"].as_u64()), (Some(2001), Some(2002)));
    assert!(!String::from_utf8(native.clone()).unwrap().contains("Made-by-the-host-1"));
    assert_eq!(parent(&bench), native);
    assert_eq!(creates(&bench), 1);
    assert!(bench.requests("POST", "/login").len() == 1, "what the adapter has noted needs no login to prove it");

    assert_eq!(bench.call(|| Weka::find_principal("parent".to_owned())).unwrap(), Some(native.clone()));
    assert_eq!(bench.call(|| Weka::find_principal("other".to_owned())).unwrap(), None);
    let listed = bench.call(|| Weka::list_principals(PageRequest { cursor: None, limit: 10 })).unwrap();
    assert_eq!(listed.items.len(), 1);
    assert_eq!((listed.items[0].name.as_str(), &listed.items[0].ref_), (PARENT, &native));
    assert_eq!((listed.items[0].owner.as_deref(), listed.next), (Some("parent"), None));
}

#[test]
fn posix_ids_follow_the_project() {
    let bench = ready();
    let native = parent(&bench);
    let moved = PrincipalSpec { posix: Some(PosixIdentity { uid: 3001, gid: 3002, mode: 0o770 }), ..principal(PARENT) };
    assert_eq!(ensure(&bench, &moved).unwrap(), native);
    let listed = bench.call(|| Weka::list_principals(PageRequest { cursor: None, limit: 10 })).unwrap();
    assert_eq!(lookup(&listed.items[0].extensions, "posix.uid"), Some("3001"));
    assert_eq!((creates(&bench), bench.requests("PUT", "").len()), (1, 1));
}

#[test]
fn a_user_that_the_hosts_password_does_not_open_is_somebody_elses() {
    let bench = ready();
    // Made with another password: the host that made it is not this one.
    bench.host.give(SECRET, PARENT, "Another-hosts-2");
    ensure(&bench, &principal(PARENT)).unwrap();
    bench.host.forget_state();
    bench.host.give(SECRET, PARENT, "Made-by-the-host-1");
    assert_eq!(kind(ensure(&bench, &principal(PARENT))), "ForeignOwner");
    // One that is no S3 user is refused without a login.
    bench.host.give("made/weka/admin", "admin", "x");
    let logins = bench.requests("POST", "/login").len();
    assert_eq!(kind(ensure(&bench, &principal("admin"))), "ForeignOwner");
    assert_eq!(bench.requests("POST", "/login").len(), logins);
}

#[test]
fn a_parent_is_known_again_by_its_password_when_the_adapters_note_is_lost() {
    let bench = ready();
    let native = parent(&bench);
    bench.host.forget_state();
    assert_eq!(bench.call(|| Weka::find_principal("parent".to_owned())).unwrap(), None);
    assert_eq!(parent(&bench), native);
    assert_eq!(creates(&bench), 1);
}

#[test]
fn what_cannot_be_a_principal_names_its_field() {
    let bench = ready();
    for (spec, expected) in [
        (principal(&"x".repeat(33)), "Invalid"),
        (principal("Upper"), "Invalid"),
        (principal("a b"), "Invalid"),
        (principal("ab"), "Invalid"),
        (PrincipalSpec { secret: None, ..principal(PARENT) }, "Invalid"),
        (PrincipalSpec { parent: Some(b"x".to_vec()), ..principal(PARENT) }, "Invalid"),
        (PrincipalSpec { kind: PrincipalKind::Service, ..principal(PARENT) }, "Unsupported"),
    ] {
        assert_eq!(kind(ensure(&bench, &spec)), expected, "{spec:?}");
    }
    assert!(bench.control().requests_after(0).is_empty(), "nothing was sent");
    ensure(&bench, &{
        let name = "x".repeat(32);
        bench.host.give(&format!("made/weka/{name}"), &name, "Made-by-the-host-1");
        principal(&name)
    })
    .unwrap();
}

#[test]
fn a_parent_goes_with_its_policies_and_stays_gone() {
    let bench = ready();
    let native = parent_with_policy(&bench);
    let gone = |owner: &str| bench.settle(owner, |call| Weka::delete_principal(call, native.clone()));
    gone("op-1").unwrap();
    gone("op-2").unwrap();
    assert_eq!(bench.call(|| Weka::find_principal("parent".to_owned())).unwrap(), None);
    assert_eq!(bench.requests("DELETE", "").iter().filter(|r| r.path.contains("/s3/policies/")).count(), 1);
    let again = parent(&bench);
    assert_ne!(again, native, "it is another user under the same name");
    assert_eq!(gone("op-3").unwrap(), native, "the reference to the old one does not reach the new one");
    assert_eq!(bench.call(|| Weka::find_principal("parent".to_owned())).unwrap(), Some(again));
}

#[test]
fn a_removal_that_was_not_done_is_no_success() {
    let bench = ready();
    let native = parent(&bench);
    bench.fault(Fault::DeleteIgnored, "DELETE", "/users/*");
    let remove = || bench.call(|| Weka::delete_principal(call("op-1"), native.clone()));
    assert_eq!(remove().unwrap_err().native_code.as_deref(), Some("DeleteNotApplied"));
    remove().unwrap();
}

#[test]
fn a_parent_asked_for_while_s3_does_not_serve_is_not_ready_and_not_made() {
    let bench = Bench::configured(CONFIG);
    bench.host.give(SECRET, PARENT, "Made-by-the-host-1");
    assert_eq!(kind(ensure(&bench, &principal(PARENT))), "NotReady");
    assert!(bench.changes().is_empty());
}

#[test]
fn a_secret_that_the_host_has_not_made_is_told_by_its_name() {
    let bench = ready();
    let error = ensure(&bench, &principal("sw-other")).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NotReady(_)) && error.message.contains("made/weka/sw-other"), "{error:?}");
}
