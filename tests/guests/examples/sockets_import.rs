//! Opens a connection with the standard library: its component imports wasi:sockets.
#![cfg(target_arch = "wasm32")]

use std::net::TcpStream;

use stowage_guests::{describe, guest, report};
use stowage_provider_sdk::prelude::*;

guest!(describe: describe("sockets-import"), probe: |_| {
    Ok(report(format!("{:?}", TcpStream::connect("169.254.169.254:80").is_ok())))
});
