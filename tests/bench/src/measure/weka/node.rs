//! A node that has no mounts: what it is told to make, it makes by the emulator's hooks.
//!
//! The cluster's API has no mkdir, so a namespace needs a node. Here its directory is a means to measure something else.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stowage_client::{Client, Failure, Target, proto};

use crate::emulator::Emulator;
use crate::host::Host;

const NODE: &str = "nodes/bench";

/// A node that is known and has joined.
pub(super) struct Node {
    client: Client,
    emulator: Arc<Emulator>,
}

impl Node {
    /// Makes it known to the host, joins, and reports the client that the adapter's plans name.
    pub(super) async fn join(host: &Host, emulator: &Arc<Emulator>) -> Result<Self> {
        let node = proto::Node { addresses: vec!["10.0.0.1".to_owned()], ..Default::default() };
        let create = proto::CreateNodeRequest { node_id: "bench".to_owned(), node: Some(node), ..Default::default() };
        let created = host.client.nodes().create_node(create).await.map_err(Failure::from)?.into_inner();
        let join = proto::JoinNodeRequest {
            name: NODE.to_owned(),
            join_token: created.join_token,
            join_nonce: "0123456789abcdef0123456789abcdef".to_owned(),
            ..Default::default()
        };
        let joined = host.client.nodes().join_node(join).await.map_err(Failure::from)?.into_inner();
        let client = Client::connect(Target::new(&host.address).with_token(joined.node_token)).await?;
        let wekafs = proto::NodeClient { kind: "wekafs".to_owned(), ..Default::default() };
        let status =
            proto::ReportNodeStatusRequest { name: NODE.to_owned(), clients: vec![wekafs], ..Default::default() };
        client.nodes().report_node_status(status).await.map_err(Failure::from)?;
        Ok(Self { client, emulator: Arc::clone(emulator) })
    }

    /// Does what there is to do, for as long as it is polled.
    pub(super) async fn work(&self) -> Result<()> {
        let wait = prost_types::Duration::try_from(Duration::from_secs(5))?;
        loop {
            let claim = proto::ClaimWorkRequest { parent: NODE.to_owned(), max_work: 8, wait: Some(wait) };
            let claimed = self.client.nodes().claim_work(claim).await.map_err(Failure::from)?.into_inner();
            for work in claimed.work {
                let mut results = Vec::new();
                for step in &work.steps {
                    ensure!(matches!(step.verb.as_str(), "stat" | "make-directory"), "{step:?}");
                    if step.verb == "make-directory" {
                        let made = self.emulator.make_directory(&format!("/{}", step.path)).await;
                        made.with_context(|| format!("making {}", step.path))?;
                    }
                    results.push(proto::NodeStepResult { id: step.id.clone(), ..Default::default() });
                }
                let report =
                    proto::ReportWorkRequest { name: work.name, claim: work.claim, results, ..Default::default() };
                self.client.nodes().report_work(report).await.map_err(Failure::from)?;
            }
        }
    }
}
