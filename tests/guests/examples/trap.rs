//! Panics, and writes why on standard error.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("trap"), probe: |_| panic!("the adapter lost its mind"));
