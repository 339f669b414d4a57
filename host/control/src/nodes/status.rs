//! An agent tells that it lives, what it can, and how its mounts are.

use stowage_domain::{MountName, Node, NodeClient, NodeName};
use stowage_store::{Segments, Transaction};

use crate::{
    Caller, Control, Mount, MountState, Result,
    rows::{NODE_MOUNTS, Reads, Writes},
};

/// How a mount is, as its node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedMount {
    /// The plan.
    pub mount: MountName,
    /// `Mounted`, `Stale`, `Failed` or `Released`.
    pub state: MountState,
    /// Where the node has each mount.
    pub paths: Vec<String>,
    /// Why it is not well.
    pub reason: String,
}

/// What an agent reports.
#[derive(Debug, Clone)]
pub struct NodeReport {
    /// The node.
    pub node: NodeName,
    /// Version of the agent.
    pub agent_version: String,
    /// Changes with every start of the machine.
    pub boot_id: String,
    /// Source roots that its configuration binds.
    pub source_roots: Vec<String>,
    /// Its mount clients.
    pub clients: Vec<NodeClient>,
    /// Every mount that it has or should have.
    pub mounts: Vec<ReportedMount>,
}

impl Control {
    /// Records the report. Answers the reported plans that the host does not know or knows as ended: to be unmounted.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE` for anybody but that node.
    pub async fn report_node(&self, caller: &Caller, report: NodeReport) -> Result<Vec<MountName>> {
        caller.must_be_node(&report.node)?;
        loop {
            let stored = self.tables.read::<Node>(&report.node).await?;
            let mut node = stored.value.clone();
            node.agent_version.clone_from(&report.agent_version);
            node.boot_id.clone_from(&report.boot_id);
            node.source_roots.clone_from(&report.source_roots);
            node.clients.clone_from(&report.clients);
            node.reported_at = Some(self.now());
            let mut change = Transaction::new();
            change.update(&node, stored.version);
            self.joining_ends(&report.node, &mut change).await?;
            match change.commit(&self.tables).await {
                Ok(_) => break,
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A node that was away or has learned something may be what an operation waits for.
        self.queue.wake_any_node();
        let mut unknown = Vec::new();
        for reported in &report.mounts {
            if !self.note_mount(&report.node, reported).await? {
                unknown.push(reported.mount.clone());
            }
        }
        self.note_missing(&report).await?;
        Ok(unknown)
    }

    /// Takes one mount's state over; tells whether the plan is this node's and has not ended.
    async fn note_mount(&self, node: &NodeName, reported: &ReportedMount) -> Result<bool> {
        loop {
            let Some(stored) = self.tables.find::<Mount>(&reported.mount).await? else { return Ok(false) };
            let mut mount = stored.value.clone();
            if mount.node.as_ref() != Some(node) || mount.state.ended() {
                return Ok(false);
            }
            // What an operation is changing is the operation's to say.
            if mount.operation.is_some() {
                return Ok(true);
            }
            match reported.state {
                MountState::Mounted => {
                    mount.state = MountState::Mounted;
                    mount.state_reason.clear();
                    mount.paths.clone_from(&reported.paths);
                }
                MountState::Stale | MountState::Failed | MountState::Released => {
                    mount.state = MountState::Stale;
                    mount.state_reason.clone_from(&reported.reason);
                }
                _ => return Ok(true),
            }
            let same = (mount.state, &mount.paths, &mount.state_reason)
                == (stored.value.state, &stored.value.paths, &stored.value.state_reason);
            if same {
                return Ok(true);
            }
            mount.reported_at = Some(self.now());
            mount.updated_at = self.now();
            let mut change = Transaction::new();
            change.update(&mount, stored.version);
            match change.commit(&self.tables).await {
                Ok(_) => return Ok(true),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Mounts that the node should have and does not tell of are stale.
    async fn note_missing(&self, report: &NodeReport) -> Result<()> {
        let prefix = Segments::of([report.node.node.as_str()]);
        for (_, name, _) in self.tables.entries(NODE_MOUNTS, &prefix, None, 1000).await?.items {
            let name = MountName::parse(&name)?;
            let told = report.mounts.iter().any(|reported| reported.mount == name);
            let Some(stored) = self.tables.find::<Mount>(&name).await? else { continue };
            if told || stored.value.state != MountState::Mounted || stored.value.operation.is_some() {
                continue;
            }
            let gone = ReportedMount {
                mount: name,
                state: MountState::Stale,
                paths: Vec::new(),
                reason: "the node does not have it any more".to_owned(),
            };
            self.note_mount(&report.node, &gone).await?;
        }
        Ok(())
    }
}
