//! Conformance of storage providers: what every adapter must keep, whatever its backend.
//!
//! The checks speak to the `Provider` port, so the same ones run against an adapter in its sandbox with a real backend, with
//! an emulator, or against anything else that implements the port. They hold what the host relies on after a crash: a
//! repeated change finds its own object, a foreign one is never taken, a lost one can be found by its owner, and everything
//! that was made is listed once.
//!
//! ```no_run
//! # async fn example(provider: &dyn stowage_ports::Provider) {
//! use stowage_testkit::{DirectoryNode, Subject, run};
//!
//! let node = DirectoryNode::new("/srv/conformance");
//! let report = run(&Subject::new(provider, "run-1").with_node(&node)).await;
//! assert!(report.passed(), "{report}");
//! # }
//! ```
//!
//! A check makes what it needs, under owners and names that follow from the run's name, and removes it again. Run it against
//! a disposable place all the same.
#![forbid(unsafe_code)]

pub mod checks;
mod node;
mod report;
mod settle;
mod subject;

pub use node::{DirectoryNode, NodeHands};
pub use report::{CheckResult, Outcome, Report};
pub use settle::{Broken, Ended, settle};
pub use subject::Subject;

/// Runs every check, one after the other.
pub async fn run(subject: &Subject<'_>) -> Report {
    let mut results = Vec::with_capacity(checks::ALL.len());
    for (name, rule, check) in checks::ALL {
        results.push(CheckResult { name, rule, outcome: check(subject).await });
    }
    Report { results }
}
