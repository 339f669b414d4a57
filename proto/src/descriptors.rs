//! The contract as data.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// Every file of the contract and what it imports, as an encoded `google.protobuf.FileDescriptorSet` without comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plain.binpb"));

/// The same with comments and positions.
pub const DOCUMENTED_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/documented.binpb"));

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_default());

/// The decoded [`FILE_DESCRIPTOR_SET`], with Google's options as extensions.
#[must_use]
pub fn descriptors() -> &'static DescriptorPool {
    &POOL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_of_the_contract_is_in_the_descriptors() {
        let mut services: Vec<String> = descriptors().services().map(|service| service.name().to_owned()).collect();
        services.sort();
        assert_eq!(
            services,
            [
                "CredentialService",
                "DriftService",
                "GrantService",
                "MountService",
                "NamespaceService",
                "NodeService",
                "OperationService",
                "ProviderService",
                "StorageClassService",
                "TenantService",
                "WorkloadService",
            ]
        );
    }

    #[test]
    fn every_method_has_an_http_binding() {
        let http = descriptors().get_extension_by_name("google.api.http").unwrap();
        for service in descriptors().services() {
            for method in service.methods() {
                assert!(method.options().has_extension(&http), "{} has no google.api.http", method.full_name());
            }
        }
    }

    #[test]
    fn every_method_field_and_value_has_a_comment() {
        let pool = DescriptorPool::decode(DOCUMENTED_DESCRIPTOR_SET).unwrap();
        for file in pool.files().filter(|file| file.package_name() == "stowage.v1") {
            let proto = file.file_descriptor_proto();
            let info = proto.source_code_info.as_ref().unwrap();
            let commented = |path: &[i32]| {
                info.location.iter().any(|at| at.path == path && !at.leading_comments().trim().is_empty())
            };
            for service in file.services() {
                for method in service.methods() {
                    assert!(commented(method.path()), "{} has no comment", method.full_name());
                }
            }
            for message in file.messages() {
                for field in message.fields() {
                    assert!(commented(field.path()), "{} has no comment", field.full_name());
                }
            }
            for kind in file.enums() {
                for value in kind.values() {
                    assert!(commented(value.path()), "{} has no comment", value.full_name());
                }
            }
        }
    }
}
