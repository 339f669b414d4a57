//! Joining: a one-time token becomes the node's own. Only hashes of both are stored.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use stowage_audit::Outcome;
use stowage_domain::{Millis, Node, NodeName, UnixMillis};
use stowage_store::{Record, Segments, Transaction};
use subtle::ConstantTimeEq;

use crate::{
    Caller, Control, ControlError, Result, Status, Stored, ids,
    rows::{NODE_TOKENS, Reads, Writes},
};

/// A node with the token that its agent joins with.
#[derive(Debug, Clone)]
pub struct CreatedNode {
    /// The node.
    pub node: Stored<Node>,
    /// Shown once; `None` when nothing was made.
    pub join_token: Option<SecretString>,
    /// Until when it works.
    pub expires_at: UnixMillis,
}

/// An agent's first call.
#[derive(Debug, Clone)]
pub struct JoinNode {
    /// The node.
    pub node: NodeName,
    /// The join token.
    pub join_token: SecretString,
    /// Random text of the agent's choice: the same one gets an answer again that was lost.
    pub nonce: String,
    /// Version of the agent.
    pub agent_version: String,
}

/// An agent's identity.
#[derive(Debug, Clone)]
pub struct JoinedNode {
    /// The node.
    pub node: Stored<Node>,
    /// The bearer token of all further calls.
    pub token: SecretString,
    /// How often to report.
    pub report_interval: Millis,
}

/// What is kept of a node's tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JoinRow {
    node: NodeName,
    /// Hash of the join token.
    join_token: String,
    expires_at: UnixMillis,
    /// Hash of the nonce that used it up.
    #[serde(default)]
    nonce: Option<String>,
    /// Hash of the node's own token.
    #[serde(default)]
    pub(crate) node_token: Option<String>,
    /// Whether the node's own token was used: from then on a join is no repeat.
    #[serde(default)]
    used: bool,
}

impl Record for JoinRow {
    const TABLE: &'static str = "node-join";

    fn key(&self) -> Segments {
        Segments::of([self.node.node.as_str()])
    }
}

/// Hash under which a token is kept.
pub(crate) fn token_hash(token: &str) -> String {
    ids::digest(64, &["token", token])
}

pub(super) fn new_token(node: &NodeName, expires_at: UnixMillis) -> (SecretString, JoinRow) {
    let token = ids::secret("stwj_");
    let join_token = token_hash(&token);
    (token.into(), JoinRow { node: node.clone(), join_token, expires_at, nonce: None, node_token: None, used: false })
}

impl Control {
    /// Exchanges the join token for the node's own. The same agent may repeat the call with the same nonce until it has
    /// used the answer; then the token is spent.
    ///
    /// # Errors
    /// `JOIN_REFUSED`, which never tells what was wrong; a nonce of fewer than 16 characters.
    pub async fn join_node(&self, command: JoinNode) -> Result<JoinedNode> {
        if command.nonce.len() < 16 || command.nonce.len() > 256 {
            return Err(ControlError::field("join_nonce", "must be 16 to 256 random characters"));
        }
        let refused = || {
            let message = "the join token is unknown, expired or used: delete the node and create it anew";
            ControlError::new(Status::PermissionDenied, "JOIN_REFUSED", message)
        };
        let key = Segments::of([command.node.node.as_str()]);
        loop {
            let Some((mut row, version)) = self.tables.get::<JoinRow>(&key).await? else { return Err(refused()) };
            let given = token_hash(command.join_token.expose_secret());
            let nonce = token_hash(&command.nonce);
            let same_agent = row.nonce.as_ref().is_none_or(|old| *old == nonce);
            let now = self.now();
            let fits = bool::from(given.as_bytes().ct_eq(row.join_token.as_bytes()));
            if !fits || !same_agent || row.used || now >= row.expires_at {
                return Err(refused());
            }
            let Stored { value: mut node, version: node_version } = self.tables.read::<Node>(&command.node).await?;
            let token = ids::secret("stwn_");
            let mut change = Transaction::new();
            if let Some(old) = row.node_token.replace(token_hash(&token)) {
                change.unindex(NODE_TOKENS, &Segments::of([&old]));
            }
            row.nonce = Some(nonce);
            change.replace(&row, version);
            change.index(NODE_TOKENS, &Segments::of([&token_hash(&token)]), command.node.node.as_str());
            node.joined_at = Some(now);
            node.agent_version.clone_from(&command.agent_version);
            change.update(&node, node_version);
            self.audit(&mut change, &Caller::host(), "storage.node.join", &command.node, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(version) => {
                    return Ok(JoinedNode {
                        node: Stored { value: node, version },
                        token: token.into(),
                        report_interval: self.config.report_interval,
                    });
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The first use of the node's own token ends the joining.
    pub(super) async fn joining_ends(&self, node: &NodeName, change: &mut Transaction) -> Result<()> {
        let key = Segments::of([node.node.as_str()]);
        if let Some((mut row, version)) = self.tables.get::<JoinRow>(&key).await?
            && !row.used
        {
            row.used = true;
            change.replace(&row, version);
        }
        Ok(())
    }
}
