//! Exits instead of answering.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("exit"), probe: |_| std::process::exit(0));
