//! Tenants and projects.

use stowage_control::{Caller, CreateProject, CreateTenant, ProjectChanges, Stored, TenantChanges, Update};
use stowage_domain::{Project, ProjectName, Tenant, TenantName};
use stowage_proto::v1::{
    self, CreateProjectRequest, CreateTenantRequest, DeleteProjectRequest, DeleteTenantRequest, GetProjectRequest,
    GetTenantRequest, ListProjectsRequest, ListProjectsResponse, ListTenantsRequest, ListTenantsResponse,
    UpdateProjectRequest, UpdateTenantRequest, tenant_service_server::TenantService,
};
use tonic::{Request, Response, Status};

use crate::{
    api::{Api, options},
    call::Call,
    convert::{
        errors::status,
        labels_from, labels_to, names, needed,
        tenants::{posix_from, posix_to, quota_from},
        time,
    },
    mask,
};

impl Api {
    async fn tenant(&self, caller: &Caller, stored: Stored<Tenant>) -> Result<v1::Tenant, Status> {
        let ledger = self.control.tenant_ledger(caller, &stored.value.name).await.map_err(status)?;
        let etag = stored.etag();
        let tenant = stored.value;
        Ok(v1::Tenant {
            name: tenant.name.to_string(),
            uid: tenant.uid,
            display_name: tenant.display_name,
            byte_quota: tenant.byte_quota.map(|bytes| bytes.0),
            bytes_reserved: ledger.reserved.0,
            cross_tenant_sharing: tenant.cross_tenant_sharing,
            labels: labels_to(&tenant.labels),
            create_time: Some(time::to(tenant.created_at)),
            update_time: Some(time::to(tenant.updated_at)),
            etag,
        })
    }

    async fn project(&self, caller: &Caller, stored: Stored<Project>) -> Result<v1::Project, Status> {
        let ledger = self.control.project_ledger(caller, &stored.value.name).await.map_err(status)?;
        let etag = stored.etag();
        let project = stored.value;
        Ok(v1::Project {
            name: project.name.to_string(),
            uid: project.uid,
            display_name: project.display_name,
            posix_identity: Some(posix_to(project.posix)),
            byte_quota: project.byte_quota.map(|bytes| bytes.0),
            bytes_reserved: ledger.reserved.0,
            labels: labels_to(&project.labels),
            create_time: Some(time::to(project.created_at)),
            update_time: Some(time::to(project.updated_at)),
            etag,
        })
    }
}

#[tonic::async_trait]
impl TenantService for Api {
    async fn create_tenant(&self, request: Request<CreateTenantRequest>) -> Result<Response<v1::Tenant>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let id = names::read("tenant_id", &message.tenant_id)?;
        let tenant = message.tenant.ok_or_else(|| needed("tenant"))?;
        let command = CreateTenant {
            id,
            display_name: tenant.display_name,
            byte_quota: quota_from("tenant.byte_quota", tenant.byte_quota)?,
            cross_tenant_sharing: tenant.cross_tenant_sharing,
            labels: labels_from("tenant.labels", tenant.labels)?,
        };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let stored = self.control.create_tenant(&caller, command, options).await.map_err(status)?;
        Ok(Response::new(self.tenant(&caller, stored).await?))
    }

    async fn get_tenant(&self, request: Request<GetTenantRequest>) -> Result<Response<v1::Tenant>, Status> {
        let (call, message) = Call::of(request)?;
        let name: TenantName = names::read("name", &message.name)?;
        let caller = call.in_tenant(&name)?;
        let stored = self.control.get_tenant(&caller, &name).await.map_err(status)?;
        Ok(Response::new(self.tenant(&caller, stored).await?))
    }

    async fn list_tenants(
        &self,
        request: Request<ListTenantsRequest>,
    ) -> Result<Response<ListTenantsResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let caller = call.by_operator()?;
        let page = self.page(path, "", message.page_size, &message.page_token)?;
        let listed = self.control.list_tenants(&caller, page).await.map_err(status)?;
        let mut tenants = Vec::with_capacity(listed.items.len());
        for stored in listed.items {
            tenants.push(self.tenant(&caller, stored).await?);
        }
        Ok(Response::new(ListTenantsResponse { tenants, next_page_token: self.next(path, "", listed.next) }))
    }

    async fn update_tenant(&self, request: Request<UpdateTenantRequest>) -> Result<Response<v1::Tenant>, Status> {
        const FIELDS: &[&str] = &["display_name", "byte_quota", "cross_tenant_sharing", "labels"];
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let tenant = message.tenant.ok_or_else(|| needed("tenant"))?;
        let name: TenantName = names::read("tenant.name", &tenant.name)?;
        let mut changes = TenantChanges::default();
        for field in mask::to_change(message.update_mask.as_ref(), &tenant, FIELDS)? {
            match field {
                "display_name" => changes.display_name = Update::Set(tenant.display_name.clone()),
                "byte_quota" => {
                    changes.byte_quota = Update::Set(quota_from("tenant.byte_quota", tenant.byte_quota)?);
                }
                "cross_tenant_sharing" => changes.cross_tenant_sharing = Update::Set(tenant.cross_tenant_sharing),
                _ => changes.labels = Update::Set(labels_from("tenant.labels", tenant.labels.clone())?),
            }
        }
        let options = options(message.request_id, tenant.etag, message.validate_only)?;
        let stored = self.control.update_tenant(&caller, &name, changes, options).await.map_err(status)?;
        Ok(Response::new(self.tenant(&caller, stored).await?))
    }

    async fn delete_tenant(&self, request: Request<DeleteTenantRequest>) -> Result<Response<()>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: TenantName = names::read("name", &message.name)?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        self.control.delete_tenant(&caller, &name, options).await.map_err(status)?;
        Ok(Response::new(()))
    }

    async fn create_project(&self, request: Request<CreateProjectRequest>) -> Result<Response<v1::Project>, Status> {
        let (call, message) = Call::of(request)?;
        let tenant: TenantName = names::read("parent", &message.parent)?;
        let caller = call.in_tenant(&tenant)?;
        let id = names::read("project_id", &message.project_id)?;
        let project = message.project.ok_or_else(|| needed("project"))?;
        let command = CreateProject {
            tenant,
            id,
            display_name: project.display_name,
            posix: posix_from(project.posix_identity)?,
            byte_quota: quota_from("project.byte_quota", project.byte_quota)?,
            labels: labels_from("project.labels", project.labels)?,
        };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let stored = self.control.create_project(&caller, command, options).await.map_err(status)?;
        Ok(Response::new(self.project(&caller, stored).await?))
    }

    async fn get_project(&self, request: Request<GetProjectRequest>) -> Result<Response<v1::Project>, Status> {
        let (call, message) = Call::of(request)?;
        let name: ProjectName = names::read("name", &message.name)?;
        let caller = call.in_project(&name)?;
        let stored = self.control.get_project(&caller, &name).await.map_err(status)?;
        Ok(Response::new(self.project(&caller, stored).await?))
    }

    async fn list_projects(
        &self,
        request: Request<ListProjectsRequest>,
    ) -> Result<Response<ListProjectsResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let tenant: TenantName = names::read("parent", &message.parent)?;
        let caller = call.in_tenant(&tenant)?;
        let page = self.page(path, &message.parent, message.page_size, &message.page_token)?;
        let listed = self.control.list_projects(&caller, &tenant, page).await.map_err(status)?;
        let mut projects = Vec::with_capacity(listed.items.len());
        for stored in listed.items {
            projects.push(self.project(&caller, stored).await?);
        }
        let next_page_token = self.next(path, &message.parent, listed.next);
        Ok(Response::new(ListProjectsResponse { projects, next_page_token }))
    }

    async fn update_project(&self, request: Request<UpdateProjectRequest>) -> Result<Response<v1::Project>, Status> {
        const FIELDS: &[&str] = &["display_name", "posix_identity", "byte_quota", "labels"];
        let (call, message) = Call::of(request)?;
        let project = message.project.ok_or_else(|| needed("project"))?;
        let name: ProjectName = names::read("project.name", &project.name)?;
        let caller = call.in_tenant(&name.tenant_name())?;
        let mut changes = ProjectChanges::default();
        for field in mask::to_change(message.update_mask.as_ref(), &project, FIELDS)? {
            match field {
                "display_name" => changes.display_name = Update::Set(project.display_name.clone()),
                "posix_identity" => changes.posix = Update::Set(posix_from(project.posix_identity)?),
                "byte_quota" => {
                    changes.byte_quota = Update::Set(quota_from("project.byte_quota", project.byte_quota)?);
                }
                _ => changes.labels = Update::Set(labels_from("project.labels", project.labels.clone())?),
            }
        }
        let options = options(message.request_id, project.etag, message.validate_only)?;
        let stored = self.control.update_project(&caller, &name, changes, options).await.map_err(status)?;
        Ok(Response::new(self.project(&caller, stored).await?))
    }

    async fn delete_project(&self, request: Request<DeleteProjectRequest>) -> Result<Response<()>, Status> {
        let (call, message) = Call::of(request)?;
        let name: ProjectName = names::read("name", &message.name)?;
        let caller = call.in_tenant(&name.tenant_name())?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        self.control.delete_project(&caller, &name, options).await.map_err(status)?;
        Ok(Response::new(()))
    }
}
