//! Looks for files: the host's, its own, anything.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, finding, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(
    describe: describe("filesystem-import"),
    probe: |_| Ok(report("1")),
    preflight: |_| {
        let read = |path: &str| format!("{:?}", std::fs::read(path).map(|bytes| bytes.len()));
        let list = |path: &str| format!("{:?}", std::fs::read_dir(path).map(Iterator::count));
        let write = |path: &str| format!("{:?}", std::fs::write(path, "x"));
        Ok(vec![
            finding("read", read("/etc/passwd")),
            finding("relative", read("../../../../etc/passwd")),
            finding("list", list("/")),
            finding("here", list(".")),
            finding("write", write("/tmp/stowage-guest")),
            finding("environment", std::env::vars().count().to_string()),
            finding("arguments", std::env::args().count().to_string()),
        ])
    },
);
