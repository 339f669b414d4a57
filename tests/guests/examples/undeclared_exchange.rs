//! Sends what it never declared.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, finding, guest, outcome, report};
use stowage_provider_sdk::prelude::*;

const PING: Exchange = Exchange::new("ping").get("backend", "/ping").safe();
const WIPE: Exchange = Exchange::new("wipe").delete("backend", "/everything");
const CHANGE: Exchange = Exchange::new("change").post("backend", "/change");
const ITEM: Exchange = Exchange::new("item").get("backend", "/items/{name}").safe();

guest!(
    describe: describe("undeclared-exchange").exchanges(&[&PING, &CHANGE, &ITEM]),
    probe: |_| Ok(report("1")),
    preflight: |_| Ok(vec![
        finding("declared", outcome(host::send(&PING, Request::new()))),
        finding("undeclared", outcome(host::send(&WIPE, Request::new()))),
        finding("unsafe", outcome(host::send(&CHANGE, Request::new()))),
        finding("climbing", outcome(host::send(&ITEM, Request::new().param("name", "../everything")))),
        finding("query", outcome(host::send(&ITEM, Request::new().param("name", "a?admin=1#x")))),
    ]),
);
