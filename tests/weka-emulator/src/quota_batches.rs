//! Quotas of many directories in one answer, keyed by quota id: the old `GET /quota` and the new `GET /quota/batch`.

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data};
use crate::state::State;
use crate::tree::accounting::{GRACE_FOREVER, Quota};
use crate::tree::node::Ino;
use crate::tree::volume::Tree;
use crate::uid::Uid;

/// `0` is unlimited on the way in and the largest number on the way out.
fn limit(bytes: u64) -> u64 {
    if bytes == 0 { u64::MAX } else { bytes }
}

fn entry(tree: &Tree, inode: Ino, quota: &Quota, now: u64) -> (String, Value) {
    let used = tree.nodes.get(&inode).map_or(0, |node| node.subtree);
    let (data_blocks, metadata_blocks) = tree.blocks_beneath(inode);
    let row = json!({
        "inodeId": inode,
        "total_bytes": used,
        "owner": quota.owner,
        "data_blocks": data_blocks,
        "metadata_blocks": metadata_blocks,
        "grace_seconds": if quota.grace_secs == 0 { GRACE_FOREVER } else { quota.grace_secs },
        "hard_limit_bytes": limit(quota.hard),
        "soft_limit_bytes": limit(quota.soft),
        "snap_view_id": 0,
        "status": quota.status(now),
    });
    (format!("0x{inode:016x}:0"), row)
}

/// `GET /quota?type=directory&uid=`: all of one filesystem
pub(crate) fn of_filesystem(state: &mut State, call: &Call) -> Answer {
    let asked = |name: &'static str| call.query.get(name).ok_or_else(|| Refusal::missing(&[name]));
    let missing: Vec<&str> = ["type", "uid"].into_iter().filter(|name| !call.query.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Err(Refusal::missing(&missing));
    }
    if !asked("type")?.eq_ignore_ascii_case("directory") {
        return Err(Refusal::bad("type", "is not directory"));
    }
    let text = asked("uid")?;
    let (uid, org) = (Uid::parse(text).ok_or_else(|| Refusal::no_uid(text))?, call.org()?);
    let found = state.filesystems.iter().find(|filesystem| filesystem.uid == uid && filesystem.org_id == org);
    let tree = found.ok_or_else(|| Refusal::no_uid(text))?.volume.lock();
    data(Value::Object(tree.quotas.iter().map(|(inode, quota)| entry(&tree, *inode, quota, call.now)).collect()))
}

/// `GET /quota/batch?inode_ids=` (5.1): those that the caller names, over its filesystems
pub(crate) fn of_inodes(state: &mut State, call: &Call) -> Answer {
    let org = call.org()?;
    let text = call.query.get("inode_ids").ok_or_else(|| Refusal::missing(&["inode_ids"]))?;
    let wanted = text.split(',').map(|item| item.trim().parse::<Ino>());
    let wanted: Vec<Ino> = wanted.collect::<Result<_, _>>().map_err(|_| Refusal::bad("inode_ids", "has no number"))?;
    let mut rows = Map::new();
    for filesystem in state.filesystems.iter().filter(|filesystem| filesystem.org_id == org) {
        let tree = filesystem.volume.lock();
        for inode in &wanted {
            rows.extend(tree.quotas.get(inode).map(|quota| entry(&tree, *inode, quota, call.now)));
        }
    }
    data(Value::Object(rows))
}
