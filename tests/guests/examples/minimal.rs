//! Has the two required interfaces and nothing else: it must load.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("minimal"), probe: |_| Ok(report("1")));
