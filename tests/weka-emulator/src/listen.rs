//! Listening: plain or TLS, HTTP/1.1, with outages and connection resets on demand; for the REST API and for S3.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;

use crate::server::Reset;

/// Whether a listener lets clients in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outage {
    /// Business as usual.
    #[default]
    None,
    /// The port is closed: connections are refused, those in being are reset.
    Refuse,
    /// Connections are accepted and reset at once; those in being too.
    Reset,
    /// Connections are accepted and never served.
    Hang,
}

/// Who answers the requests of a listener.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Whether anybody is behind the port; if not, connections are reset.
    fn is_open(&self) -> bool {
        true
    }

    /// Answers one request; `reset` breaks its connection instead.
    fn answer(
        self: Arc<Self>,
        peer: SocketAddr,
        reset: Reset,
        request: hyper::Request<Body>,
    ) -> impl Future<Output = hyper::Response<Body>> + Send;
}

/// One listener.
pub(crate) struct Endpoint<H> {
    pub(crate) handler: Arc<H>,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) outage: watch::Receiver<Outage>,
    /// Connections that it has accepted: what a client that keeps its connections does not raise.
    pub(crate) accepted: Arc<AtomicU64>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// Serves until told to stop.
pub(crate) async fn serve<H: Handler>(
    mut listener: TcpListener,
    address: SocketAddr,
    endpoint: Endpoint<H>,
) -> io::Result<()> {
    let mut outage = endpoint.outage.clone();
    let mut stop = endpoint.stop.clone();
    let endpoint = Arc::new(endpoint);
    loop {
        if *stop.borrow() {
            return Ok(());
        }
        if *outage.borrow_and_update() == Outage::Refuse {
            drop(listener);
            tokio::select! {
                _ = outage.wait_for(|outage| *outage != Outage::Refuse) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            }
            listener = TcpListener::bind(address).await?;
        }
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, peer)) = accepted {
                endpoint.accepted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(connection(stream, peer, Arc::clone(&endpoint)));
            },
            changed = outage.changed() => if changed.is_err() { return Ok(()) },
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        }
    }
}

async fn connection<H: Handler>(stream: TcpStream, peer: SocketAddr, endpoint: Arc<Endpoint<H>>) {
    let mut outage = endpoint.outage.clone();
    let mut stop = endpoint.stop.clone();
    let Ok(socket) = stream.as_fd().try_clone_to_owned() else { return };
    // Else the second small segment of a handshake waits 40 ms for the client's delayed acknowledgement of the first.
    stream.set_nodelay(true).ok();
    if !endpoint.handler.is_open() {
        return abort(&socket);
    }
    let first = *outage.borrow();
    match first {
        Outage::Reset | Outage::Refuse => return abort(&socket),
        Outage::Hang => {
            // Holds the connection open, unserved, until the outage changes.
            let _held = &stream;
            tokio::select! {
                _ = outage.wait_for(|outage| *outage != Outage::Hang) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            return abort(&socket);
        }
        Outage::None => {}
    }
    let reset = Reset::new(Notify::new());
    let serving = async {
        match &endpoint.tls {
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    http(stream, peer, &endpoint.handler, &reset).await;
                }
            }
            None => http(stream, peer, &endpoint.handler, &reset).await,
        }
    };
    tokio::select! {
        () = serving => {}
        () = reset.notified() => abort(&socket),
        _ = outage.wait_for(|outage| *outage != Outage::None) => abort(&socket),
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn http<S, H: Handler>(stream: S, peer: SocketAddr, handler: &Arc<H>, reset: &Reset)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let answered = Arc::clone(handler).answer(peer, Arc::clone(reset), request.map(Body::new));
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}

/// Makes the close of this socket a TCP reset. The socket is closed when its other owner lets go, right after this.
fn abort(socket: &OwnedFd) {
    rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO)).ok();
}
