//! Answers with 32 MiB.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("huge-result"), probe: |_| Ok(report("x".repeat(32 << 20))));
