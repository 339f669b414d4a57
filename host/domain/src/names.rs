//! Resource names: `tenants/t/projects/p/namespaces/n` and their like, parsed once at the edge.

use serde::{Deserialize, Serialize};

use crate::{
    ClassId, CredentialId, DriftId, FieldError, GrantId, MountId, NamespaceId, NodeId, OperationId, ProjectId,
    ProviderId, TenantId, WorkId, WorkloadId,
};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident { $($collection:literal => $part:ident: $id:ident),+ }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name {
            $(
                #[doc = concat!("The id after `", $collection, "/`.")]
                pub $part: $id,
            )+
        }

        impl $name {
            /// How such a name is written.
            pub const PATTERN: &'static str = concat!($($collection, "/{", stringify!($part), "}/"),+);

            /// Joins checked ids to a name.
            #[must_use]
            pub const fn new($($part: $id),+) -> Self {
                Self { $($part),+ }
            }

            /// Reads a name.
            ///
            /// # Errors
            /// Names the pattern, or the part that is no id.
            pub fn parse(text: &str) -> Result<Self, FieldError> {
                let mut parts = text.split('/');
                let wrong = || {
                    let pattern = Self::PATTERN.trim_end_matches('/');
                    FieldError::new("name", format!("{text:?} must be written as {pattern}"))
                };
                $(
                    if parts.next() != Some($collection) {
                        return Err(wrong());
                    }
                    let $part = $id::parse(parts.next().ok_or_else(wrong)?)?;
                )+
                if parts.next().is_some() {
                    return Err(wrong());
                }
                Ok(Self { $($part),+ })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut gap = "";
                $(
                    write!(f, "{gap}{}/{}", $collection, self.$part)?;
                    gap = "/";
                )+
                let _ = gap;
                Ok(())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl TryFrom<String> for $name {
            type Error = FieldError;
            fn try_from(text: String) -> Result<Self, FieldError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    };
}

name!(
    /// `tenants/{tenant}`.
    TenantName { "tenants" => tenant: TenantId }
);
name!(
    /// `tenants/{tenant}/projects/{project}`.
    ProjectName { "tenants" => tenant: TenantId, "projects" => project: ProjectId }
);
name!(
    /// `tenants/{tenant}/projects/{project}/namespaces/{namespace}`.
    NamespaceName { "tenants" => tenant: TenantId, "projects" => project: ProjectId, "namespaces" => namespace: NamespaceId }
);
name!(
    /// `tenants/{tenant}/projects/{project}/namespaces/{namespace}/grants/{grant}`.
    GrantName {
        "tenants" => tenant: TenantId, "projects" => project: ProjectId, "namespaces" => namespace: NamespaceId,
        "grants" => grant: GrantId
    }
);
name!(
    /// `tenants/{tenant}/projects/{project}/workloads/{workload}`.
    WorkloadName { "tenants" => tenant: TenantId, "projects" => project: ProjectId, "workloads" => workload: WorkloadId }
);
name!(
    /// `tenants/{tenant}/projects/{project}/workloads/{workload}/mountPlans/{mount_plan}`.
    MountName {
        "tenants" => tenant: TenantId, "projects" => project: ProjectId, "workloads" => workload: WorkloadId,
        "mountPlans" => mount_plan: MountId
    }
);
name!(
    /// `tenants/{tenant}/projects/{project}/credentials/{credential}`.
    CredentialName { "tenants" => tenant: TenantId, "projects" => project: ProjectId, "credentials" => credential: CredentialId }
);
name!(
    /// `tenants/{tenant}/projects/{project}/parents/{provider}`: what the credentials on a project's namespaces hang beneath
    /// at one provider.
    ParentName { "tenants" => tenant: TenantId, "projects" => project: ProjectId, "parents" => provider: ProviderId }
);
name!(
    /// `providers/{provider}`.
    ProviderName { "providers" => provider: ProviderId }
);
name!(
    /// `providers/{provider}/drifts/{drift}`.
    DriftName { "providers" => provider: ProviderId, "drifts" => drift: DriftId }
);
name!(
    /// `storageClasses/{storage_class}`.
    ClassName { "storageClasses" => storage_class: ClassId }
);
name!(
    /// `nodes/{node}`.
    NodeName { "nodes" => node: NodeId }
);
name!(
    /// `nodes/{node}/work/{work}`.
    WorkName { "nodes" => node: NodeId, "work" => work: WorkId }
);
name!(
    /// `operations/{operation}`.
    OperationName { "operations" => operation: OperationId }
);

impl TenantName {
    /// A project of it.
    #[must_use]
    pub fn project(&self, id: ProjectId) -> ProjectName {
        ProjectName::new(self.tenant.clone(), id)
    }
}

impl ProjectName {
    /// The tenant that owns it.
    #[must_use]
    pub fn tenant_name(&self) -> TenantName {
        TenantName::new(self.tenant.clone())
    }

    /// A namespace of it.
    #[must_use]
    pub fn namespace(&self, id: NamespaceId) -> NamespaceName {
        NamespaceName::new(self.tenant.clone(), self.project.clone(), id)
    }

    /// Its parent at a provider.
    #[must_use]
    pub fn parent(&self, provider: &ProviderName) -> ParentName {
        ParentName::new(self.tenant.clone(), self.project.clone(), provider.provider.clone())
    }

    /// A credential of it.
    #[must_use]
    pub fn credential(&self, id: CredentialId) -> CredentialName {
        CredentialName::new(self.tenant.clone(), self.project.clone(), id)
    }

    /// A workload of it.
    #[must_use]
    pub fn workload(&self, id: WorkloadId) -> WorkloadName {
        WorkloadName::new(self.tenant.clone(), self.project.clone(), id)
    }
}

impl NamespaceName {
    /// The project that owns it.
    #[must_use]
    pub fn project_name(&self) -> ProjectName {
        ProjectName::new(self.tenant.clone(), self.project.clone())
    }

    /// A grant on it.
    #[must_use]
    pub fn grant(&self, id: GrantId) -> GrantName {
        GrantName::new(self.tenant.clone(), self.project.clone(), self.namespace.clone(), id)
    }
}

impl GrantName {
    /// The namespace that it is on.
    #[must_use]
    pub fn namespace_name(&self) -> NamespaceName {
        NamespaceName::new(self.tenant.clone(), self.project.clone(), self.namespace.clone())
    }
}

impl WorkloadName {
    /// The project that it belongs to.
    #[must_use]
    pub fn project_name(&self) -> ProjectName {
        ProjectName::new(self.tenant.clone(), self.project.clone())
    }

    /// A mount plan of it.
    #[must_use]
    pub fn mount(&self, id: MountId) -> MountName {
        MountName::new(self.tenant.clone(), self.project.clone(), self.workload.clone(), id)
    }
}

impl CredentialName {
    /// The project that it was issued to.
    #[must_use]
    pub fn project_name(&self) -> ProjectName {
        ProjectName::new(self.tenant.clone(), self.project.clone())
    }
}

impl ParentName {
    /// The project that owns the namespaces.
    #[must_use]
    pub fn project_name(&self) -> ProjectName {
        ProjectName::new(self.tenant.clone(), self.project.clone())
    }

    /// Where it is.
    #[must_use]
    pub fn provider_name(&self) -> ProviderName {
        ProviderName::new(self.provider.clone())
    }
}

impl MountName {
    /// The workload that it is for.
    #[must_use]
    pub fn workload_name(&self) -> WorkloadName {
        WorkloadName::new(self.tenant.clone(), self.project.clone(), self.workload.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_wrong_ones_name_the_pattern() {
        let text = "tenants/acme/projects/vision/namespaces/data";
        assert_eq!(NamespaceName::parse(text).unwrap().to_string(), text);
        for bad in ["", "tenants/acme", "tenants/acme/projects/vision/namespaces/data/x", "acme/vision/data"] {
            let error = NamespaceName::parse(bad).unwrap_err();
            assert!(error.rule.contains("tenants/{tenant}/projects/{project}/namespaces/{namespace}"), "{error}");
        }
        assert_eq!(NamespaceName::parse("tenants/Acme/projects/p/namespaces/n").unwrap_err().field, "tenant");
    }
}
