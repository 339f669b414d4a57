//! Nodes, and the calls of their agents.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use stowage_control::{ClaimWork, CreateNode, JoinNode, NodeReport, ReportWork, ReportedMount, Stored, WorkOutcome};
use stowage_domain::{Millis, Node, NodeClient, NodeName, WorkName};
use stowage_proto::v1::{
    self, ClaimWorkRequest, ClaimWorkResponse, CreateNodeRequest, CreateNodeResponse, DeleteNodeRequest,
    GetNodeRequest, JoinNodeRequest, JoinNodeResponse, ListNodesRequest, ListNodesResponse, RedeemMountSecretRequest,
    RedeemMountSecretResponse, ReportNodeStatusRequest, ReportNodeStatusResponse, ReportWorkRequest,
    ReportWorkResponse, node_service_server::NodeService,
};
use tonic::{Request, Response, Status};

use crate::{
    api::{Api, options},
    call::Call,
    convert::{
        errors::status,
        given, labels_from,
        mounts::reported_state_from,
        names,
        nodes::{result_from, to, work_to},
        time,
    },
    refusal::Refusal,
};

const USUAL_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Api {
    fn node(&self, stored: &Stored<Node>) -> v1::Node {
        let presence = stored.value.presence(self.control.now(), self.control.config().report_interval);
        to(&stored.value, presence, stored.etag())
    }
}

fn interval(interval: Millis) -> prost_types::Duration {
    prost_types::Duration::try_from(Duration::from_millis(interval.0)).unwrap_or_default()
}

fn reported((index, status): (usize, v1::NodeMountStatus)) -> Result<ReportedMount, Refusal> {
    let field = |name: &str| format!("mounts[{index}].{name}");
    Ok(ReportedMount {
        mount: names::read(&field("mount_plan"), &status.mount_plan)?,
        state: reported_state_from(&field("state"), status.state)?,
        paths: status.paths,
        reason: status.reason,
    })
}

#[tonic::async_trait]
impl NodeService for Api {
    async fn create_node(&self, request: Request<CreateNodeRequest>) -> Result<Response<CreateNodeResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let id = names::read("node_id", &message.node_id)?;
        let node = message.node.unwrap_or_default();
        let command = CreateNode { id, addresses: node.addresses, labels: labels_from("node.labels", node.labels)? };
        let options = options(String::new(), String::new(), message.validate_only)?;
        let created = self.control.create_node(&caller, command, options).await.map_err(status)?;
        let token = created.join_token.as_ref();
        Ok(Response::new(CreateNodeResponse {
            node: Some(self.node(&created.node)),
            join_token: token.map(|token| token.expose_secret().to_owned()).unwrap_or_default(),
            join_token_expire_time: token.map(|_| time::to(created.expires_at)),
        }))
    }

    async fn get_node(&self, request: Request<GetNodeRequest>) -> Result<Response<v1::Node>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: NodeName = names::read("name", &message.name)?;
        let stored = self.control.get_node(&caller, &name).await.map_err(status)?;
        Ok(Response::new(self.node(&stored)))
    }

    async fn list_nodes(&self, request: Request<ListNodesRequest>) -> Result<Response<ListNodesResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let caller = call.by_operator()?;
        let page = self.page(path, "", message.page_size, &message.page_token)?;
        let listed = self.control.list_nodes(&caller, page).await.map_err(status)?;
        Ok(Response::new(ListNodesResponse {
            nodes: listed.items.iter().map(|stored| self.node(stored)).collect(),
            next_page_token: self.next(path, "", listed.next),
        }))
    }

    async fn delete_node(&self, request: Request<DeleteNodeRequest>) -> Result<Response<()>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: NodeName = names::read("name", &message.name)?;
        let options = options(String::new(), message.etag, message.validate_only)?;
        self.control.delete_node(&caller, &name, options).await.map_err(status)?;
        Ok(Response::new(()))
    }

    /// The only method without a caller: the join token is its proof.
    async fn join_node(&self, request: Request<JoinNodeRequest>) -> Result<Response<JoinNodeResponse>, Status> {
        let (_, message) = Call::of(request)?;
        let command = JoinNode {
            node: names::read("name", &message.name)?,
            join_token: SecretString::from(message.join_token),
            nonce: message.join_nonce,
            agent_version: message.agent_version,
        };
        let joined = self.control.join_node(command).await.map_err(status)?;
        Ok(Response::new(JoinNodeResponse {
            node: Some(self.node(&joined.node)),
            node_token: joined.token.expose_secret().to_owned(),
            report_interval: Some(interval(joined.report_interval)),
        }))
    }

    async fn report_node_status(
        &self,
        request: Request<ReportNodeStatusRequest>,
    ) -> Result<Response<ReportNodeStatusResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let node: NodeName = names::read("name", &message.name)?;
        let caller = call.by_node(&node)?;
        let client = |client: v1::NodeClient| NodeClient { kind: client.kind, version: client.version };
        let report = NodeReport {
            node,
            agent_version: message.agent_version,
            boot_id: message.boot_id,
            source_roots: message.source_roots,
            clients: message.clients.into_iter().map(client).collect(),
            mounts: message.mounts.into_iter().enumerate().map(reported).collect::<Result<_, _>>()?,
        };
        let unknown = self.control.report_node(&caller, report).await.map_err(status)?;
        Ok(Response::new(ReportNodeStatusResponse {
            report_interval: Some(interval(self.control.config().report_interval)),
            unknown_mount_plans: unknown.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn claim_work(&self, request: Request<ClaimWorkRequest>) -> Result<Response<ClaimWorkResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let node: NodeName = names::read("parent", &message.parent)?;
        let caller = call.by_node(&node)?;
        let max = usize::try_from(message.max_work)
            .map_err(|_| Refusal::field("max_work", format!("{} must not be negative", message.max_work)))?;
        let wait = time::wait_from("wait", message.wait, USUAL_WAIT, LONGEST_WAIT)?;
        let claim = self.control.claim_work(&caller, ClaimWork { node, max, wait });
        let claimed = self.unless_closing(claim).await.unwrap_or_else(|| Ok(Vec::new())).map_err(status)?;
        Ok(Response::new(ClaimWorkResponse { work: claimed.iter().map(work_to).collect() }))
    }

    async fn report_work(&self, request: Request<ReportWorkRequest>) -> Result<Response<ReportWorkResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let name: WorkName = names::read("name", &message.name)?;
        let caller = call.by_node(&NodeName::new(name.node.clone()))?;
        let outcome = WorkOutcome {
            results: message.results.into_iter().map(result_from).collect(),
            error: given(message.error),
            reason: message.reason,
        };
        let report = ReportWork { name, claim: message.claim, outcome };
        self.control.report_work(&caller, report).await.map_err(status)?;
        Ok(Response::new(ReportWorkResponse {}))
    }

    async fn redeem_mount_secret(
        &self,
        request: Request<RedeemMountSecretRequest>,
    ) -> Result<Response<RedeemMountSecretResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let node: NodeName = names::read("name", &message.name)?;
        let caller = call.by_node(&node)?;
        let redeemed = if message.work.is_empty() {
            let mount = names::read("mount_plan", &message.mount_plan)?;
            self.control.redeem_mount_secret(&caller, &node, &mount, &message.handle).await
        } else if message.mount_plan.is_empty() {
            let work = names::read("work", &message.work)?;
            self.control.redeem_work_secret(&caller, &node, &work, &message.handle).await
        } else {
            return Err(Refusal::field("work", "excludes `mount_plan`: a secret belongs to one of them").into());
        };
        let redeemed = redeemed.map_err(status)?;
        Ok(Response::new(RedeemMountSecretResponse {
            value: redeemed.value.expose_secret().as_bytes().to_vec(),
            expire_time: redeemed.expires_at.map(time::to),
        }))
    }
}
