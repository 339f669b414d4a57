//! Resident memory with two plugins: of an engine alone, idle and with calls that all wait inside a host call, and of the
//! whole host when nobody calls it.
//!
//! Each is in a process of its own, so that nothing of the bench is counted, and is started twice: the second time it finds
//! the compiled code, as a host does that was started before.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use stowage_plugin::{AdmitOptions, Engine, EngineOptions};
use stowage_ports::provider::NativeRef;

use super::Setting;
use crate::adapter::{self, MemoryState, NAMESPACE};
use crate::host::Host;
use crate::process::{self, Role};
use crate::report::Figure;

pub(super) const FIGURES: [&str; 4] =
    ["memory_idle_two_plugins", "memory_256_in_flight", "memory_per_call_in_flight", "memory_idle_host"];

/// As many as an engine has places by default.
const CALLS: u64 = 256;

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let artefacts = setting.scratch.join("artefacts");
    let arguments = [OsStr::new("resident"), artefacts.as_os_str()];
    drop(Role::start(&arguments).await?);
    let mut engine = Role::start(&arguments).await?;
    let idle = engine.usage()?.resident_bytes()?;
    engine.tell("fill").await?;
    let full = engine.usage()?.resident_bytes()?;
    let home = setting.scratch.join("host");
    Host::start(&home).await?.stop().await?;
    let host = Host::start(&home).await?;
    let host_bytes = host.usage()?.resident_bytes()?;
    host.stop().await?;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1u32 << 20);
    let each = full.saturating_sub(idle) as f64 / CALLS as f64 / 1024.0;
    Ok(vec![
        Figure::alone("memory_idle_two_plugins", mebibytes(idle), "MiB"),
        Figure::by("memory_256_in_flight", mebibytes(full), "MiB", mebibytes(idle)),
        Figure::alone("memory_per_call_in_flight", each, "KiB"),
        Figure::alone("memory_idle_host", mebibytes(host_bytes), "MiB"),
    ])
}

/// The engine's process.
pub(crate) async fn resident(artefacts: PathBuf) -> Result<()> {
    let engine = Engine::new(EngineOptions { cache: Some(artefacts), ..EngineOptions::default() })?;
    let fake = engine.admit(&adapter::component("fake")?, AdmitOptions::default()).await?;
    let _weka = engine.admit(&adapter::component("weka")?, AdmitOptions::default()).await?;
    let state = Arc::new(MemoryState::shut());
    let provider = engine.bind(&fake, adapter::binding(state.clone())?)?;
    process::serve("ready", async |line: &str| {
        if line != "fill" {
            bail!("{line:?} is not known here");
        }
        for _ in 0..CALLS {
            let provider = Arc::clone(&provider);
            let native = NativeRef(NAMESPACE.as_bytes().to_vec());
            tokio::spawn(async move { adapter::inspect(provider.as_ref(), &native).await });
        }
        let all_in = async {
            while state.waiting() < CALLS {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), all_in).await.context("the calls do not begin")?;
        Ok("full".to_owned())
    })
    .await
}
