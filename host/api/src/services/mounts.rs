//! Mount plans.

use stowage_control::{CreateMount, Mount, MountState, Response as Ended, Stored};
use stowage_domain::{MountName, WorkloadName};
use stowage_proto::v1::{
    self, CreateMountPlanRequest, GetMountPlanRequest, ListMountPlansRequest, ListMountPlansResponse,
    ReleaseMountPlanRequest, mount_service_server::MountService,
};
use tonic::{Request, Response, Status};

use crate::{
    api::{Api, options},
    call::Call,
    convert::{
        errors::status,
        mounts::{form_from, prefixes_from, to},
        names, needed,
    },
};

fn shown(stored: &Stored<Mount>) -> v1::MountPlan {
    to(&stored.value, stored.etag())
}

#[tonic::async_trait]
impl MountService for Api {
    async fn create_mount_plan(
        &self,
        request: Request<CreateMountPlanRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let workload: WorkloadName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&workload.project_name())?;
        let id = names::read_given("mount_plan_id", &message.mount_plan_id)?;
        let plan = message.mount_plan.ok_or_else(|| needed("mount_plan"))?;
        let command = CreateMount {
            workload,
            id,
            namespace: names::read("mount_plan.namespace", &plan.namespace)?,
            node: names::read_given("mount_plan.node", &plan.node)?,
            prefixes: prefixes_from(&plan.prefixes)?,
            form: form_from(plan.form)?,
            multi_writer: plan.multi_writer,
        };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let (operation, mount) = self.control.create_mount(&caller, command, options).await.map_err(status)?;
        Ok(self.begun(operation.as_ref(), &Ended::Mount(Box::new(mount)), &caller))
    }

    async fn get_mount_plan(&self, request: Request<GetMountPlanRequest>) -> Result<Response<v1::MountPlan>, Status> {
        let (call, message) = Call::of(request)?;
        let name: MountName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.workload_name().project_name())?;
        let stored = self.control.get_mount(&caller, &name).await.map_err(status)?;
        Ok(Response::new(shown(&stored)))
    }

    async fn list_mount_plans(
        &self,
        request: Request<ListMountPlansRequest>,
    ) -> Result<Response<ListMountPlansResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let workload: WorkloadName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&workload.project_name())?;
        let page = self.page(path, &message.parent, message.page_size, &message.page_token)?;
        let listed = self.control.list_mounts(&caller, &workload, page).await.map_err(status)?;
        let silent = listed.items.iter().filter(|stored| stored.value.state == MountState::Stale);
        let mut unreachable: Vec<String> =
            silent.filter_map(|stored| stored.value.node.as_ref().map(ToString::to_string)).collect();
        unreachable.sort();
        unreachable.dedup();
        Ok(Response::new(ListMountPlansResponse {
            mount_plans: listed.items.iter().map(shown).collect(),
            next_page_token: self.next(path, &message.parent, listed.next),
            unreachable,
        }))
    }

    async fn release_mount_plan(
        &self,
        request: Request<ReleaseMountPlanRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let name: MountName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.workload_name().project_name())?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        let (operation, mount) = self.control.release_mount(&caller, &name, options).await.map_err(status)?;
        Ok(self.begun(operation.as_ref(), &Ended::Mount(Box::new(mount)), &caller))
    }
}
