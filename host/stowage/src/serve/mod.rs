//! `stowage serve`: wires the rooms into a host and runs it until it is told to stop.
//!
//! In this order, so that a wrong configuration shows before anything has run: configuration, logs, listener, secrets,
//! state, engine and plugins; then the use cases start and take up what a crash has left, and the first call is served.

mod config;
mod library;
mod telemetry;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use secrecy::ExposeSecret as _;
use stowage_api::{ApiConfig, Listen, PageKey, Tls};
use stowage_control::{Config, Control, Deps, TokenAuthenticator, TokenFile};
use stowage_domain::{Millis, Seconds};
use stowage_egress::{Redactor, SystemResolver};
use stowage_plugin::{Engine, EngineOptions};
use stowage_ports::{SecretError, SecretName, Secrets, Store, SystemClock};
use stowage_secrets::{EnvSecrets, FileSecrets, Layered};
use tokio::signal::unix::{SignalKind, signal};

use config::{Engine as StateEngine, HostConfig};
use library::Library;

/// How long calls in flight may go on after the host was told to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// Options of the host.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The host's configuration; `stowage init` makes one.
    #[arg(long, default_value = "/etc/stowage/stowage.toml", env = "STOWAGE_CONFIG")]
    config: PathBuf,
    /// Directory of plugins, instead of the configuration's.
    #[arg(long, env = "STOWAGE_PLUGINS_DIR")]
    plugins_dir: Option<PathBuf>,
    /// Checks the configuration and ends.
    #[arg(long)]
    check: bool,
}

/// Runs the host.
pub(crate) async fn run(serve: Serve) -> anyhow::Result<()> {
    let mut config = HostConfig::load(&serve.config)?;
    if let Some(directory) = serve.plugins_dir {
        config.plugins.directory = directory;
    }
    let tokens = TokenFile::read(&config.auth.token_file)?;
    if serve.check {
        println!("{config:#?}");
        return Ok(());
    }
    // Only one provider is compiled in, so a second installation cannot be of another.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redactor = Redactor::new();
    telemetry::logs(&config.log.filter, &redactor)?;
    if let Some(metrics) = &config.metrics {
        telemetry::metrics(metrics.listen)?;
    }
    let secrets: Arc<dyn Secrets> = Arc::new(Layered::new(vec![
        Arc::new(FileSecrets::open(&config.secrets.directory)?),
        Arc::new(EnvSecrets::from_process()),
    ]));
    let bound = stowage_api::bind(api_config(&config, page_key(&*secrets).await?)?).await?;
    let store = open_state(&config)?;
    let tables = stowage_store::schema::open(Arc::clone(&store), stowage_control::migrations()).await?;
    let clock = Arc::new(SystemClock);
    let engine = Engine::new(EngineOptions { cache: Some(config.plugins.cache.clone()), ..EngineOptions::default() })?;
    let forbidden = match bound.address() {
        Listen::Tcp(address) => vec![*address],
        Listen::Unix(_) => Vec::new(),
    };
    let library = Arc::new(Library {
        directory: config.plugins.directory.clone(),
        engine,
        secrets: Arc::clone(&secrets),
        store: Arc::clone(&store),
        clock: clock.clone(),
        redactor,
        resolver: Arc::new(SystemResolver),
        forbidden,
        shelf: tokio::sync::Mutex::default(),
    });
    library.read_all().await?;
    let authenticator = Arc::new(TokenAuthenticator::new(tokens, tables.clone()));
    let control = Control::new(Deps { tables, clock, secrets, loader: library, config: settings(&config) });
    control.start().await?;
    let address = match bound.address() {
        Listen::Tcp(address) if config.server.tls.is_some() => format!("https://{address}"),
        Listen::Tcp(address) => format!("http://{address}"),
        unix @ Listen::Unix(_) => unix.to_string(),
    };
    if let Some(file) = &config.server.address_file {
        let written = std::fs::write(file, &address);
        written.with_context(|| format!("cannot write {}", file.display()))?;
    }
    tracing::info!(address, version = env!("CARGO_PKG_VERSION"), "serving");
    bound.serve(Arc::clone(&control), authenticator, told_to_stop()?).await?;
    control.stop(DRAIN).await;
    store.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// What the file sets of the use cases.
fn settings(config: &HostConfig) -> Config {
    Config {
        installation: config.installation.clone(),
        operation_retention: Seconds(u64::from(config.retention.operations_days) * 24 * 3600),
        request_retention: Seconds(u64::from(config.retention.requests_hours) * 3600),
        drift_interval: Millis(u64::from(config.drift.scan_every_s.max(1)) * 1000),
        report_interval: Millis(u64::from(config.nodes.report_every_s.max(1)) * 1000),
        ..Config::default()
    }
}

fn api_config(config: &HostConfig, page_key: PageKey) -> anyhow::Result<ApiConfig> {
    let read =
        |path: &PathBuf| std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let tls = match &config.server.tls {
        Some(tls) => Some(Tls { certificate_pem: read(&tls.certificate)?, key_pem: read(&tls.key)?.into() }),
        None => None,
    };
    Ok(ApiConfig { listen: Listen::Tcp(config.server.listen), tls, page_key, drain: DRAIN })
}

/// The key of page tokens, made once: lists that were begun before a restart can be gone on with.
async fn page_key(secrets: &dyn Secrets) -> anyhow::Result<PageKey> {
    let (name, field) = (SecretName::parse("host/page-tokens")?, "key");
    let key = match secrets.get(&name, field).await {
        Ok(kept) => hex::decode(kept.expose_secret()).ok().and_then(|key| <[u8; 32]>::try_from(key).ok()),
        Err(SecretError::Missing { .. }) => {
            let fresh = rand::random::<[u8; 32]>();
            secrets.put(&name, vec![(field.to_owned(), hex::encode(fresh).into())]).await?;
            Some(fresh)
        }
        Err(error) => return Err(error.into()),
    };
    key.map(PageKey::new).with_context(|| format!("secret {name} is not 64 hexadecimal digits: delete it"))
}

fn open_state(config: &HostConfig) -> anyhow::Result<Arc<dyn Store>> {
    let directory = &config.state.directory;
    Ok(match config.state.engine {
        StateEngine::Sled => Arc::new(stowage_store_sled::open(directory, stowage_store_sled::Options::default())?),
        StateEngine::Redb => Arc::new(stowage_store_redb::open(directory, stowage_store_redb::Options::default())?),
    })
}

fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
    })
}
