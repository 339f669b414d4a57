//! One emulator, one adapter against it, and the host's loop around a change: jobs are polled and node work is done until
//! the change is done. Waiting moves the emulator's clock, never the machine's.

use std::cell::Cell;
use std::sync::Arc;

use serde_json::{Map, Value};
use stowage_plugin_weka::Weka;
use stowage_provider_sdk::Result;
use stowage_provider_sdk::native::with_host;
use stowage_provider_sdk::prelude::*;
use tokio::runtime::Runtime;
use weka_emulator::{Control, Emulator, Fault, LoggedRequest, Options, Preset, Rule, Running};

use crate::backend::Backend;
use crate::node;

/// The configuration that most tests use.
pub(crate) const DIRECTORY: &str = r#"{"filesystem":"gpuaas-kind-fs"}"#;
/// A filesystem for each namespace.
pub(crate) const FILESYSTEM: &str = r#"{"isolation":"filesystem"}"#;
/// An organization for each tenant, with a filesystem for each namespace.
pub(crate) const ORGANIZATION: &str =
    r#"{"isolation":"organization","mount":{"client":"stateless","backends":["10.0.0.1"]}}"#;
/// Gibibyte.
pub(crate) const GIB: u64 = 1 << 30;
/// Rounds of the host's loop before a change counts as stuck.
const ROUNDS: usize = 40;

pub(crate) struct Bench {
    pub(crate) host: Arc<Backend>,
    /// The emulator was switched to a reading that the contract table does not have.
    departs: Cell<bool>,
    emulator: Running,
    // Last: the emulator's tasks run on it.
    _runtime: Runtime,
}

impl Bench {
    pub(crate) fn start() -> Self {
        Self::with(DIRECTORY, Options::default())
    }

    pub(crate) fn configured(config: &str) -> Self {
        Self::with(config, Options::default())
    }

    pub(crate) fn s3_ready() -> Self {
        Self::with(DIRECTORY, Options { preset: Preset::S3Ready, ..Options::default() })
    }

    pub(crate) fn with(config: &str, options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let emulator = runtime.block_on(Emulator::start(options)).unwrap();
        let host = Backend::new(emulator.rest_url(), emulator.control().clone(), config, runtime.handle().clone());
        Self { host: Arc::new(host), departs: Cell::new(false), emulator, _runtime: runtime }
    }

    /// With a cluster of this release.
    pub(crate) fn of_release(config: &str, preset: Preset, release: &str) -> Self {
        let bench = Self::with(config, Options { preset, ..Options::default() });
        bench.control().set_release(release.parse().unwrap());
        bench
    }

    /// Makes a tenant's place, or finds it; the host has made a secret for it.
    pub(crate) fn ensure_tenant(&self, tenant: &str, limits: &[Limit]) -> Result<NativeRef> {
        let secret = format!("made/weka/tenant-{tenant}");
        self.host.give(&secret, "stowage-admin", "Made-by-the-host-1");
        self.settle(&format!("tenant-{tenant}"), |call| {
            let extensions = vec![("tenant.secret".to_owned(), secret.clone())];
            Weka::ensure(Call { extensions, ..call }, tenant.to_owned(), limits.to_vec())
        })
    }

    /// Says that the emulator answers otherwise than the contract table on purpose.
    pub(crate) fn departs_from_contract(&self) {
        self.departs.set(true);
    }

    /// Where the emulator's S3 service listens.
    pub(crate) fn s3_url(&self) -> &str {
        self.emulator.s3_url()
    }

    pub(crate) fn control(&self) -> &Control {
        self.emulator.control()
    }

    pub(crate) fn switch(&self, name: &str, value: impl Into<Value>) {
        self.control().set_switches(&Map::from_iter([(name.to_owned(), value.into())])).unwrap();
    }

    pub(crate) fn fault(&self, fault: Fault, method: &str, path: &str) -> u64 {
        self.control().add_fault(Rule::new(fault).on(method, path).times(1))
    }

    pub(crate) fn fault_for_ever(&self, fault: Fault, method: &str, path: &str) -> u64 {
        self.control().add_fault(Rule::new(fault).on(method, path))
    }

    /// Runs with the adapter's host on this thread.
    pub(crate) fn call<R>(&self, work: impl FnOnce() -> R) -> R {
        with_host(self.host.clone(), work)
    }

    /// Requests so far with this method and a path that ends so.
    pub(crate) fn requests(&self, method: &str, ending: &str) -> Vec<LoggedRequest> {
        let all = self.control().requests_after(0);
        all.into_iter().filter(|request| request.method == method && request.path.ends_with(ending)).collect()
    }

    /// Requests that change something, but for logins.
    pub(crate) fn changes(&self) -> Vec<LoggedRequest> {
        let all = self.control().requests_after(0);
        all.into_iter().filter(|request| request.method != "GET" && !request.path.contains("/login")).collect()
    }

    /// Makes the change again and again under one owner, as the host does, until it is done or fails.
    pub(crate) fn settle(&self, owner: &str, change: impl Fn(Call) -> Result<Progress>) -> Result<NativeRef> {
        let mut call = call(owner);
        for _ in 0..ROUNDS {
            match self.call(|| change(call.clone()))? {
                Progress::Done(native) => return Ok(native),
                Progress::Pending(job) => self.wait(job)?,
                Progress::NeedsNode(work) => {
                    call.node_results = node::run(self.control(), &work);
                }
                other => panic!("{other:?}"),
            }
        }
        panic!("the change is stuck")
    }

    fn wait(&self, mut job: Job) -> Result<()> {
        for _ in 0..ROUNDS {
            self.control().clock().advance(i64::from(job.poll_after_ms));
            match self.call(|| Weka::poll(job.handle.clone()))? {
                Status::Running(next) => job = next,
                Status::Ended => return Ok(()),
                Status::Failed(error) => return Err(error),
                other => panic!("{other:?}"),
            }
        }
        panic!("the job is stuck")
    }

    pub(crate) fn create(&self, owner: &str, spec: &NamespaceSpec) -> Result<NativeRef> {
        self.settle(owner, |call| <Weka as Namespaces>::create(call, spec.clone()))
    }

    pub(crate) fn delete(&self, owner: &str, native: &NativeRef, data: &DataPolicy) -> Result<NativeRef> {
        self.settle(owner, |call| <Weka as Namespaces>::delete(call, native.clone(), data.clone()))
    }

    pub(crate) fn usage(&self, natives: &[NativeRef]) -> Vec<Result<Vec<Usage>>> {
        match self.call(|| Weka::read_usage(natives.to_vec(), Vec::new())).unwrap() {
            Usages::Done(usages) => usages,
            other => panic!("{other:?}"),
        }
    }

    /// Every namespace that is listed, page by page.
    pub(crate) fn listed(&self, limit: u32) -> Vec<NamespaceState> {
        let mut all = Vec::new();
        let mut cursor = None;
        for _ in 0..ROUNDS {
            let page =
                self.call(|| <Weka as Namespaces>::list_page(PageRequest { cursor: cursor.clone(), limit })).unwrap();
            all.extend(page.items);
            match page.next {
                None => return all,
                next => cursor = next,
            }
        }
        panic!("the list has no end")
    }
}

/// Every exchange that a test made is held to the contract table: routes, fields, types, shapes of answers.
impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() || self.departs.get() {
            return;
        }
        for logged in self.control().requests_after(0) {
            if let Err(violation) = weka_emulator::contract::check_logged(&logged) {
                panic!("{violation}");
            }
        }
    }
}

pub(crate) fn call(owner: &str) -> Call {
    Call { owner: owner.to_owned(), attempt: 1, node_results: Vec::new(), extensions: Vec::new() }
}

/// A namespace with a hard limit and two prefixes.
pub(crate) fn spec(physical_id: &str, hard: u64) -> NamespaceSpec {
    NamespaceSpec {
        tenant: Vec::new(),
        project: "vision".to_owned(),
        name: "training".to_owned(),
        physical_id: physical_id.to_owned(),
        protocols: vec![Protocol::Posix],
        limits: vec![limit(hard, Enforcement::Block)],
        prefixes: vec!["shared".to_owned(), "datasets/".to_owned()],
        posix: Some(PosixIdentity { uid: 2001, gid: 2002, mode: 0o770 }),
        labels: Vec::new(),
        extensions: Vec::new(),
    }
}

pub(crate) fn limit(value: u64, enforcement: Enforcement) -> Limit {
    Limit { dimension: Dimension::Bytes, scope: LimitScope::Namespace, enforcement, value, extensions: Vec::new() }
}

/// The name of an error's kind.
pub(crate) fn kind<T: std::fmt::Debug>(answer: Result<T>) -> String {
    let error = answer.unwrap_err();
    let text = format!("{:?}", error.kind);
    let text = text.trim_start_matches("ErrorKind::");
    text.split(['(', ' ']).next().unwrap_or_default().to_owned()
}
