//! `stowage node`.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use stowage_client::proto as v1;

use super::connection::{Session, call, every};
use super::names::{NODE, full, split};
use super::output::{Column, many, one};
use super::values::{map, pair};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("ADDRESSES", "/addresses"),
    ("ROOTS", "/sourceRoots"),
    ("CLIENTS", "/clients"),
    ("AGENT", "/agentVersion"),
    ("REPORTED", "/reportTime"),
];

/// Nodes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a node known and prints the one-time token that its agent joins with.
    Create {
        /// NODE
        name: String,
        /// Address that storage servers see it under; again for more.
        #[arg(long = "address")]
        addresses: Vec<String>,
        /// KEY=VALUE
        #[arg(long = "label", value_parser = pair)]
        labels: Vec<(String, String)>,
        /// Writes the token to this file, readable by its owner alone, instead of printing it.
        #[arg(long)]
        join_token_file: Option<PathBuf>,
    },
    /// Lists nodes.
    List,
    /// Shows one node.
    Get {
        /// NODE
        name: String,
    },
    /// Forgets a node that has no mounts; its token is void from then on.
    Delete {
        /// NODE
        name: String,
    },
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut nodes = session.client.nodes();
    match command {
        Command::Create { name, addresses, labels, join_token_file } => {
            let (_, node_id) = split(NODE, &name)?;
            let node = v1::Node { addresses, labels: map(labels), ..Default::default() };
            let request = v1::CreateNodeRequest { node_id, node: Some(node), ..Default::default() };
            let created = call!(nodes, create_node, request);
            match join_token_file {
                Some(path) => {
                    let mut options = std::fs::OpenOptions::new();
                    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
                    let written = file.and_then(|mut file| file.write_all(created.join_token.as_bytes()));
                    written.with_context(|| {
                        format!("cannot write {}: delete the node and create it anew", path.display())
                    })?;
                    one(session.format, &created.node.unwrap_or_default(), COLUMNS)
                }
                None => one(session.format, &created, &[("Node", "/node/name"), ("Join token", "/joinToken")]),
            }
        }
        Command::List => {
            many(session.format, &every!(nodes, list_nodes, v1::ListNodesRequest::default(), nodes), COLUMNS)
        }
        Command::Get { name } => {
            let request = v1::GetNodeRequest { name: full(NODE, &name)? };
            one(session.format, &call!(nodes, get_node, request), COLUMNS)
        }
        Command::Delete { name } => {
            let request = v1::DeleteNodeRequest { name: full(NODE, &name)?, ..Default::default() };
            nodes.delete_node(request).await.map_err(stowage_client::Failure::from)?;
            Ok(())
        }
    }
}
