//! The checks pass on a provider that keeps the rules, and each fails on one that breaks its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;

use async_trait::async_trait;
use parking_lot::Mutex;
use stowage_ports::{Provider, provider::*};
use stowage_testkit::{DirectoryNode, Outcome, Subject, run};

/// How a model breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    MakesANewOneEachTime,
    TakesAForeignOne,
    ForgetsMarks,
    DropsALimit,
    IgnoresNewLimits,
    SpoilsUsage,
    ListsTwice,
    RefusesASecondDelete,
    LeavesTheMark,
    PlansOutside,
    AnswersWhatItLacks,
    HasNoIdentity,
    ClaimsTheUnknown,
}

#[derive(Debug, Clone)]
struct Kept {
    owner: String,
    limits: Vec<Limit>,
}

struct Model {
    defect: Defect,
    description: Description,
    interfaces: Vec<String>,
    kept: Mutex<BTreeMap<Vec<u8>, Kept>>,
    count: Mutex<u32>,
}

impl Model {
    fn new(defect: Defect) -> Self {
        Self {
            defect,
            description: Description {
                name: "model".into(),
                vendor: "Stowage".into(),
                version: "1".into(),
                doc: String::new(),
                config_schema: "{}".into(),
                endpoints: vec![],
                secrets: vec![],
                exchanges: vec![],
                auth_flows: vec![],
                client_kinds: vec![],
                capabilities: vec![],
                extensions: vec![],
            },
            interfaces: ["namespaces", "mounts", "jobs"].map(str::to_owned).to_vec(),
            kept: Mutex::default(),
            count: Mutex::new(0),
        }
    }
}

fn ok<T>(value: T) -> Answer<T> {
    Ok(Called { value, receipt: Receipt::default() })
}

fn no<T>(kind: ErrorKind) -> Answer<T> {
    let error = Error { message: format!("{kind:?}"), kind, native_code: None, extensions: vec![] };
    Err(Box::new(Failure { error, fault: Fault::Caller, receipt: Receipt::default() }))
}

fn lacks<T>(function: &str) -> Answer<T> {
    no(ErrorKind::Unsupported(function.to_owned()))
}

#[async_trait]
impl Provider for Model {
    fn description(&self) -> &Description {
        &self.description
    }
    fn interfaces(&self) -> &[String] {
        &self.interfaces
    }
    async fn probe(&self, _: &CallContext, _: ProbeMode) -> Answer<ProbeReport> {
        let instance_id = if self.defect == Defect::HasNoIdentity { "" } else { "model" }.to_owned();
        ok(ProbeReport {
            native_version: "1".into(),
            instance_id,
            capabilities: vec![],
            health: vec![],
            counters: vec![],
            extensions: vec![],
        })
    }
    async fn preflight(&self, _: &CallContext, _: ProbeMode) -> Answer<Vec<Finding>> {
        ok(vec![])
    }
    async fn create_namespace(&self, _: &CallContext, call: &Call, spec: &NamespaceSpec) -> Answer<Progress> {
        let mut key = spec.physical_id.clone().into_bytes();
        let mut kept = self.kept.lock();
        if self.defect == Defect::MakesANewOneEachTime {
            let mut count = self.count.lock();
            *count += 1;
            key.extend(count.to_string().into_bytes());
        }
        if let Some(found) = kept.get(&key)
            && found.owner != call.owner
            && self.defect != Defect::TakesAForeignOne
        {
            return no(ErrorKind::ForeignOwner(found.owner.clone()));
        }
        // The honest path takes each of the turns once.
        if call.attempt == 1 && !kept.contains_key(&key) {
            return ok(Progress::Pending(Job { handle: key, poll_after_ms: 0, expected_ms: None }));
        }
        if call.node_results.is_empty() && !kept.contains_key(&key) {
            let step = NodeStep {
                id: "root".into(),
                verb: "make-directory".into(),
                path: spec.physical_id.clone(),
                args: vec![("mark".into(), call.owner.clone())],
            };
            let source = MountSource::HostPath { root: "model".into(), path: String::new() };
            return ok(Progress::NeedsNode(NodeWork { source, steps: vec![step] }));
        }
        let limits = if self.defect == Defect::DropsALimit { vec![] } else { spec.limits.clone() };
        kept.insert(key.clone(), Kept { owner: call.owner.clone(), limits });
        ok(Progress::Done(NativeRef(key)))
    }
    async fn set_namespace_limits(
        &self,
        _: &CallContext,
        _: &Call,
        n: &NativeRef,
        limits: &[Limit],
    ) -> Answer<Progress> {
        match self.kept.lock().get_mut(&n.0) {
            None => no(ErrorKind::NotFound),
            Some(found) => {
                if self.defect != Defect::IgnoresNewLimits {
                    found.limits = limits.to_vec();
                }
                ok(Progress::Done(n.clone()))
            }
        }
    }
    async fn delete_namespace(&self, _: &CallContext, _: &Call, n: &NativeRef, _: DataPolicy) -> Answer<Progress> {
        let mut kept = self.kept.lock();
        if self.defect == Defect::RefusesASecondDelete && !kept.contains_key(&n.0) {
            return no(ErrorKind::NotFound);
        }
        if self.defect != Defect::LeavesTheMark {
            kept.remove(&n.0);
        }
        ok(Progress::Done(n.clone()))
    }
    async fn inspect_namespace(&self, _: &CallContext, n: &NativeRef) -> Answer<NamespaceState> {
        let kept = self.kept.lock();
        let stranger = Kept { owner: "nobody".into(), limits: vec![] };
        let found = match kept.get(&n.0) {
            Some(found) => found,
            None if self.defect == Defect::ClaimsTheUnknown && n.0.is_empty() => &stranger,
            None => return no(ErrorKind::NotFound),
        };
        ok(NamespaceState {
            native: n.clone(),
            lifecycle: Lifecycle::Ready,
            protocols: vec![],
            effective_limits: found.limits.clone(),
            owner: Some(found.owner.clone()),
            location: String::new(),
            revision: None,
            extensions: vec![],
        })
    }
    async fn find_namespace(&self, _: &CallContext, owner: &str) -> Answer<Option<NativeRef>> {
        if self.defect == Defect::ForgetsMarks {
            return ok(None);
        }
        ok(self.kept.lock().iter().find(|(_, k)| k.owner == owner).map(|(key, _)| NativeRef(key.clone())))
    }
    async fn list_namespaces(&self, cx: &CallContext, page: &PageRequest) -> Answer<Page<NamespaceState>> {
        let after = page.cursor.clone().unwrap_or_default();
        let keys: Vec<Vec<u8>> = self.kept.lock().keys().filter(|k| **k > after).take(2).cloned().collect();
        let Some(first) = keys.first() else { return ok(Page { items: vec![], next: None }) };
        let state = self.inspect_namespace(cx, &NativeRef(first.clone())).await?.value;
        let mut count = self.count.lock();
        *count += 1;
        let again = self.defect == Defect::ListsTwice && *count == 1;
        let next = if again { Some(after) } else { (keys.len() > 1).then(|| first.clone()) };
        ok(Page { items: vec![state], next })
    }
    async fn read_usage(&self, _: &CallContext, natives: &[NativeRef], _: &[NodeResult]) -> Answer<Usages> {
        let kept = self.kept.lock();
        let mut usages: Vec<Result<Vec<Usage>, Error>> = Vec::new();
        for native in natives {
            let used = Usage {
                dimension: Dimension::Bytes,
                used: 0,
                uncertainty: None,
                basis: Basis::Logical,
                state: LimitState::Ok,
                observed_at: 1,
            };
            match kept.contains_key(&native.0) {
                true => usages.push(Ok(vec![used])),
                false if self.defect == Defect::SpoilsUsage => {}
                false => usages.push(Err(Error {
                    kind: ErrorKind::NotFound,
                    message: String::new(),
                    native_code: None,
                    extensions: vec![],
                })),
            }
        }
        ok(Usages::Done(usages))
    }
    async fn prepare_mount(&self, _: &CallContext, call: &Call, request: &MountRequest) -> Answer<Prepared> {
        let mut mounts = Vec::new();
        for (prefix, mode) in &request.prefixes {
            if (prefix.starts_with('/') || prefix.contains("..")) && self.defect != Defect::PlansOutside {
                return no(ErrorKind::Invalid(vec![]));
            }
            mounts.push(OneMount {
                source: MountSource::HostPath { root: "model".into(), path: String::new() },
                subpath: prefix.clone(),
                mode: mode.clone(),
                enforced_by: EnforcedBy::MountOptionOnly,
                options: vec![],
            });
        }
        let native = NativeRef(call.owner.clone().into_bytes());
        let (secrets, prerequisites) = (vec![], vec![]);
        ok(Prepared::Plan(MountPlan { native, mounts, secrets, prerequisites, valid_until: None, extensions: vec![] }))
    }
    async fn release_mount(&self, _: &CallContext, _: &Call, plan: &NativeRef) -> Answer<Progress> {
        ok(Progress::Done(plan.clone()))
    }
    async fn poll_job(&self, _: &CallContext, handle: &[u8]) -> Answer<JobStatus> {
        if handle == b"conformance" { no(ErrorKind::NotFound) } else { ok(JobStatus::Ended) }
    }
    async fn cancel_job(&self, _: &CallContext, _: &[u8]) -> Answer<()> {
        ok(())
    }
    async fn list_principals(&self, _: &CallContext, _: &PageRequest) -> Answer<Page<PrincipalInfo>> {
        if self.defect == Defect::AnswersWhatItLacks {
            return ok(Page { items: vec![], next: None });
        }
        lacks("access.list-principals")
    }

    async fn ensure_tenant(&self, _: &CallContext, _: &Call, _: &str, _: &[Limit]) -> Answer<Progress> {
        lacks("tenants.ensure")
    }
    async fn inspect_tenant(&self, _: &CallContext, _: &NativeRef) -> Answer<TenantState> {
        lacks("tenants.inspect")
    }
    async fn set_tenant_limits(&self, _: &CallContext, _: &Call, _: &NativeRef, _: &[Limit]) -> Answer<Progress> {
        lacks("tenants.set-limits")
    }
    async fn revoke_tenant_tokens(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        lacks("tenants.revoke-tokens")
    }
    async fn delete_empty_tenant(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        lacks("tenants.delete-empty")
    }
    async fn adopt_namespace(
        &self,
        _: &CallContext,
        _: &Call,
        _: &str,
        _: &NamespaceSpec,
        _: bool,
    ) -> Answer<Progress> {
        lacks("namespaces.adopt")
    }
    async fn set_namespace_protocols(
        &self,
        _: &CallContext,
        _: &Call,
        _: &NativeRef,
        _: &[Protocol],
    ) -> Answer<Progress> {
        lacks("namespaces.set-protocols")
    }
    async fn set_namespace_lifecycle(
        &self,
        _: &CallContext,
        _: &Call,
        _: &NativeRef,
        _: &[Extensions],
    ) -> Answer<Progress> {
        lacks("namespaces.set-lifecycle")
    }
    async fn undelete_namespace(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        lacks("namespaces.undelete")
    }
    async fn purge_namespace(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        lacks("namespaces.purge")
    }
    async fn create_snapshot(&self, _: &CallContext, _: &Call, _: &NativeRef, _: &str) -> Answer<Progress> {
        lacks("snapshots.create")
    }
    async fn delete_snapshot(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        lacks("snapshots.delete")
    }
    async fn restore_snapshot(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        lacks("snapshots.restore")
    }
    async fn list_snapshots(&self, _: &CallContext, _: &NativeRef, _: &PageRequest) -> Answer<Page<Snapshot>> {
        lacks("snapshots.list-page")
    }
    async fn observe_mounts(&self, _: &CallContext, _: &[NativeRef]) -> Answer<Vec<MountStatus>> {
        ok(vec![])
    }
    async fn detach(&self, _: &CallContext, _: &Call, _: &[u8], _: bool) -> Answer<Progress> {
        lacks("mounts.detach")
    }
    async fn ensure_principal(&self, _: &CallContext, _: &Call, _: &PrincipalSpec) -> Answer<Progress> {
        lacks("access.ensure-principal")
    }
    async fn delete_principal(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Progress> {
        lacks("access.delete-principal")
    }
    async fn find_principal(&self, _: &CallContext, _: &str) -> Answer<Option<NativeRef>> {
        lacks("access.find-principal")
    }
    async fn plan_policy(&self, _: &CallContext, _: &Policy, _: &AttachPoint) -> Answer<PolicyPlan> {
        lacks("access.plan-policy")
    }
    async fn apply_policy(&self, _: &CallContext, _: &Call, _: Option<&Policy>, _: &AttachPoint) -> Answer<Progress> {
        lacks("access.apply-policy")
    }
    async fn read_policy(&self, _: &CallContext, _: &AttachPoint) -> Answer<Option<Policy>> {
        lacks("access.read-policy")
    }
    async fn issue_credential(&self, _: &CallContext, _: &Call, _: &CredentialRequest) -> Answer<Issue> {
        lacks("access.issue-credential")
    }
    async fn find_credential(&self, _: &CallContext, _: &str) -> Answer<Option<CredentialInfo>> {
        lacks("access.find-credential")
    }
    async fn list_credentials(
        &self,
        _: &CallContext,
        _: Option<&NativeRef>,
        _: &PageRequest,
    ) -> Answer<Page<CredentialInfo>> {
        lacks("access.list-credentials")
    }
    async fn rotate_credential(&self, _: &CallContext, _: &Call, _: &NativeRef) -> Answer<Issue> {
        lacks("access.rotate")
    }
    async fn revoke_credential(&self, _: &CallContext, _: &Call, _: &NativeRef, _: &RevokeScope) -> Answer<Revocation> {
        lacks("access.revoke")
    }
    async fn configure_audit(&self, _: &CallContext, _: &Call, _: &AuditTarget) -> Answer<Progress> {
        lacks("audit.configure")
    }
    async fn audit_configured(&self, _: &CallContext) -> Answer<AuditTarget> {
        lacks("audit.configured")
    }
    async fn parse_audit(&self, _: &CallContext, _: &[u8], _: &[(String, String)]) -> Answer<Vec<AuditEvent>> {
        lacks("audit.parse")
    }
    async fn read_audit(&self, _: &CallContext, _: Option<&[u8]>) -> Answer<AuditPage> {
        lacks("audit.read")
    }
}

async fn failures(defect: Defect) -> Vec<&'static str> {
    let directory = tempfile::tempdir().unwrap();
    let node = DirectoryNode::new(directory.path());
    let model = Model::new(defect);
    let report = run(&Subject::new(&model, "test").with_node(&node)).await;
    report.failed().map(|r| r.name).collect()
}

#[tokio::test]
async fn a_provider_that_keeps_the_rules_passes_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let node = DirectoryNode::new(directory.path());
    let model = Model::new(Defect::None);
    let report = run(&Subject::new(&model, "test").with_node(&node)).await;
    assert!(report.passed(), "{report}");
    assert!(model.kept.lock().is_empty(), "a check left something behind");
    let skipped: Vec<&str> =
        report.results.iter().filter(|r| matches!(r.outcome, Outcome::NotApplicable(_))).map(|r| r.name).collect();
    assert_eq!(skipped, ["snapshots", "tenants"]);
}

#[tokio::test]
async fn each_broken_rule_fails_its_check() {
    for (defect, check) in [
        (Defect::MakesANewOneEachTime, "create-twice"),
        (Defect::TakesAForeignOne, "foreign-owner"),
        (Defect::ForgetsMarks, "find"),
        (Defect::DropsALimit, "inspect"),
        (Defect::IgnoresNewLimits, "set-limits"),
        (Defect::SpoilsUsage, "usage"),
        (Defect::ListsTwice, "pages"),
        (Defect::RefusesASecondDelete, "delete"),
        (Defect::LeavesTheMark, "delete"),
        (Defect::PlansOutside, "plan"),
        (Defect::AnswersWhatItLacks, "unsupported"),
        (Defect::HasNoIdentity, "probe"),
        (Defect::ClaimsTheUnknown, "unknown-reference"),
    ] {
        let failed = failures(defect).await;
        assert!(failed.contains(&check), "{defect:?} should fail {check}, and failed {failed:?}");
    }
}
