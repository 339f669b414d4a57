//! The built component: what it imports and exports. `make plugins` builds it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::path::PathBuf;

use wit_component::DecodedWasm;

/// What the Rust standard library pulls in and a host links with empty contexts: no files, no sockets, no preopens.
const WASI: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

/// Largest component that is admitted quickly.
const MAX_BYTES: usize = 2 << 20;

fn component() -> Vec<u8> {
    let folder = std::env::var_os("STOWAGE_PLUGINS_DIR").map_or_else(
        || {
            let target = std::env::var_os("CARGO_TARGET_DIR")
                .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")), PathBuf::from);
            target.join("plugins")
        },
        PathBuf::from,
    );
    let file = folder.join("fake.wasm");
    std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}; run `make plugins`", file.display()))
}

#[test]
fn the_component_exports_the_whole_contract_and_imports_little() {
    let bytes = component();
    assert!(bytes.len() < MAX_BYTES, "{} bytes", bytes.len());
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&bytes).unwrap() else {
        panic!("not a component")
    };
    let world = &resolve.worlds[world];
    let mut exports: Vec<String> = world.exports.keys().map(|k| resolve.name_world_key(k)).collect();
    exports.sort();
    let mut wanted: Vec<String> =
        ["access", "audit", "health", "identity", "jobs", "mounts", "namespaces", "snapshots", "tenants"]
            .map(|interface| format!("stowage:provider/{interface}@0.1.0"))
            .to_vec();
    wanted.sort();
    assert_eq!(exports, wanted);
    for key in world.imports.keys() {
        let name = resolve.name_world_key(key);
        let interface = name.split_once('@').map_or(name.as_str(), |(interface, _)| interface);
        let ours = interface.starts_with("stowage:provider/");
        assert!(ours || WASI.contains(&interface), "the component imports {name}");
    }
}
