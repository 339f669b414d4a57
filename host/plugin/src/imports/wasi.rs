//! WASI 0.2, interface by interface, each with an empty context.
//!
//! A guest made by a standard library imports these whether it uses them or not. Behind them stands nothing: no
//! environment, no arguments, standard input at its end, output into the bounded log. Files and sockets are not linked at
//! all, so a guest that could ask for one is refused at admission, before a defect in their implementation could matter.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::p2::bindings::{cli, clocks, io as wasi_io, random};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiView as _};

use crate::call::{CallState, GuestLog, LogLevel};

/// The interfaces of `wasi:…@0.2` that are linked, as admission knows them.
pub(crate) const INTERFACES: &[&str] = &[
    "cli/environment",
    "cli/exit",
    "cli/stderr",
    "cli/stdin",
    "cli/stdout",
    "cli/terminal-input",
    "cli/terminal-output",
    "cli/terminal-stderr",
    "cli/terminal-stdin",
    "cli/terminal-stdout",
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "io/error",
    "io/poll",
    "io/streams",
    "random/insecure",
    "random/insecure-seed",
    "random/random",
];

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

pub(super) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    wasi_io::error::add_to_linker::<_, Io>(linker, |state| state.ctx().table)?;
    wasi_io::poll::add_to_linker::<_, Io>(linker, |state| state.ctx().table)?;
    wasi_io::streams::add_to_linker::<_, Io>(linker, |state| state.ctx().table)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, CallState::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, CallState::clocks)?;
    random::random::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    random::insecure::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    Ok(())
}

/// The empty context of one call.
pub(crate) fn context(log: GuestLog) -> WasiCtx {
    let clock = Wall(GuestLog::clone(&log));
    let random = log.bound.limits.random_bytes;
    WasiCtx::builder()
        .stdout(Output { log: log.clone(), level: LogLevel::Info })
        .stderr(Output { log, level: LogLevel::Warn })
        .wall_clock(clock)
        .max_random_size(random)
        .build()
}

/// The host's clock, at its millisecond.
struct Wall(GuestLog);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.bound.clock.now_ms())
    }
}

/// Standard output or error.
struct Output {
    log: GuestLog,
    level: LogLevel,
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.lines())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.lines())
    }
}

impl Output {
    fn lines(&self) -> Lines {
        Lines { log: self.log.clone(), level: self.level, rest: Vec::new() }
    }
}

/// Splits what is written into lines. An unended line is written when the stream goes, or when it is full.
struct Lines {
    log: GuestLog,
    level: LogLevel,
    rest: Vec<u8>,
}

/// What one write may hold; also the most that an unended line keeps.
const WRITE_BYTES: usize = 4096;

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' || self.rest.len() >= WRITE_BYTES {
                self.end();
            }
            if byte != b'\n' {
                self.rest.push(byte);
            }
        }
    }

    fn end(&mut self) {
        let line = std::mem::take(&mut self.rest);
        if !line.is_empty() {
            self.log.line(self.level, &String::from_utf8_lossy(&line), &[]);
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.end();
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Lines {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_BYTES {
            return Err(StreamError::Trap(wasmtime::format_err!("a write of {} bytes was not permitted", bytes.len())));
        }
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

impl AsyncWrite for Lines {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
