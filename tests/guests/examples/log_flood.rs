//! Writes without end: to the log, to standard output, and one line that is very long.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("log-flood"), probe: |_| {
    host::log::info(&"long ".repeat(10_000), &[("field", "value")]);
    for line in 0..2000 {
        host::log::info("flood", &[("line", &line.to_string())]);
        println!("flood {line}");
        eprintln!("flood {line}");
    }
    Ok(report("flooded"))
});
