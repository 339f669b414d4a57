//! From 5.1 on an S3 user has keys of its own beside its name and password: made on demand, shown once.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data};
use crate::s3::gate::ready;
use crate::s3::keys;
use crate::state::State;
use crate::uid::Uid;
use crate::users::Role;

/// The secret behind a generated access key, and whose it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IssuedKey {
    pub(crate) secret: String,
    pub(crate) user: Uid,
}

/// `POST /users/{uid}/s3/resetCredentials`: new keys in place of those that were
pub(crate) fn reset(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let uid = call.uid("uid")?;
    let org = call.org()?;
    let user = state.users.iter().find(|user| user.uid == uid && user.org_id == org);
    let user = user.ok_or_else(|| Refusal::no_uid(&uid.to_string()))?;
    if user.role != Role::S3 || state.s3.policy_of(uid).is_none() {
        let message = "S3 API credentials can only be generated for users with an S3 policy attached.";
        return Err(Refusal::message(400, message));
    }
    state.s3.issued_keys.retain(|_, key| key.user != uid);
    let (access_key, secret) = (keys::access_key(), keys::secret_key());
    let answer = json!({ "accessKey": access_key, "secretKey": secret });
    state.s3.issued_keys.insert(access_key, IssuedKey { secret, user: uid });
    data(answer)
}
