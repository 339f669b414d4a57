//! Ids: short lower-case words that are safe in names, keys, paths and labels of every backend.
//!
//! One rule for all: 1 to 63 of `a-z 0-9 -`, beginning with a letter and not ending with `-` (RFC 1035 labels). `Team_A`,
//! `-a`, `a-`, `7up` and `a/b` are refused with the field's name.

use serde::{Deserialize, Serialize};

use crate::FieldError;

/// What every id obeys, for messages.
pub const ID_RULE: &str = "must be 1 to 63 of a-z, 0-9 and '-', begin with a letter and not end with '-'";

/// Whether `text` is an id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(inner)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks the rule of ids.
            ///
            /// # Errors
            /// Names the field and the rule.
            pub fn parse(text: &str) -> Result<Self, FieldError> {
                if is_id(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(FieldError::new($field, format!("{text:?} {ID_RULE}")))
                }
            }

            /// The id as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = FieldError;
            fn try_from(text: String) -> Result<Self, FieldError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A customer of the region.
    TenantId,
    "tenant"
);
id!(
    /// A project of a tenant.
    ProjectId,
    "project"
);
id!(
    /// A namespace of a project.
    NamespaceId,
    "namespace"
);
id!(
    /// A job, notebook or app of a project.
    WorkloadId,
    "workload"
);
id!(
    /// A grant on a namespace.
    GrantId,
    "grant"
);
id!(
    /// A mount plan of a workload.
    MountId,
    "mount_plan"
);
id!(
    /// A credential of a project.
    CredentialId,
    "credential"
);
id!(
    /// A configured backend.
    ProviderId,
    "provider"
);
id!(
    /// A storage class.
    ClassId,
    "storage_class"
);
id!(
    /// A node.
    NodeId,
    "node"
);
id!(
    /// A long-running change.
    OperationId,
    "operation"
);
id!(
    /// A piece of work for a node.
    WorkId,
    "work"
);
id!(
    /// A difference between what is believed and what a provider has.
    DriftId,
    "drift"
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_broken_id_names_its_field_and_the_rule() {
        for bad in ["", "-a", "a-", "7up", "A", "a_b", "a/b", "ä", &"a".repeat(64)] {
            let error = NamespaceId::parse(bad).unwrap_err();
            assert_eq!(error.field, "namespace");
            assert!(error.rule.contains("1 to 63"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_string_of_the_rule_is_an_id_and_reads_back(text in "[a-z]([-a-z0-9]{0,61}[a-z0-9])?") {
            let id = TenantId::parse(&text).unwrap();
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<TenantId>(&json).unwrap(), id);
        }
    }
}
