//! Default quotas: what a directory that is made right beneath another gets as its own quota.

use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data};
use crate::filesystems::Filesystem;
use crate::paths::text_of;
use crate::quotas::{fields_in, inode_in, no_quota};
use crate::state::State;
use crate::tree::accounting::Quota;
use crate::tree::node::Ino;
use crate::tree::volume::Tree;

fn row(filesystem: &Filesystem, tree: &Tree, inode: Ino, quota: &Quota) -> Value {
    json!({
        "id": inode.to_string(),
        "fsName": filesystem.name,
        "graceSeconds": quota.grace_secs,
        "hard_limit_bytes": quota.hard,
        "owner": quota.owner,
        "path": text_of(&tree.path_of(inode)),
        "snapName": "",
        "soft_limit_bytes": quota.soft,
    })
}

impl State {
    /// The filesystem of the caller's organization in whose live tree an inode is a directory.
    fn filesystem_with(&self, call: &Call, inode: Ino) -> Result<&Filesystem, Refusal> {
        let org = call.org()?;
        let is_there = |filesystem: &&Filesystem| {
            let tree = filesystem.volume.lock();
            tree.node(inode).is_ok_and(|node| node.is_dir() && node.snapshot.is_none())
        };
        let found = self.filesystems.iter().filter(|filesystem| filesystem.org_id == org).find(is_there);
        found.ok_or_else(|| Refusal::message(404, &format!("inode: '{inode}' not found")))
    }
}

/// `GET /fileSystems/{uid}/quota/default`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let filesystem = state.filesystem(call)?;
    let tree = filesystem.volume.lock();
    data(tree.default_quotas.iter().map(|(inode, quota)| row(filesystem, &tree, *inode, quota)).collect())
}

/// `PUT /fileSystems/quota/{inode_id}`
pub(crate) fn set(state: &mut State, call: &Call) -> Answer {
    let fields = fields_in(state, call)?;
    let inode = inode_in(call)?;
    let filesystem = state.filesystem_with(call, inode)?;
    let mut tree = filesystem.volume.lock();
    let old = tree.default_quotas.get(&inode).cloned().unwrap_or_default();
    let quota = Quota {
        hard: fields.hard.unwrap_or(old.hard),
        soft: fields.soft.unwrap_or(old.soft),
        grace_secs: fields.grace.unwrap_or(old.grace_secs),
        owner: fields.owner.unwrap_or(old.owner),
        ..Quota::default()
    };
    let used = tree.nodes.get(&inode).map_or(0, |node| node.subtree);
    let (data_blocks, metadata_blocks) = tree.blocks_beneath(inode);
    let answer = json!({
        "inode_id": inode,
        "total_bytes": used,
        "owner": quota.owner,
        "data_blocks": data_blocks,
        "metadata_blocks": metadata_blocks,
        "grace_seconds": quota.grace_secs,
        "hard_limit_bytes": quota.hard,
        "soft_limit_bytes": quota.soft,
        "snap_view_id": 0,
        "status": "ACTIVE",
    });
    tree.default_quotas.insert(inode, quota);
    data(answer)
}

/// `DELETE /fileSystems/quota/{inode_id}/default`
pub(crate) fn remove(state: &mut State, call: &Call) -> Answer {
    let inode = inode_in(call)?;
    let missing = no_quota(state);
    let filesystem = state.filesystem_with(call, inode)?;
    let mut tree = filesystem.volume.lock();
    let quota = tree.default_quotas.remove(&inode).ok_or(missing)?;
    data(row(filesystem, &tree, inode, &quota))
}
