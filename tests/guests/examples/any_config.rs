//! Takes any configuration.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("any-config").config_schema(&serde_json::json!(true)), probe: |_| Ok(report("1")));
