//! Follows redirects, and talks to names that point where nobody may go.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, finding, guest, outcome, report};
use stowage_provider_sdk::prelude::*;

const REDIRECT: Exchange = Exchange::new("redirect").get("backend", "/redirect").safe();
const REBOUND: Exchange = Exchange::new("rebound").get("rebound", "/latest/meta-data").safe();
const UNBOUND: Exchange = Exchange::new("unbound").get("unbound", "/").safe();

guest!(
    describe: describe("forbidden-addresses")
        .endpoint("rebound", false, "A name whose answer changes.")
        .endpoint("unbound", false, "Never bound.")
        .exchanges(&[&REDIRECT, &REBOUND, &UNBOUND]),
    probe: |_| Ok(report("1")),
    preflight: |_| Ok(vec![
        finding("redirect", outcome(host::send(&REDIRECT, Request::new()))),
        finding("rebound", outcome(host::send(&REBOUND, Request::new()))),
        finding("unbound", outcome(host::send(&UNBOUND, Request::new()))),
    ]),
);
