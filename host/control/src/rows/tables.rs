//! Tables and keys.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use stowage_domain::{
    Decision, Drift, DriftName, Grant, GrantName, MountName, Namespace, NamespaceName, Node, NodeName, OperationName,
    Project, ProjectName, Provider, ProviderName, StorageClass, Tenant, TenantName, WorkName, Workload, WorkloadName,
};
use stowage_ports::store::Version;
use stowage_store::{Record, Segments, Tables, Transaction};

use crate::{
    ControlError, Listed, PageRequest, Result, Stored, drift::Baseline, mounts::Mount, operations::Operation,
    providers::Evidence, work::Work,
};

/// A record with its table and key.
pub(crate) trait Keyed: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    const TABLE: &'static str;
    type Name: std::fmt::Display;
    fn name(&self) -> &Self::Name;
    fn key_of(name: &Self::Name) -> Segments;
}

/// Why a namespace stands where it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Placement {
    /// The namespace.
    pub(crate) name: NamespaceName,
    /// Every provider with its verdicts.
    pub(crate) decision: Decision,
}

/// A record as a row; the wrapper is what lets domain types be rows of the store crate.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Row<T>(pub(crate) T);

impl<T: Keyed> Record for Row<T>
where
    Self: Serialize + DeserializeOwned,
{
    const TABLE: &'static str = T::TABLE;

    fn key(&self) -> Segments {
        T::key_of(self.0.name())
    }
}

macro_rules! keyed {
    ($type:ty, $table:literal, $name_type:ty, |$name:ident| [$($part:expr),+]) => {
        impl Keyed for $type {
            const TABLE: &'static str = $table;
            type Name = $name_type;

            fn name(&self) -> &Self::Name {
                &self.name
            }

            fn key_of($name: &Self::Name) -> Segments {
                Segments::of([$($part.as_str()),+])
            }
        }
    };
}

keyed!(Tenant, "tenant", TenantName, |name| [name.tenant]);
keyed!(Project, "project", ProjectName, |name| [name.tenant, name.project]);
keyed!(StorageClass, "class", stowage_domain::ClassName, |name| [name.storage_class]);
keyed!(Provider, "provider", ProviderName, |name| [name.provider]);
keyed!(Namespace, "namespace", NamespaceName, |name| [name.tenant, name.project, name.namespace]);
keyed!(Placement, "placement", NamespaceName, |name| [name.tenant, name.project, name.namespace]);
keyed!(Grant, "grant", GrantName, |name| [name.tenant, name.project, name.namespace, name.grant]);
keyed!(Workload, "workload", WorkloadName, |name| [name.tenant, name.project, name.workload]);
keyed!(Mount, "mount", MountName, |name| [name.tenant, name.project, name.workload, name.mount_plan]);
keyed!(Node, "node", NodeName, |name| [name.node]);
keyed!(Drift, "drift", DriftName, |name| [name.provider, name.drift]);
keyed!(Evidence, "evidence", ProviderName, |name| [name.provider]);
keyed!(Baseline, "drift-baseline", ProviderName, |name| [name.provider]);
keyed!(Work, "work", WorkName, |name| [name.node, name.work]);
keyed!(Operation, "operation", OperationName, |name| [name.operation]);

/// Reads by name.
pub(crate) trait Reads {
    async fn find<T: Keyed>(&self, name: &T::Name) -> Result<Option<Stored<T>>>;
    async fn read<T: Keyed>(&self, name: &T::Name) -> Result<Stored<T>>;
    async fn list<T: Keyed>(&self, prefix: &Segments, page: &PageRequest) -> Result<Listed<Stored<T>>>;
}

impl Reads for Tables {
    async fn find<T: Keyed>(&self, name: &T::Name) -> Result<Option<Stored<T>>> {
        let found = self.get::<Row<T>>(&T::key_of(name)).await?;
        Ok(found.map(|(row, version)| Stored { value: row.0, version }))
    }

    async fn read<T: Keyed>(&self, name: &T::Name) -> Result<Stored<T>> {
        self.find::<T>(name).await?.ok_or_else(|| ControlError::not_found(name))
    }

    async fn list<T: Keyed>(&self, prefix: &Segments, page: &PageRequest) -> Result<Listed<Stored<T>>> {
        let found = self.page::<Row<T>>(prefix, page.cursor()?.as_ref(), page.limit()).await?;
        let stored = |(row, version): (Row<T>, Version)| Stored { value: row.0, version };
        Ok(Listed::of(found.items.into_iter().map(stored).collect(), found.next))
    }
}

/// Writes by name.
pub(crate) trait Writes {
    fn insert<T: Keyed>(&mut self, record: &T);
    fn update<T: Keyed>(&mut self, record: &T, version: Version);
    fn remove<T: Keyed>(&mut self, name: &T::Name, version: Version);
    fn unchanged<T: Keyed>(&mut self, stored: &Stored<T>);
}

impl Writes for Transaction {
    fn insert<T: Keyed>(&mut self, record: &T) {
        self.create(&Row(record.clone()));
    }

    fn update<T: Keyed>(&mut self, record: &T, version: Version) {
        self.replace(&Row(record.clone()), version);
    }

    fn remove<T: Keyed>(&mut self, name: &T::Name, version: Version) {
        self.delete::<Row<T>>(&T::key_of(name), version);
    }

    fn unchanged<T: Keyed>(&mut self, stored: &Stored<T>) {
        self.require::<Row<T>>(&T::key_of(stored.value.name()), stored.version);
    }
}
