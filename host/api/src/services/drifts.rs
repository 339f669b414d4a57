//! Drift: listed, shown, looked for; settling one is left to a later release.

use stowage_domain::{DriftName, ProviderName};
use stowage_proto::v1::{
    Drift, GetDriftRequest, ListDriftsRequest, ListDriftsResponse, ResolveDriftRequest, ScanDriftsRequest,
    ScanDriftsResponse, drift_service_server::DriftService,
};
use tonic::{Request, Response, Status};

use crate::{
    api::Api,
    call::Call,
    convert::{
        drifts::{filter_from, scan_to, to},
        errors::status,
        names,
    },
    deferred,
};

#[tonic::async_trait]
impl DriftService for Api {
    async fn list_drifts(&self, request: Request<ListDriftsRequest>) -> Result<Response<ListDriftsResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let caller = call.by_operator()?;
        let provider: ProviderName = names::read("parent", &message.parent)?;
        let filter = filter_from(&message.kind, message.state)?;
        let key = format!("{} {} {}", message.parent, message.kind, filter.resolved);
        let page = self.page(path, &key, message.page_size, &message.page_token)?;
        let listed = self.control.list_drifts(&caller, &provider, filter, page).await.map_err(status)?;
        Ok(Response::new(ListDriftsResponse {
            drifts: listed.items.iter().map(|row| to(&row.value)).collect(),
            next_page_token: self.next(path, &key, listed.next),
            unreachable: Vec::new(),
        }))
    }

    async fn get_drift(&self, request: Request<GetDriftRequest>) -> Result<Response<Drift>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: DriftName = names::read("name", &message.name)?;
        let stored = self.control.get_drift(&caller, &name).await.map_err(status)?;
        Ok(Response::new(to(&stored.value)))
    }

    async fn scan_drifts(&self, request: Request<ScanDriftsRequest>) -> Result<Response<ScanDriftsResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let provider: ProviderName = names::read("name", &message.name)?;
        let scan = self.control.scan_drifts(&caller, &provider).await.map_err(status)?;
        Ok(Response::new(scan_to(&scan)))
    }

    async fn resolve_drift(&self, request: Request<ResolveDriftRequest>) -> Result<Response<Drift>, Status> {
        let (call, _) = Call::of(request)?;
        let path = call.rpc.path;
        call.by_operator()?;
        Err(deferred::answer(path))
    }
}
