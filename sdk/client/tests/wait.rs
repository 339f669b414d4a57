//! Waiting against a real server on a Unix socket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use prost_types::Any;
use stowage_client::{
    Client, Target, WaitError,
    proto::{
        CancelOperationRequest, GetOperationRequest, ListOperationsRequest, ListOperationsResponse, Namespace,
        Operation, Tenant, WaitOperationRequest, operation,
        operation_service_server::{OperationService, OperationServiceServer},
    },
};
use tokio::net::TcpListener;
use tokio::time::{Duration, Instant};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

/// Ends an operation at the third look; the first look finds the host away.
struct Slow {
    looks: Arc<AtomicU32>,
    ends: bool,
}

#[tonic::async_trait]
impl OperationService for Slow {
    async fn wait_operation(&self, request: Request<WaitOperationRequest>) -> Result<Response<Operation>, Status> {
        let look = self.looks.fetch_add(1, Ordering::SeqCst);
        if look == 0 {
            return Err(Status::unavailable("starting"));
        }
        let done = self.ends && look >= 2;
        let namespace = Namespace { name: "tenants/t/projects/p/namespaces/n".to_owned(), ..Namespace::default() };
        Ok(Response::new(Operation {
            name: request.into_inner().name,
            done,
            result: done.then(|| operation::Result::Response(Any::from_msg(&namespace).unwrap())),
            ..Operation::default()
        }))
    }
    async fn get_operation(&self, _: Request<GetOperationRequest>) -> Result<Response<Operation>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn list_operations(
        &self,
        _: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn cancel_operation(&self, _: Request<CancelOperationRequest>) -> Result<Response<Operation>, Status> {
        Err(Status::unimplemented(""))
    }
}

async fn client(ends: bool) -> (Client, Arc<AtomicU32>) {
    let looks = Arc::new(AtomicU32::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = OperationServiceServer::new(Slow { looks: Arc::clone(&looks), ends });
    tokio::spawn(
        tonic::transport::Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)),
    );
    (Client::connect(Target::new(format!("http://{address}"))).await.unwrap(), looks)
}

fn running() -> Operation {
    Operation { name: "operations/o".to_owned(), ..Operation::default() }
}

#[tokio::test]
async fn a_wait_goes_on_while_the_host_is_away_and_takes_the_response() {
    let (client, looks) = client(true).await;
    let namespace: Namespace = client.wait_for(running(), None).await.unwrap();
    assert_eq!(namespace.name, "tenants/t/projects/p/namespaces/n");
    assert_eq!(looks.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_response_of_another_type_is_named() {
    let (client, _) = client(true).await;
    let error = client.wait_for::<Tenant>(running(), None).await.unwrap_err().to_string();
    assert!(error.contains("stowage.v1.Namespace") && error.contains("stowage.v1.Tenant"), "{error}");
}

#[tokio::test]
async fn the_deadline_ends_a_wait_and_tells_how_to_go_on() {
    let (client, _) = client(false).await;
    let deadline = Instant::now() + Duration::from_millis(200);
    let error = client.wait_for::<Namespace>(running(), Some(deadline)).await.unwrap_err();
    assert!(matches!(error, WaitError::StillRunning(_)));
    assert!(error.to_string().contains("stowage op wait operations/o"), "{error}");
}
