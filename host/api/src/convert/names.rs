//! Names and ids of a request, with the refusal at the field where they stand.

use stowage_domain::{
    ClassId, ClassName, CredentialName, DriftName, FieldError, GrantId, GrantName, MountId, MountName, NamespaceId,
    NamespaceName, NodeId, NodeName, OperationName, ProjectId, ProjectName, ProviderId, ProviderName, TenantId,
    TenantName, WorkName, WorkloadId, WorkloadName,
};

use crate::refusal::Refusal;

/// A kind of name or id that stands in requests as text.
pub(crate) trait Named: Sized {
    /// Reads it.
    fn read(text: &str) -> Result<Self, FieldError>;
}

macro_rules! named {
    ($($kind:ty),+ $(,)?) => {
        $(impl Named for $kind {
            fn read(text: &str) -> Result<Self, FieldError> {
                Self::parse(text)
            }
        })+
    };
}

named!(
    ClassId,
    ClassName,
    DriftName,
    CredentialName,
    GrantId,
    GrantName,
    MountId,
    MountName,
    NamespaceId,
    NamespaceName,
    NodeId,
    NodeName,
    OperationName,
    ProjectId,
    ProjectName,
    ProviderId,
    ProviderName,
    TenantId,
    TenantName,
    WorkName,
    WorkloadId,
    WorkloadName,
);

/// Reads a name or id at a field of the request.
pub(crate) fn read<N: Named>(field: &str, text: &str) -> Result<N, Refusal> {
    N::read(text).map_err(|error| Refusal::field(field, error.rule))
}

/// The same, where empty means none.
pub(crate) fn read_given<N: Named>(field: &str, text: &str) -> Result<Option<N>, Refusal> {
    if text.is_empty() { Ok(None) } else { read(field, text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_refused_at_its_field() {
        let refusal = read::<NamespaceName>("parent", "tenants/a").unwrap_err();
        assert!(format!("{refusal:?}").contains("(\"parent\", "), "{refusal:?}");
        assert_eq!(read_given::<ClassName>("c", "").unwrap(), None);
    }
}
