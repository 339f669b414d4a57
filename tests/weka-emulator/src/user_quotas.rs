//! Quotas by the owner of files (5.1.26 and newer). Known from one client only: they are kept and shown with what the
//! owner uses, and stop nobody.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Call, number_in};
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::filesystems::Filesystem;
use crate::quotas::no_quota;
use crate::state::State;
use crate::tree::accounting::round_up;
use crate::uid::Uid;

/// One owner's quota on one filesystem.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserQuota {
    pub(crate) filesystem: Uid,
    owner: u64,
    hard: u64,
    soft: u64,
    grace_secs: u64,
}

impl UserQuota {
    fn row(&self, filesystem: &Filesystem) -> Value {
        let tree = filesystem.volume.lock();
        let mine = tree.nodes.values().filter(|node| node.snapshot.is_none() && u64::from(node.uid) == self.owner);
        let used = mine.fold(0_u64, |sum, node| sum.saturating_add(tree.own_cost(node)));
        json!({
            "uid_or_gid": self.owner,
            "total_bytes": used,
            "hard_limit_bytes": self.hard,
            "soft_limit_bytes": self.soft,
            "grace_seconds": self.grace_secs,
            "status": "ACTIVE",
        })
    }
}

/// The fields of a request; its body wins over its query.
fn fields(call: &Call) -> Map<String, Value> {
    let mut fields: Map<String, Value> = call.query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    fields.extend(call.body.clone());
    fields
}

/// `GET /fileSystems/{uid}/quota/user`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let filesystem = state.filesystem(call)?;
    let wanted = call.query.get("user_id").and_then(|text| text.parse::<u64>().ok());
    let here = state.user_quotas.iter().filter(|quota| quota.filesystem == filesystem.uid);
    let shown = here.filter(|quota| wanted.is_none_or(|wanted| wanted == quota.owner));
    data(shown.map(|quota| quota.row(filesystem)).collect())
}

/// `POST /fileSystems/{uid}/quota/user`
pub(crate) fn set(state: &mut State, call: &Call) -> Answer {
    let given = fields(call);
    let number = |name: &str| given.get(name).map(|value| number_in(name, value)).transpose();
    let owner = number("user_id")?.ok_or_else(|| Refusal::missing(&["user_id"]))?;
    let quota = UserQuota {
        filesystem: state.filesystem(call)?.uid,
        owner,
        hard: round_up(number("hard_limit_bytes")?.unwrap_or(0)),
        soft: round_up(number("soft_limit_bytes")?.unwrap_or(0)),
        grace_secs: number("grace_seconds")?.unwrap_or(0),
    };
    let row = quota.row(state.filesystem(call)?);
    state.user_quotas.retain(|other| (other.filesystem, other.owner) != (quota.filesystem, owner));
    state.user_quotas.push(quota);
    data(row)
}

/// `DELETE /fileSystems/{uid}/quota/user`
pub(crate) fn remove(state: &mut State, call: &Call) -> Answer {
    let filesystem = state.filesystem(call)?.uid;
    let text = call.query.get("user_id").ok_or_else(|| Refusal::missing(&["user_id"]))?;
    let owner: u64 = text.parse().map_err(|_| Refusal::bad("user_id", "is not a number"))?;
    let before = state.user_quotas.len();
    state.user_quotas.retain(|quota| (quota.filesystem, quota.owner) != (filesystem, owner));
    if state.user_quotas.len() == before { Err(no_quota(state)) } else { nothing() }
}
