//! Hostile adapters, each a component of its own under `examples/`.
//!
//! What they share is the part that admission wants to see: a name, an instance id, and one endpoint. Built natively this
//! crate and every example are empty; `make plugins` builds them for `wasm32-wasip2`.
#![cfg(target_arch = "wasm32")]

use stowage_provider_sdk::prelude::*;

pub use stowage_provider_sdk as sdk;

/// A description with the endpoint `backend`, and nothing that it may say.
#[must_use]
pub fn describe(name: &str) -> Describe {
    Describe::new(name, "Hostile", "0.1.0").doc("Breaks one rule.").endpoint("backend", false, "Anything.")
}

/// A report that says that all is well; `version` carries what the guest saw.
#[must_use]
pub fn report(version: impl Into<String>) -> ProbeReport {
    ProbeReport {
        native_version: version.into(),
        instance_id: "hostile".to_owned(),
        capabilities: Vec::new(),
        health: Vec::new(),
        counters: Vec::new(),
        extensions: Vec::new(),
    }
}

/// One line of what a guest tried and what came of it.
#[must_use]
pub fn finding(check: &str, seen: impl Into<String>) -> Finding {
    Finding {
        check: check.to_owned(),
        level: FindingLevel::Note,
        asked: check.to_owned(),
        seen: seen.into(),
        follows: String::new(),
        remedy: None,
    }
}

/// What came of an exchange: the status and the body, or the error.
#[must_use]
pub fn outcome(answer: Result<Response, SendError>) -> String {
    match answer {
        Ok(answer) => format!("{} {}", answer.status(), answer.text()),
        Err(error) => format!("refused: {error:?}"),
    }
}

/// An adapter with `identity` and `health` only: how it describes itself, and what it does when it is probed and
/// preflighted.
#[macro_export]
macro_rules! guest {
    (describe: $description:expr, probe: $probe:expr, preflight: $preflight:expr $(,)?) => {
        struct Guest;

        impl Identity for Guest {
            fn describe() -> Description {
                $description.build()
            }
        }

        impl Health for Guest {
            fn probe(mode: ProbeMode) -> Result<ProbeReport> {
                let probe: fn(ProbeMode) -> Result<ProbeReport> = $probe;
                probe(mode)
            }
            fn preflight(mode: ProbeMode) -> Result<Vec<Finding>> {
                let preflight: fn(ProbeMode) -> Result<Vec<Finding>> = $preflight;
                preflight(mode)
            }
        }

        $crate::sdk::export_provider!(Guest:);
    };
    (describe: $description:expr, probe: $probe:expr $(,)?) => {
        $crate::guest!(describe: $description, probe: $probe, preflight: |_| Ok(Vec::new()));
    };
}
