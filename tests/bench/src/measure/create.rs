//! A namespace end to end on the fake: decided, recorded, made by the sandboxed adapter, recorded again; each record
//! durable.
//!
//! The baseline is one durable commit of a small row on the same store: the least that a recorded change can cost. The
//! ratio tells how many of those a whole creation takes.

mod plugin;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use stowage_control::{
    Caller, ClassChanges, Config, Control, CreateClass, CreateNamespace, CreateProject, CreateProvider, CreateTenant,
    Deps, OperationState, Update, WriteOptions,
};
use stowage_domain::{
    Bytes, ClassId, Labels, Limits, NamespaceId, PosixIdentity, ProjectId, ProjectName, Protocol, ProviderId, TenantId,
};
use stowage_ports::SystemClock;
use stowage_ports::provider::ProbeMode;
use stowage_ports::store::{Commit, Store, Write};
use stowage_secrets::EnvSecrets;
use stowage_store_sled::{Options, SledStore};

use super::Setting;
use crate::adapter;
use crate::report::Figure;
use crate::rounds::{Pace, Subject, median, round};

pub(super) const FIGURES: [&str; 6] = [
    "create_namespace_fake_p50_1",
    "create_namespace_fake_per_second_1",
    "commits_per_create_1",
    "create_namespace_fake_p50_64",
    "create_namespace_fake_per_second_64",
    "commits_per_create_64",
];

/// Longest creation; one that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let store = Arc::new(stowage_store_sled::open(&setting.scratch.join("state"), Options::default())?);
    let control = control(store.clone()).await?;
    let project = prepare(&control).await?;
    let creating = Arc::new(Creating { control: Arc::clone(&control), project, made: AtomicU64::new(0) });
    let committing = Arc::new(Committing { store: store.clone(), made: AtomicU64::new(0) });
    let mut figures = Vec::new();
    for callers in [1, 64] {
        figures.extend(at(setting, callers, &store, &creating, &committing).await?);
    }
    control.stop(PATIENCE).await;
    Ok(figures)
}

async fn at(
    setting: &Setting,
    callers: usize,
    store: &SledStore,
    creating: &Arc<Creating>,
    committing: &Arc<Committing>,
) -> Result<[Figure; 3]> {
    let create: Arc<dyn Subject> = creating.clone();
    let commit: Arc<dyn Subject> = committing.clone();
    let (mut creations, mut commits, mut each) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..=setting.plan.rounds {
        let before = (store.counts().commits, creating.made.load(Ordering::Relaxed));
        let creation = round(setting.plan.span, callers, &create).await?;
        let after = (store.counts().commits, creating.made.load(Ordering::Relaxed));
        let floor = round(setting.plan.span, callers, &commit).await?;
        if turn > 0 {
            creations.push(creation);
            commits.push(floor);
            each.push((after.0 - before.0) as f64 / (after.1 - before.1).max(1) as f64);
        }
    }
    let (creation, floor) = (Pace::median(&creations), Pace::median(&commits));
    let milliseconds = |micros: f64| micros / 1e3;
    let p50 = format!("create_namespace_fake_p50_{callers}");
    let rate = format!("create_namespace_fake_per_second_{callers}");
    Ok([
        Figure::by(p50, milliseconds(creation.p50), "ms", milliseconds(floor.p50)),
        Figure::by(rate, creation.per_second, "1/s", floor.per_second),
        Figure::alone(format!("commits_per_create_{callers}"), median(each), "commits"),
    ])
}

/// The use cases with one plugin, started.
async fn control(store: Arc<SledStore>) -> Result<Arc<Control>> {
    let loader = plugin::OnePlugin::admit(&adapter::component("fake")?, store.clone()).await?;
    let tables = stowage_store::schema::open(store, &[]).await?;
    let control = Control::new(Deps {
        tables,
        clock: Arc::new(SystemClock),
        secrets: Arc::new(EnvSecrets::from_process()),
        loader: Arc::new(loader),
        config: Config::default(),
    });
    control.start().await?;
    Ok(control)
}

/// A tenant, a project, the fake as provider and a default class.
async fn prepare(control: &Control) -> Result<ProjectName> {
    let caller = Caller::host();
    let tenant = CreateTenant {
        id: TenantId::parse("acme")?,
        display_name: String::new(),
        byte_quota: None,
        cross_tenant_sharing: false,
        labels: Labels::default(),
    };
    let tenant = control.create_tenant(&caller, tenant, WriteOptions::default()).await?.value.name;
    let project = CreateProject {
        tenant,
        id: ProjectId::parse("vision")?,
        display_name: String::new(),
        posix: PosixIdentity { uid: 1000, gid: 1000, mode: 0o770 },
        byte_quota: None,
        labels: Labels::default(),
    };
    let project = control.create_project(&caller, project, WriteOptions::default()).await?.value.name;
    let provider = CreateProvider {
        id: ProviderId::parse("fake")?,
        plugin: "fake".to_owned(),
        plugin_digest: String::new(),
        config: adapter::CONFIG.to_owned(),
        endpoints: Default::default(),
        secrets: Default::default(),
        region: String::new(),
        labels: Labels::default(),
    };
    let provider = control.create_provider(&caller, provider, WriteOptions::default()).await?.value.name;
    control.probe_provider(&caller, &provider, ProbeMode::ReadOnly).await?;
    let fields = ClassChanges {
        protocols: Update::Set(vec![Protocol::Posix]),
        is_default: Update::Set(true),
        ..ClassChanges::default()
    };
    control.create_class(&caller, CreateClass { id: ClassId::parse("fast")?, fields }, WriteOptions::default()).await?;
    Ok(project)
}

/// Makes one namespace after the other.
struct Creating {
    control: Arc<Control>,
    project: ProjectName,
    made: AtomicU64,
}

#[async_trait]
impl Subject for Creating {
    async fn once(&self) -> Result<()> {
        let caller = Caller::host();
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let command = CreateNamespace {
            project: self.project.clone(),
            id: NamespaceId::parse(&format!("n{number}"))?,
            class: None,
            protocols: Vec::new(),
            limits: Limits::hard(Bytes(1 << 20)),
            prefixes: Vec::new(),
            labels: Labels::default(),
            deletion_protection: false,
        };
        let started = self.control.create_namespace(&caller, command, WriteOptions::default()).await?;
        let operation = started.operation.context("no operation")?;
        let ended = self.control.wait_operation(&caller, &operation.name, PATIENCE).await?;
        ensure!(ended.state == OperationState::Succeeded, "{:?}: {:?}", ended.state, ended.error.or(ended.last_error));
        Ok(())
    }
}

/// Makes one commit of a small row after the other.
struct Committing {
    store: Arc<dyn Store>,
    made: AtomicU64,
}

#[async_trait]
impl Subject for Committing {
    async fn once(&self) -> Result<()> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let row = format!("bench/{number}").into_bytes();
        let writes = vec![Write::Put(row.into(), vec![b'v'; 200].into())];
        self.store.commit(Commit { preconditions: vec![], writes }).await?;
        Ok(())
    }
}
