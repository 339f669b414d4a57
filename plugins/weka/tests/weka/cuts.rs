//! A change whose answers are lost, at each of its exchanges in turn, still ends with one object.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::{Fault, Rule};

use crate::bench::{Bench, DIRECTORY, FILESYSTEM, GIB, limit, spec};

/// What can happen to an exchange.
pub(crate) const CUTS: [Fault; 6] =
    [Fault::ResetBefore, Fault::ResetAfter, Fault::Truncated, Fault::EmptyBody, Fault::Junk, Fault::Unavailable];
/// Exchanges of one whole life, generously.
const MOST_EXCHANGES: u64 = 80;

/// Kinds after which the host looks and repeats.
pub(crate) fn may_repeat(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Ambiguous
            | ErrorKind::Unreachable
            | ErrorKind::ConflictRetry
            | ErrorKind::Throttled(_)
            | ErrorKind::AuthExpired
    ) || error.native_code.as_deref() == Some("UnreadableAnswer")
}

/// Repeats a change as the runner does, until it is done.
pub(crate) fn insist(bench: &Bench, owner: &str, change: impl Fn(Call) -> Result<Progress>) -> NativeRef {
    for _ in 0..4 {
        match bench.settle(owner, &change) {
            Ok(native) => return native,
            Err(error) => assert!(may_repeat(&error), "{error:?}"),
        }
    }
    panic!("the change does not converge")
}

/// The life of a namespace with the n-th matching exchange cut.
fn life(config: &str, fault: Fault) {
    let bench = Bench::configured(config);
    for cut in 0..MOST_EXCHANGES {
        let id = bench.control().add_fault(Rule::new(fault).skip(cut).times(1));
        let owner = format!("op-{cut}");
        let wanted = spec("aaaa-bbbb", GIB);
        let native = insist(&bench, &owner, |call| <Weka as Namespaces>::create(call, wanted.clone()));
        match bench.call(|| Weka::find(owner.clone())) {
            Ok(found) => assert_eq!(found.as_ref(), Some(&native)),
            Err(error) => assert!(may_repeat(&error), "{error:?}"),
        }
        insist(&bench, "op-limits", |call| {
            <Weka as Namespaces>::set_limits(call, native.clone(), vec![limit(2 * GIB, Enforcement::Block)])
        });
        insist(&bench, "op-delete", |call| <Weka as Namespaces>::delete(call, native.clone(), DataPolicy::Purge));
        let struck = bench.control().faults().iter().any(|rule| rule.id == id && rule.struck > 0);
        bench.control().remove_fault(id).unwrap();
        assert!(bench.listed(10).is_empty(), "{fault:?} at exchange {cut} left an object");
        if !struck {
            assert!(cut > 15, "a whole life has more than {cut} exchanges");
            return;
        }
    }
    panic!("a life has more than {MOST_EXCHANGES} exchanges");
}

#[test]
fn a_directory_converges_whatever_answer_is_lost() {
    CUTS.into_iter().for_each(|fault| life(DIRECTORY, fault));
}

#[test]
fn a_filesystem_converges_whatever_answer_is_lost() {
    CUTS.into_iter().for_each(|fault| life(FILESYSTEM, fault));
}
