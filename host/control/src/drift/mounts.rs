//! Mounts of a provider's namespaces: what their nodes report, and what the provider sees of them.

use std::collections::HashMap;

use stowage_domain::{
    MountName, NamespaceName, Node, NodeName,
    drift::{MountBelief, MountSight, MountView, compare_mount},
    node::Presence,
};
use stowage_ports::provider::{ErrorKind, MountState as Seen, NativeRef};
use stowage_store::Segments;

use super::{Found, Look, MOUNTS_AT_ONCE};
use crate::{
    Control, Form, Mount, MountState, Result,
    rows::{NAMESPACE_MOUNTS, Reads},
};

/// Mounts that wait to be compared.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    waiting: Vec<Mount>,
    /// How many were compared.
    pub(super) compared: u64,
    /// Whether every question to the provider was answered.
    pub(super) unanswered: bool,
    /// What differs.
    pub(super) found: Vec<Found>,
}

impl Control {
    /// Takes the mounts of one namespace, and compares when enough have come together.
    pub(super) async fn take_mounts(
        &self,
        namespace: &NamespaceName,
        look: &Look<'_>,
        mounts: &mut Mounts,
    ) -> Result<()> {
        let prefix = Segments::of([&namespace.to_string()]);
        let mut cursor = None;
        loop {
            let page = self.tables.entries(NAMESPACE_MOUNTS, &prefix, cursor.as_ref(), MOUNTS_AT_ONCE).await?;
            for (_, name, _) in page.items {
                let Some(row) = self.tables.find::<Mount>(&MountName::parse(&name)?).await? else { continue };
                // What an operation is changing is the operation's to say.
                if row.value.operation.is_none() && belief(&row.value).is_some() {
                    mounts.waiting.push(row.value);
                }
                if mounts.waiting.len() >= MOUNTS_AT_ONCE {
                    self.compare_mounts(look, mounts).await?;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Compares those that wait, with one question to the provider.
    pub(super) async fn compare_mounts(&self, look: &Look<'_>, mounts: &mut Mounts) -> Result<()> {
        let waiting = std::mem::take(&mut mounts.waiting);
        let sights = self.observed(look, &waiting, mounts).await;
        let mut nodes: HashMap<NodeName, Option<Node>> = HashMap::new();
        for mount in &waiting {
            let Some(belief) = belief(mount) else { continue };
            let node = match &mount.node {
                Some(name) if mount.form == Form::Node => match nodes.get(name) {
                    Some(known) => known.clone(),
                    None => {
                        let found = self.tables.find::<Node>(name).await?.map(|row| row.value);
                        nodes.insert(name.clone(), found.clone());
                        found
                    }
                },
                _ => None,
            };
            let now = self.now();
            let silent = node.filter(|node| node.presence(now, self.config.report_interval) == Presence::Offline);
            let view = MountView {
                belief,
                node_silent: silent.map(|node| now.since(node.reported_at.or(node.joined_at).unwrap_or(now))),
                sight: native(mount).and_then(|key| sights.get(key)).cloned().unwrap_or(MountSight::Untold),
            };
            mounts.compared = mounts.compared.saturating_add(1);
            if let Some(difference) = compare_mount(&view) {
                let subject = mount.node.as_ref().map(ToString::to_string).unwrap_or_default();
                mounts.found.push(Found { difference, resource: mount.name.to_string(), subject });
            }
        }
        Ok(())
    }

    /// What the provider sees of each plan; nothing where it cannot say.
    async fn observed(&self, look: &Look<'_>, waiting: &[Mount], mounts: &mut Mounts) -> HashMap<Vec<u8>, MountSight> {
        let on_nodes = waiting.iter().filter(|mount| mount.form == Form::Node);
        let natives: Vec<NativeRef> = on_nodes.filter_map(native).map(|bytes| NativeRef(bytes.clone())).collect();
        if natives.is_empty() {
            return HashMap::new();
        }
        match look.provider.observe_mounts(look.cx, &natives).await {
            Ok(called) => called.value.into_iter().map(|status| (status.native.0, sight(&status.state))).collect(),
            Err(failure) => {
                mounts.unanswered = !matches!(failure.error.kind, ErrorKind::Unsupported(_));
                HashMap::new()
            }
        }
    }
}

fn belief(mount: &Mount) -> Option<MountBelief> {
    match mount.state {
        MountState::Requested => Some(MountBelief::Requested),
        MountState::Mounted => Some(MountBelief::Mounted),
        MountState::Stale => Some(MountBelief::Stale(mount.state_reason.clone())),
        MountState::Preparing
        | MountState::Failed
        | MountState::Revoked
        | MountState::Releasing
        | MountState::Released => None,
    }
}

fn native(mount: &Mount) -> Option<&Vec<u8>> {
    mount.plan.as_ref().map(|plan| &plan.native.0).filter(|bytes| !bytes.is_empty())
}

fn sight(state: &Seen) -> MountSight {
    match state {
        Seen::Requested => MountSight::Nobody,
        Seen::Mounted => MountSight::Attached,
        Seen::Stale => MountSight::Broken("that its client is not well".to_owned()),
        Seen::Failed(why) => MountSight::Broken(why.clone()),
        Seen::Revoked => MountSight::Broken("that it was taken back".to_owned()),
        Seen::Other(_) => MountSight::Untold,
    }
}
