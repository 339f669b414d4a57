//! Storage classes.

use stowage_control::{ClassChanges, CreateClass, Stored, Update};
use stowage_domain::{ClassName, StorageClass};
use stowage_proto::v1::{
    self, CreateStorageClassRequest, DeleteStorageClassRequest, GetStorageClassRequest, ListStorageClassesRequest,
    ListStorageClassesResponse, UpdateStorageClassRequest, storage_class_service_server::StorageClassService,
};
use tonic::{Request, Response, Status};

use crate::{
    api::{Api, options},
    call::Call,
    convert::{bound_from, classes, errors::status, labels_from, names, needed, protocols_from},
    mask,
    refusal::Refusal,
};

/// Fields that a caller sets.
const FIELDS: &[&str] = &[
    "description",
    "protocols",
    "provider_selector",
    "region",
    "required_capabilities",
    "min_quota_bytes",
    "max_quota_bytes",
    "multi_writer",
    "is_default",
    "parameters",
    "mount_options",
    "labels",
];

fn shown(stored: &Stored<StorageClass>) -> v1::StorageClass {
    classes::to(&stored.value, stored.etag())
}

fn changes(class: &v1::StorageClass, fields: &[&str]) -> Result<ClassChanges, Refusal> {
    let mut changes = ClassChanges::default();
    let labels = |name: &str, map: &std::collections::BTreeMap<String, String>| {
        labels_from(&format!("storage_class.{name}"), map.clone()).map(Update::Set)
    };
    for field in fields {
        match *field {
            "description" => changes.description = Update::Set(class.description.clone()),
            "protocols" => {
                changes.protocols = Update::Set(protocols_from("storage_class.protocols", &class.protocols)?);
            }
            "provider_selector" => changes.provider_selector = labels(field, &class.provider_selector)?,
            "region" => changes.region = Update::Set(class.region.clone()),
            "required_capabilities" => changes.demands = Update::Set(class.required_capabilities.clone()),
            "min_quota_bytes" => changes.min_quota = Update::Set(bound_from(class.min_quota_bytes)),
            "max_quota_bytes" => changes.max_quota = Update::Set(bound_from(class.max_quota_bytes)),
            "multi_writer" => changes.multi_writer = Update::Set(class.multi_writer),
            "is_default" => changes.is_default = Update::Set(class.is_default),
            "parameters" => changes.parameters = labels(field, &class.parameters)?,
            "mount_options" => changes.mount_options = labels(field, &class.mount_options)?,
            _ => changes.labels = labels("labels", &class.labels)?,
        }
    }
    Ok(changes)
}

#[tonic::async_trait]
impl StorageClassService for Api {
    async fn create_storage_class(
        &self,
        request: Request<CreateStorageClassRequest>,
    ) -> Result<Response<v1::StorageClass>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let id = names::read("storage_class_id", &message.storage_class_id)?;
        let class = message.storage_class.ok_or_else(|| needed("storage_class"))?;
        let command = CreateClass { id, fields: changes(&class, FIELDS)? };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let stored = self.control.create_class(&caller, command, options).await.map_err(status)?;
        Ok(Response::new(shown(&stored)))
    }

    async fn get_storage_class(
        &self,
        request: Request<GetStorageClassRequest>,
    ) -> Result<Response<v1::StorageClass>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.in_region()?;
        let name: ClassName = names::read("name", &message.name)?;
        let stored = self.control.get_class(&caller, &name).await.map_err(status)?;
        Ok(Response::new(shown(&stored)))
    }

    async fn list_storage_classes(
        &self,
        request: Request<ListStorageClassesRequest>,
    ) -> Result<Response<ListStorageClassesResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let caller = call.in_region()?;
        let page = self.page(path, "", message.page_size, &message.page_token)?;
        let listed = self.control.list_classes(&caller, page).await.map_err(status)?;
        Ok(Response::new(ListStorageClassesResponse {
            storage_classes: listed.items.iter().map(shown).collect(),
            next_page_token: self.next(path, "", listed.next),
        }))
    }

    async fn update_storage_class(
        &self,
        request: Request<UpdateStorageClassRequest>,
    ) -> Result<Response<v1::StorageClass>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let class = message.storage_class.ok_or_else(|| needed("storage_class"))?;
        let name: ClassName = names::read("storage_class.name", &class.name)?;
        let fields = mask::to_change(message.update_mask.as_ref(), &class, FIELDS)?;
        let changes = changes(&class, &fields)?;
        let options = options(message.request_id, class.etag, message.validate_only)?;
        let stored = self.control.update_class(&caller, &name, changes, options).await.map_err(status)?;
        Ok(Response::new(shown(&stored)))
    }

    async fn delete_storage_class(&self, request: Request<DeleteStorageClassRequest>) -> Result<Response<()>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: ClassName = names::read("name", &message.name)?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        self.control.delete_class(&caller, &name, options).await.map_err(status)?;
        Ok(Response::new(()))
    }
}
