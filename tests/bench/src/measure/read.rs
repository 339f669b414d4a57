//! An authenticated read against an empty echo, both over loopback TCP, each by a server process of its own.
//!
//! What the read costs above the echo is told by layers: health is answered by the host's server behind its span and its
//! metrics but needs no token, no state and no record; the rest of the read is what is above health.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use stowage_client::{Client, Failure, proto};

use super::Setting;
use crate::host::Host;
use crate::process::{Role, Usage};
use crate::report::{Figure, Target};
use crate::rounds::{Subject, median, round};
use crate::sidecar::{Connection, ECHO, Empty};

pub(super) const FIGURES: [&str; 5] = [
    "get_namespace_vs_echo",
    "get_namespace_p50",
    "server_cpu_per_echo",
    "server_cpu_per_health",
    "server_cpu_per_get_namespace",
];

const IN_FLIGHT: usize = 32;
const ENOUGH: Target = Target::AtLeast(0.7);
/// CPU time is counted in steps of 10 ms, so a round must have some hundred of them.
const LEAST_SPAN: Duration = Duration::from_secs(2);

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let host = Host::start(&setting.scratch.join("host")).await?;
    let name = host.prepare().await?;
    let echo = Role::start(&[OsStr::new("sidecar")]).await?;
    let empty = |connection, path| Arc::new(Empty { connection, path });
    let sides: [(Arc<dyn Subject>, Usage); 3] = [
        (Arc::new(Get { client: host.client.clone(), name }), host.usage()?),
        (empty(Connection::open(&echo.greeting).await?, ECHO), echo.usage()?),
        (empty(Connection::open(&host.address).await?, "/grpc.health.v1.Health/Check"), host.usage()?),
    ];
    let span = setting.plan.span.saturating_mul(3).min(LEAST_SPAN);
    let mut seen = [Vec::new(), Vec::new(), Vec::new()];
    for turn in 0..=setting.plan.rounds {
        for ((subject, server), seen) in sides.iter().zip(&mut seen) {
            let before = server.cpu()?;
            let pace = round(span, IN_FLIGHT, subject).await?;
            let requests = pace.per_second * span.as_secs_f64();
            let cpu = (server.cpu()? - before).as_secs_f64() * 1e6 / requests;
            if turn > 0 {
                seen.push((pace, cpu));
            }
        }
    }
    let per_second = seen.each_ref().map(|rounds| median(rounds.iter().map(|(pace, _)| pace.per_second)));
    let p50 = seen.each_ref().map(|rounds| median(rounds.iter().map(|(pace, _)| pace.p50)));
    let cpu = seen.each_ref().map(|rounds| median(rounds.iter().map(|(_, cpu)| *cpu)));
    Ok(vec![
        Figure::by("get_namespace_vs_echo", per_second[0], "1/s", per_second[1]).target(ENOUGH),
        Figure::by("get_namespace_p50", p50[0], "µs", p50[1]),
        Figure::alone("server_cpu_per_echo", cpu[1], "µs"),
        Figure::by("server_cpu_per_health", cpu[2], "µs", cpu[1]),
        Figure::by("server_cpu_per_get_namespace", cpu[0], "µs", cpu[1]),
    ])
}

/// The authenticated read.
struct Get {
    client: Client,
    name: String,
}

#[async_trait]
impl Subject for Get {
    async fn once(&self) -> Result<()> {
        let request = proto::GetNamespaceRequest { name: self.name.clone(), ..Default::default() };
        let found = self.client.namespaces().get_namespace(request).await.map_err(Failure::from).context("get")?;
        ensure!(found.get_ref().name == self.name, "another namespace was answered");
        Ok(())
    }
}
