//! A host over loopback with the real use cases on a real store, and callers of every kind.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod raw;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use stowage_api::{ApiConfig, Listen, PageKey, bind};
use stowage_control::{
    Config, Control, Deps, LoadError, PluginInfo, ProviderLoader, TokenAuthenticator, TokenEntry, TokenFile, TokenKind,
};
use stowage_domain::Provider as ProviderRecord;
use stowage_ports::{
    CallerIdentity, CallerKind, ManualClock, Role, SecretError, SecretName, Secrets, provider::Provider,
};
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint};

/// Every role at once.
pub(crate) const ALL_ROLES: [Role; 5] = [Role::Operator, Role::Platform, Role::Admin, Role::Member, Role::Viewer];

/// A store of secrets without any.
struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn get(&self, name: &SecretName, field: &str) -> Result<SecretString, SecretError> {
        Err(SecretError::Missing { name: name.to_string(), field: field.to_owned() })
    }
    async fn put(&self, _: &SecretName, _: Vec<(String, SecretString)>) -> Result<(), SecretError> {
        Err(SecretError::ReadOnly("there is none".to_owned()))
    }
    async fn delete(&self, _: &SecretName) -> Result<(), SecretError> {
        Err(SecretError::ReadOnly("there is none".to_owned()))
    }
}

/// A directory of plugins without any.
struct NoPlugins;

#[async_trait]
impl ProviderLoader for NoPlugins {
    async fn load(&self, record: &ProviderRecord) -> Result<Arc<dyn Provider>, LoadError> {
        Err(LoadError::NoPlugin(record.plugin.clone()))
    }
    async fn pin(&self, record: &ProviderRecord) -> Result<BTreeMap<String, Vec<String>>, LoadError> {
        Err(LoadError::NoPlugin(record.plugin.clone()))
    }
    async fn inspect(&self, plugin: &str) -> Result<PluginInfo, LoadError> {
        Err(LoadError::NoPlugin(plugin.to_owned()))
    }
    async fn list(&self) -> Result<Vec<PluginInfo>, LoadError> {
        Ok(Vec::new())
    }
}

/// A caller by what it is bound to.
pub(crate) fn identity(subject: &str, roles: &[Role], tenant: Option<&str>, project: Option<&str>) -> CallerIdentity {
    CallerIdentity {
        subject: subject.to_owned(),
        kind: CallerKind::Service,
        roles: roles.to_vec(),
        tenant: tenant.map(str::to_owned),
        project: project.map(str::to_owned),
        groups: Vec::new(),
    }
}

/// What the host keeps of a token.
fn entry(caller: &CallerIdentity, token: &str) -> TokenEntry {
    TokenEntry {
        sha256: Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect(),
        subject: caller.subject.clone(),
        kind: TokenKind::Service,
        roles: caller.roles.clone(),
        tenant: caller.tenant.clone(),
        project: caller.project.clone(),
        groups: caller.groups.clone(),
    }
}

/// A running host.
pub(crate) struct Host {
    /// Connection without a token.
    pub(crate) channel: Channel,
    /// Its address.
    pub(crate) uri: String,
    /// The use cases behind it.
    pub(crate) control: Arc<Control>,
    tokens: Vec<(String, String)>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<tokio::task::JoinHandle<()>>,
    _state: tempfile::TempDir,
}

impl Host {
    /// Starts one on loopback that knows these callers.
    pub(crate) async fn start(callers: &[CallerIdentity]) -> Self {
        let config = ApiConfig {
            listen: Listen::Tcp("127.0.0.1:0".parse().unwrap()),
            tls: None,
            page_key: PageKey::new([7; 32]),
            drain: std::time::Duration::from_secs(5),
        };
        Self::start_with(callers, config).await
    }

    /// Starts one that listens as told.
    pub(crate) async fn start_with(callers: &[CallerIdentity], config: ApiConfig) -> Self {
        let state = tempfile::tempdir().unwrap();
        let store = stowage_store_redb::open(state.path(), stowage_store_redb::Options::default()).unwrap();
        let tables = stowage_store::schema::open(Arc::new(store), &[]).await.unwrap();
        let mut tokens = Vec::new();
        let mut file = TokenFile::default();
        for caller in callers {
            let token = format!("stw_{}_{}", caller.subject, "0123456789abcdef".repeat(2));
            file.tokens.push(entry(caller, &token));
            tokens.push((caller.subject.clone(), token));
        }
        let authenticator = Arc::new(TokenAuthenticator::new(file, tables.clone()));
        let control = Control::new(Deps {
            tables,
            clock: Arc::new(ManualClock::at(1_700_000_000_000)),
            secrets: Arc::new(NoSecrets),
            loader: Arc::new(NoPlugins),
            config: Config::default(),
        });
        control.start().await.unwrap();
        let bound = bind(config).await.unwrap();
        let uri = match bound.address() {
            Listen::Tcp(address) => format!("http://{address}"),
            unix @ Listen::Unix(_) => unix.to_string(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn({
            let control = Arc::clone(&control);
            async move {
                let shutdown = async move {
                    let _ = stopped.await;
                };
                bound.serve(control, authenticator, shutdown).await.unwrap();
            }
        });
        let channel = Endpoint::from_shared(uri.clone()).unwrap().connect_lazy();
        Self { channel, uri, control, tokens, stop: Some(stop), served: Some(served), _state: state }
    }

    /// The token of a caller.
    pub(crate) fn token(&self, subject: &str) -> &str {
        &self.tokens.iter().find(|(own, _)| own == subject).unwrap().1
    }

    /// A client for a caller.
    pub(crate) async fn client(&self, subject: &str) -> stowage_client::Client {
        let target = stowage_client::Target::new(&self.uri).with_token(self.token(subject));
        stowage_client::Client::connect(target).await.unwrap()
    }

    /// Ends it as a signal would, and waits until it has ended.
    pub(crate) async fn shut_down(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.served.take().unwrap().await.unwrap();
    }
}
