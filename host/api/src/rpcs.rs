//! The one table of what each method needs: permission, scope, callers, and whether it is audited.
//!
//! The front layer reads it before a request is decoded; a test over the contract's descriptors holds that every method
//! has exactly one row, and another calls every row without a token and from a foreign tenant. A method without a row is
//! refused.

use stowage_ports::Role;

/// What a method works on, and so what of the caller's identity must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing of anybody: every caller with the role, wherever bound (storage classes).
    Region,
    /// The region's own things: only callers that aren't bound to a tenant.
    Operator,
    /// One tenant: callers of that tenant as a whole, or of the region.
    Tenant,
    /// One project: callers of that project, of its tenant, or of the region.
    Project,
    /// One node: that node's agent alone.
    Node,
    /// The tenant or project that the found resource belongs to (operations).
    Owner,
}

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Callers with one of these roles.
    Roles(&'static [Role]),
    /// Node agents.
    Nodes,
    /// Anybody: the request carries a proof of its own (a join token).
    Anyone,
}

/// What one method needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rpc {
    /// Path on the wire, `/stowage.v1.Service/Method`.
    pub path: &'static str,
    /// What a role must contain, as it stands in refusals and in the audit.
    pub permission: &'static str,
    /// What it works on.
    pub scope: Scope,
    /// Who may call it.
    pub callers: Callers,
    /// Whether it changes something, and so leaves an audit entry.
    pub audited: bool,
}

const OPERATORS: Callers = Callers::Roles(&[Role::Operator]);
const OBSERVERS: Callers = Callers::Roles(&[Role::Operator, Role::Platform, Role::Viewer]);
const PLATFORM: Callers = Callers::Roles(&[Role::Operator, Role::Platform]);
const ADMINS: Callers = Callers::Roles(&[Role::Operator, Role::Platform, Role::Admin]);
const MEMBERS: Callers = Callers::Roles(&[Role::Operator, Role::Platform, Role::Admin, Role::Member]);
const READERS: Callers = Callers::Roles(&[Role::Operator, Role::Platform, Role::Admin, Role::Member, Role::Viewer]);

const fn read(path: &'static str, permission: &'static str, scope: Scope, callers: Callers) -> Rpc {
    Rpc { path, permission, scope, callers, audited: false }
}

const fn change(path: &'static str, permission: &'static str, scope: Scope, callers: Callers) -> Rpc {
    Rpc { path, permission, scope, callers, audited: true }
}

/// Every method of the contract, sorted by path.
pub const RPCS: &[Rpc] = &[
    read("/stowage.v1.CredentialService/GetCredential", "credential.get", Scope::Project, READERS),
    change("/stowage.v1.CredentialService/IssueCredential", "credential.issue", Scope::Project, MEMBERS),
    read("/stowage.v1.CredentialService/ListCredentials", "credential.list", Scope::Project, READERS),
    change("/stowage.v1.CredentialService/RevokeCredential", "credential.revoke", Scope::Project, MEMBERS),
    read("/stowage.v1.DriftService/GetDrift", "drift.get", Scope::Operator, OBSERVERS),
    read("/stowage.v1.DriftService/ListDrifts", "drift.list", Scope::Operator, OBSERVERS),
    change("/stowage.v1.DriftService/ResolveDrift", "drift.resolve", Scope::Operator, OPERATORS),
    change("/stowage.v1.DriftService/ScanDrifts", "drift.scan", Scope::Operator, OPERATORS),
    change("/stowage.v1.GrantService/CreateGrant", "grant.create", Scope::Project, ADMINS),
    read("/stowage.v1.GrantService/GetGrant", "grant.get", Scope::Project, READERS),
    read("/stowage.v1.GrantService/ListGrants", "grant.list", Scope::Project, READERS),
    change("/stowage.v1.GrantService/RevokeGrant", "grant.revoke", Scope::Project, ADMINS),
    change("/stowage.v1.MountService/CreateMountPlan", "mount.create", Scope::Project, MEMBERS),
    read("/stowage.v1.MountService/GetMountPlan", "mount.get", Scope::Project, READERS),
    read("/stowage.v1.MountService/ListMountPlans", "mount.list", Scope::Project, READERS),
    change("/stowage.v1.MountService/ReleaseMountPlan", "mount.release", Scope::Project, MEMBERS),
    change("/stowage.v1.NamespaceService/AdoptNamespace", "namespace.adopt", Scope::Operator, OPERATORS),
    change("/stowage.v1.NamespaceService/CreateNamespace", "namespace.create", Scope::Project, MEMBERS),
    change("/stowage.v1.NamespaceService/DeleteNamespace", "namespace.delete", Scope::Project, MEMBERS),
    read("/stowage.v1.NamespaceService/GetNamespace", "namespace.get", Scope::Project, READERS),
    read("/stowage.v1.NamespaceService/GetNamespaceUsage", "namespace.usage", Scope::Project, READERS),
    read("/stowage.v1.NamespaceService/ListNamespaces", "namespace.list", Scope::Project, READERS),
    read("/stowage.v1.NamespaceService/ListSharedNamespaces", "namespace.list", Scope::Project, READERS),
    change("/stowage.v1.NamespaceService/SetNamespaceProtocols", "namespace.set-protocols", Scope::Project, MEMBERS),
    change("/stowage.v1.NamespaceService/SetNamespaceQuota", "namespace.set-quota", Scope::Project, MEMBERS),
    change("/stowage.v1.NamespaceService/UndeleteNamespace", "namespace.undelete", Scope::Project, MEMBERS),
    change("/stowage.v1.NamespaceService/UpdateNamespace", "namespace.update", Scope::Project, MEMBERS),
    change("/stowage.v1.NodeService/ClaimWork", "node.work", Scope::Node, Callers::Nodes),
    change("/stowage.v1.NodeService/CreateNode", "node.create", Scope::Operator, OPERATORS),
    change("/stowage.v1.NodeService/DeleteNode", "node.delete", Scope::Operator, OPERATORS),
    read("/stowage.v1.NodeService/GetNode", "node.get", Scope::Operator, OBSERVERS),
    change("/stowage.v1.NodeService/JoinNode", "node.join", Scope::Node, Callers::Anyone),
    read("/stowage.v1.NodeService/ListNodes", "node.list", Scope::Operator, OBSERVERS),
    change("/stowage.v1.NodeService/RedeemMountSecret", "node.redeem-secret", Scope::Node, Callers::Nodes),
    change("/stowage.v1.NodeService/ReportNodeStatus", "node.report", Scope::Node, Callers::Nodes),
    change("/stowage.v1.NodeService/ReportWork", "node.work", Scope::Node, Callers::Nodes),
    change("/stowage.v1.OperationService/CancelOperation", "operation.cancel", Scope::Owner, MEMBERS),
    read("/stowage.v1.OperationService/GetOperation", "operation.get", Scope::Owner, READERS),
    read("/stowage.v1.OperationService/ListOperations", "operation.list", Scope::Owner, READERS),
    read("/stowage.v1.OperationService/WaitOperation", "operation.get", Scope::Owner, READERS),
    change("/stowage.v1.ProviderService/CordonProvider", "provider.cordon", Scope::Operator, OPERATORS),
    change("/stowage.v1.ProviderService/CreateProvider", "provider.create", Scope::Operator, OPERATORS),
    change("/stowage.v1.ProviderService/DeleteProvider", "provider.delete", Scope::Operator, OPERATORS),
    read("/stowage.v1.ProviderService/GetProvider", "provider.get", Scope::Operator, OBSERVERS),
    read("/stowage.v1.ProviderService/InspectPlugin", "plugin.get", Scope::Operator, OBSERVERS),
    read("/stowage.v1.ProviderService/ListCapabilities", "provider.get", Scope::Operator, OBSERVERS),
    read("/stowage.v1.ProviderService/ListCounters", "provider.get", Scope::Operator, OBSERVERS),
    read("/stowage.v1.ProviderService/ListPlugins", "plugin.list", Scope::Operator, OBSERVERS),
    read("/stowage.v1.ProviderService/ListProviders", "provider.list", Scope::Operator, OBSERVERS),
    change("/stowage.v1.ProviderService/PreflightProvider", "provider.preflight", Scope::Operator, OPERATORS),
    change("/stowage.v1.ProviderService/ProbeProvider", "provider.probe", Scope::Operator, OPERATORS),
    change("/stowage.v1.ProviderService/RecordEvidence", "provider.record-evidence", Scope::Operator, OPERATORS),
    change("/stowage.v1.ProviderService/UncordonProvider", "provider.cordon", Scope::Operator, OPERATORS),
    change("/stowage.v1.ProviderService/UpdateProvider", "provider.update", Scope::Operator, OPERATORS),
    change("/stowage.v1.StorageClassService/CreateStorageClass", "class.create", Scope::Operator, OPERATORS),
    change("/stowage.v1.StorageClassService/DeleteStorageClass", "class.delete", Scope::Operator, OPERATORS),
    read("/stowage.v1.StorageClassService/GetStorageClass", "class.get", Scope::Region, READERS),
    read("/stowage.v1.StorageClassService/ListStorageClasses", "class.list", Scope::Region, READERS),
    change("/stowage.v1.StorageClassService/UpdateStorageClass", "class.update", Scope::Operator, OPERATORS),
    change("/stowage.v1.TenantService/CreateProject", "project.create", Scope::Tenant, ADMINS),
    change("/stowage.v1.TenantService/CreateTenant", "tenant.create", Scope::Operator, PLATFORM),
    change("/stowage.v1.TenantService/DeleteProject", "project.delete", Scope::Tenant, ADMINS),
    change("/stowage.v1.TenantService/DeleteTenant", "tenant.delete", Scope::Operator, PLATFORM),
    read("/stowage.v1.TenantService/GetProject", "project.get", Scope::Project, READERS),
    read("/stowage.v1.TenantService/GetTenant", "tenant.get", Scope::Tenant, READERS),
    read("/stowage.v1.TenantService/ListProjects", "project.list", Scope::Tenant, READERS),
    read("/stowage.v1.TenantService/ListTenants", "tenant.list", Scope::Operator, OBSERVERS),
    change("/stowage.v1.TenantService/UpdateProject", "project.update", Scope::Tenant, PLATFORM),
    change("/stowage.v1.TenantService/UpdateTenant", "tenant.update", Scope::Operator, PLATFORM),
    read("/stowage.v1.WorkloadService/GetWorkload", "workload.get", Scope::Project, READERS),
    read("/stowage.v1.WorkloadService/ListWorkloads", "workload.list", Scope::Project, READERS),
    change("/stowage.v1.WorkloadService/RegisterWorkload", "workload.register", Scope::Project, MEMBERS),
    change("/stowage.v1.WorkloadService/ReleaseWorkload", "workload.release", Scope::Project, MEMBERS),
];

/// The row of a path.
#[must_use]
pub fn rpc(path: &str) -> Option<&'static Rpc> {
    let at = RPCS.binary_search_by(|row| row.path.cmp(path)).ok()?;
    RPCS.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_contract_has_exactly_one_row() {
        let mut methods: Vec<String> = stowage_proto::descriptors()
            .services()
            .flat_map(|service| {
                service
                    .methods()
                    .map(|method| format!("/{}/{}", service.full_name(), method.name()))
                    .collect::<Vec<_>>()
            })
            .collect();
        methods.sort();
        let rows: Vec<&str> = RPCS.iter().map(|row| row.path).collect();
        assert_eq!(rows, methods, "rows are sorted by path, one a method");
    }

    #[test]
    fn every_path_is_found() {
        for row in RPCS {
            assert_eq!(rpc(row.path), Some(row));
        }
        assert_eq!(rpc("/stowage.v1.NamespaceService/Nothing"), None);
    }

    /// Standard names tell whether a method changes anything; a row that says otherwise is a slip.
    #[test]
    fn reads_are_not_audited_and_changes_are() {
        for row in RPCS {
            let method = row.path.rsplit('/').next().unwrap();
            let reads = ["Get", "List", "Inspect", "Wait"].iter().any(|verb| method.starts_with(verb));
            assert_eq!(row.audited, !reads, "{}", row.path);
        }
    }
}
