//! What lifecycle rules do: objects that are old enough go.
//!
//! Age counts from the last change, whatever protocol made it; the rule that strikes first wins. The trees are walked at
//! most once a minute of the emulator's clock, and only beneath buckets with rules. Documented are whole days and no
//! more; others round the moment up to the next midnight UTC, here it is the moment itself.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::clock::Millis;
use crate::s3::buckets::LifecycleRule;
use crate::s3_server::facts::Facts;
use crate::state::State;
use crate::tree::node::{Ino, Kind, Node};
use crate::tree::volume::Tree;

/// Least time between two walks.
const BETWEEN_MS: Millis = 60_000;

const DAY: Duration = Duration::from_secs(86_400);

impl LifecycleRule {
    /// Whether an object with this key goes now.
    fn strikes(&self, key: &str, ino: Ino, node: &Node, now: SystemTime) -> bool {
        let days = u32::try_from(self.expiry_days).unwrap_or(u32::MAX);
        let old = now.duration_since(node.mtime).is_ok_and(|age| age >= DAY.saturating_mul(days));
        self.enabled && old && key.starts_with(&self.prefix) && self.tags_fit(ino, node)
    }

    fn tags_fit(&self, ino: Ino, node: &Node) -> bool {
        if self.tags.is_empty() {
            return true;
        }
        let tags = Facts::of(ino, node).tags;
        self.tags
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .all(|(name, value)| tags.get(name).is_some_and(|found| found == value))
    }
}

impl State {
    /// Removes what the lifecycle rules say is too old.
    pub(crate) fn expire_objects(&mut self) {
        let now = self.now();
        let ruled: Vec<_> = self.s3.buckets.values().filter(|bucket| !bucket.lifecycle.is_empty()).cloned().collect();
        if ruled.is_empty() || now.saturating_sub(self.s3.walked) < BETWEEN_MS {
            return;
        }
        self.s3.walked = now;
        for bucket in ruled {
            let Some((volume, dir)) = self.bucket_dir(&bucket) else { continue };
            let mut tree = volume.lock();
            for path in too_old(&tree, dir, &bucket.lifecycle, self.clock.system_time()) {
                if let Err(error) = tree.remove_path(&path) {
                    tracing::debug!(%path, %error, "an expired object could not be removed");
                }
            }
        }
    }
}

/// Paths of the files beneath a directory that a rule strikes.
fn too_old(tree: &Tree, dir: Ino, rules: &BTreeMap<String, LifecycleRule>, now: SystemTime) -> Vec<String> {
    let root = crate::paths::text_of(&tree.path_of(dir));
    let mut open = vec![dir];
    let mut found = Vec::new();
    while let Some(ino) = open.pop() {
        let Ok(node) = tree.node(ino) else { continue };
        if let Kind::File(_) = node.kind {
            let path = crate::paths::text_of(&tree.path_of(ino));
            let key = path.strip_prefix(&root).unwrap_or(&path).trim_start_matches('/');
            if rules.values().any(|rule| rule.strikes(key, ino, node, now)) {
                found.push(path);
            }
        }
        open.extend(node.children().into_iter().flat_map(BTreeMap::values).copied());
    }
    found
}
