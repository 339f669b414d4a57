//! Has a secret injected into a request that the backend echoes, and reports what it sees.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, finding, guest, outcome, report};
use stowage_provider_sdk::prelude::*;

const ECHO: Exchange = Exchange::new("echo").post("backend", "/echo").slots(&[&[At::Pointer("/password")]]);

guest!(
    describe: describe("echo-secret")
        .secret("admin", &["username", "password"], true, "An account.")
        .exchanges(&[&ECHO]),
    probe: |_| Ok(report("1")),
    preflight: |_| {
        let body = serde_json::json!({ "user": "ada", "password": "" });
        let answer = host::send(&ECHO, Request::new().json(&body).slot(&[At::Pointer("/password")], "admin", "password"));
        let headers = answer.as_ref().ok().and_then(|answer| answer.header("x-echo").map(str::to_owned));
        let seen = outcome(answer);
        host::log::info("echoed", &[("seen", &seen)]);
        Ok(vec![finding("body", seen), finding("header", headers.unwrap_or_default())])
    },
);
