//! Workloads.

use stowage_control::{RegisterWorkload, Response as Ended, Stored};
use stowage_domain::{Principal, ProjectName, Workload, WorkloadName};
use stowage_proto::v1::{
    self, GetWorkloadRequest, ListWorkloadsRequest, ListWorkloadsResponse, RegisterWorkloadRequest,
    ReleaseWorkloadRequest, workload_service_server::WorkloadService,
};
use tonic::{Request, Response, Status};

use crate::{
    api::{Api, options},
    call::Call,
    convert::{errors::status, given, labels_from, names, needed, time, workloads},
    refusal::Refusal,
};

fn shown(stored: &Stored<Workload>) -> v1::Workload {
    workloads::to(&stored.value, stored.etag())
}

#[tonic::async_trait]
impl WorkloadService for Api {
    async fn register_workload(
        &self,
        request: Request<RegisterWorkloadRequest>,
    ) -> Result<Response<v1::Workload>, Status> {
        let (call, message) = Call::of(request)?;
        let project: ProjectName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&project)?;
        let id = names::read("workload_id", &message.workload_id)?;
        let workload = message.workload.ok_or_else(|| needed("workload"))?;
        let node = |(index, name): (usize, &String)| names::read(&format!("workload.nodes[{index}]"), name);
        let principal = given(workload.principal)
            .map(|text| Principal::parse_actor("workload.principal", &text).map_err(Refusal::from))
            .transpose()?;
        let command = RegisterWorkload {
            project,
            id,
            kind: workload.kind,
            principal,
            nodes: workload.nodes.iter().enumerate().map(node).collect::<Result<_, _>>()?,
            expires_at: workload.expire_time.map(|at| time::from("workload.expire_time", at)).transpose()?,
            labels: labels_from("workload.labels", workload.labels)?,
        };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let stored = self.control.register_workload(&caller, command, options).await.map_err(status)?;
        Ok(Response::new(shown(&stored)))
    }

    async fn get_workload(&self, request: Request<GetWorkloadRequest>) -> Result<Response<v1::Workload>, Status> {
        let (call, message) = Call::of(request)?;
        let name: WorkloadName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.project_name())?;
        let stored = self.control.get_workload(&caller, &name).await.map_err(status)?;
        Ok(Response::new(shown(&stored)))
    }

    async fn list_workloads(
        &self,
        request: Request<ListWorkloadsRequest>,
    ) -> Result<Response<ListWorkloadsResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let project: ProjectName = names::read("parent", &message.parent)?;
        let caller = call.in_project(&project)?;
        let page = self.page(path, &message.parent, message.page_size, &message.page_token)?;
        let listed = self.control.list_workloads(&caller, &project, page).await.map_err(status)?;
        Ok(Response::new(ListWorkloadsResponse {
            workloads: listed.items.iter().map(shown).collect(),
            next_page_token: self.next(path, &message.parent, listed.next),
        }))
    }

    async fn release_workload(
        &self,
        request: Request<ReleaseWorkloadRequest>,
    ) -> Result<Response<v1::Operation>, Status> {
        let (call, message) = Call::of(request)?;
        let name: WorkloadName = names::read("name", &message.name)?;
        let caller = call.in_project(&name.project_name())?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        let (operation, workload) = self.control.release_workload(&caller, &name, options).await.map_err(status)?;
        Ok(self.begun(operation.as_ref(), &Ended::Workload(Box::new(workload)), &caller))
    }
}
