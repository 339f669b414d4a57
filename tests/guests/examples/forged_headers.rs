//! Sets headers that authenticate, route or sign.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, finding, guest, outcome, report};
use stowage_provider_sdk::prelude::*;

const ECHO: Exchange = Exchange::new("echo").post("backend", "/echo");

const FORGED: [&str; 9] = [
    "authorization",
    "Authorization",
    "host",
    "cookie",
    "proxy-authorization",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "transfer-encoding",
];

guest!(
    describe: describe("forged-headers").exchanges(&[&ECHO]),
    probe: |_| Ok(report("1")),
    preflight: |_| {
        let send = |name: &str, value: &str| outcome(host::send(&ECHO, Request::new().header(name, value)));
        let mut tried: Vec<Finding> = FORGED.iter().map(|name| finding(name, send(name, "forged"))).collect();
        tried.push(finding("split", send("x-note", "a\r\nauthorization: forged")));
        Ok(tried)
    },
);
