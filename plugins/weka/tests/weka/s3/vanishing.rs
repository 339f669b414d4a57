//! S3 that goes away before, or in the middle of, every change: each says `not-ready`, and converges once S3 is back.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::contract::types::SecretRef;
use stowage_provider_sdk::prelude::*;

use super::{
    PARENT, both, document, issue, key_ids, key_request, parent_with_policy, principal, ready, session_request,
};
use crate::bench::{Bench, GIB, call, spec};

/// A change of the S3 side.
type Change = Box<dyn Fn(Call) -> Result<()>>;

fn progress(answer: Result<Progress>) -> Result<()> {
    match answer? {
        Progress::Done(_) => Ok(()),
        other => panic!("{other:?}"),
    }
}

/// Every change, on a namespace, its bucketless neighbour, the project's parent and a key of it.
fn changes(bench: &Bench) -> Vec<(&'static str, Change)> {
    let native = bench.create("op-1", &both()).unwrap();
    let files = bench.create("op-2", &NamespaceSpec { physical_id: "cccc-dddd".to_owned(), ..spec("", GIB) }).unwrap();
    let parent = parent_with_policy(bench);
    let key = issue(bench, "op-3", CredentialRequest::AccessKey(key_request(&parent))).unwrap().ref_;
    bench.host.give("made/weka/audit", "audit", "Bearer the-receivers-token");
    let target = audit::Target::PushHttp(audit::Push {
        url: "https://audit.example/v1".to_owned(),
        bearer: Some(SecretRef { name: "made/weka/audit".to_owned(), field: "password".to_owned() }),
    });
    let rule = vec![("expire-days".to_owned(), "3".to_owned())];
    let narrow = document(&["s3:GetObject"], "ab12cd34-*");
    let all = [Protocol::Posix, Protocol::S3].to_vec();
    let (at, session, another) = (
        AttachPoint::Principal(parent.clone()),
        CredentialRequest::Session(session_request(&parent)),
        CredentialRequest::AccessKey(key_request(&parent)),
    );
    let issued = |answer: Result<Issue>| answer.map(drop);
    let bucket = AttachPoint::Namespace(native.clone());
    vec![
        ("give S3", Box::new(move |call| progress(Weka::set_protocols(call, files.clone(), all.clone())))),
        ("find the parent", Box::new(|call| progress(Weka::ensure_principal(call, principal(PARENT))))),
        (
            "replace the policy",
            Box::new(move |call| progress(Weka::apply_policy(call, Some(narrow.clone()), at.clone()))),
        ),
        ("issue a session", Box::new(move |call| issued(Weka::issue_credential(call, session.clone())))),
        ("issue a key", Box::new(move |call| issued(Weka::issue_credential(call, another.clone())))),
        ("rotate a key", {
            let key = key.clone();
            Box::new(move |call| issued(Weka::rotate(call, key.clone())))
        }),
        ("remove a key", { Box::new(move |call| Weka::revoke(call, key.clone(), RevokeScope::Credential).map(drop)) }),
        ("set rules", {
            let native = native.clone();
            Box::new(move |call| progress(Weka::set_lifecycle(call, native.clone(), vec![rule.clone()])))
        }),
        ("close the bucket", Box::new(move |call| progress(Weka::apply_policy(call, None, bucket.clone())))),
        ("send the audit", Box::new(move |call| progress(Weka::configure(call, target.clone())))),
        ("take S3", Box::new(move |call| progress(Weka::set_protocols(call, native.clone(), vec![Protocol::Posix])))),
        ("remove the parent", Box::new(move |call| progress(Weka::delete_principal(call, parent.clone())))),
    ]
}

fn reason(name: &str, answer: Result<()>) -> String {
    match answer.unwrap_err().kind {
        ErrorKind::NotReady(why) => why.reason,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn every_change_is_not_ready_without_s3_and_is_done_once_it_is_back() {
    let bench = ready();
    for (name, change) in changes(&bench) {
        bench.control().set_s3_containers(0);
        let refused = bench.call(|| change(call(name)));
        assert_eq!(reason(name, refused), "S3_NOT_ENABLED", "{name}");
        bench.control().set_s3_containers(1);
        bench.call(|| change(call(name))).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    assert!(key_ids(&bench, None, 10).is_empty());
}

#[test]
fn s3_that_vanishes_after_any_exchange_of_a_change_leaves_what_the_same_change_completes() {
    let names: Vec<_> = changes(&ready()).into_iter().map(|(name, _)| name).collect();
    for (index, name) in names.into_iter().enumerate() {
        for after in 1..20 {
            let bench = ready();
            let (_, change) = changes(&bench).swap_remove(index);
            bench.host.after(after, |control| control.set_s3_containers(0));
            let first = bench.call(|| change(call(name)));
            bench.host.after(usize::MAX, |_| {});
            bench.control().set_s3_containers(1);
            let whole = first.is_ok();
            if !whole {
                assert_eq!(reason(name, first), "S3_NOT_ENABLED", "{name} after {after}");
            }
            bench.call(|| change(call(name))).unwrap_or_else(|error| panic!("{name} after {after}: {error:?}"));
            if whole {
                break;
            }
        }
    }
}
