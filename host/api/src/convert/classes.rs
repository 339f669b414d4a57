//! Storage classes.

use stowage_domain::StorageClass;
use stowage_proto::v1;

use super::{labels_to, protocols_to, time};

/// A class of the contract.
pub(crate) fn to(class: &StorageClass, etag: String) -> v1::StorageClass {
    v1::StorageClass {
        name: class.name.to_string(),
        uid: class.uid.clone(),
        description: class.description.clone(),
        protocols: protocols_to(&class.protocols),
        provider_selector: labels_to(&class.provider_selector),
        region: class.region.clone(),
        required_capabilities: class.demands.clone(),
        min_quota_bytes: class.min_quota.map_or(0, |bytes| bytes.0),
        max_quota_bytes: class.max_quota.map_or(0, |bytes| bytes.0),
        multi_writer: class.multi_writer,
        is_default: class.is_default,
        parameters: labels_to(&class.parameters),
        mount_options: labels_to(&class.mount_options),
        labels: labels_to(&class.labels),
        create_time: Some(time::to(class.created_at)),
        update_time: Some(time::to(class.updated_at)),
        etag,
    }
}
