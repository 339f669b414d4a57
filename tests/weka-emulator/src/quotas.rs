//! Directory quotas, as the API shows them; they are enforced in [`crate::tree`].
//!
//! The documents and the wire disagree in three places, and both sides are here: fields come by query (documented) or
//! body (sent by clients in production); one quota shows `used_bytes` while a list shows `total_bytes`; and numbers are
//! strings in `resolvePath` but numbers here. Limits are rounded up to 4096.

use std::sync::Arc;

use crate::uid::Uid;
use serde_json::{Map, Value, json};

use crate::call::{Call, number_in};
use crate::clock::Millis;
use crate::envelope::{Answer, Refusal, Reply, data};
use crate::faults::Fault;
use crate::paths::text_of;
use crate::state::State;
use crate::switches::FieldsFrom;
use crate::tasks::TaskKind;
use crate::tree::accounting::{BLOCK, Quota, round_up};
use crate::tree::node::Ino;
use crate::tree::volume::{Tree, Volume};

/// Longest `owner` (documented).
const LONGEST_OWNER: usize = 48;

/// The fields of a PUT or PATCH.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) hard: Option<u64>,
    pub(crate) soft: Option<u64>,
    pub(crate) grace: Option<u64>,
    pub(crate) owner: Option<String>,
}

/// The fields of a request, from where the switch says.
pub(crate) fn fields_in(state: &State, call: &Call) -> Result<Fields, Refusal> {
    let mut given: Map<String, Value> = Map::new();
    if state.switches.quota_fields_from != FieldsFrom::Body {
        given.extend(call.query.iter().map(|(name, value)| (name.clone(), json!(value))));
    }
    if state.switches.quota_fields_from != FieldsFrom::Query {
        given.extend(
            call.body.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    let number = |name: &str| given.get(name).map(|value| number_in(name, value)).transpose();
    let owner = given.get("owner").and_then(Value::as_str).map(str::to_owned);
    if owner.as_ref().is_some_and(|owner| owner.chars().count() > LONGEST_OWNER) {
        return Err(Refusal::bad("owner", "is longer than 48 characters"));
    }
    Ok(Fields {
        hard: number("hard_limit_bytes")?.map(round_up),
        soft: number("soft_limit_bytes")?.map(round_up),
        grace: number("grace_seconds")?,
        owner,
    })
}

/// The inode number in the path.
pub(crate) fn inode_in(call: &Call) -> Result<Ino, Refusal> {
    call.place("inode").parse().map_err(|_| Refusal::bad("inode_id", "is not a number"))
}

fn volume_of(state: &State, call: &Call) -> Result<Arc<Volume>, Refusal> {
    Ok(Arc::clone(&state.filesystem(call)?.volume))
}

/// The refusal of a quota that does not exist.
pub(crate) fn no_quota(state: &State) -> Refusal {
    Refusal::message(state.switches.quota_missing_status, "Directory has no quota")
}

fn list_row(tree: &Tree, inode: Ino, quota: &Quota, filesystem: &str, now: Millis) -> Value {
    let used = tree.nodes.get(&inode).map_or(0, |node| node.subtree);
    let (data_blocks, metadata_blocks) = tree.blocks_beneath(inode);
    let path = text_of(&tree.path_of(inode));
    json!({
        "quota_id": format!("0x{inode:016x}:0"),
        "inode_id": inode,
        "full_path": format!("{filesystem}:{path}"),
        "path": path,
        "fsName": filesystem,
        "total_bytes": used,
        "data_blocks": data_blocks,
        "metadata_blocks": metadata_blocks,
        "hard_limit_bytes": quota.hard,
        "soft_limit_bytes": quota.soft,
        "grace_seconds": quota.grace_secs,
        "time_over_soft_limit": quota.over_soft_since.map_or(0, |since| now.saturating_sub(since) / 1000),
        "owner": quota.owner,
        "snapName": "",
        "snap_view_id": 0,
        "status": quota.status(now),
    })
}

/// `GET /fileSystems/{uid}/quota`: pages of rows by inode, live tree only
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let filesystem = state.filesystem(call)?;
    let name = filesystem.name.clone();
    let tree = filesystem.volume.lock();
    let after = match call.query.get("next_token") {
        Some(token) => Some(token_in(token).ok_or_else(|| Refusal::bad("next_token", "is not one of ours"))?),
        None => None,
    };
    let rows = usize::try_from(state.switches.quota_page_rows).unwrap_or(usize::MAX);
    let page = if rows == 0 { usize::MAX } else { rows };
    let mut remaining = tree.quotas.iter().filter(|(inode, _)| after.is_none_or(|after| **inode > after)).peekable();
    let mut shown = Vec::new();
    let mut last = None;
    while shown.len() < page
        && let Some((inode, quota)) = remaining.next()
    {
        shown.push(list_row(&tree, *inode, quota, &name, call.now));
        last = Some(*inode);
    }
    let next_token = remaining.peek().and(last).map(|last| token_for(last, state.switches.next_token_is_uuid));
    Ok(Reply { data: Value::Array(shown), next_token })
}

fn token_for(inode: Ino, as_uuid: bool) -> Value {
    if as_uuid { json!(Uid::from_number(u128::from(inode))) } else { json!(inode) }
}

fn token_in(token: &str) -> Option<Ino> {
    let from_uuid = || Uid::parse(token).and_then(|uid| u64::try_from(uid.number()).ok());
    token.parse().ok().or_else(from_uuid)
}

/// `GET /fileSystems/{uid}/quota/{inode_id}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    let inode = inode_in(call)?;
    let volume = volume_of(state, call)?;
    let tree = volume.lock();
    let Some(quota) = tree.quotas.get(&inode) else { return Err(no_quota(state)) };
    data(single(state, &tree, inode, quota, call.now))
}

fn single(state: &State, tree: &Tree, inode: Ino, quota: &Quota, now: Millis) -> Value {
    let used = tree.nodes.get(&inode).map_or(0, |node| node.subtree);
    let mut row = json!({
        "inode_id": inode,
        "used_bytes": used,
        "hard_limit_bytes": quota.hard,
        "soft_limit_bytes": quota.soft,
        "grace_seconds": quota.grace_secs,
        "owner": quota.owner,
        "snap_view_id": 0,
        "status": quota.status(now),
    });
    if let (Some(row), true) = (row.as_object_mut(), state.switches.quota_get_shows_total) {
        row.insert("total_bytes".to_owned(), json!(used));
    }
    row
}

/// `PUT /fileSystems/{uid}/quota/{inode_id}`: sets or replaces
pub(crate) fn put(state: &mut State, call: &Call) -> Answer {
    let fields = fields_in(state, call)?;
    let missing: Vec<&str> = [
        ("hard_limit_bytes", fields.hard.is_none()),
        ("soft_limit_bytes", fields.soft.is_none()),
        ("grace_seconds", fields.grace.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, missing)| missing.then_some(name))
    .collect();
    // Clients that drop zero fields are in production: one limit is enough, what is missing is 0.
    if fields.hard.is_none() && fields.soft.is_none() {
        return Err(Refusal::missing(&missing));
    }
    let inode = inode_in(call)?;
    let volume = volume_of(state, call)?;
    let mut tree = volume.lock();
    let is_dir = tree.node(inode).is_ok_and(|node| node.is_dir() && node.snapshot.is_none());
    if !is_dir || inode == tree.snapshot_dir {
        return Err(Refusal::message(404, &format!("inode: '{inode}' not found")));
    }
    let known = tree.quotas.contains_key(&inode);
    let empty = tree.nodes.get(&inode).is_none_or(|node| node.subtree <= BLOCK);
    let nesting = u64::try_from(tree.nesting_with(inode)).unwrap_or(u64::MAX);
    if !known && nesting > state.switches.quota_nesting {
        return Err(Refusal::message(400, &format!("Quotas may nest {} levels deep", state.switches.quota_nesting)));
    }
    if !known && !empty && !state.switches.data_services {
        let message = "setting quota is not supported on non-empty volume: a Data Services container is required";
        return Err(Refusal::exception(400, &["DataServiceNotEnabledException"], message));
    }
    let delay = if known || empty { 0 } else { state.switches.quota_coloring_ms };
    let path = text_of(&tree.path_of(inode));
    let task = state.start_task(call.org()?, TaskKind::QuotaColoring, delay, &format!("Coloring quota of {path}"))?;
    let mut quota = Quota {
        hard: fields.hard.unwrap_or(0),
        soft: fields.soft.unwrap_or(0),
        grace_secs: fields.grace.unwrap_or(0),
        owner: fields.owner.unwrap_or_default(),
        active_at: Some(call.now.saturating_add(delay)),
        failed: state.faults.strikes(Fault::QuotaError),
        over_soft_since: None,
    };
    if state.faults.strikes(Fault::QuotaStuckAdding) {
        quota.active_at = None;
    }
    tree.quotas.insert(inode, quota.clone());
    tree.charge(inode, 0);
    let mut answer = changed(&tree, inode, &quota, &state.filesystem(call)?.name, call.now, task);
    if state.faults.strikes(Fault::QuotaOtherInode)
        && let Some(answer) = answer.as_object_mut()
    {
        answer.insert("inode_id".to_owned(), json!(inode ^ 0x1_0000));
    }
    data(answer)
}

fn changed(tree: &Tree, inode: Ino, quota: &Quota, filesystem: &str, now: Millis, task: u64) -> Value {
    let mut row = list_row(tree, inode, quota, filesystem, now);
    if let Some(row) = row.as_object_mut() {
        row.insert("cw_task_id".to_owned(), json!(task));
    }
    row
}

/// `PATCH /fileSystems/{uid}/quota/{inode_id}`: changes what is given
pub(crate) fn patch(state: &mut State, call: &Call) -> Answer {
    let fields = fields_in(state, call)?;
    let inode = inode_in(call)?;
    let volume = volume_of(state, call)?;
    let mut tree = volume.lock();
    let Some(quota) = tree.quotas.get_mut(&inode) else { return Err(no_quota(state)) };
    quota.hard = fields.hard.unwrap_or(quota.hard);
    quota.soft = fields.soft.unwrap_or(quota.soft);
    quota.grace_secs = fields.grace.unwrap_or(quota.grace_secs);
    quota.owner = fields.owner.unwrap_or_else(|| quota.owner.clone());
    let quota = quota.clone();
    tree.charge(inode, 0);
    let name = state.filesystem(call)?.name.clone();
    data(list_row(&tree, inode, &quota, &name, call.now))
}

/// `DELETE /fileSystems/{uid}/quota/{inode_id}`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let inode = inode_in(call)?;
    let volume = volume_of(state, call)?;
    let mut tree = volume.lock();
    let Some(quota) = tree.quotas.get(&inode).cloned() else { return Err(no_quota(state)) };
    let task = state.start_task(call.org()?, TaskKind::QuotaColoring, 0, "Removing quota")?;
    let answer = changed(&tree, inode, &quota, &state.filesystem(call)?.name, call.now, task);
    if !state.faults.strikes(Fault::DeleteIgnored) {
        tree.quotas.remove(&inode);
    }
    data(answer)
}
