//! The sidecar's side. `Echo` answers nothing to nothing: the least that gRPC costs.

use std::convert::Infallible;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::Result;
use tokio::net::{TcpListener, UnixListener};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use super::messages::{InspectReply, InspectRequest};
use super::{ECHO, INSPECT, SERVICE};
use crate::adapter::Twin;
use crate::process;

/// Serves on the Unix socket, or without one on a TCP port of the system's choice, until the input is closed. Says its
/// address.
pub(crate) async fn serve(socket: Option<&Path>) -> Result<()> {
    let server = Server::builder().add_service(Sidecar { twin: Arc::new(Twin::new()?) });
    let (address, serving): (_, Pin<Box<dyn Future<Output = _>>>) = match socket {
        Some(path) => {
            let incoming = UnixListenerStream::new(UnixListener::bind(path)?);
            (format!("unix:{}", path.display()), Box::pin(server.serve_with_incoming(incoming)))
        }
        None => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = format!("http://{}", listener.local_addr()?);
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            (address, Box::pin(server.serve_with_incoming(incoming)))
        }
    };
    tokio::select! {
        ended = serving => Ok(ended?),
        told = process::until_input_closes(&address) => told,
    }
}

#[derive(Clone)]
struct Sidecar {
    twin: Arc<Twin>,
}

impl NamedService for Sidecar {
    const NAME: &'static str = SERVICE;
}

impl Service<http::Request<Body>> for Sidecar {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let twin = Arc::clone(&self.twin);
        Box::pin(async move {
            Ok(match request.uri().path() {
                INSPECT => {
                    let inspect = service_fn(move |request: Request<InspectRequest>| {
                        let seen = twin.inspect(&request.get_ref().native);
                        let reply = seen.map(InspectReply::from).map_err(|error| Status::internal(error.to_string()));
                        std::future::ready(reply.map(Response::new))
                    });
                    Grpc::new(ProstCodec::<InspectReply, InspectRequest>::default()).unary(inspect, request).await
                }
                ECHO => {
                    let echo = service_fn(|_: Request<()>| std::future::ready(Ok::<_, Status>(Response::new(()))));
                    Grpc::new(ProstCodec::<(), ()>::default()).unary(echo, request).await
                }
                _ => Status::new(Code::Unimplemented, "no such method").into_http(),
            })
        })
    }
}
