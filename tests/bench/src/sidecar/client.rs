//! The host's side: one connection for as long as the sidecar lives.

use anyhow::{Result, ensure};
use async_trait::async_trait;
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use super::INSPECT;
use super::messages::{InspectReply, InspectRequest};
use crate::adapter::NAMESPACE;
use crate::rounds::Subject;

/// A connection; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Connection(Channel);

impl Connection {
    /// Connects to the address that a sidecar has said, or a host has written.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        Ok(Self(Endpoint::from_shared(address.to_owned())?.tcp_nodelay(true).connect().await?))
    }

    async fn unary<Q, R>(&self, path: &'static str, message: Q) -> Result<R>
    where
        Q: prost::Message + Default + Send + Sync + 'static,
        R: prost::Message + Default + Send + Sync + 'static,
    {
        let mut grpc = Grpc::new(self.0.clone());
        grpc.ready().await?;
        let path = PathAndQuery::from_static(path);
        Ok(grpc.unary(tonic::Request::new(message), path, ProstCodec::<Q, R>::default()).await?.into_inner())
    }
}

/// The call that is measured.
pub(crate) struct Inspect(pub(crate) Connection);

#[async_trait]
impl Subject for Inspect {
    async fn once(&self) -> Result<()> {
        let request = InspectRequest { native: NAMESPACE.as_bytes().to_vec(), request_id: "bench".to_owned() };
        let seen: InspectReply = self.0.unary(INSPECT, request).await?;
        ensure!(seen.lifecycle == "Lifecycle::Ready", "{seen:?}");
        Ok(())
    }
}

/// A call that sends nothing and looks at nothing of the answer.
pub(crate) struct Empty {
    pub(crate) connection: Connection,
    /// Such as `/grpc.health.v1.Health/Check`.
    pub(crate) path: &'static str,
}

#[async_trait]
impl Subject for Empty {
    async fn once(&self) -> Result<()> {
        self.connection.unary::<(), ()>(self.path, ()).await
    }
}
