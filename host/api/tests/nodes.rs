//! The calls of node agents: join once, then one's own work and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use stowage_api::{Callers, RPCS};
use stowage_client::{
    Client, Failure, Target,
    proto::{
        ClaimWorkRequest, CreateNodeRequest, CreateNodeResponse, DeleteNodeRequest, GetNodeRequest, JoinNodeRequest,
        JoinNodeResponse, NodeClient, NodeState, RedeemMountSecretRequest, ReportNodeStatusRequest, ReportWorkRequest,
    },
};
use stowage_ports::Role;
use support::{Host, identity, raw};
use tokio::time::Duration;
use tonic::{Code, Response, Status};

async fn region() -> (Host, Client) {
    let host = Host::start(&[identity("root", &[Role::Operator], None, None)]).await;
    let root = host.client("root").await;
    (host, root)
}

async fn create(root: &Client, id: &str) -> CreateNodeResponse {
    let request = CreateNodeRequest { node_id: id.to_owned(), ..CreateNodeRequest::default() };
    root.nodes().create_node(request).await.unwrap().into_inner()
}

async fn join(host: &Host, id: &str, token: &str, nonce: &str) -> Result<Response<JoinNodeResponse>, Status> {
    let anonymous = Client::connect(Target::new(&host.uri)).await.unwrap();
    let request = JoinNodeRequest {
        name: format!("nodes/{id}"),
        join_token: token.to_owned(),
        join_nonce: nonce.to_owned(),
        agent_version: "1".to_owned(),
    };
    anonymous.nodes().join_node(request).await
}

async fn joined(host: &Host, root: &Client, id: &str) -> (Client, String) {
    let created = create(root, id).await;
    let answer = join(host, id, &created.join_token, "0123456789abcdef").await.unwrap().into_inner();
    let target = Target::new(&host.uri).with_token(answer.node_token.clone());
    (Client::connect(target).await.unwrap(), answer.node_token)
}

fn claim(node: &str, seconds: i64) -> ClaimWorkRequest {
    ClaimWorkRequest {
        parent: format!("nodes/{node}"),
        wait: Some(prost_types::Duration { seconds, nanos: 0 }),
        ..ClaimWorkRequest::default()
    }
}

#[tokio::test]
async fn a_join_token_works_once_and_its_repeat_needs_the_same_nonce() {
    let (host, root) = region().await;
    let created = create(&root, "gpu-1").await;
    let refused: Failure = join(&host, "gpu-1", "stw_wrong", "0123456789abcdef").await.unwrap_err().into();
    assert_eq!((refused.code, refused.reason.as_str()), (Code::PermissionDenied, "JOIN_REFUSED"));
    let first = join(&host, "gpu-1", &created.join_token, "0123456789abcdef").await.unwrap().into_inner();
    assert_eq!(first.node.unwrap().state(), NodeState::Online);
    assert!(!first.node_token.is_empty());
    let thief = join(&host, "gpu-1", &created.join_token, "fedcba9876543210").await.unwrap_err();
    assert_eq!(thief.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn an_agent_reports_and_is_seen() {
    let (host, root) = region().await;
    let (agent, _) = joined(&host, &root, "gpu-1").await;
    let report = ReportNodeStatusRequest {
        name: "nodes/gpu-1".to_owned(),
        agent_version: "2".to_owned(),
        clients: vec![NodeClient { kind: "fastfs".to_owned(), version: "5".to_owned() }],
        ..ReportNodeStatusRequest::default()
    };
    let answer = agent.nodes().report_node_status(report).await.unwrap().into_inner();
    assert!(answer.report_interval.unwrap().seconds > 0);
    let request = GetNodeRequest { name: "nodes/gpu-1".to_owned() };
    let node = root.nodes().get_node(request).await.unwrap().into_inner();
    assert_eq!((node.agent_version.as_str(), node.clients[0].kind.as_str()), ("2", "fastfs"));
}

#[tokio::test]
async fn an_agent_reaches_nothing_but_its_own_node() {
    let (host, root) = region().await;
    let (agent, token) = joined(&host, &root, "gpu-1").await;
    joined(&host, &root, "gpu-2").await;
    agent.nodes().claim_work(claim("gpu-1", 0)).await.unwrap();
    let foreign = [
        agent.nodes().claim_work(claim("gpu-2", 0)).await.unwrap_err(),
        agent
            .nodes()
            .report_work(ReportWorkRequest { name: "nodes/gpu-2/work/w-1".to_owned(), ..ReportWorkRequest::default() })
            .await
            .unwrap_err(),
        agent
            .nodes()
            .report_node_status(ReportNodeStatusRequest {
                name: "nodes/gpu-2".to_owned(),
                ..ReportNodeStatusRequest::default()
            })
            .await
            .unwrap_err(),
        agent
            .nodes()
            .redeem_mount_secret(RedeemMountSecretRequest {
                name: "nodes/gpu-2".to_owned(),
                mount_plan: "tenants/t/projects/p/workloads/w/mountPlans/m".to_owned(),
                handle: "h".to_owned(),
                work: String::new(),
            })
            .await
            .unwrap_err(),
    ];
    for status in foreign {
        assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    }
    for row in RPCS.iter().filter(|row| matches!(row.callers, Callers::Roles(_))) {
        let request = raw::request(&raw::method(row.path), "acme");
        let status = raw::call(&host.channel, row.path, request, Some(&token)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{}: {status:?}", row.path);
    }
}

#[tokio::test]
async fn the_token_of_a_deleted_node_is_void() {
    let (host, root) = region().await;
    let (agent, _) = joined(&host, &root, "gpu-1").await;
    let request = DeleteNodeRequest { name: "nodes/gpu-1".to_owned(), ..DeleteNodeRequest::default() };
    root.nodes().delete_node(request).await.unwrap();
    assert_eq!(agent.nodes().claim_work(claim("gpu-1", 0)).await.unwrap_err().code(), Code::Unauthenticated);
}

/// A long wait must not hold up the end of the host: it answers what there is.
#[tokio::test]
async fn a_shutdown_ends_the_wait_of_an_agent_with_an_empty_answer() {
    let (host, root) = region().await;
    let (agent, _) = joined(&host, &root, "gpu-1").await;
    let waiting = tokio::spawn(async move { agent.nodes().claim_work(claim("gpu-1", 60)).await });
    let ended = async {
        host.shut_down().await;
        waiting.await.unwrap()
    };
    let answer = tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the wait held the host up");
    // The call may also have been on its way when the host ended.
    match answer {
        Ok(answer) => assert!(answer.into_inner().work.is_empty()),
        Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status:?}"),
    }
}
