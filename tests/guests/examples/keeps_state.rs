//! Writes into every kind of memory that it has, and tells what it finds there from the call before.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use stowage_guests::{describe, finding, guest, report};
use stowage_provider_sdk::prelude::*;

static CALLS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static HEAP: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

guest!(
    describe: describe("keeps-state"),
    probe: |_| Ok(report("1")),
    preflight: |_| {
        let calls = CALLS.fetch_add(1, Ordering::SeqCst);
        let heap = HEAP.with_borrow_mut(|heap| {
            let before = heap.len();
            heap.push("of another tenant".to_owned());
            before
        });
        Ok(vec![finding("static", calls.to_string()), finding("heap", heap.to_string())])
    },
);
