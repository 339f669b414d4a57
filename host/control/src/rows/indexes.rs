//! Secondary orders. Each is written by the transaction of the row that it leads to.

use stowage_domain::{
    Grant, GrantName, MountName, Namespace, NamespaceName, OperationId, Principal, ProviderName, UnixMillis,
};
use stowage_store::{Index, Segments, Transaction};

use crate::{mounts::Mount, operations::Operation};

/// Operations that have not ended: what a start-up claims, without a table scan.
pub(crate) const OPEN_OPERATIONS: Index = Index("operations-open");
/// Operations that have ended, by the time of their end.
pub(crate) const ENDED_OPERATIONS: Index = Index("operations-ended");
/// Request ids by the time of their use.
pub(crate) const REQUEST_TIMES: Index = Index("requests-by-time");
/// Operations by tenant, newest first.
pub(crate) const TENANT_OPERATIONS: Index = Index("operations-by-tenant");
/// Operations by project, newest first.
pub(crate) const PROJECT_OPERATIONS: Index = Index("operations-by-project");
/// Namespaces by provider: a provider with one is not empty.
pub(crate) const PROVIDER_NAMESPACES: Index = Index("namespaces-by-provider");
/// Namespaces by the mark that they bear at their provider: provider, owner.
pub(crate) const NAMESPACE_OWNERS: Index = Index("namespaces-by-owner");
/// Namespaces by where they are at their provider: provider, location.
pub(crate) const NAMESPACE_LOCATIONS: Index = Index("namespaces-by-location");
/// Drifts by provider, whether they are open, and kind.
pub(crate) const DRIFTS: Index = Index("drifts");
/// Namespaces by class: a class with one is in use.
pub(crate) const CLASS_NAMESPACES: Index = Index("namespaces-by-class");
/// Grants by who sees the namespace through them: a user, group, service, or the project of a workload.
pub(crate) const SHARED_INTO: Index = Index("grants-by-consumer");
/// Mounts that have not ended, by namespace.
pub(crate) const NAMESPACE_MOUNTS: Index = Index("mounts-by-namespace");
/// Mounts that have not ended, by grant.
pub(crate) const GRANT_MOUNTS: Index = Index("mounts-by-grant");
/// Mounts that have not ended, by node.
pub(crate) const NODE_MOUNTS: Index = Index("mounts-by-node");
/// Names of nodes by the hash of their token.
pub(crate) const NODE_TOKENS: Index = Index("nodes-by-token");
/// The native object of a tenant at a provider, as hex.
pub(crate) const TENANT_BINDINGS: Index = Index("tenants-at-providers");
/// What ends by itself, by the time of its end: workloads and grants.
pub(crate) const EXPIRIES: Index = Index("expiries");
/// Reported work by node: claim and digest of the report, so that a repeat is answered.
pub(crate) const REPORTED_WORK: Index = Index("work-reported");
/// Secrets that the host has made, by provider and name.
pub(crate) const MADE_SECRETS: Index = Index("secrets-made");
/// The one default class.
pub(crate) const DEFAULT_CLASS: Index = Index("class-default");

fn open_key(id: &OperationId) -> Segments {
    Segments::of([id.as_str()])
}

/// Where an operation stands in the lists of its tenant and project.
fn operation_keys(operation: &Operation) -> Vec<(Index, Segments)> {
    let id = operation.name.operation.as_str();
    let Some(tenant) = operation.tenant.as_ref().map(|tenant| tenant.as_str()) else { return Vec::new() };
    let mut keys = vec![(TENANT_OPERATIONS, Segments::of([tenant, id]))];
    keys.extend(operation.project.iter().map(|p| (PROJECT_OPERATIONS, Segments::of([tenant, p.as_str(), id]))));
    keys
}

/// Adds the rows of a new operation.
pub(crate) fn index_operation(change: &mut Transaction, operation: &Operation) {
    change.index(OPEN_OPERATIONS, &open_key(&operation.name.operation), "");
    for (index, key) in operation_keys(operation) {
        change.index(index, &key, "");
    }
}

/// Takes an operation that is forgotten out of the lists.
pub(crate) fn unindex_operation(change: &mut Transaction, operation: &Operation) {
    for (index, key) in operation_keys(operation) {
        change.unindex(index, &key);
    }
}

/// Moves an operation that has ended from the open ones to those that are forgotten after a time.
pub(crate) fn index_end(change: &mut Transaction, id: &OperationId, at: UnixMillis) {
    change.unindex(OPEN_OPERATIONS, &open_key(id));
    change.index(ENDED_OPERATIONS, &Segments::new().number(at.0).text(id.as_str()), "");
}

pub(crate) fn provider_namespace(provider: &ProviderName, namespace: &NamespaceName) -> Segments {
    Segments::of([provider.provider.as_str(), &namespace.to_string()])
}

/// Adds the rows that lead from a provider's view to a namespace: its mark, and its place once that is known.
pub(crate) fn index_native(change: &mut Transaction, namespace: &Namespace) {
    for (index, key) in native_keys(namespace) {
        change.index(index, &key, &namespace.name.to_string());
    }
}

pub(crate) fn unindex_native(change: &mut Transaction, namespace: &Namespace) {
    for (index, key) in native_keys(namespace) {
        change.unindex(index, &key);
    }
}

fn native_keys(namespace: &Namespace) -> Vec<(Index, Segments)> {
    let provider = namespace.provider.provider.as_str();
    let mut keys = vec![(NAMESPACE_OWNERS, Segments::of([provider, &namespace.owner]))];
    let location = namespace.native.as_ref().map(|native| native.location.as_str()).filter(|place| !place.is_empty());
    keys.extend(location.map(|location| (NAMESPACE_LOCATIONS, Segments::of([provider, location]))));
    keys
}

/// Key of what ends by itself at `at`.
pub(crate) fn expiry_key(at: UnixMillis, name: impl std::fmt::Display) -> Segments {
    Segments::new().number(at.0).text(&name.to_string())
}

/// Who sees a namespace because of a grant for this principal.
pub(crate) fn consumer(principal: &Principal) -> String {
    match principal {
        Principal::Workload(name) => Principal::Project(name.project_name()).text(),
        other => other.text(),
    }
}

fn grant_key(grant: &Grant) -> Segments {
    let name: &GrantName = &grant.name;
    Segments::of([&consumer(&grant.principal), &name.namespace_name().to_string(), name.grant.as_str()])
}

pub(crate) fn index_grant(change: &mut Transaction, grant: &Grant) {
    change.index(SHARED_INTO, &grant_key(grant), &grant.name.to_string());
    if let Some(end) = grant.expires_at {
        change.index(EXPIRIES, &expiry_key(end, &grant.name), "");
    }
}

pub(crate) fn unindex_grant(change: &mut Transaction, grant: &Grant) {
    change.unindex(SHARED_INTO, &grant_key(grant));
    if let Some(end) = grant.expires_at {
        change.unindex(EXPIRIES, &expiry_key(end, &grant.name));
    }
}

fn mount_keys(mount: &Mount) -> Vec<(Index, Segments)> {
    let name = mount.name.to_string();
    let mut keys = vec![(NAMESPACE_MOUNTS, Segments::of([&mount.namespace.to_string(), &name]))];
    keys.extend(mount.grants.iter().map(|grant| (GRANT_MOUNTS, Segments::of([&grant.to_string(), &name]))));
    keys.extend(mount.node.iter().map(|node| (NODE_MOUNTS, Segments::of([node.node.as_str(), &name]))));
    keys
}

pub(crate) fn index_mount(change: &mut Transaction, mount: &Mount) {
    let name: &MountName = &mount.name;
    for (index, key) in mount_keys(mount) {
        change.index(index, &key, &name.to_string());
    }
}

pub(crate) fn unindex_mount(change: &mut Transaction, mount: &Mount) {
    for (index, key) in mount_keys(mount) {
        change.unindex(index, &key);
    }
}
