//! One typed call in a fresh sandboxed instance: by the sidecar, by the bare runtime, by the native twin.

use std::ffi::OsStr;
use std::sync::Arc;

use anyhow::Result;
use stowage_plugin::{AdmitOptions, Engine, EngineOptions};

use super::Setting;
use crate::adapter::{self, Twin};
use crate::process::Role;
use crate::report::{Figure, Target};
use crate::rounds::{Subject, interleaved};
use crate::sidecar::{Connection, Inspect};

pub(super) const FIGURES: [&str; 8] = [
    "plugin_call_fresh_p50_1",
    "plugin_call_fresh_p99_1",
    "plugin_call_fresh_p50_8",
    "plugin_call_fresh_p99_8",
    "plugin_call_vs_bare",
    "plugin_call_native_twin",
    "plugin_calls_per_second_1",
    "plugin_calls_per_second_8",
];

const SIDECAR: Target = Target::AtMost(0.15);
const BARE: Target = Target::AtMost(1.5);

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let engine = Engine::new(EngineOptions::default())?;
    let admitted = engine.admit(&adapter::component("fake")?, AdmitOptions::default()).await?;
    let (sandboxed, state) = adapter::sandboxed(&engine, &admitted).await?;
    let bare = adapter::bare(&engine, &admitted, state)?;

    let socket = setting.scratch.join("sidecar.sock");
    let process = Role::start(&[OsStr::new("sidecar"), socket.as_os_str()]).await?;
    let sidecar = Arc::new(Inspect(Connection::open(&process.greeting).await?));
    let sides: [Arc<dyn Subject>; 4] = [Arc::new(sandboxed), sidecar, bare, Arc::new(Twin::new()?)];

    let mut figures = Vec::new();
    if let [fresh, sidecar, bare, twin] = *interleaved(setting.plan, 1, &sides).await? {
        figures.push(Figure::by("plugin_call_fresh_p50_1", fresh.p50, "µs", sidecar.p50).target(SIDECAR));
        figures.push(Figure::by("plugin_call_fresh_p99_1", fresh.p99, "µs", sidecar.p99).target(SIDECAR));
        figures.push(Figure::by("plugin_call_vs_bare", fresh.p50, "µs", bare.p50).target(BARE));
        figures.push(Figure::by("plugin_call_native_twin", fresh.p50, "µs", twin.p50));
        figures.push(Figure::by("plugin_calls_per_second_1", fresh.per_second, "1/s", sidecar.per_second));
    }
    let [fresh, sidecar, ..] = sides;
    if let [fresh, sidecar] = *interleaved(setting.plan, 8, &[fresh, sidecar]).await? {
        figures.push(Figure::by("plugin_call_fresh_p50_8", fresh.p50, "µs", sidecar.p50).target(SIDECAR));
        figures.push(Figure::by("plugin_call_fresh_p99_8", fresh.p99, "µs", sidecar.p99).target(SIDECAR));
        figures.push(Figure::by("plugin_calls_per_second_8", fresh.per_second, "1/s", sidecar.per_second));
    }
    Ok(figures)
}
