//! The trait itself: every function of the contract, on one configured backend.

use std::time::Duration;

use async_trait::async_trait;

use super::*;

/// What a call runs under.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// Request id of the API call or the operation's name: for logs, traces and the audit.
    pub request_id: String,
    /// The caller's own deadline from now; the engine takes the smaller of this and its wall budget.
    pub deadline: Option<Duration>,
    /// Only exchanges declared safe may run.
    pub safe_only: bool,
}

/// One configured backend.
///
/// A function of an interface that the adapter does not export answers [`ErrorKind::Unsupported`] with the interface's
/// name, without running anything.
#[async_trait]
#[allow(missing_docs, reason = "each function is documented once, in the contract under wit/")]
pub trait Provider: Send + Sync + 'static {
    /// As pinned at admission.
    fn description(&self) -> &Description;
    /// Names of the optional interfaces that the adapter exports, such as `namespaces`.
    fn interfaces(&self) -> &[String];

    // health
    async fn probe(&self, cx: &CallContext, mode: ProbeMode) -> Answer<ProbeReport>;
    async fn preflight(&self, cx: &CallContext, mode: ProbeMode) -> Answer<Vec<Finding>>;

    // tenants
    async fn ensure_tenant(&self, cx: &CallContext, call: &Call, tenant: &str, limits: &[Limit]) -> Answer<Progress>;
    async fn inspect_tenant(&self, cx: &CallContext, native: &NativeRef) -> Answer<TenantState>;
    async fn set_tenant_limits(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        limits: &[Limit],
    ) -> Answer<Progress>;
    async fn revoke_tenant_tokens(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress>;
    async fn delete_empty_tenant(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress>;

    // namespaces
    async fn create_namespace(&self, cx: &CallContext, call: &Call, spec: &NamespaceSpec) -> Answer<Progress>;
    async fn adopt_namespace(
        &self,
        cx: &CallContext,
        call: &Call,
        location: &str,
        spec: &NamespaceSpec,
        dry_run: bool,
    ) -> Answer<Progress>;
    async fn set_namespace_limits(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        limits: &[Limit],
    ) -> Answer<Progress>;
    async fn set_namespace_protocols(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        protocols: &[Protocol],
    ) -> Answer<Progress>;
    async fn set_namespace_lifecycle(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        rules: &[Extensions],
    ) -> Answer<Progress>;
    async fn delete_namespace(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        data: DataPolicy,
    ) -> Answer<Progress>;
    async fn undelete_namespace(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress>;
    async fn purge_namespace(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress>;
    async fn inspect_namespace(&self, cx: &CallContext, native: &NativeRef) -> Answer<NamespaceState>;
    async fn find_namespace(&self, cx: &CallContext, owner: &str) -> Answer<Option<NativeRef>>;
    async fn list_namespaces(&self, cx: &CallContext, page: &PageRequest) -> Answer<Page<NamespaceState>>;
    async fn read_usage(&self, cx: &CallContext, natives: &[NativeRef], node_results: &[NodeResult]) -> Answer<Usages>;

    // snapshots
    async fn create_snapshot(
        &self,
        cx: &CallContext,
        call: &Call,
        namespace: &NativeRef,
        name: &str,
    ) -> Answer<Progress>;
    async fn delete_snapshot(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress>;
    async fn restore_snapshot(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress>;
    async fn list_snapshots(
        &self,
        cx: &CallContext,
        namespace: &NativeRef,
        page: &PageRequest,
    ) -> Answer<Page<Snapshot>>;

    // mounts
    async fn prepare_mount(&self, cx: &CallContext, call: &Call, request: &MountRequest) -> Answer<Prepared>;
    async fn release_mount(&self, cx: &CallContext, call: &Call, plan: &NativeRef) -> Answer<Progress>;
    async fn observe_mounts(&self, cx: &CallContext, plans: &[NativeRef]) -> Answer<Vec<MountStatus>>;
    async fn detach(&self, cx: &CallContext, call: &Call, attachment: &[u8], force: bool) -> Answer<Progress>;

    // access
    async fn ensure_principal(&self, cx: &CallContext, call: &Call, spec: &PrincipalSpec) -> Answer<Progress>;
    async fn delete_principal(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress>;
    async fn find_principal(&self, cx: &CallContext, owner: &str) -> Answer<Option<NativeRef>>;
    async fn list_principals(&self, cx: &CallContext, page: &PageRequest) -> Answer<Page<PrincipalInfo>>;
    async fn plan_policy(&self, cx: &CallContext, policy: &Policy, at: &AttachPoint) -> Answer<PolicyPlan>;
    async fn apply_policy(
        &self,
        cx: &CallContext,
        call: &Call,
        policy: Option<&Policy>,
        at: &AttachPoint,
    ) -> Answer<Progress>;
    async fn read_policy(&self, cx: &CallContext, at: &AttachPoint) -> Answer<Option<Policy>>;
    async fn issue_credential(&self, cx: &CallContext, call: &Call, request: &CredentialRequest) -> Answer<Issue>;
    async fn find_credential(&self, cx: &CallContext, owner: &str) -> Answer<Option<CredentialInfo>>;
    async fn list_credentials(
        &self,
        cx: &CallContext,
        principal: Option<&NativeRef>,
        page: &PageRequest,
    ) -> Answer<Page<CredentialInfo>>;
    async fn rotate_credential(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Issue>;
    async fn revoke_credential(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        scope: &RevokeScope,
    ) -> Answer<Revocation>;

    // audit
    async fn configure_audit(&self, cx: &CallContext, call: &Call, target: &AuditTarget) -> Answer<Progress>;
    async fn audit_configured(&self, cx: &CallContext) -> Answer<AuditTarget>;
    async fn parse_audit(&self, cx: &CallContext, body: &[u8], headers: &[(String, String)])
    -> Answer<Vec<AuditEvent>>;
    async fn read_audit(&self, cx: &CallContext, cursor: Option<&[u8]>) -> Answer<AuditPage>;

    // jobs
    async fn poll_job(&self, cx: &CallContext, handle: &[u8]) -> Answer<JobStatus>;
    async fn cancel_job(&self, cx: &CallContext, handle: &[u8]) -> Answer<()>;
}
