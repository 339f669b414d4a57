//! Describes itself with 64 KiB.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("long-description").doc(&"x".repeat(64 << 10)), probe: |_| Ok(report("1")));
