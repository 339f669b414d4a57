//! The rooms of the house and the one way of their arrows.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Which of our own crates each crate may use outside its tests. Whoever adds an arrow adds it here, and says why in the
/// review.
const ARROWS: &[(&str, &[&str])] = &[
    ("stowage-domain", &[]),
    ("stowage-proto", &[]),
    ("stowage-policy", &["stowage-domain"]),
    ("stowage-ports", &[]),
    ("stowage-store", &["stowage-domain", "stowage-ports"]),
    ("stowage-store-sled", &["stowage-ports", "stowage-store"]),
    ("stowage-store-redb", &["stowage-ports", "stowage-store"]),
    ("stowage-audit", &["stowage-domain", "stowage-ports", "stowage-store"]),
    ("stowage-egress", &["stowage-domain", "stowage-ports"]),
    ("stowage-secrets", &["stowage-ports"]),
    ("stowage-plugin", &["stowage-domain", "stowage-ports"]),
    ("stowage-control", &["stowage-domain", "stowage-policy", "stowage-ports", "stowage-store", "stowage-audit"]),
    ("stowage-api", &["stowage-domain", "stowage-control", "stowage-ports", "stowage-proto"]),
    ("stowage-client", &["stowage-proto"]),
    ("stowage-node", &["stowage-client", "stowage-proto"]),
    ("stowage-provider-sdk", &[]),
    ("stowage-plugin-fake", &["stowage-provider-sdk"]),
    ("stowage-plugin-weka", &["stowage-provider-sdk"]),
    ("stowage-testkit", &["stowage-ports", "stowage-domain"]),
    ("weka-emulator", &[]),
];

/// Crates that may know everything: the binary that wires, and the tests.
const FREE: &[&str] = &["stowage", "stowage-e2e", "stowage-bench", "stowage-guests"];

/// Libraries that decide how a room works, and the rooms that may know them.
const ENGINES: &[(&str, &[&str])] = &[
    ("wasmtime", &["stowage-plugin"]),
    ("sled", &["stowage-store-sled"]),
    ("redb", &["stowage-store-redb"]),
    ("reqwest", &["stowage-egress", "weka-emulator"]),
    ("tonic", &["stowage-proto", "stowage-api", "stowage-client", "stowage-node"]),
];

fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(root).no_deps().exec().unwrap();
    let of = |package: &cargo_metadata::Package| {
        let used = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        (package.name.to_string(), used.map(|d| d.name.clone()).collect())
    };
    metadata.packages.iter().map(of).collect()
}

#[test]
fn every_crate_is_listed_and_uses_only_what_its_row_allows() {
    let uses = uses();
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).chain(FREE.iter().copied()).collect();
    let there: BTreeSet<&str> = uses.keys().map(String::as_str).collect();
    assert_eq!(listed, there, "the table and the workspace differ");
    for (name, allowed) in ARROWS {
        let own = uses[*name].iter().filter(|used| there.contains(used.as_str()));
        let wrong: Vec<_> = own.filter(|used| !allowed.contains(&used.as_str())).collect();
        assert!(wrong.is_empty(), "{name} uses {wrong:?}, which its row does not allow");
    }
}

#[test]
fn an_engine_is_known_to_its_own_room_alone() {
    let uses = uses();
    for (engine, rooms) in ENGINES {
        let known: Vec<_> =
            uses.iter().filter(|(_, used)| used.contains(*engine)).map(|(name, _)| name.as_str()).collect();
        let wrong: Vec<_> = known.iter().filter(|name| !rooms.contains(name) && !FREE.contains(name)).collect();
        assert!(wrong.is_empty(), "{wrong:?} know {engine}");
    }
}

#[test]
fn domain_and_policy_know_no_runtime() {
    let uses = uses();
    for room in ["stowage-domain", "stowage-policy"] {
        for runtime in ["tokio", "tonic", "wasmtime", "sled", "redb", "reqwest", "async-trait"] {
            assert!(!uses[room].contains(runtime), "{room} knows {runtime}");
        }
    }
}
