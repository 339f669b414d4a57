//! Changes of the S3 side whose answers are lost, at each of their exchanges in turn, still end in one state.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::contract::types::SecretRef;
use stowage_provider_sdk::prelude::*;
use weka_emulator::{Fault, Rule};

use super::{PARENT, both, document, envelope, key_ids, key_request, pair, principal, ready, session_request};
use crate::bench::Bench;
use crate::cuts::{CUTS, insist, may_repeat};

/// Exchanges of one whole life, generously.
const MOST_EXCHANGES: u64 = 160;

/// Repeats an issue as the runner does, until it is done.
fn insist_on_keys(issue: impl Fn() -> Result<Issue>) -> Issued {
    for _ in 0..4 {
        match issue() {
            Ok(Issue::Issued(issued)) => return issued,
            Ok(other) => panic!("{other:?}"),
            Err(error) => assert!(may_repeat(&error), "{error:?}"),
        }
    }
    panic!("the issue does not converge")
}

fn call(owner: &str) -> Call {
    crate::bench::call(owner)
}

/// A namespace with S3, a parent with two policies in turn, a session, a key rotated and removed, rules, audit; all made
/// and unmade.
fn life(bench: &Bench, cut: u64) {
    let op = |name: &str| format!("{name}-{cut}");
    let native = insist(bench, &op("create"), |call| <Weka as Namespaces>::create(call, both()));
    let parent = insist(bench, &op("parent"), |call| Weka::ensure_principal(call, principal(PARENT)));
    for policy in [envelope(), document(&["s3:GetObject"], "ab12cd34-*")] {
        let at = AttachPoint::Principal(parent.clone());
        insist(bench, &op("policy"), |call| Weka::apply_policy(call, Some(policy.clone()), at.clone()));
    }
    let session = CredentialRequest::Session(session_request(&parent));
    insist_on_keys(|| bench.call(|| Weka::issue_credential(call(&op("session")), session.clone())));
    let key = CredentialRequest::AccessKey(key_request(&parent));
    let old = insist_on_keys(|| bench.call(|| Weka::issue_credential(call(&op("key")), key.clone())));
    let new = insist_on_keys(|| bench.call(|| Weka::rotate(call(&op("rotate")), old.ref_.clone())));
    let rule = vec![("expire-days".to_owned(), "3".to_owned()), ("prefix".to_owned(), "tmp/".to_owned())];
    insist(bench, &op("rules"), |call| Weka::set_lifecycle(call, native.clone(), vec![rule.clone()]));
    let target = audit::Target::PushHttp(audit::Push {
        url: "https://audit.example/v1".to_owned(),
        bearer: Some(SecretRef { name: "made/weka/audit".to_owned(), field: "password".to_owned() }),
    });
    insist(bench, &op("audit"), |call| Weka::configure(call, target.clone()));
    insist(bench, &op("audit-off"), |call| Weka::configure(call, audit::Target::None));
    // The cut may have struck an issue: what is there are the two keys all the same.
    match bench.call(|| Weka::list_credentials(Some(parent.clone()), PageRequest { cursor: None, limit: 10 })) {
        Ok(listed) => {
            let known = [&pair(&old).id, &pair(&new).id];
            assert!(listed.items.len() == 2 && listed.items.iter().all(|item| known.contains(&&item.id)));
        }
        Err(error) => assert!(may_repeat(&error), "{error:?}"),
    }
    for key in [&old, &new] {
        let revoke = || bench.call(|| Weka::revoke(call(&op("revoke")), key.ref_.clone(), RevokeScope::Credential));
        let done = (0..4).any(|_| match revoke() {
            Ok(_) => true,
            Err(error) => {
                assert!(may_repeat(&error), "{error:?}");
                false
            }
        });
        assert!(done, "the removal does not converge");
    }
    insist(bench, &op("delete"), |call| <Weka as Namespaces>::delete(call, native.clone(), DataPolicy::Purge));
    insist(bench, &op("unparent"), |call| Weka::delete_principal(call, parent.clone()));
}

/// Whole lives, each with another exchange cut.
fn lives(fault: Fault) {
    let bench = ready();
    bench.host.give("made/weka/audit", "audit", "Bearer the-receivers-token");
    for cut in 0..MOST_EXCHANGES {
        let id = bench.control().add_fault(Rule::new(fault).skip(cut).times(1));
        life(&bench, cut);
        let struck = bench.control().faults().iter().any(|rule| rule.id == id && rule.struck > 0);
        bench.control().remove_fault(id).unwrap();
        assert!(bench.listed(10).is_empty(), "{fault:?} at exchange {cut} left a namespace");
        assert!(key_ids(&bench, None, 10).is_empty(), "{fault:?} at exchange {cut} left a key");
        let left = bench.control().summary();
        for what in ["buckets", "policies", "service_accounts"] {
            assert_eq!(left["s3"][what].as_u64(), Some(0), "{fault:?} at exchange {cut} left {what}: {left}");
        }
        if !struck {
            assert!(cut > 60, "a whole life has more than {cut} exchanges");
            return;
        }
    }
    panic!("a life has more than {MOST_EXCHANGES} exchanges");
}

#[test]
fn the_s3_side_converges_when_an_answer_is_lost() {
    lives(Fault::ResetAfter);
}

#[test]
fn matrix_the_s3_side_converges_whatever_happens_to_an_answer() {
    CUTS.into_iter().filter(|fault| *fault != Fault::ResetAfter).for_each(lives);
}
