//! Which node gets a piece of work.

use stowage_domain::{Millis, Node, NodeName, UnixMillis, node::Presence};
use stowage_ports::provider::MountSource;
use stowage_store::{Segments, Tables};

use crate::{Result, rows::Row};

/// Whether the node can reach the source by its own configuration.
fn reaches(node: &Node, source: &MountSource) -> bool {
    let client = |kind: &str| node.clients.iter().any(|client| client.kind == kind);
    match source {
        MountSource::HostPath { root, .. } => node.source_roots.contains(root),
        MountSource::Client { client_kind, .. } => client(client_kind),
        MountSource::Nfs { .. } => client("nfs"),
        MountSource::Block { .. } | MountSource::Object { .. } | MountSource::Other(_) => false,
    }
}

/// What a node must have, for people.
pub(crate) fn need(source: &MountSource) -> String {
    match source {
        MountSource::HostPath { root, .. } => format!("the root {root:?}"),
        MountSource::Client { client_kind, .. } => format!("a client of the kind {client_kind:?}"),
        MountSource::Nfs { .. } => "a client of the kind \"nfs\"".to_owned(),
        MountSource::Block { .. } => "block devices".to_owned(),
        MountSource::Object { .. } => "an object store".to_owned(),
        MountSource::Other(word) => format!("a source of the kind {word:?}"),
    }
}

/// The node that is online, reaches the source and reported last.
pub(crate) async fn pick_node(
    tables: &Tables,
    source: &MountSource,
    now: UnixMillis,
    interval: Millis,
) -> Result<Option<NodeName>> {
    let mut nodes = tables.walk::<Row<Node>>(Segments::new());
    let mut best: Option<Node> = None;
    while let Some(page) = nodes.next().await? {
        for (Row(node), _) in page {
            let newer = best.as_ref().is_none_or(|best| node.reported_at > best.reported_at);
            if newer && reaches(&node, source) && node.presence(now, interval) == Presence::Online {
                best = Some(node);
            }
        }
    }
    Ok(best.map(|node| node.name))
}
