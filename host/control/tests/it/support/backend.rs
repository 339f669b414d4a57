//! A model of a backend behind the Provider port: what it holds outlives every crash of the host.
//!
//! A real adapter runs in other tests; this one gives what no real one gives on demand: an answer lost after the change was
//! applied, at any call.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use stowage_ports::provider::{
    self as port, Answer, Call, CallContext, Called, ErrorKind, Failure, Job, JobStatus, Limit, MountPlan, MountSource,
    NamespaceSpec, NativeRef, NodeResult, NodeStep, NodeWork, PageRequest, Prepared, Progress, Receipt,
};

use super::{
    MemorySecrets,
    keys::Access,
    script::{self, Script},
};

/// How the backend makes and removes namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// At once.
    Direct,
    /// By a job that runs for some polls.
    Job,
    /// With a directory that a node makes and removes.
    Node,
}

/// What goes wrong at a call.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing is applied.
    Refused(ErrorKind),
    /// It is applied, and the answer is this error.
    Lost(ErrorKind),
}

#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) owner: String,
    pub(crate) limits: Vec<Limit>,
    pub(crate) ready: bool,
}

#[derive(Default)]
pub(crate) struct Holdings {
    pub(crate) namespaces: BTreeMap<String, Held>,
    pub(crate) mounts: BTreeMap<String, MountPlan>,
    pub(crate) tenants: BTreeSet<String>,
    /// Directories that nodes have made.
    pub(crate) tree: BTreeSet<String>,
    jobs: BTreeMap<String, u32>,
    /// Mutating calls so far, by name.
    pub(crate) calls: Vec<String>,
    faults: BTreeMap<usize, Fault>,
    /// Plans come out read-write, whatever was asked.
    wide: bool,
    /// Capabilities that a probe finds besides the declared ones.
    pub(crate) probed: Vec<port::Capability>,
    /// How it shows what it holds.
    pub(crate) script: Script,
    /// Protocols by namespace, where they were changed.
    pub(crate) protocols: BTreeMap<String, Vec<port::Protocol>>,
    /// Parents and keys.
    pub(crate) access: Access,
    /// Tenants have administrators, whose secret a call must name.
    pub(crate) asks_for_tenant_secrets: bool,
    /// The secret that the last call named.
    pub(crate) tenant_secret: Option<String>,
    /// What a node needs to mount the source of its steps.
    pub(crate) source_secret: Option<String>,
    slow: BTreeMap<String, std::time::Duration>,
    /// Failures of every call of a name.
    standing: BTreeMap<String, ErrorKind>,
}

pub(crate) struct Backend {
    pub(crate) way: Way,
    pub(crate) holds: Mutex<Holdings>,
    secrets: Arc<MemorySecrets>,
    description: port::Description,
    interfaces: Vec<String>,
}

impl Backend {
    pub(crate) fn new(way: Way, secrets: Arc<MemorySecrets>) -> Self {
        Self {
            way,
            holds: Mutex::default(),
            secrets,
            description: port::Description {
                name: "model".into(),
                vendor: "tests".into(),
                version: "1".into(),
                doc: String::new(),
                config_schema: "{}".into(),
                endpoints: Vec::new(),
                secrets: vec![port::SecretNeed {
                    name: "robot".into(),
                    fields: vec!["username".into(), "password".into()],
                    made_by_host: true,
                    required: true,
                    doc: String::new(),
                }],
                exchanges: Vec::new(),
                auth_flows: Vec::new(),
                client_kinds: Vec::new(),
                capabilities: vec![supported("namespaces.posix"), supported("quota.hard")],
                extensions: Vec::new(),
            },
            interfaces: vec!["tenants".into(), "namespaces".into(), "mounts".into(), "jobs".into()],
        }
    }

    /// The mutating call with this number, from 0, goes wrong.
    pub(crate) fn fail(&self, call: usize, fault: Fault) {
        self.holds.lock().unwrap().faults.insert(call, fault);
    }

    /// Every call of this name goes wrong until it is mended.
    pub(crate) fn fail_always(&self, name: &str, kind: Option<ErrorKind>) {
        let mut holds = self.holds.lock().unwrap();
        match kind {
            Some(kind) => holds.standing.insert(name.to_owned(), kind),
            None => holds.standing.remove(name),
        };
    }

    /// From now on a probe finds this capability.
    pub(crate) fn can(&self, id: &str) {
        self.holds.lock().unwrap().probed.push(supported(id));
    }

    /// From now on a probe finds this capability, in this state and with these constraints.
    pub(crate) fn finds(&self, id: &str, state: port::CapabilityState, constraints: Vec<(&str, port::Value)>) {
        let mut found = supported(id);
        found.state = state;
        found.constraints = constraints.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let mut holds = self.holds.lock().unwrap();
        holds.probed.retain(|known| known.id != id);
        holds.probed.push(found);
    }

    /// Every call of this name answers so late.
    pub(crate) fn slow(&self, name: &str, by: std::time::Duration) {
        self.holds.lock().unwrap().slow.insert(name.to_owned(), by);
    }

    /// From now on plans are wider than asked.
    pub(crate) fn widen(&self) {
        self.holds.lock().unwrap().wide = true;
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.holds.lock().unwrap().calls.clone()
    }

    fn change<T>(&self, name: &str, apply: impl FnOnce(&mut Holdings) -> Result<T, port::Error>) -> Answer<T> {
        let mut holds = self.holds.lock().unwrap();
        let number = holds.calls.len();
        holds.calls.push(name.to_owned());
        if let Some(kind) = holds.standing.get(name) {
            return failed(kind.clone());
        }
        match holds.faults.remove(&number) {
            Some(Fault::Refused(kind)) => failed(kind),
            Some(Fault::Lost(kind)) => {
                // Even a change that would be refused may have its answer lost.
                let _ = apply(&mut holds);
                failed(kind)
            }
            None => apply(&mut holds).map_or_else(|error| fail_with(error), ok),
        }
    }

    fn look<T>(&self, name: &str, seen: impl FnOnce(&Holdings) -> Result<T, port::Error>) -> Answer<T> {
        let holds = self.holds.lock().unwrap();
        if let Some(kind) = holds.standing.get(name) {
            return failed(kind.clone());
        }
        seen(&holds).map_or_else(|error| fail_with(error), ok)
    }
}

fn supported(id: &str) -> port::Capability {
    port::Capability {
        id: id.to_owned(),
        state: port::CapabilityState::Supported,
        constraints: Vec::new(),
        evidence: None,
        extensions: Vec::new(),
    }
}

fn ok<T>(value: T) -> Answer<T> {
    Ok(Called { value, receipt: Receipt::default() })
}

pub(super) fn error(kind: ErrorKind) -> port::Error {
    let message = format!("scripted: {}", kind.reason());
    port::Error { kind, message, native_code: None, extensions: Vec::new() }
}

fn fail_with<T>(error: port::Error) -> Answer<T> {
    let fault = match error.kind {
        ErrorKind::Internal => port::Fault::Plugin,
        _ => port::Fault::Backend,
    };
    Err(Box::new(Failure { error, fault, receipt: Receipt::default() }))
}

fn failed<T>(kind: ErrorKind) -> Answer<T> {
    fail_with(error(kind))
}

fn unsupported<T>(what: &str) -> Answer<T> {
    failed(ErrorKind::Unsupported(what.to_owned()))
}

fn text(native: &NativeRef) -> String {
    String::from_utf8(native.0.clone()).unwrap()
}

fn directory_work(verb: &str, path: &str, secret: Option<&String>) -> NodeWork {
    let args = secret.map(|handle| ("source.secret.token".to_owned(), handle.clone())).into_iter().collect();
    NodeWork {
        source: MountSource::HostPath { root: "data".into(), path: String::new() },
        steps: vec![NodeStep { id: "root".into(), verb: verb.into(), path: path.into(), args }],
    }
}

impl Holdings {
    /// Runs a job for two polls, under the owner.
    fn job(&mut self, what: &str, owner: &str) -> Option<Progress> {
        let handle = format!("{what}/{owner}");
        match self.jobs.get(&handle) {
            Some(0) => None,
            _ => {
                self.jobs.entry(handle.clone()).or_insert(2);
                Some(Progress::Pending(Job { handle: handle.into_bytes(), poll_after_ms: 500, expected_ms: None }))
            }
        }
    }
}

#[async_trait]
impl port::Provider for Backend {
    fn description(&self) -> &port::Description {
        &self.description
    }

    fn interfaces(&self) -> &[String] {
        &self.interfaces
    }

    async fn probe(&self, _: &CallContext, _: port::ProbeMode) -> Answer<port::ProbeReport> {
        self.look("probe", |holds| {
            Ok(port::ProbeReport {
                native_version: holds.script.release.clone().unwrap_or_else(|| "1".into()),
                instance_id: holds.script.instance.clone().unwrap_or_else(|| "model-1".into()),
                capabilities: holds.probed.clone(),
                health: Vec::new(),
                counters: vec![port::Counter {
                    name: "capacity.bytes".into(),
                    used: 0,
                    limit: Some(1000),
                    unit: "bytes".into(),
                    observed_at: 1,
                }],
                extensions: Vec::new(),
            })
        })
    }

    async fn preflight(&self, _: &CallContext, _: port::ProbeMode) -> Answer<Vec<port::Finding>> {
        ok(Vec::new())
    }

    async fn ensure_tenant(&self, _: &CallContext, call: &Call, tenant: &str, _: &[Limit]) -> Answer<Progress> {
        self.change("ensure-tenant", |holds| {
            let named = call.extensions.iter().find(|(key, _)| key == "tenant.secret").map(|(_, name)| name.clone());
            if holds.asks_for_tenant_secrets && named.is_none() {
                let lack = port::NotReady {
                    capability: "tenants".into(),
                    reason: "NO_TENANT_SECRET".into(),
                    remedy: "name one".into(),
                };
                return Err(error(ErrorKind::NotReady(lack)));
            }
            holds.tenant_secret = named;
            let id = format!("{tenant}/{}", call.owner);
            holds.tenants.insert(id.clone());
            Ok(Progress::Done(NativeRef(id.into_bytes())))
        })
    }

    async fn create_namespace(&self, _: &CallContext, call: &Call, spec: &NamespaceSpec) -> Answer<Progress> {
        let id = spec.physical_id.clone();
        let way = self.way;
        self.change("create-namespace", |holds| {
            let held = Held { owner: call.owner.clone(), limits: spec.limits.clone(), ready: false };
            let held = holds.namespaces.entry(id.clone()).or_insert(held).clone();
            if held.owner != call.owner {
                return Err(error(ErrorKind::ForeignOwner(held.owner)));
            }
            if !held.ready {
                if way == Way::Job
                    && let Some(pending) = holds.job("make", &call.owner)
                {
                    return Ok(pending);
                }
                if way == Way::Node {
                    match call.node_results.iter().find(|result| result.id == "root") {
                        None => {
                            return Ok(Progress::NeedsNode(directory_work(
                                "make-directory",
                                &id,
                                holds.source_secret.as_ref(),
                            )));
                        }
                        Some(result) => assert_eq!(result.error, None),
                    }
                }
                holds.namespaces.get_mut(&id).unwrap().ready = true;
            }
            Ok(Progress::Done(NativeRef(id.clone().into_bytes())))
        })
    }

    async fn adopt_namespace(
        &self,
        _: &CallContext,
        call: &Call,
        location: &str,
        spec: &NamespaceSpec,
        dry_run: bool,
    ) -> Answer<Progress> {
        let done = Progress::Done(NativeRef(location.as_bytes().to_vec()));
        if dry_run {
            return ok(done);
        }
        self.change("adopt-namespace", |holds| {
            let held = Held { owner: call.owner.clone(), limits: spec.limits.clone(), ready: true };
            holds.namespaces.insert(location.to_owned(), held);
            Ok(done)
        })
    }

    async fn set_namespace_limits(
        &self,
        _: &CallContext,
        call: &Call,
        native: &NativeRef,
        limits: &[Limit],
    ) -> Answer<Progress> {
        let way = self.way;
        self.change("set-limits", |holds| {
            if way == Way::Job
                && let Some(pending) = holds.job("limits", &call.owner)
            {
                return Ok(pending);
            }
            let held = holds.namespaces.get_mut(&text(native)).ok_or_else(|| error(ErrorKind::NotFound))?;
            held.limits = limits.to_vec();
            Ok(Progress::Done(native.clone()))
        })
    }

    async fn delete_namespace(
        &self,
        _: &CallContext,
        call: &Call,
        native: &NativeRef,
        _: port::DataPolicy,
    ) -> Answer<Progress> {
        let way = self.way;
        self.change("delete-namespace", |holds| {
            let id = text(native);
            if !holds.namespaces.contains_key(&id) {
                return Err(error(ErrorKind::NotFound));
            }
            if way == Way::Job
                && let Some(pending) = holds.job("remove", &call.owner)
            {
                return Ok(pending);
            }
            if way == Way::Node && !call.node_results.iter().any(|result| result.id == "root") {
                return Ok(Progress::NeedsNode(directory_work("remove-directory", &id, None)));
            }
            holds.namespaces.remove(&id);
            Ok(Progress::Done(native.clone()))
        })
    }

    async fn inspect_namespace(&self, _: &CallContext, native: &NativeRef) -> Answer<port::NamespaceState> {
        self.look("inspect", |holds| {
            holds.script.look();
            let id = text(native);
            if !holds.namespaces.contains_key(&id) {
                return Err(error(ErrorKind::NotFound));
            }
            Ok(script::state(holds, &id))
        })
    }

    async fn find_namespace(&self, _: &CallContext, owner: &str) -> Answer<Option<NativeRef>> {
        self.look("find", |holds| {
            let found = holds.namespaces.iter().find(|(_, held)| held.owner == owner);
            Ok(found.map(|(id, _)| NativeRef(id.clone().into_bytes())))
        })
    }

    async fn read_usage(&self, _: &CallContext, natives: &[NativeRef], _: &[NodeResult]) -> Answer<port::Usages> {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        self.change("read-usage", |holds| {
            let one = |native: &NativeRef| match holds.namespaces.contains_key(&text(native)) {
                true => Ok(vec![port::Usage {
                    dimension: port::Dimension::Bytes,
                    used: 7,
                    uncertainty: None,
                    basis: port::Basis::Logical,
                    state: port::LimitState::Ok,
                    observed_at: 5,
                }]),
                false => Err(error(ErrorKind::NotFound)),
            };
            Ok(port::Usages::Done(natives.iter().map(one).collect()))
        })
    }

    async fn prepare_mount(&self, _: &CallContext, call: &Call, request: &port::MountRequest) -> Answer<Prepared> {
        self.change("prepare-mount", |holds| {
            let id = format!("plan-{}", call.owner);
            if let Some(plan) = holds.mounts.get(&id) {
                return Ok(Prepared::Plan(plan.clone()));
            }
            let mounts = request.prefixes.iter().map(|(prefix, mode)| port::OneMount {
                source: MountSource::HostPath { root: "data".into(), path: text(&request.namespace) },
                subpath: prefix.clone(),
                mode: if holds.wide { port::AccessMode::ReadWrite } else { mode.clone() },
                enforced_by: port::EnforcedBy::MountOptionOnly,
                options: Vec::new(),
            });
            let handle = format!("sealed/model/{}", call.owner);
            self.secrets.insert(&handle, "token-of-the-mount");
            let plan = MountPlan {
                native: NativeRef(id.clone().into_bytes()),
                mounts: mounts.collect(),
                secrets: vec![port::MountSecret { handle, deliver: port::Delivery::OptionKey("token".into()) }],
                prerequisites: Vec::new(),
                valid_until: None,
                extensions: Vec::new(),
            };
            holds.mounts.insert(id, plan.clone());
            Ok(Prepared::Plan(plan))
        })
    }

    async fn release_mount(&self, _: &CallContext, _: &Call, plan: &NativeRef) -> Answer<Progress> {
        self.change("release-mount", |holds| {
            holds.mounts.remove(&text(plan)).ok_or_else(|| error(ErrorKind::NotFound))?;
            Ok(Progress::Done(plan.clone()))
        })
    }

    async fn poll_job(&self, _: &CallContext, handle: &[u8]) -> Answer<JobStatus> {
        let mut holds = self.holds.lock().unwrap();
        let name = String::from_utf8(handle.to_vec()).unwrap();
        let Some(left) = holds.jobs.get_mut(&name) else { return failed(ErrorKind::NotFound) };
        *left = left.saturating_sub(1);
        ok(match *left {
            0 => JobStatus::Ended,
            _ => JobStatus::Running(Job { handle: handle.to_vec(), poll_after_ms: 500, expected_ms: None }),
        })
    }

    async fn cancel_job(&self, _: &CallContext, _: &[u8]) -> Answer<()> {
        ok(())
    }

    async fn inspect_tenant(&self, _: &CallContext, _: &NativeRef) -> Answer<port::TenantState> {
        unsupported("tenants")
    }
    async fn set_tenant_limits(&self, _: &CallContext, _: &Call, _: &NativeRef, _: &[Limit]) -> Answer<Progress> {
        unsupported("tenants")
    }
    async fn revoke_tenant_tokens(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        unsupported("tenants")
    }
    async fn delete_empty_tenant(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        unsupported("tenants")
    }
    async fn set_namespace_protocols(
        &self,
        _: &CallContext,
        call: &Call,
        native: &NativeRef,
        protocols: &[port::Protocol],
    ) -> Answer<Progress> {
        let way = self.way;
        self.change("set-protocols", |holds| {
            if way == Way::Job
                && let Some(pending) = holds.job("protocols", &call.owner)
            {
                return Ok(pending);
            }
            holds.protocols.insert(text(native), protocols.to_vec());
            Ok(Progress::Done(native.clone()))
        })
    }
    async fn set_namespace_lifecycle(
        &self,
        _: &CallContext,
        _: &Call,
        _: &NativeRef,
        _: &[port::Extensions],
    ) -> Answer<Progress> {
        unsupported("namespaces")
    }
    async fn undelete_namespace(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        unsupported("namespaces")
    }
    async fn purge_namespace(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        unsupported("namespaces")
    }
    async fn list_namespaces(&self, _: &CallContext, page: &PageRequest) -> Answer<port::Page<port::NamespaceState>> {
        self.look("list", |holds| script::page(holds, page))
    }
    async fn create_snapshot(&self, _: &CallContext, _: &Call, _: &NativeRef, _: &str) -> Answer<Progress> {
        unsupported("snapshots")
    }
    async fn delete_snapshot(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        unsupported("snapshots")
    }
    async fn restore_snapshot(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        unsupported("snapshots")
    }
    async fn list_snapshots(
        &self,
        _: &CallContext,
        _: &NativeRef,
        _: &PageRequest,
    ) -> Answer<port::Page<port::Snapshot>> {
        unsupported("snapshots")
    }
    async fn observe_mounts(&self, _: &CallContext, plans: &[NativeRef]) -> Answer<Vec<port::MountStatus>> {
        let Some(state) = self.holds.lock().unwrap().script.mounts.clone() else { return unsupported("mounts") };
        let status = |native: &NativeRef| port::MountStatus {
            native: native.clone(),
            state: state.clone(),
            clients: Vec::new(),
            observed_at: 5,
        };
        ok(plans.iter().map(status).collect())
    }
    async fn detach(&self, _: &CallContext, _: &Call, _: &[u8], _: bool) -> Answer<Progress> {
        unsupported("mounts")
    }
    async fn ensure_principal(&self, _: &CallContext, call: &Call, spec: &port::PrincipalSpec) -> Answer<Progress> {
        self.change("ensure-principal", |holds| holds.access.ensure(call, spec, &self.secrets).map(Progress::Done))
    }
    async fn delete_principal(&self, _: &CallContext, _: &Call, native: &NativeRef) -> Answer<Progress> {
        self.change("delete-principal", |holds| holds.access.delete(native).map(Progress::Done))
    }
    async fn find_principal(&self, _: &CallContext, owner: &str) -> Answer<Option<NativeRef>> {
        self.look("find-principal", |holds| {
            let found = holds.access.principals.iter().find(|(_, principal)| principal.owner == owner);
            Ok(found.map(|(name, _)| NativeRef(name.clone().into_bytes())))
        })
    }
    async fn list_principals(&self, _: &CallContext, _: &PageRequest) -> Answer<port::Page<port::PrincipalInfo>> {
        unsupported("access")
    }
    async fn plan_policy(&self, _: &CallContext, _: &port::Policy, _: &port::AttachPoint) -> Answer<port::PolicyPlan> {
        unsupported("access")
    }
    async fn apply_policy(
        &self,
        _: &CallContext,
        _: &Call,
        policy: Option<&port::Policy>,
        at: &port::AttachPoint,
    ) -> Answer<Progress> {
        let (Some(port::Policy::IamJson(document)), port::AttachPoint::Principal(native)) = (policy, at) else {
            panic!("{policy:?} at {at:?}")
        };
        self.change("apply-policy", |holds| {
            let principal = holds.access.principals.get_mut(&text(native)).ok_or_else(|| error(ErrorKind::NotFound))?;
            principal.policy = Some(document.clone());
            Ok(Progress::Done(native.clone()))
        })
    }
    async fn read_policy(&self, _: &CallContext, _: &port::AttachPoint) -> Answer<Option<port::Policy>> {
        unsupported("access")
    }
    async fn issue_credential(
        &self,
        _: &CallContext,
        call: &Call,
        request: &port::CredentialRequest,
    ) -> Answer<port::Issue> {
        let late = self.holds.lock().unwrap().slow.get("issue-credential").copied();
        if let Some(late) = late {
            tokio::time::sleep(late).await;
        }
        self.change("issue-credential", |holds| holds.access.issue(call, request, &self.secrets))
    }
    async fn find_credential(&self, _: &CallContext, owner: &str) -> Answer<Option<port::CredentialInfo>> {
        self.look("find-credential", |holds| Ok(holds.access.find(owner)))
    }
    async fn list_credentials(
        &self,
        _: &CallContext,
        _: Option<&NativeRef>,
        _: &PageRequest,
    ) -> Answer<port::Page<port::CredentialInfo>> {
        unsupported("access")
    }
    async fn rotate_credential(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<port::Issue> {
        unsupported("access")
    }
    async fn revoke_credential(
        &self,
        _: &CallContext,
        _: &Call,
        native: &NativeRef,
        scope: &port::RevokeScope,
    ) -> Answer<port::Revocation> {
        self.change("revoke", |holds| holds.access.revoke(native, scope))
    }
    async fn configure_audit(&self, _: &CallContext, _: &Call, _: &port::AuditTarget) -> Answer<Progress> {
        unsupported("audit")
    }
    async fn audit_configured(&self, _: &CallContext) -> Answer<port::AuditTarget> {
        unsupported("audit")
    }
    async fn parse_audit(&self, _: &CallContext, _: &[u8], _: &[(String, String)]) -> Answer<Vec<port::AuditEvent>> {
        unsupported("audit")
    }
    async fn read_audit(&self, _: &CallContext, _: Option<&[u8]>) -> Answer<port::AuditPage> {
        unsupported("audit")
    }
}
