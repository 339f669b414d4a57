//! Nodes: made known, joined once, heard of.

mod join;
pub(crate) use join::token_hash;
mod status;

use stowage_audit::Outcome;
use stowage_domain::{Labels, Node, NodeId, NodeName};
use stowage_ports::store::Version;
use stowage_store::{Segments, Transaction};

pub use join::{CreatedNode, JoinNode, JoinedNode};
pub use status::{NodeReport, ReportedMount};

use crate::{
    Caller, Control, ControlError, Listed, PageRequest, Result, Stored, WriteOptions, ids,
    rows::{NODE_MOUNTS, NODE_TOKENS, Reads, Writes},
};

/// A new node.
#[derive(Debug, Clone)]
pub struct CreateNode {
    /// Its id.
    pub id: NodeId,
    /// Addresses that the providers see it under.
    pub addresses: Vec<String>,
    /// Labels.
    pub labels: Labels,
}

impl Control {
    /// Makes a node known and answers the token that its agent joins with, once.
    ///
    /// # Errors
    /// `ALREADY_EXISTS`, wrong fields.
    pub async fn create_node(
        &self,
        caller: &Caller,
        command: CreateNode,
        options: WriteOptions,
    ) -> Result<CreatedNode> {
        caller.may_touch_region()?;
        let name = NodeName::new(command.id);
        if let Some(bad) =
            command.addresses.iter().find(|a| a.is_empty() || a.len() > 255 || a.contains(char::is_whitespace))
        {
            return Err(ControlError::field("node.addresses", format!("{bad:?} must be an address or host name")));
        }
        if self.tables.find::<Node>(&name).await?.is_some() {
            return Err(ControlError::exists(name));
        }
        let now = self.now();
        let node = Node {
            name: name.clone(),
            uid: ids::uid(),
            addresses: command.addresses,
            labels: command.labels,
            source_roots: Vec::new(),
            clients: Vec::new(),
            agent_version: String::new(),
            boot_id: String::new(),
            reported_at: None,
            created_at: now,
            joined_at: None,
        };
        let expires_at = now.plus(self.config.join_token_ttl.millis());
        if options.validate_only {
            return Ok(CreatedNode {
                node: Stored { value: node, version: Version::default() },
                join_token: None,
                expires_at,
            });
        }
        let (token, row) = join::new_token(&name, expires_at);
        let mut change = Transaction::new();
        change.insert(&node);
        change.put(&row);
        self.audit(&mut change, caller, "storage.node.create", &name, Outcome::Done, "");
        let version = change.commit(&self.tables).await?;
        Ok(CreatedNode { node: Stored { value: node, version }, join_token: Some(token), expires_at })
    }

    /// One node.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn get_node(&self, caller: &Caller, name: &NodeName) -> Result<Stored<Node>> {
        if caller.must_be_node(name).is_err() {
            caller.may_touch_region()?;
        }
        self.tables.read::<Node>(name).await
    }

    /// Nodes by name.
    ///
    /// # Errors
    /// A wrong page token.
    pub async fn list_nodes(&self, caller: &Caller, page: PageRequest) -> Result<Listed<Stored<Node>>> {
        caller.may_touch_region()?;
        self.tables.list::<Node>(&Segments::new(), &page).await
    }

    /// Forgets a node without mounts; its token is void from the commit on.
    ///
    /// # Errors
    /// `NODE_NOT_EMPTY`, `NOT_FOUND`, `ETAG_MISMATCH`.
    pub async fn delete_node(&self, caller: &Caller, name: &NodeName, options: WriteOptions) -> Result<()> {
        caller.may_touch_region()?;
        loop {
            let stored = self.tables.read::<Node>(name).await?;
            stored.check_etag(options.etag.as_deref(), name)?;
            let prefix = Segments::of([name.node.as_str()]);
            let mounts = self.tables.entries(NODE_MOUNTS, &prefix, None, 1).await?.items;
            if let Some((_, mount, _)) = mounts.first() {
                let what = format!("it has mounts, such as {mount}: release them first");
                return Err(ControlError::precondition("NODE_NOT_EMPTY", name, what));
            }
            if options.validate_only {
                return Ok(());
            }
            let mut change = Transaction::new();
            change.remove::<Node>(name, stored.version);
            change.require_no_entry(NODE_MOUNTS, &prefix);
            if let Some((row, version)) = self.tables.get::<join::JoinRow>(&prefix).await? {
                if let Some(hash) = &row.node_token {
                    change.unindex(NODE_TOKENS, &Segments::of([hash]));
                }
                change.delete::<join::JoinRow>(&prefix, version);
            }
            self.audit(&mut change, caller, "storage.node.delete", name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_conflict() && options.etag.is_none() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
