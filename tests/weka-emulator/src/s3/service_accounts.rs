//! Service accounts: keys of an S3 user that do not expire and may at most what the user may.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::Millis;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::faults::Fault;
use crate::s3::documents::Document;
use crate::s3::gate::{need_s3_role, ready};
use crate::s3::keys;
use crate::s3::sts::session_policy_in;
use crate::state::State;
use crate::uid::Uid;

/// A service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServiceAccount {
    pub(crate) secret: String,
    pub(crate) parent: Uid,
    /// Narrows what the parent may; without it the account may all of that.
    pub(crate) policy: Option<Document>,
    /// Since when it is deleted; a switch lets the key work on for a while.
    pub(crate) deleted: Option<Millis>,
}

impl ServiceAccount {
    /// Whether the key still opens anything.
    pub(crate) fn works(&self, now: Millis, linger_ms: u64) -> bool {
        self.deleted.is_none_or(|deleted| now < deleted.saturating_add(linger_ms))
    }
}

/// The caller, if it is an S3 user, and only then whether there is a container (observed order).
fn caller(state: &State, call: &Call) -> Result<Uid, Refusal> {
    need_s3_role(state, call)?;
    ready(state, call)?;
    Ok(call.session()?.user)
}

fn own<'a>(state: &'a mut State, call: &Call, user: Uid) -> Result<&'a mut ServiceAccount, Refusal> {
    let access_key = call.place("access_key");
    let found = state.s3.service_accounts.get_mut(access_key);
    let found = found.filter(|account| account.parent == user && account.deleted.is_none());
    found.ok_or_else(|| Refusal::message(404, &format!("Service account {access_key} does not exist")))
}

/// `GET /s3/serviceAccounts`: the caller's own
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let user = caller(state, call)?;
    let mine = state.s3.service_accounts.iter().filter(|(_, account)| account.parent == user);
    let rows: Vec<Value> = mine
        .filter(|(_, account)| account.deleted.is_none())
        .map(|(access_key, _)| json!({ "access_key": access_key }))
        .collect();
    data(json!({ "service_accounts": rows }))
}

/// `POST /s3/serviceAccounts`: the secret is shown this once
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let user = caller(state, call)?;
    let policy = session_policy_in(state, call)?;
    let (now, linger) = (call.now, state.switches.service_account_linger_ms);
    state.s3.service_accounts.retain(|_, account| account.works(now, linger));
    let in_use = |account: &&ServiceAccount| account.deleted.is_none();
    let all = state.s3.service_accounts.values().filter(in_use).count();
    let mine = state.s3.service_accounts.values().filter(in_use).filter(|account| account.parent == user).count();
    let most = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
    if all >= most(state.switches.service_account_limit) {
        return Err(Refusal::message(400, &format!("The cluster has {all} service accounts, which is the limit")));
    }
    if mine >= most(state.switches.service_accounts_per_user) {
        return Err(Refusal::message(400, &format!("The user has {mine} service accounts, which is the limit")));
    }
    let (access_key, secret) = (keys::access_key(), keys::secret_key());
    let answer = json!({ "access_key": access_key, "secret_key": secret });
    state.s3.service_accounts.insert(access_key, ServiceAccount { secret, parent: user, policy, deleted: None });
    data(answer)
}

/// `GET /s3/serviceAccounts/{access_key}`: the policy is a text; without one of its own, the parent's
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    let user = caller(state, call)?;
    let policy = own(state, call, user)?.policy.clone();
    let implied = policy.is_none();
    let shown = policy.or_else(|| state.s3.policy_of(user));
    data(json!({
        "parent_user": call.session()?.username,
        "implied_policy": implied,
        "policy": shown.map_or_else(String::new, |document| document.shown().to_string()),
    }))
}

/// `DELETE /s3/serviceAccounts/{access_key}`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let user = caller(state, call)?;
    let ignored = state.faults.strikes(Fault::DeleteIgnored);
    let account = own(state, call, user)?;
    if !ignored {
        account.deleted = Some(call.now);
    }
    nothing()
}
