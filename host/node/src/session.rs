//! The agent's standing with the host: joins once with the operator's token, then calls as its node.
//!
//! The nonce is written down before the first call, so a join whose answer was lost is repeated by the same agent and by
//! nobody else. The node's token is kept with mode 0600 beside the journal; deleting the node at the host voids it.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use stowage_client::{Authorized, Client, ConnectError, Failure, Target};
use stowage_proto::v1;
use stowage_proto::v1::node_service_client::NodeServiceClient;

use crate::config::NodeConfig;
use crate::journal::write_durably;

/// The client that all parts of the agent share.
pub type NodeClient = NodeServiceClient<Authorized>;

/// Why the agent has no standing.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The host cannot be called.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The host refused.
    #[error("the host refused to let node {node} join: {failure}")]
    Refused {
        /// The node.
        node: String,
        /// Why.
        failure: Box<Failure>,
    },
    /// There is no token to join with.
    #[error(
        "this node has not joined and there is no join token: create it with `stowage node create {0}` and set join_token_file"
    )]
    NoJoinToken(String),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// A client with the node's own token; joins first if there is none yet.
pub async fn open(config: &NodeConfig) -> Result<NodeClient, SessionError> {
    std::fs::create_dir_all(&config.state_dir).map_err(|source| file(&config.state_dir, source))?;
    let kept = config.state_dir.join("token");
    let token = match read(&kept)? {
        Some(token) => token,
        None => join(config, &kept).await?,
    };
    let target = target(config)?.with_token(token);
    Ok(Client::connect_lazy(&target)?.nodes())
}

async fn join(config: &NodeConfig, kept: &Path) -> Result<SecretString, SessionError> {
    let missing = || SessionError::NoJoinToken(config.name.clone());
    let token_file = config.join_token_file.as_ref().ok_or_else(missing)?;
    let join_token = read(token_file)?.ok_or_else(missing)?;
    let client = Client::connect(target(config)?).await?;
    let request = v1::JoinNodeRequest {
        name: format!("nodes/{}", config.name),
        join_token: join_token.expose_secret().to_owned(),
        join_nonce: nonce(&config.state_dir.join("join-nonce"))?,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let refused =
        |status| SessionError::Refused { node: config.name.clone(), failure: Box::new(Failure::from(status)) };
    let token = client.nodes().join_node(request).await.map_err(refused)?.into_inner().node_token;
    write_durably(kept, token.as_bytes()).map_err(|source| file(kept, source))?;
    tracing::info!(node = config.name, "joined");
    Ok(token.into())
}

fn target(config: &NodeConfig) -> Result<Target, SessionError> {
    let target = Target::new(&config.server);
    match &config.server_ca {
        Some(path) => Ok(target.with_ca(std::fs::read(path).map_err(|source| file(path, source))?)),
        None => Ok(target),
    }
}

/// 32 random hexadecimal digits, the same ones at every start until the node has joined.
fn nonce(path: &Path) -> Result<String, SessionError> {
    if let Some(kept) = read(path)? {
        return Ok(kept.expose_secret().to_owned());
    }
    let fresh = uuid::Uuid::new_v4().simple().to_string();
    write_durably(path, fresh.as_bytes()).map_err(|source| file(path, source))?;
    Ok(fresh)
}

fn read(path: &Path) -> Result<Option<SecretString>, SessionError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned().into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(file(path, source)),
    }
}

fn file(path: &Path, source: std::io::Error) -> SessionError {
    SessionError::File { path: path.display().to_string(), source }
}
