//! Walks the contract: every outcome, error and state of it comes about in the fake.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared among test binaries")]
mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use stowage_plugin_fake::{
    Fake,
    cases::{By, CASES},
};
use stowage_provider_sdk::prelude::*;
use wit_parser::{Resolve, TypeDefKind};

/// Variants whose cases an adapter chooses in an answer. The others stand in requests (`data-policy`, `probe-mode`, …),
/// carry values (`value`, `policy`, `credential`), or describe the adapter (`matcher`, `step`).
const ANSWERS: &[&str] = &[
    "progress",
    "prepared",
    "usages",
    "issue",
    "revocation",
    "status",
    "error-kind",
    "lifecycle",
    "limit-state",
    "basis",
    "mount-state",
    "enforced-by",
    "health-state",
    "capability-state",
    "finding-level",
];

/// Variants that no answer chooses freely, each with the reason.
const NOT_ANSWERS: &[(&str, &str)] = &[
    ("access-mode", "echoed from the request"),
    ("attach-point", "in requests"),
    ("auth", "in requests to the host"),
    ("body", "in requests to the host"),
    ("credential", "follows from credential-request"),
    ("credential-request", "in requests"),
    ("data-policy", "in requests"),
    ("delivery", "the fake's plans hold no secret"),
    ("dimension", "in limits of requests, echoed"),
    ("enforcement", "in limits of requests, echoed"),
    ("http-error", "the host's answer to the adapter"),
    ("level", "of log lines"),
    ("limit-scope", "in limits of requests, echoed"),
    ("matcher", "of the description"),
    ("mount-source", "the fake only has paths of the node"),
    ("place-keep", "of the description"),
    ("plan-form", "in requests"),
    ("policy", "in requests, echoed"),
    ("principal-kind", "in requests"),
    ("privilege", "in requests"),
    ("probe-mode", "in requests"),
    ("protocol", "in requests, echoed"),
    ("revoke-scope", "in requests, echoed"),
    ("state-error", "the host's answer to the adapter"),
    ("step", "of the description"),
    ("target", "in requests, echoed"),
    ("value", "of constraints"),
];

fn variants() -> BTreeMap<String, Vec<String>> {
    let mut resolve = Resolve::default();
    let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v0.1.0");
    resolve.push_path(wit).unwrap();
    let mut found = BTreeMap::new();
    for (_, ty) in resolve.types.iter() {
        if let (TypeDefKind::Variant(variant), Some(name)) = (&ty.kind, &ty.name) {
            found.insert(name.clone(), variant.cases.iter().map(|c| c.name.clone()).collect());
        }
    }
    found
}

#[test]
fn every_variant_of_the_contract_is_either_an_answer_or_has_a_reason_not_to_be() {
    let known: BTreeSet<&str> = ANSWERS.iter().copied().chain(NOT_ANSWERS.iter().map(|(name, _)| *name)).collect();
    let found = variants();
    let found: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(found, known);
}

#[test]
fn every_case_of_every_answer_has_a_row_in_the_table_and_every_row_a_case() {
    let found = variants();
    let wanted: BTreeSet<(String, String)> = ANSWERS
        .iter()
        .flat_map(|variant| found[*variant].iter().map(|case| ((*variant).to_owned(), case.clone())))
        .collect();
    let rows: BTreeSet<(String, String)> =
        CASES.iter().map(|(variant, case, _)| ((*variant).to_owned(), (*case).to_owned())).collect();
    assert_eq!(rows, wanted);
    assert_eq!(rows.len(), CASES.len(), "a case stands twice in the table");
}

#[test]
fn every_row_of_the_table_comes_about() {
    for (variant, case, by) in CASES {
        let seen = match by {
            By::Demand(function, demand) => demanded(variant, function, demand),
            By::Show(text) => shown(variant, text),
        };
        assert_eq!(seen, *case, "{variant}.{case} by {by:?}");
    }
}

/// The case that a value is in, in the contract's words.
fn case_of(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap();
    let name = value.as_str().map(str::to_owned).or_else(|| Some(value.as_object()?.keys().next()?.clone())).unwrap();
    let mut kebab = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

fn demanded(variant: &str, function: &str, demand: &str) -> String {
    let bench = Bench::booked();
    match function {
        "namespaces.create" => {
            let answer = bench.run(|| <Fake as Namespaces>::create(demanding("o", function, demand), spec("ns")));
            match answer {
                Ok(progress) => case_of(&progress),
                Err(error) => {
                    assert_eq!(variant, "error-kind");
                    let kept = bench.host.state();
                    assert!(kept.keys().all(|k| !k.starts_with("ns/")), "an error changed something: {kept:?}");
                    case_of(&error.kind)
                }
            }
        }
        "mounts.prepare" => {
            let native = bench.namespace("ns");
            case_of(&bench.run(|| <Fake as Mounts>::prepare(demanding("o", function, demand), mount(&native))).unwrap())
        }
        "namespaces.read-usage" => {
            let config = serde_json::json!({ "node_directories": false, "faults": { function: demand } });
            let bench = Bench::new(config);
            let native = bench.namespace("ns");
            case_of(&bench.run(|| <Fake as Namespaces>::read_usage(vec![native], vec![])).unwrap())
        }
        "access.issue-credential" => {
            let request = CredentialRequest::ClientAllow(vec!["10.0.0.0/24".to_owned()]);
            case_of(
                &bench.run(|| <Fake as Access>::issue_credential(demanding("o", function, demand), request)).unwrap(),
            )
        }
        "access.revoke" => {
            let call = demanding("o", function, demand);
            case_of(&bench.run(|| <Fake as Access>::revoke(call, b"FAKEX".to_vec(), RevokeScope::Credential)).unwrap())
        }
        "jobs.poll" => {
            let call = demanding("o", "namespaces.create", demand);
            let started = bench.run(|| <Fake as Namespaces>::create(call, spec("ns"))).unwrap();
            let Progress::Pending(job) = started else { panic!("{started:?}") };
            case_of(&bench.run(|| <Fake as Jobs>::poll(job.handle)).unwrap())
        }
        other => panic!("no way to demand of {other}"),
    }
}

fn shown(variant: &str, text: &str) -> String {
    let bench = Bench::new(serde_json::json!({ "node_directories": false, "show": { variant: text } }));
    let native = bench.namespace("ns");
    bench.run(|| match variant {
        "lifecycle" => case_of(&<Fake as Namespaces>::inspect(native).unwrap().lifecycle),
        "limit-state" | "basis" => {
            let Usages::Done(done) = <Fake as Namespaces>::read_usage(vec![native], vec![]).unwrap() else { panic!() };
            let usage = &done[0].as_ref().unwrap()[0];
            if variant == "basis" { case_of(&usage.basis) } else { case_of(&usage.state) }
        }
        "mount-state" | "enforced-by" => {
            let Prepared::Plan(plan) = <Fake as Mounts>::prepare(call("m"), mount(&native)).unwrap() else { panic!() };
            if variant == "enforced-by" {
                return case_of(&plan.mounts[0].enforced_by);
            }
            case_of(&<Fake as Mounts>::observe(vec![plan.ref_]).unwrap()[0].state)
        }
        "health-state" => case_of(&<Fake as Health>::probe(ProbeMode::ReadOnly).unwrap().health[0].state),
        "capability-state" => case_of(&<Fake as Health>::probe(ProbeMode::ReadOnly).unwrap().capabilities[0].state),
        "finding-level" => case_of(&<Fake as Health>::preflight(ProbeMode::ReadOnly).unwrap().last().unwrap().level),
        other => panic!("no way to show {other}"),
    })
}
