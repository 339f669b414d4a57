//! Usage: as booked, or as a node reads it from the filesystem's quota.

use stowage_provider_sdk::prelude::*;

use crate::{config::Config, show, state::Namespace};

/// Usage of each, in order. One that is not there is an error of its own and does not spoil the others.
pub(crate) fn read(config: &Config, natives: &[NativeRef], node_results: &[NodeResult]) -> Result<Usages> {
    let found: Vec<Result<Namespace>> = natives.iter().map(|n| Namespace::of(n).map(|v| v.value)).collect();
    if config.usage_from_node && node_results.is_empty() {
        let steps: Vec<NodeStep> =
            found.iter().flatten().map(|n| NodeStep::new(&n.id, "read-quota", &n.path)).collect();
        if !steps.is_empty() {
            let source = MountSource::host_path(&config.root, "");
            return Ok(Usages::NeedsNode(NodeWork { source, steps }));
        }
    }
    Ok(Usages::Done(found.into_iter().map(|n| of(config, &n?, node_results)).collect()))
}

fn of(config: &Config, namespace: &Namespace, node_results: &[NodeResult]) -> Result<Vec<Usage>> {
    let (mut bytes, mut inodes) = (namespace.used_bytes, namespace.used_inodes);
    if config.usage_from_node {
        let seen = node_results.iter().find(|r| r.id == namespace.id);
        let seen = seen.ok_or_else(|| error::internal(format_args!("the node did not look at {}", namespace.id)))?;
        if let Some(failed) = &seen.error {
            return Err(error::internal(format_args!("the node could not look at {}: {failed}", namespace.id)));
        }
        let number = |key: &str| seen.value(key).and_then(|v| v.parse().ok());
        bytes = number("used-bytes").ok_or_else(|| error::internal("the node gave no `used-bytes`"))?;
        inodes = number("used-inodes").unwrap_or(0);
    }
    [(Dimension::Bytes, bytes), (Dimension::Inodes, inodes)]
        .into_iter()
        .map(|(dimension, used)| {
            let limit = namespace.limits.iter().find(|l| l.dimension == dimension);
            let real = match limit {
                Some(limit) if used >= limit.value => match limit.enforcement {
                    Enforcement::Block | Enforcement::Other(_) => LimitState::Hard,
                    Enforcement::SoftThenBlock(_) | Enforcement::Notify => LimitState::Soft,
                },
                _ => LimitState::Ok,
            };
            Ok(Usage {
                state: show::limit_state(config, &namespace.labels, real)?,
                basis: show::basis(config, &namespace.labels)?,
                dimension,
                used,
                uncertainty: None,
                observed_at: host::now_ms(),
            })
        })
        .collect()
}
