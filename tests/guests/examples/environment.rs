//! Looks for what the host's process was started with: environment, arguments, standard input.
#![cfg(target_arch = "wasm32")]

use std::io::Read as _;

use stowage_guests::{describe, finding, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(
    describe: describe("environment"),
    probe: |_| Ok(report("1")),
    preflight: |_| {
        let mut input = Vec::new();
        std::io::stdin().read_to_end(&mut input).ok();
        Ok(vec![
            finding("environment", std::env::vars().count().to_string()),
            finding("arguments", std::env::args().count().to_string()),
            finding("input", input.len().to_string()),
        ])
    },
);
