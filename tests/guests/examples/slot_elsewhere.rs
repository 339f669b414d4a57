//! Asks for a secret at places that it did not declare.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, finding, guest, outcome, report};
use stowage_provider_sdk::prelude::*;

const SET: Exchange = Exchange::new("set").post("backend", "/echo").slots(&[&[At::Pointer("/password")]]);
const NOTE: Exchange = Exchange::new("note").post("backend", "/echo");

fn body() -> serde_json::Value {
    serde_json::json!({ "password": "", "comment": "", "list": [""] })
}

guest!(
    describe: describe("slot-elsewhere")
        .secret("admin", &["username", "password"], true, "An account.")
        .exchanges(&[&SET, &NOTE]),
    probe: |_| Ok(report("1")),
    preflight: |_| {
        let set = |at, name, field| outcome(host::send(&SET, Request::new().json(&body()).slot(at, name, field)));
        Ok(vec![
            finding("comment", set(&[At::Pointer("/comment")], "admin", "password")),
            finding("list", set(&[At::Pointer("/list/0")], "admin", "password")),
            finding("header", set(&[At::Header("x-note")], "admin", "password")),
            finding("deeper", set(&[At::Pointer("/password"), At::EmbeddedJson], "admin", "password")),
            finding("undeclared secret", set(&[At::Pointer("/password")], "root", "password")),
            finding("undeclared field", set(&[At::Pointer("/password")], "admin", "recovery")),
            finding(
                "no slots at all",
                outcome(host::send(&NOTE, Request::new().json(&body()).slot(&[At::Pointer("/password")], "admin", "password"))),
            ),
        ])
    },
);
