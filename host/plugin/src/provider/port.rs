//! The port, function by function: into the contract's types, one call, out of them again.

use async_trait::async_trait;
use stowage_ports::Provider;
use stowage_ports::provider::*;

use super::Instance;
use crate::convert::ToGuest;

#[async_trait]
impl Provider for Instance {
    fn description(&self) -> &Description {
        self.admitted.description()
    }

    fn interfaces(&self) -> &[String] {
        self.admitted.interfaces()
    }

    // health

    async fn probe(&self, cx: &CallContext, mode: ProbeMode) -> Answer<ProbeReport> {
        self.call(cx, None, &self.functions().probe, || (mode.to_guest(),)).await
    }

    async fn preflight(&self, cx: &CallContext, mode: ProbeMode) -> Answer<Vec<Finding>> {
        self.call(cx, None, &self.functions().preflight, || (mode.to_guest(),)).await
    }

    // tenants

    async fn ensure_tenant(&self, cx: &CallContext, call: &Call, tenant: &str, limits: &[Limit]) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().tenant_ensure, || {
            (call.to_guest(), tenant.to_owned(), limits.to_guest())
        })
        .await
    }

    async fn inspect_tenant(&self, cx: &CallContext, native: &NativeRef) -> Answer<TenantState> {
        self.call(cx, None, &self.functions().tenant_inspect, || (native.to_guest(),)).await
    }

    async fn set_tenant_limits(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        limits: &[Limit],
    ) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().tenant_set_limits, || {
            (call.to_guest(), native.to_guest(), limits.to_guest())
        })
        .await
    }

    async fn revoke_tenant_tokens(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().tenant_revoke_tokens, || {
            (call.to_guest(), native.to_guest())
        })
        .await
    }

    async fn delete_empty_tenant(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().tenant_delete_empty, || (call.to_guest(), native.to_guest()))
            .await
    }

    // namespaces

    async fn create_namespace(&self, cx: &CallContext, call: &Call, spec: &NamespaceSpec) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().namespace_create, || (call.to_guest(), spec.to_guest()))
            .await
    }

    async fn adopt_namespace(
        &self,
        cx: &CallContext,
        call: &Call,
        location: &str,
        spec: &NamespaceSpec,
        dry_run: bool,
    ) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().namespace_adopt, || {
            (call.to_guest(), location.to_owned(), spec.to_guest(), dry_run)
        })
        .await
    }

    async fn set_namespace_limits(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        limits: &[Limit],
    ) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().namespace_set_limits, || {
            (call.to_guest(), native.to_guest(), limits.to_guest())
        })
        .await
    }

    async fn set_namespace_protocols(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        protocols: &[Protocol],
    ) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().namespace_set_protocols, || {
            (call.to_guest(), native.to_guest(), protocols.to_guest())
        })
        .await
    }

    async fn set_namespace_lifecycle(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        rules: &[Extensions],
    ) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().namespace_set_lifecycle, || {
            (call.to_guest(), native.to_guest(), rules.to_vec())
        })
        .await
    }

    async fn delete_namespace(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        data: DataPolicy,
    ) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().namespace_delete, || {
            (call.to_guest(), native.to_guest(), data.to_guest())
        })
        .await
    }

    async fn undelete_namespace(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().namespace_undelete, || (call.to_guest(), native.to_guest()))
            .await
    }

    async fn purge_namespace(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().namespace_purge, || (call.to_guest(), native.to_guest()))
            .await
    }

    async fn inspect_namespace(&self, cx: &CallContext, native: &NativeRef) -> Answer<NamespaceState> {
        self.call(cx, None, &self.functions().namespace_inspect, || (native.to_guest(),)).await
    }

    async fn find_namespace(&self, cx: &CallContext, owner: &str) -> Answer<Option<NativeRef>> {
        self.call(cx, None, &self.functions().namespace_find, || (owner.to_owned(),)).await
    }

    async fn list_namespaces(&self, cx: &CallContext, page: &PageRequest) -> Answer<Page<NamespaceState>> {
        self.call(cx, None, &self.functions().namespace_list, || (page.to_guest(),)).await
    }

    async fn read_usage(&self, cx: &CallContext, natives: &[NativeRef], node_results: &[NodeResult]) -> Answer<Usages> {
        self.call(cx, None, &self.functions().namespace_usage, || (natives.to_guest(), node_results.to_guest())).await
    }

    // snapshots

    async fn create_snapshot(
        &self,
        cx: &CallContext,
        call: &Call,
        namespace: &NativeRef,
        name: &str,
    ) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().snapshot_create, || {
            (call.to_guest(), namespace.to_guest(), name.to_owned())
        })
        .await
    }

    async fn delete_snapshot(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().snapshot_delete, || (call.to_guest(), native.to_guest()))
            .await
    }

    async fn restore_snapshot(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().snapshot_restore, || (call.to_guest(), native.to_guest()))
            .await
    }

    async fn list_snapshots(
        &self,
        cx: &CallContext,
        namespace: &NativeRef,
        page: &PageRequest,
    ) -> Answer<Page<Snapshot>> {
        self.call(cx, None, &self.functions().snapshot_list, || (namespace.to_guest(), page.to_guest())).await
    }

    // mounts

    async fn prepare_mount(&self, cx: &CallContext, call: &Call, request: &MountRequest) -> Answer<Prepared> {
        self.call(cx, Some(&call.owner), &self.functions().mount_prepare, || (call.to_guest(), request.to_guest()))
            .await
    }

    async fn release_mount(&self, cx: &CallContext, call: &Call, plan: &NativeRef) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().mount_release, || (call.to_guest(), plan.to_guest())).await
    }

    async fn observe_mounts(&self, cx: &CallContext, plans: &[NativeRef]) -> Answer<Vec<MountStatus>> {
        self.call(cx, None, &self.functions().mount_observe, || (plans.to_guest(),)).await
    }

    async fn detach(&self, cx: &CallContext, call: &Call, attachment: &[u8], force: bool) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().mount_detach, || {
            (call.to_guest(), attachment.to_vec(), force)
        })
        .await
    }

    // access

    async fn ensure_principal(&self, cx: &CallContext, call: &Call, spec: &PrincipalSpec) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().principal_ensure, || (call.to_guest(), spec.to_guest()))
            .await
    }

    async fn delete_principal(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().principal_delete, || (call.to_guest(), native.to_guest()))
            .await
    }

    async fn find_principal(&self, cx: &CallContext, owner: &str) -> Answer<Option<NativeRef>> {
        self.call(cx, None, &self.functions().principal_find, || (owner.to_owned(),)).await
    }

    async fn list_principals(&self, cx: &CallContext, page: &PageRequest) -> Answer<Page<PrincipalInfo>> {
        self.call(cx, None, &self.functions().principal_list, || (page.to_guest(),)).await
    }

    async fn plan_policy(&self, cx: &CallContext, policy: &Policy, at: &AttachPoint) -> Answer<PolicyPlan> {
        self.call(cx, None, &self.functions().policy_plan, || (policy.to_guest(), at.to_guest())).await
    }

    async fn apply_policy(
        &self,
        cx: &CallContext,
        call: &Call,
        policy: Option<&Policy>,
        at: &AttachPoint,
    ) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().policy_apply, || {
            (call.to_guest(), policy.map(ToGuest::to_guest), at.to_guest())
        })
        .await
    }

    async fn read_policy(&self, cx: &CallContext, at: &AttachPoint) -> Answer<Option<Policy>> {
        self.call(cx, None, &self.functions().policy_read, || (at.to_guest(),)).await
    }

    async fn issue_credential(&self, cx: &CallContext, call: &Call, request: &CredentialRequest) -> Answer<Issue> {
        self.call(cx, Some(&call.owner), &self.functions().credential_issue, || (call.to_guest(), request.to_guest()))
            .await
    }

    async fn find_credential(&self, cx: &CallContext, owner: &str) -> Answer<Option<CredentialInfo>> {
        self.call(cx, None, &self.functions().credential_find, || (owner.to_owned(),)).await
    }

    async fn list_credentials(
        &self,
        cx: &CallContext,
        principal: Option<&NativeRef>,
        page: &PageRequest,
    ) -> Answer<Page<CredentialInfo>> {
        self.call(cx, None, &self.functions().credential_list, || (principal.map(ToGuest::to_guest), page.to_guest()))
            .await
    }

    async fn rotate_credential(&self, cx: &CallContext, call: &Call, native: &NativeRef) -> Answer<Issue> {
        self.call(cx, Some(&call.owner), &self.functions().credential_rotate, || (call.to_guest(), native.to_guest()))
            .await
    }

    async fn revoke_credential(
        &self,
        cx: &CallContext,
        call: &Call,
        native: &NativeRef,
        scope: &RevokeScope,
    ) -> Answer<Revocation> {
        self.call(cx, Some(&call.owner), &self.functions().credential_revoke, || {
            (call.to_guest(), native.to_guest(), scope.to_guest())
        })
        .await
    }

    // audit

    async fn configure_audit(&self, cx: &CallContext, call: &Call, target: &AuditTarget) -> Answer<Progress> {
        self.call(cx, Some(&call.owner), &self.functions().audit_configure, || (call.to_guest(), target.to_guest()))
            .await
    }

    async fn audit_configured(&self, cx: &CallContext) -> Answer<AuditTarget> {
        self.call(cx, None, &self.functions().audit_configured, || ()).await
    }

    async fn parse_audit(
        &self,
        cx: &CallContext,
        body: &[u8],
        headers: &[(String, String)],
    ) -> Answer<Vec<AuditEvent>> {
        self.call(cx, None, &self.functions().audit_parse, || (body.to_vec(), headers.to_vec())).await
    }

    async fn read_audit(&self, cx: &CallContext, cursor: Option<&[u8]>) -> Answer<AuditPage> {
        self.call(cx, None, &self.functions().audit_read, || (cursor.map(<[u8]>::to_vec),)).await
    }

    // jobs

    async fn poll_job(&self, cx: &CallContext, handle: &[u8]) -> Answer<JobStatus> {
        self.call(cx, None, &self.functions().job_poll, || (handle.to_vec(),)).await
    }

    async fn cancel_job(&self, cx: &CallContext, handle: &[u8]) -> Answer<()> {
        self.call(cx, None, &self.functions().job_cancel, || (handle.to_vec(),)).await
    }
}
