//! Everything that outlives the host, and one life of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use stowage_control::{
    Caller, ClassChanges, Config, Control, CreateClass, CreateNamespace, CreateNode, CreateProject, CreateProvider,
    CreateTenant, Deps, JoinNode, LoadError, Operation, PluginInfo, ProviderLoader, RegisterWorkload, Update,
    WriteOptions,
};
use stowage_domain::{
    Bytes, ClassId, Labels, Limits, NamespaceId, NamespaceName, NodeId, OperationName, PosixIdentity, ProjectId,
    ProjectName, Protocol, ProviderId, ProviderName, TenantId, UnixMillis, WorkloadId,
};
use stowage_ports::{
    CallerIdentity, CallerKind, Clock, Role,
    provider::{ProbeMode, Provider},
    store::Store,
};

use super::{Agent, Backend, Crash, CrashStore, MemorySecrets, MemoryStore, Way};

/// The time of day that follows the runtime's paused time.
struct PausedClock {
    start: tokio::time::Instant,
}

impl Clock for PausedClock {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000 + u64::try_from(self.start.elapsed().as_millis()).unwrap()
    }
}

/// Where the names of endpoints lead, and what each load was told to dial.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) lead_to: Mutex<String>,
    /// A provider whose backend answers nothing.
    pub(crate) hangs: Mutex<Option<ProviderName>>,
    pub(crate) dialled: Mutex<Vec<BTreeMap<String, Vec<String>>>>,
}

struct ModelLoader(Arc<Backend>, Arc<Names>);

#[async_trait]
impl ProviderLoader for ModelLoader {
    async fn load(&self, record: &stowage_domain::Provider) -> Result<Arc<dyn Provider>, LoadError> {
        let hangs = self.1.hangs.lock().unwrap().as_ref() == Some(&record.name);
        if hangs {
            std::future::pending::<()>().await;
        }
        self.1.dialled.lock().unwrap().push(record.pinned_ranges.clone());
        Ok(Arc::clone(&self.0) as Arc<dyn Provider>)
    }

    async fn pin(&self, record: &stowage_domain::Provider) -> Result<BTreeMap<String, Vec<String>>, LoadError> {
        let range = self.1.lead_to.lock().unwrap().clone();
        Ok(record.endpoints.keys().map(|purpose| (purpose.clone(), vec![range.clone()])).collect())
    }

    async fn inspect(&self, plugin: &str) -> Result<PluginInfo, LoadError> {
        if plugin != "model" {
            return Err(LoadError::NoPlugin(plugin.to_owned()));
        }
        Ok(PluginInfo {
            name: "model".into(),
            digest: format!("sha256:{}", "0".repeat(64)),
            contract: "stowage:provider@0.1.0".into(),
            interfaces: Vec::new(),
            description: None,
            exchange_digest: String::new(),
            refused: None,
            loaded_at: UnixMillis(1),
        })
    }

    async fn list(&self) -> Result<Vec<PluginInfo>, LoadError> {
        Ok(vec![self.inspect("model").await?])
    }
}

/// What outlives the host.
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) backend: Arc<Backend>,
    pub(crate) secrets: Arc<MemorySecrets>,
    pub(crate) agent: Arc<Agent>,
    pub(crate) names: Arc<Names>,
    clock: Arc<PausedClock>,
}

/// One life of the host.
pub(crate) struct Live {
    pub(crate) control: Arc<Control>,
    pub(crate) store: Arc<CrashStore>,
    agent: Option<tokio::task::JoinHandle<()>>,
}

pub(crate) fn operator() -> Caller {
    let identity = CallerIdentity {
        subject: "ops".into(),
        kind: CallerKind::User,
        roles: vec![Role::Operator],
        tenant: None,
        project: None,
        groups: Vec::new(),
    };
    Caller { identity, call_id: "call".into() }
}

pub(crate) fn request(id: &str) -> WriteOptions {
    WriteOptions { request_id: Some(id.to_owned()), ..WriteOptions::default() }
}

/// Waits until the operation has ended; paused time makes the limit a count of timers and not of seconds.
pub(crate) async fn wait_done(control: &Control, name: &OperationName) -> Operation {
    for _ in 0..10_000 {
        let operation = control.wait_operation(&operator(), name, Duration::from_secs(60)).await.unwrap();
        if operation.done() {
            return operation;
        }
    }
    panic!("{name} does not end");
}

/// Waits for a condition, for ten minutes of paused time at most.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let end = tokio::time::Instant::now() + Duration::from_secs(600);
    while !holds() {
        assert!(tokio::time::Instant::now() < end, "it never came that {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl World {
    /// Tenant `acme` with projects `vision` and `audio`, provider `model` of 1000 bytes, default class `fast`, node `n1`.
    pub(crate) async fn new(way: Way) -> Self {
        let secrets = Arc::new(MemorySecrets::default());
        let backend = Arc::new(Backend::new(way, Arc::clone(&secrets)));
        let agent = Arc::new(Agent::new("n1", Arc::clone(&backend)));
        let clock = Arc::new(PausedClock { start: tokio::time::Instant::now() });
        let world = Self { store: Arc::default(), backend, secrets, agent, names: Arc::default(), clock };
        world.seed().await;
        world
    }

    /// A life of the host with its node agent.
    pub(crate) async fn open(&self, crash: Option<Crash>) -> Live {
        let mut live = self.open_without_agent(crash).await;
        let (agent, control) = (Arc::clone(&self.agent), Arc::clone(&live.control));
        live.agent = Some(tokio::spawn(async move { agent.run(&control).await }));
        live
    }

    /// The use cases over the bare state, with nothing running.
    pub(crate) async fn open_idle(&self) -> Arc<Control> {
        self.control(Arc::clone(&self.store) as Arc<dyn Store>).await
    }

    async fn control(&self, store: Arc<dyn Store>) -> Arc<Control> {
        Control::new(Deps {
            tables: stowage_store::schema::open(store, &[]).await.unwrap(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            secrets: Arc::clone(&self.secrets) as Arc<dyn stowage_ports::Secrets>,
            loader: Arc::new(ModelLoader(Arc::clone(&self.backend), Arc::clone(&self.names))),
            config: Config::default(),
        })
    }

    pub(crate) async fn open_without_agent(&self, crash: Option<Crash>) -> Live {
        let store = Arc::new(CrashStore::new(Arc::clone(&self.store), crash));
        let control = self.control(Arc::clone(&store) as Arc<dyn Store>).await;
        control.start().await.unwrap();
        Live { control, store, agent: None }
    }

    async fn seed(&self) {
        let live = self.open_without_agent(None).await;
        let (control, ops) = (&live.control, operator());
        let none = WriteOptions::default;
        let tenant = TenantId::parse("acme").unwrap();
        let command = CreateTenant {
            id: tenant,
            display_name: String::new(),
            byte_quota: Some(Bytes(5000)),
            cross_tenant_sharing: false,
            labels: Labels::default(),
        };
        let tenant = control.create_tenant(&ops, command, none()).await.unwrap().value.name;
        for (id, uid) in [("vision", 1001), ("audio", 1002)] {
            let command = CreateProject {
                tenant: tenant.clone(),
                id: ProjectId::parse(id).unwrap(),
                display_name: String::new(),
                posix: PosixIdentity { uid, gid: uid, mode: 0o770 },
                byte_quota: Some(Bytes(800)),
                labels: Labels::default(),
            };
            control.create_project(&ops, command, none()).await.unwrap();
        }
        let command = CreateProvider {
            id: ProviderId::parse("model").unwrap(),
            plugin: "model".into(),
            plugin_digest: String::new(),
            config: "{}".into(),
            endpoints: Default::default(),
            secrets: Default::default(),
            region: "here".into(),
            labels: Labels::default(),
        };
        control.create_provider(&ops, command, none()).await.unwrap();
        let provider = ProviderName::parse("providers/model").unwrap();
        control.probe_provider(&ops, &provider, ProbeMode::ReadOnly).await.unwrap();
        let fields = ClassChanges {
            protocols: Update::Set(vec![Protocol::Posix]),
            is_default: Update::Set(true),
            ..ClassChanges::default()
        };
        let command = CreateClass { id: ClassId::parse("fast").unwrap(), fields };
        control.create_class(&ops, command, none()).await.unwrap();
        let command = CreateNode { id: NodeId::parse("n1").unwrap(), addresses: Vec::new(), labels: Labels::default() };
        let created = control.create_node(&ops, command, none()).await.unwrap();
        let join = JoinNode {
            node: self.agent.node.clone(),
            join_token: created.join_token.unwrap(),
            nonce: "0123456789abcdef".into(),
            agent_version: "1".into(),
        };
        control.join_node(join).await.unwrap();
        self.agent.report(control).await.unwrap();
        live.stop().await;
    }
}

impl Live {
    /// Ends this life where it stands.
    pub(crate) async fn stop(mut self) {
        if let Some(agent) = self.agent.take() {
            agent.abort();
        }
        self.control.stop(Duration::ZERO).await;
    }
}

pub(crate) fn project(id: &str) -> ProjectName {
    ProjectName::parse(&format!("tenants/acme/projects/{id}")).unwrap()
}

pub(crate) fn namespace(id: &str) -> NamespaceName {
    project("vision").namespace(NamespaceId::parse(id).unwrap())
}

pub(crate) fn new_namespace(id: &str, bytes: u64) -> CreateNamespace {
    CreateNamespace {
        project: project("vision"),
        id: NamespaceId::parse(id).unwrap(),
        class: None,
        protocols: Vec::new(),
        limits: Limits::hard(Bytes(bytes)),
        prefixes: Vec::new(),
        labels: Labels::default(),
        deletion_protection: false,
    }
}

pub(crate) fn new_workload(of: &str, id: &str) -> RegisterWorkload {
    RegisterWorkload {
        project: project(of),
        id: WorkloadId::parse(id).unwrap(),
        kind: "job".into(),
        principal: None,
        nodes: Vec::new(),
        expires_at: None,
        labels: Labels::default(),
    }
}
