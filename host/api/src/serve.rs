//! The server: listener, layers, services, and an end without cut calls.
//!
//! A call passes the layers in this order: span and metrics, token and role, then its service. At shutdown health says "not
//! serving", waits of clients end with what there is, no new call is taken, and calls in flight may finish within
//! [`ApiConfig::drain`].

use std::{future::Future, io, os::unix::fs::FileTypeExt, path::Path, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use stowage_control::Control;
use stowage_ports::Authenticator;
use stowage_proto::{
    FILE_DESCRIPTOR_SET,
    v1::{
        credential_service_server::CredentialServiceServer, drift_service_server::DriftServiceServer,
        grant_service_server::GrantServiceServer, mount_service_server::MountServiceServer,
        namespace_service_server::NamespaceServiceServer, node_service_server::NodeServiceServer,
        operation_service_server::OperationServiceServer, provider_service_server::ProviderServiceServer,
        storage_class_service_server::StorageClassServiceServer, tenant_service_server::TenantServiceServer,
        workload_service_server::WorkloadServiceServer,
    },
};
use tokio::{
    net::{TcpListener, UnixListener, UnixStream},
    sync::watch,
};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{
    service::Routes,
    transport::{Identity, Server, ServerTlsConfig, server::TcpIncoming},
};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    api::Api,
    front::Front,
    listener::{Listen, ListenerError, Tls, check_listener},
    page::PageKey,
};

/// How to serve.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Where.
    pub listen: Listen,
    /// With which certificate.
    pub tls: Option<Tls>,
    /// Key of the page tokens.
    pub page_key: PageKey,
    /// How long calls in flight may go on after the shutdown began.
    pub drain: Duration,
}

/// Why the host doesn't serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener isn't allowed.
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// The address can't be taken.
    #[error("can't listen on {listen}; is another host running, or the port taken? {source}")]
    Bind {
        /// The address.
        listen: Listen,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate or key can't be used.
    #[error("the TLS certificate or key can't be used; both must be PEM and belong together: {0}")]
    Tls(#[source] tonic::transport::Error),
    /// Reflection can't be set up.
    #[error("the contract's descriptors can't be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The server broke.
    #[error("the server ended: {0}")]
    Server(#[source] tonic::transport::Error),
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A listener that has its address.
pub struct Bound {
    socket: Socket,
    listen: Listen,
    config: ApiConfig,
}

/// Takes the address, so that a wrong configuration shows before anything else starts.
///
/// # Errors
///
/// When the listener isn't allowed (see [`check_listener`]) or its address is taken.
pub async fn bind(config: ApiConfig) -> Result<Bound, ServeError> {
    check_listener(&config.listen, config.tls.as_ref())?;
    let refused = |source| ServeError::Bind { listen: config.listen.clone(), source };
    let (socket, listen) = match &config.listen {
        Listen::Tcp(address) => {
            let listener = TcpListener::bind(address).await.map_err(refused)?;
            let address = listener.local_addr().map_err(refused)?;
            (Socket::Tcp(listener), Listen::Tcp(address))
        }
        Listen::Unix(path) => {
            remove_stale(path).await.map_err(refused)?;
            (Socket::Unix(UnixListener::bind(path).map_err(refused)?), config.listen.clone())
        }
    };
    Ok(Bound { socket, listen, config })
}

/// Removes the socket file of a host that is gone; one that still answers stays.
async fn remove_stale(path: &Path) -> io::Result<()> {
    match tokio::fs::symlink_metadata(path).await {
        Ok(found) if found.file_type().is_socket() => match UnixStream::connect(path).await {
            Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "a host answers on this socket")),
            Err(_) => tokio::fs::remove_file(path).await,
        },
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is not a socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl Bound {
    /// The address, with the port that the system chose.
    #[must_use]
    pub const fn address(&self) -> &Listen {
        &self.listen
    }

    /// Serves until `shutdown` is done and the calls in flight have ended or the drain time is over.
    ///
    /// # Errors
    ///
    /// When TLS or reflection can't be set up, or the server breaks.
    pub async fn serve(
        self,
        control: Arc<Control>,
        authenticator: Arc<dyn Authenticator>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let (closing, closed) = watch::channel(false);
        let api = Api::new(control, self.config.page_key.clone(), closed.clone());
        let (health, routes) = routes(&api).await?;

        let mut server = Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(20)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)));
        if let Some(tls) = &self.config.tls {
            let identity = Identity::from_pem(&tls.certificate_pem, tls.key_pem.expose_secret());
            server = server.tls_config(ServerTlsConfig::new().identity(identity)).map_err(ServeError::Tls)?;
        }
        let router = server.layer(Front::new(authenticator)).add_routes(routes);

        let drain = self.config.drain;
        let begun = async move {
            shutdown.await;
            health.set_service_status("", ServingStatus::NotServing).await;
            closing.send_replace(true);
        };
        let serving = async {
            match self.socket {
                Socket::Tcp(listener) => {
                    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                    router.serve_with_incoming_shutdown(incoming, begun).await
                }
                Socket::Unix(listener) => {
                    router.serve_with_incoming_shutdown(UnixListenerStream::new(listener), begun).await
                }
            }
        };
        let mut ended = closed;
        let too_late = async {
            // An error means that the server is gone, and `serving` ends by itself.
            if ended.wait_for(|closing| *closing).await.is_ok() {
                tokio::time::sleep(drain).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            result = serving => result.map_err(ServeError::Server),
            () = too_late => {
                tracing::warn!(seconds = drain.as_secs(), "calls were cut at the end of the drain time");
                Ok(())
            }
        }
    }
}

async fn routes(api: &Api) -> Result<(HealthReporter, Routes), ServeError> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = Routes::new(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .add_service(CredentialServiceServer::new(api.clone()))
        .add_service(DriftServiceServer::new(api.clone()))
        .add_service(GrantServiceServer::new(api.clone()))
        .add_service(MountServiceServer::new(api.clone()))
        .add_service(NamespaceServiceServer::new(api.clone()))
        .add_service(NodeServiceServer::new(api.clone()))
        .add_service(OperationServiceServer::new(api.clone()))
        .add_service(ProviderServiceServer::new(api.clone()))
        .add_service(StorageClassServiceServer::new(api.clone()))
        .add_service(TenantServiceServer::new(api.clone()))
        .add_service(WorkloadServiceServer::new(api.clone()));
    reporter.set_service_status("", ServingStatus::Serving).await;
    for service in stowage_proto::descriptors().services() {
        reporter.set_service_status(service.full_name(), ServingStatus::Serving).await;
    }
    Ok((reporter, routes))
}
