//! The agent's loop: claim work of this node, do it, report it; and say regularly how the mounts are.
//!
//! The host owns every decision. The agent holds a token that is good for this node alone, does what its configuration
//! allows, and answers the rest with a stable reason. Pieces run beside each other as the [`Roster`] says, so that one that
//! hangs delays neither the others nor the reports. Work that was done and not reported is handed out again and done
//! again: every piece is idempotent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stowage_proto::v1;
use tokio::task::JoinSet;

use crate::config::NodeConfig;
use crate::mounting::{MountError, Mounter};
use crate::orders::{self, OrderRefusal};
use crate::roster::Roster;
use crate::secrets::{self, Of, SecretsError};
use crate::session::NodeClient;
use crate::subvolume::Subvolumes;
use crate::verbs;

/// Why a piece of work ended without results.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Order(#[from] OrderRefusal),
    #[error(transparent)]
    Mount(#[from] MountError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

impl WorkError {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Order(_) => "PLAN_REFUSED",
            Self::Mount(error) => error.reason(),
            Self::Secrets(_) => "SECRET_NOT_REDEEMED",
        }
    }
}

/// One node's agent.
pub struct Agent {
    config: NodeConfig,
    name: String,
    client: NodeClient,
    mounter: Arc<Mounter>,
    roster: Mutex<Roster>,
}

impl Agent {
    /// An agent for a node that has joined.
    #[must_use]
    pub fn new(config: NodeConfig, client: NodeClient, mounter: Mounter) -> Arc<Self> {
        let name = format!("nodes/{}", config.name);
        let roster = Mutex::new(Roster::new(config.work_at_once));
        Arc::new(Self { config, name, client, mounter: Arc::new(mounter), roster })
    }

    /// Nothing panics while it holds the roster, so a poisoned one is as good as any.
    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs until `stop` ends; work in progress is finished first.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let reports = tokio::spawn(Arc::clone(&self).report_forever());
        let mut running = JoinSet::new();
        let mut claims = JoinSet::new();
        loop {
            while let Some(work) = self.roster().begin() {
                let agent = Arc::clone(&self);
                running.spawn(async move { agent.carry_out(work).await });
            }
            let free = self.roster().free();
            if claims.is_empty() && free > 0 {
                claims.spawn(Arc::clone(&self).claim(free));
            }
            tokio::select! {
                () = &mut stop => break,
                Some(Ok(claimed)) = claims.join_next() => {
                    let mut roster = self.roster();
                    claimed.into_iter().for_each(|work| roster.add(work));
                }
                Some(_) = running.join_next() => {}
            }
        }
        claims.abort_all();
        while running.join_next().await.is_some() {}
        reports.abort();
        self.mounter.unmount_sources();
    }

    /// Claims work, however long it takes until the host answers.
    async fn claim(self: Arc<Self>, free: usize) -> Vec<v1::NodeWork> {
        let mut pause = Backoff::default();
        loop {
            let max_work = i32::try_from(free).unwrap_or(i32::MAX);
            let request = v1::ClaimWorkRequest { parent: self.name.clone(), max_work, ..Default::default() };
            match self.client.clone().claim_work(request).await {
                Ok(answer) => return answer.into_inner().work,
                Err(status) => {
                    tracing::warn!(code = ?status.code(), message = status.message(), "cannot claim work");
                    pause.wait().await;
                }
            }
        }
    }

    async fn carry_out(&self, work: v1::NodeWork) {
        let span = tracing::info_span!("work", work = work.name, kind = ?work.kind(), attempt = work.attempt);
        let outcome = match work.kind() {
            v1::NodeWorkKind::Steps => self.steps(&work).await,
            v1::NodeWorkKind::Mount => self.mount(&work).await,
            v1::NodeWorkKind::Unmount => self.unmount(&work).await,
            v1::NodeWorkKind::Unspecified => Err(OrderRefusal::Lacks("kind").into()),
        };
        let (results, error, reason) = match outcome {
            Ok(results) => (results, String::new(), String::new()),
            Err(error) => (Vec::new(), error.to_string(), error.reason().to_owned()),
        };
        if error.is_empty() {
            tracing::info!(parent: &span, results = results.len(), "done");
        } else {
            tracing::warn!(parent: &span, reason, error, "refused or failed");
        }
        let claim = self.roster().end(&work);
        let report = v1::ReportWorkRequest { name: work.name, claim, results, error, reason };
        let mut pause = Backoff::default();
        // Unreported work comes again when its lease ends, so a few tries are enough.
        for _ in 0..5 {
            match self.client.clone().report_work(report.clone()).await {
                Ok(_) => return,
                Err(status) if matches!(status.code(), tonic::Code::Unavailable | tonic::Code::DeadlineExceeded) => {
                    pause.wait().await;
                }
                Err(status) => {
                    tracing::warn!(parent: &span, code = ?status.code(), message = status.message(), "report refused");
                    return;
                }
            }
        }
    }

    async fn steps(&self, work: &v1::NodeWork) -> Result<Vec<v1::NodeStepResult>, WorkError> {
        let source = orders::source(work.source.as_ref(), false, &work.source_options)?;
        let id = orders::directory_name(work.name.rsplit('/').next().unwrap_or_default())?;
        let store = self.config.state_dir.join("secrets").join(id);
        let of = Of::Work(&work.name);
        let delivered = secrets::redeem(&self.client, &self.name, &of, &work.source_secrets, &store).await?;
        let root = self.mounter.source_root(&source, &work.provider, &delivered).await?;
        // The source is mounted now, and stays so: its secret is needed no more.
        secrets::forget(&store)?;
        let steps = orders::steps(&work.steps);
        let subvolumes = Subvolumes::new(self.config.btrfs.clone());
        let done = tokio::task::spawn_blocking(move || verbs::run(&root, &subvolumes, &steps)).await;
        Ok(orders::results(done.unwrap_or_default()))
    }

    async fn mount(&self, work: &v1::NodeWork) -> Result<Vec<v1::NodeStepResult>, WorkError> {
        let plan = work.mount.as_ref().ok_or(OrderRefusal::Lacks("mount"))?;
        let id = orders::directory_name(&plan.mount_id)?;
        let mounts = plan.mounts.iter().map(orders::mount).collect::<Result<Vec<_>, _>>()?;
        let store = self.config.state_dir.join("secrets").join(id);
        let delivered =
            secrets::redeem(&self.client, &self.name, &Of::Plan(&plan.mount_plan), &plan.secrets, &store).await?;
        let targets = self.mounter.mount(id, &plan.mount_plan, &work.provider, &mounts, &delivered).await?;
        let result = |(index, target): (usize, &std::path::PathBuf)| v1::NodeStepResult {
            id: index.to_string(),
            values: [("path".to_owned(), target.display().to_string())].into(),
            ..Default::default()
        };
        Ok(targets.iter().enumerate().map(result).collect())
    }

    async fn unmount(&self, work: &v1::NodeWork) -> Result<Vec<v1::NodeStepResult>, WorkError> {
        let plan = work.mount.as_ref().ok_or(OrderRefusal::Lacks("mount"))?;
        let id = orders::directory_name(&plan.mount_id)?;
        self.take_away(id, plan.force).await?;
        Ok((0..plan.mounts.len())
            .map(|index| v1::NodeStepResult { id: index.to_string(), ..Default::default() })
            .collect())
    }

    async fn report_forever(self: Arc<Self>) {
        let mut every = Duration::from_secs(self.config.report_every_s);
        let mut pause = Backoff::default();
        loop {
            match self.report().await {
                Ok(answer) => {
                    pause = Backoff::default();
                    let asked = answer.report_interval.and_then(|interval| Duration::try_from(interval).ok());
                    every = asked.unwrap_or(every).clamp(Duration::from_secs(1), Duration::from_secs(300));
                    self.drop_unknown(&answer.unknown_mount_plans).await;
                    tokio::time::sleep(every.min(Duration::from_secs(self.config.report_every_s))).await;
                }
                Err(status) => {
                    tracing::warn!(code = ?status.code(), message = status.message(), "cannot report");
                    pause.wait().await;
                }
            }
        }
    }

    async fn report(&self) -> Result<v1::ReportNodeStatusResponse, tonic::Status> {
        let mounts = self.mounter.entries().values().map(status).collect();
        let client = |kind: &String| v1::NodeClient { kind: kind.clone(), version: String::new() };
        let request = v1::ReportNodeStatusRequest {
            name: self.name.clone(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned(),
            source_roots: self.config.roots.keys().cloned().collect(),
            clients: self.config.clients.keys().map(client).collect(),
            mounts,
        };
        Ok(self.client.clone().report_node_status(request).await?.into_inner())
    }

    async fn drop_unknown(&self, plans: &[String]) {
        for (id, entry) in self.mounter.entries() {
            if plans.contains(&entry.mount_plan) {
                match self.take_away(&id, true).await {
                    Ok(()) => tracing::info!(mount = id, "the host does not know this mount any more: unmounted"),
                    Err(error) => tracing::warn!(mount = id, %error, "cannot unmount"),
                }
            }
        }
    }

    /// Unmounts on a thread of its own: a file system that does not answer blocks whoever asks.
    async fn take_away(&self, id: &str, force: bool) -> Result<(), MountError> {
        let (mounter, id) = (Arc::clone(&self.mounter), id.to_owned());
        tokio::task::spawn_blocking(move || mounter.unmount(&id, force))
            .await
            .unwrap_or_else(|error| Err(MountError::System { what: "a thread".to_owned(), source: error.into() }))
    }
}

fn status(entry: &crate::journal::Entry) -> v1::NodeMountStatus {
    let mounted = Mounter::is_mounted(entry);
    v1::NodeMountStatus {
        mount_plan: entry.mount_plan.clone(),
        state: if mounted { v1::MountState::Mounted } else { v1::MountState::Stale }.into(),
        paths: entry.targets.iter().map(|target| target.display().to_string()).collect(),
        reason: if mounted { String::new() } else { "not every mount of the plan is there".to_owned() },
    }
}

/// Doubles from 200 ms to 10 s.
struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(Duration::from_millis(200))
    }
}

impl Backoff {
    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(10));
    }
}
