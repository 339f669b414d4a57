//! Reads a file with the standard library: its component imports wasi:filesystem.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("filesystem-import"), probe: |_| {
    Ok(report(format!("{:?}", std::fs::read("/etc/passwd").map(|bytes| bytes.len()))))
});
