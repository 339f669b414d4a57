//! Namespaces.

use stowage_control::{AdoptNamespace, CreateNamespace, NamespaceChanges, Started, Stored, Update};
use stowage_domain::{Namespace, NamespaceName, NamespaceState, ProjectName};
use stowage_proto::v1::{
    self, AdoptNamespaceRequest, CreateNamespaceRequest, DeleteNamespaceRequest, GetNamespaceRequest,
    GetNamespaceUsageRequest, ListNamespacesRequest, ListNamespacesResponse, ListSharedNamespacesRequest,
    ListSharedNamespacesResponse, NamespaceUsage, SetNamespaceProtocolsRequest, SetNamespaceQuotaRequest,
    SharedNamespace, UndeleteNamespaceRequest, UpdateNamespaceRequest, namespace_service_server::NamespaceService,
};
use tonic::{Request, Response, Status};

use super::operations::view;
use crate::{
    api::{Api, options},
    call::Call,
    convert::{
        errors::status,
        labels_from, names,
        namespaces::{View, data_policy_from, limits_from, placement_to, to},
        needed, operations, protocols_from, usage,
    },
    deferred,
    mask::{self, ReadMask},
    refusal::Refusal,
};

impl Api {
    /// The answer to a change: its operation, or what a dry run would have made.
    fn started(&self, started: Started, caller: &stowage_control::Caller) -> Response<v1::Operation> {
        match &started.operation {
            Some(operation) => self.shown(operation, caller),
            None => {
                let mut would_be = to(&started.namespace, String::new(), view(caller));
                would_be.placement = started.placement.as_ref().map(placement_to);
                Response::new(operations::dry_run(prost_types::Any::from_msg(&would_be).unwrap_or_default()))
            }
        }
    }
}

fn shown(stored: &Stored<Namespace>, view: View) -> v1::Namespace {
    to(&stored.value, stored.etag(), view)
}

#[tonic::async_trait]
impl NamespaceService for Api {
    async fn create_namespace(
        &self,
        request: Request<CreateNamespaceRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let project: ProjectName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&project)?;
        let id = names::read("namespace_id", &message.namespace_id)?;
        let namespace = message.namespace.ok_or_else(|| needed("namespace"))?;
        let command = CreateNamespace {
            project,
            id,
            class: names::read_given("namespace.storage_class", &namespace.storage_class)?,
            protocols: protocols_from("namespace.protocols", &namespace.protocols)?,
            limits: limits_from("namespace.quota", namespace.quota)?,
            prefixes: namespace.prefixes,
            labels: labels_from("namespace.labels", namespace.labels)?,
            deletion_protection: namespace.deletion_protection,
        };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let started = self.control.create_namespace(&caller, command, options).await.map_err(status)?;
        Ok(self.started(started, &caller))
    }

    async fn get_namespace(&self, request: Request<GetNamespaceRequest>) -> Result<Response<v1::Namespace>, Status> {
        let (call, message) = Call::of(request)?;
        let name: NamespaceName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.project_name())?;
        let mask = ReadMask::parse::<v1::Namespace>(message.read_mask.as_ref())?;
        let stored = self.control.get_namespace(&caller, &name).await.map_err(status)?;
        let mut namespace = shown(&stored, view(&caller));
        if mask::names(message.read_mask.as_ref(), "placement") {
            let placement = self.control.get_placement(&caller, &name).await.map_err(status)?;
            namespace.placement = Some(placement_to(&placement));
        }
        Ok(Response::new(match mask {
            Some(mask) => mask.apply(&namespace)?,
            None => namespace,
        }))
    }

    async fn list_namespaces(
        &self,
        request: Request<ListNamespacesRequest>,
    ) -> Result<Response<ListNamespacesResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let project: ProjectName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&project)?;
        let mask = ReadMask::parse::<v1::Namespace>(message.read_mask.as_ref())?;
        let filter = format!("{} {}", message.show_deleted, message.parent);
        let page = self.page(path, &filter, message.page_size, &message.page_token)?;
        let listed = self.control.list_namespaces(&caller, &project, page).await.map_err(status)?;
        let view = view(&caller);
        let mut namespaces = Vec::with_capacity(listed.items.len());
        let wanted =
            |stored: &&Stored<Namespace>| message.show_deleted || stored.value.state != NamespaceState::Deleted;
        for stored in listed.items.iter().filter(wanted) {
            let namespace = shown(stored, view);
            namespaces.push(match &mask {
                Some(mask) => mask.apply(&namespace)?,
                None => namespace,
            });
        }
        let next_page_token = self.next(path, &filter, listed.next);
        Ok(Response::new(ListNamespacesResponse { namespaces, next_page_token, unreachable: Vec::new() }))
    }

    async fn list_shared_namespaces(
        &self,
        request: Request<ListSharedNamespacesRequest>,
    ) -> Result<Response<ListSharedNamespacesResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let project: ProjectName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&project)?;
        let page = self.page(path, &message.parent, message.page_size, &message.page_token)?;
        let listed = self.control.list_shared_namespaces(&caller, &project, page).await.map_err(status)?;
        let shared = |shared: &stowage_control::SharedNamespace| SharedNamespace {
            namespace: Some(shown(&shared.namespace, View::Own)),
            grants: shared.grants.iter().map(ToString::to_string).collect(),
        };
        Ok(Response::new(ListSharedNamespacesResponse {
            shared_namespaces: listed.items.iter().map(shared).collect(),
            next_page_token: self.next(path, &message.parent, listed.next),
            unreachable: Vec::new(),
        }))
    }

    async fn update_namespace(
        &self,
        request: Request<UpdateNamespaceRequest>,
    ) -> Result<Response<v1::Namespace>, Status> {
        const FIELDS: &[&str] = &["labels", "deletion_protection"];
        let (call, message) = Call::of(request)?;
        let namespace = message.namespace.ok_or_else(|| needed("namespace"))?;
        let name: NamespaceName = names::read("namespace.name", &namespace.name)?;
        let caller = call.in_project(&name.project_name())?;
        let mut changes = NamespaceChanges::default();
        for field in mask::to_change(message.update_mask.as_ref(), &namespace, FIELDS)? {
            match field {
                "labels" => changes.labels = Update::Set(labels_from("namespace.labels", namespace.labels.clone())?),
                _ => changes.deletion_protection = Update::Set(namespace.deletion_protection),
            }
        }
        let options = options(message.request_id, namespace.etag, message.validate_only)?;
        let stored = self.control.update_namespace(&caller, &name, changes, options).await.map_err(status)?;
        Ok(Response::new(shown(&stored, view(&caller))))
    }

    async fn set_namespace_quota(
        &self,
        request: Request<SetNamespaceQuotaRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let name: NamespaceName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.project_name())?;
        let limits = limits_from("quota", message.quota)?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        let started = self.control.set_namespace_limits(&caller, &name, limits, options).await.map_err(status)?;
        Ok(self.started(started, &caller))
    }

    async fn set_namespace_protocols(
        &self,
        request: Request<SetNamespaceProtocolsRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let name: NamespaceName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.project_name())?;
        let protocols = protocols_from("protocols", &message.protocols)?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        let started = self.control.set_namespace_protocols(&caller, &name, protocols, options).await.map_err(status)?;
        Ok(self.started(started, &caller))
    }

    async fn get_namespace_usage(
        &self,
        request: Request<GetNamespaceUsageRequest>,
    ) -> Result<Response<NamespaceUsage>, Status> {
        let (call, message) = Call::of(request)?;
        let wrong = || Refusal::field("name", "must end in /usage, as in …/namespaces/{namespace}/usage");
        let name: NamespaceName = names::read("name", message.name.strip_suffix("/usage").ok_or_else(wrong)?)?;
        let caller = call.in_project(&name.project_name())?;
        let report = self.control.namespace_usage(&caller, &name, message.refresh).await.map_err(status)?;
        Ok(Response::new(usage::to(&name, &report)))
    }

    async fn delete_namespace(
        &self,
        request: Request<DeleteNamespaceRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let name: NamespaceName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.project_name())?;
        let data = data_policy_from(message.data_policy)?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        let started = self.control.delete_namespace(&caller, &name, data, options).await.map_err(status)?;
        Ok(self.started(started, &caller))
    }

    async fn adopt_namespace(
        &self,
        request: Request<AdoptNamespaceRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let namespace = message.namespace.ok_or_else(|| needed("namespace"))?;
        let command = AdoptNamespace {
            project: names::read("parent", &message.parent)?,
            id: names::read("namespace_id", &message.namespace_id)?,
            provider: names::read("provider", &message.provider)?,
            location: message.location,
            class: names::read_given("namespace.storage_class", &namespace.storage_class)?,
            protocols: protocols_from("namespace.protocols", &namespace.protocols)?,
            limits: limits_from("namespace.quota", namespace.quota)?,
            labels: labels_from("namespace.labels", namespace.labels)?,
            deletion_protection: namespace.deletion_protection,
        };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let started = self.control.adopt_namespace(&caller, command, options).await.map_err(status)?;
        Ok(self.started(started, &caller))
    }

    async fn undelete_namespace(
        &self,
        request: Request<UndeleteNamespaceRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let name: NamespaceName = names::read("name", &message.name)?;
        call.in_project(&name.project_name())?;
        Err(deferred::answer(path))
    }
}
