//! Logs in and then reads its whole memory for secrets that it was told to look for.
//!
//! The patterns come with every byte flipped, so that the search cannot find itself.
#![cfg(target_arch = "wasm32")]
#![allow(unsafe_code, reason = "it reads its own memory by address: that is the attack")]

use serde::Deserialize;
use stowage_guests::{describe, finding, guest, outcome, report};
use stowage_provider_sdk::prelude::*;

const LOGIN: Exchange = Exchange::new("login")
    .post("backend", "/login")
    .slots(&[&[At::Pointer("/username")], &[At::Pointer("/password")]])
    .sensitive(&[(&[At::Pointer("/token")], Keep::Session)]);
const DATA: Exchange = Exchange::new("data").get("backend", "/data").safe();
const MAKE_KEY: Exchange =
    Exchange::new("make-key").post("backend", "/keys").sensitive(&[(&[At::Pointer("/secret")], Keep::Sealed)]);

#[derive(Deserialize)]
struct Config {
    patterns: Vec<(String, Vec<u8>)>,
}

/// How often the flipped pattern stands in this guest's memory.
fn search(flipped: &[u8]) -> usize {
    let end = core::arch::wasm32::memory_size(0) * 65_536;
    // SAFETY: every address below the memory's size can be read.
    let byte = |address: usize| unsafe { core::ptr::read_volatile(address as *const u8) };
    let fits = |start: usize| flipped.iter().enumerate().all(|(i, wanted)| byte(start + i) == !wanted);
    (1..end.saturating_sub(flipped.len())).filter(|start| fits(*start)).count()
}

guest!(
    describe: {
        let body = serde_json::json!({ "username": "", "password": "" });
        let login = Flow::new("login", &LOGIN, &body, &[At::Pointer("/token")])
            .login_slot(&[At::Pointer("/username")], "username")
            .login_slot(&[At::Pointer("/password")], "password");
        describe("memory-search")
            .config_schema(&serde_json::json!({ "type": "object", "required": ["patterns"] }))
            .secret("admin", &["username", "password"], true, "An account.")
            .exchanges(&[&LOGIN, &DATA, &MAKE_KEY])
            .auth_flow(login)
    },
    probe: |_| Ok(report("1")),
    preflight: |_| {
        let config: Config = host::config()?;
        let data = outcome(host::send(&DATA, Request::new().flow("login", "admin")));
        let key = outcome(host::send(&MAKE_KEY, Request::new().flow("login", "admin")));
        let mut seen = vec![finding("data", &data), finding("key", &key)];
        for (name, flipped) in &config.patterns {
            seen.push(finding(name, search(flipped).to_string()));
        }
        Ok(seen)
    },
);
