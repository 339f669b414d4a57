//! Starting and stopping an emulator.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use crate::uid::Uid;
use parking_lot::Mutex;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::clock::Clock;
use crate::control::{Connections, Control, Outages};
use crate::keep::Keep;
use crate::listen::{self, Endpoint, Outage};
use crate::presets::Preset;
use crate::release::Release;
use crate::s3_server::Plane;
use crate::s3_server::audit::{Audit, Tally};
use crate::s3_server::door::Door;
use crate::server::Rest;
use crate::state::State;
use crate::switches::Switches;

/// The password of the preset's `admin` unless another is given. It meets the documented complexity.
pub const DEFAULT_PASSWORD: &str = "Weka-emulator-1";

/// A certificate chain and its key, as PEM text.
#[derive(Clone)]
pub struct Tls {
    /// The chain, leaf first.
    pub cert_pem: String,
    /// The leaf's private key.
    pub key_pem: String,
}

/// How an emulator shall be.
#[derive(Clone)]
pub struct Options {
    /// Addresses of the REST API; several are several endpoints of one cluster. Port 0 picks one.
    pub listen: Vec<SocketAddr>,
    /// Address of the S3 protocol; a real cluster has port 9000. Port 0 picks one.
    pub s3_listen: SocketAddr,
    /// Address of the admin port; only loopback is accepted.
    pub admin: SocketAddr,
    /// The cluster to be.
    pub preset: Preset,
    /// The release to claim; default 4.4.22.
    pub release: Option<Release>,
    /// Where file bytes lie; default a directory under the system's temporary one, removed at the end.
    pub tree: Option<PathBuf>,
    /// Where the whole cluster is kept. If one is there already it goes on, and `preset`, `password`, `switches` and
    /// `tree` have no say; without it the cluster ends with the emulator.
    pub state: Option<PathBuf>,
    /// The password of `admin`.
    pub password: String,
    /// TLS for the REST API and for S3; without it, plain HTTP.
    pub tls: Option<Tls>,
    /// The inferred behaviours to start with.
    pub switches: Switches,
}

impl Default for Options {
    fn default() -> Self {
        let any_loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: vec![any_loopback],
            s3_listen: any_loopback,
            admin: any_loopback,
            preset: Preset::default(),
            release: None,
            tree: None,
            state: None,
            password: DEFAULT_PASSWORD.to_owned(),
            tls: None,
            switches: Switches::default(),
        }
    }
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The admin port can mount and shows secrets.
    #[error("the admin address {0} is not loopback: give one such as 127.0.0.1:0")]
    AdminNotLoopback(SocketAddr),
    /// An address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The tree directory cannot be used.
    #[error("cannot use the tree directory {path}: {source}")]
    Tree {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The state directory cannot be used.
    #[error("cannot use the state directory {path}: {problem}")]
    State {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The certificate or key cannot be used.
    #[error("cannot use the TLS certificate or key: {0}")]
    Tls(String),
    /// The password would not be accepted by the API.
    #[error("the admin password needs 8 characters with upper case, lower case and a digit or special character")]
    Password,
    /// The preset could not be built.
    #[error("cannot build the preset: {0}")]
    Preset(String),
}

/// The emulator; [`Emulator::start`] makes one.
#[derive(Debug)]
pub struct Emulator;

/// An emulator that runs until it is stopped or dropped; then its mounts are gone.
pub struct Running {
    rest_urls: Vec<String>,
    s3_url: String,
    admin_url: String,
    control: Control,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    tree: PathBuf,
    remove_tree: bool,
}

impl Emulator {
    /// Starts on the current tokio runtime and answers when the ports are open.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        if !options.admin.ip().is_loopback() {
            return Err(StartError::AdminNotLoopback(options.admin));
        }
        crate::users::check_password(&options.password).map_err(|_| StartError::Password)?;
        let tls = options.tls.as_ref().map(acceptor).transpose()?;
        let remove_tree = options.tree.is_none() && options.state.is_none();
        let keep = options.state.as_deref().map(Keep::open).transpose()?;
        let tree = match (&options.state, &options.tree) {
            (Some(state), _) => state.join("trees"),
            (None, Some(tree)) => tree.clone(),
            (None, None) => std::env::temp_dir().join(format!("weka-emulator-{}", Uid::fresh())),
        };
        std::fs::create_dir_all(&tree).map_err(|source| StartError::Tree { path: tree.clone(), source })?;
        let clock = Clock::default();
        let state = match keep {
            Some(keep) if keep.has_cluster() => State::restore(keep, options.release.clone(), &clock, tree.clone())?,
            keep => {
                let release = match &options.release {
                    Some(release) => release.clone(),
                    None => "4.4.22"
                        .parse()
                        .map_err(|error: crate::UnreadableRelease| StartError::Preset(error.to_string()))?,
                };
                let Options { preset, switches, password, .. } = &options;
                State::preset(*preset, release, switches.clone(), password, clock.clone(), tree.clone(), keep)
                    .map_err(StartError::Preset)?
            }
        };
        let state = Arc::new(Mutex::new(state));
        let (stop, stopped) = watch::channel(false);
        let mut outages = Vec::new();
        let connections = Connections::default();
        let mut rest_urls = Vec::new();
        let mut tasks = Vec::new();
        let scheme = if tls.is_some() { "https" } else { "http" };
        for (number, wanted) in options.listen.iter().enumerate() {
            let (listener, address) = bind(*wanted).await?;
            let (sender, outage) = watch::channel(Outage::None);
            outages.push(sender);
            rest_urls.push(format!("{scheme}://{address}"));
            let handler = Arc::new(Rest { number, state: Arc::clone(&state) });
            let accepted = Arc::clone(&connections.rest);
            let endpoint = Endpoint { handler, tls: tls.clone(), outage, accepted, stop: stopped.clone() };
            tasks.push(tokio::spawn(async move {
                if let Err(error) = listen::serve(listener, address, endpoint).await {
                    tracing::error!(%address, %error, "the REST listener ended");
                }
            }));
        }
        let (listener, address) = bind(options.s3_listen).await?;
        let s3_url = format!("{scheme}://{address}");
        let (s3_outage, outage) = watch::channel(Outage::None);
        let tally = Arc::new(Tally::default());
        let (audit, delivery) = Audit::start(Arc::clone(&tally));
        let delivery = until(stopped.clone(), delivery);
        tasks.push(tokio::spawn(delivery));
        let handler = Arc::new(Door::new(Plane::new(Arc::clone(&state)), audit, tls.is_some()));
        let accepted = Arc::clone(&connections.s3);
        let endpoint = Endpoint { handler, tls, outage, accepted, stop: stopped.clone() };
        tasks.push(tokio::spawn(async move {
            if let Err(error) = listen::serve(listener, address, endpoint).await {
                tracing::error!(%address, %error, "the S3 listener ended");
            }
        }));
        let outages = Outages { rest: outages, s3: s3_outage };
        let control = Control { state, clock, outages: Arc::new(outages), connections: Arc::new(connections), tally };
        let (listener, address) = bind(options.admin).await?;
        let router = crate::admin::router(control.clone());
        let saving = stopped.clone();
        let mut stopped = stopped;
        tasks.push(tokio::spawn(async move {
            tokio::select! {
                served = axum::serve(listener, router) => if let Err(error) = served {
                    tracing::error!(%error, "the admin listener ended");
                },
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        }));
        if let Some(path) = &options.state {
            let unwritten = |error: io::Error| StartError::State { path: path.clone(), problem: error.to_string() };
            control.save().map_err(unwritten)?;
            tasks.push(tokio::spawn(until(saving, control.clone().save_now_and_then())));
        }
        let admin_url = format!("http://{address}");
        Ok(Running { rest_urls, s3_url, admin_url, control, stop, tasks, tree, remove_tree })
    }
}

/// Works until the emulator stops.
async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

async fn bind(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address: wanted, source };
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn acceptor(tls: &Tls) -> Result<TlsAcceptor, StartError> {
    let unusable = |problem: &dyn std::fmt::Display| StartError::Tls(problem.to_string());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(tls.cert_pem.as_bytes()).collect();
    let chain = chain.map_err(|error| unusable(&error))?;
    let key = PrivateKeyDer::from_pem_slice(tls.key_pem.as_bytes()).map_err(|error| unusable(&error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Running {
    /// The first REST endpoint, such as `http://127.0.0.1:40123`; the API lies under `/api/v2`.
    pub fn rest_url(&self) -> &str {
        self.rest_urls.first().map_or("", String::as_str)
    }

    /// Every REST endpoint.
    pub fn rest_urls(&self) -> &[String] {
        &self.rest_urls
    }

    /// The S3 endpoint, such as `http://127.0.0.1:40125`: path-style, with AssumeRole on the same port.
    pub fn s3_url(&self) -> &str {
        &self.s3_url
    }

    /// The admin port, such as `http://127.0.0.1:40124`; its routes lie under `/admin`.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Faults, clock, switches, mounts and the rest, without HTTP.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Stops listening, unmounts everything and removes the bytes.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            task.await.ok();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.control.unmount_all();
        if let Err(error) = self.control.save() {
            tracing::error!(%error, "could not keep the cluster");
        }
        if self.remove_tree
            && let Err(error) = std::fs::remove_dir_all(&self.tree)
        {
            tracing::debug!(path = %self.tree.display(), %error, "could not remove the tree directory");
        }
    }
}
