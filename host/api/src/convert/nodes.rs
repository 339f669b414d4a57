//! Nodes and their work.

use stowage_control::{Order, SourceAccess, Work};
use stowage_domain::{Node, NodeClient, node::Presence};
use stowage_ports::provider::{MountPlan, MountSource, NodeResult, NodeStep};
use stowage_proto::v1;

use super::{labels_to, mounts, time};

/// A node of the contract.
pub(crate) fn to(node: &Node, presence: Presence, etag: String) -> v1::Node {
    let state = match presence {
        Presence::Expected => v1::NodeState::Expected,
        Presence::Online => v1::NodeState::Online,
        Presence::Offline => v1::NodeState::Offline,
    };
    let client = |client: &NodeClient| v1::NodeClient { kind: client.kind.clone(), version: client.version.clone() };
    v1::Node {
        name: node.name.to_string(),
        uid: node.uid.clone(),
        addresses: node.addresses.clone(),
        labels: labels_to(&node.labels),
        source_roots: node.source_roots.clone(),
        clients: node.clients.iter().map(client).collect(),
        state: state.into(),
        agent_version: node.agent_version.clone(),
        report_time: node.reported_at.map(time::to),
        create_time: Some(time::to(node.created_at)),
        join_time: node.joined_at.map(time::to),
        etag,
    }
}

/// A claimed piece of work.
pub(crate) fn work_to(work: &Work) -> v1::NodeWork {
    let lease = work.lease.as_ref();
    let base = v1::NodeWork {
        name: work.name.to_string(),
        provider: work.provider.to_string(),
        lease_expire_time: lease.map(|lease| time::to(lease.until)),
        attempt: work.attempt,
        claim: lease.map(|lease| lease.claim.clone()).unwrap_or_default(),
        ..v1::NodeWork::default()
    };
    match &work.order {
        Order::Steps(steps) => v1::NodeWork {
            kind: v1::NodeWorkKind::Steps.into(),
            source_root: match &steps.source {
                MountSource::HostPath { root, .. } => root.clone(),
                _ => work.provider.provider.to_string(),
            },
            source: Some(mounts::source_to(&steps.source)),
            steps: steps.steps.iter().map(step_to).collect(),
            source_options: SourceAccess::of(steps).options.into_iter().map(option_to).collect(),
            source_secrets: SourceAccess::of(steps).secrets.into_iter().map(secret_to).collect(),
            ..base
        },
        Order::Mount { mount, mount_id, plan } => v1::NodeWork {
            kind: v1::NodeWorkKind::Mount.into(),
            mount: Some(mount_to(mount.to_string(), mount_id.clone(), plan, false)),
            ..base
        },
        Order::Unmount { mount, mount_id, plan, force } => v1::NodeWork {
            kind: v1::NodeWorkKind::Unmount.into(),
            mount: Some(mount_to(mount.to_string(), mount_id.clone(), plan, *force)),
            ..base
        },
    }
}

fn option_to((key, value): (String, String)) -> v1::MountOption {
    v1::MountOption { key, value }
}

fn secret_to((key, handle): (String, String)) -> v1::MountSecret {
    v1::MountSecret { handle, deliver: Some(v1::mount_secret::Deliver::OptionKey(key)) }
}

fn step_to(step: &NodeStep) -> v1::NodeStep {
    v1::NodeStep {
        id: step.id.clone(),
        verb: step.verb.clone(),
        path: step.path.clone(),
        args: step.args.iter().filter(|(key, _)| !SourceAccess::holds(key)).cloned().collect(),
    }
}

fn mount_to(mount_plan: String, mount_id: String, plan: &MountPlan, force: bool) -> v1::NodeMount {
    v1::NodeMount {
        mount_plan,
        mount_id,
        mounts: mounts::mounts_to(plan),
        secrets: mounts::secrets_to(plan),
        prerequisites: mounts::prerequisites_to(plan),
        force,
    }
}

/// What a node reports of a step. The reason goes before the words, as `REASON: words`.
pub(crate) fn result_from(result: v1::NodeStepResult) -> NodeResult {
    let error = match (result.reason.is_empty(), result.error.is_empty()) {
        (true, true) => None,
        (true, false) => Some(result.error),
        (false, true) => Some(result.reason),
        (false, false) => Some(format!("{}: {}", result.reason, result.error)),
    };
    NodeResult { id: result.id, values: result.values.into_iter().collect(), error }
}
