//! Temporary credentials: sessions of an S3 user with an end, issued over REST and over the S3 protocol alike.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::clock::Millis;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::faults::Fault;
use crate::s3::documents::Document;
use crate::s3::gate::{need_root, ready, s3_role_only};
use crate::s3::identity::KeyKind;
use crate::s3::keys;
use crate::state::State;
use crate::switches::StsCallers;
use crate::uid::Uid;
use crate::users::Role;

/// Shortest and longest life, in seconds (documented: 15 minutes to one week).
pub(crate) const DURATIONS: std::ops::RangeInclusive<u64> = 900..=604_800;

/// Expired sessions are remembered this long, so that their use is answered as expired and not as unknown.
const REMEMBERED_MS: u64 = 3_600_000;

/// A session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StsSession {
    pub(crate) access_key: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) parent: Uid,
    /// Narrows what the parent may.
    pub(crate) policy: Option<Document>,
    /// What the parent had at the time of issue; used if a switch says that this is what counts.
    pub(crate) parent_policy: Document,
    pub(crate) expires: Millis,
}

/// Why no session was made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StsRefused {
    #[error("duration must be between 900 and 604800 seconds")]
    Duration,
    #[error("Too many STS credentials: {0} are live")]
    TooMany(usize),
    #[error("The user has no attached policy")]
    NoPolicy,
}

impl State {
    /// Opens a session for a user whose keys were checked.
    pub(crate) fn open_session(
        &mut self,
        parent: Uid,
        duration_secs: u64,
        policy: Option<Document>,
    ) -> Result<StsSession, StsRefused> {
        if !DURATIONS.contains(&duration_secs) {
            return Err(StsRefused::Duration);
        }
        let name = self.s3.attached.get(&parent).cloned().ok_or(StsRefused::NoPolicy)?;
        let parent_policy = self.s3.policy(&name).ok_or(StsRefused::NoPolicy)?;
        let now = self.now();
        self.s3.sessions.retain(|_, session| now < session.expires.saturating_add(REMEMBERED_MS));
        let live = self.s3.sessions.values().filter(|session| now < session.expires).count();
        let most = usize::try_from(self.switches.sts_session_limit).unwrap_or(usize::MAX);
        if live >= most || self.faults.strikes(Fault::StsTableFull) {
            return Err(StsRefused::TooMany(live));
        }
        let access_key = keys::access_key();
        let session = StsSession {
            token: keys::session_token(&access_key, duration_secs, &name),
            secret: keys::secret_key(),
            parent,
            policy,
            parent_policy,
            expires: now.saturating_add(duration_secs.saturating_mul(1000)),
            access_key: access_key.clone(),
        };
        self.s3.sessions.insert(access_key, session.clone());
        Ok(session)
    }
}

/// The optional policy of a session or service account, as an object or as text.
pub(crate) fn session_policy_in(state: &State, call: &Call) -> Result<Option<Document>, Refusal> {
    let Some(given) = call.field("policy_file_content") else { return Ok(None) };
    let document = Document::iam(given, &state.switches);
    document.map(Some).map_err(|malformed| Refusal::bad("policy_file_content", &malformed.to_string()))
}

/// Which bearer may call is documented nowhere; a switch has the readings.
fn check_caller(state: &State, call: &Call) -> Result<(), Refusal> {
    need_root(call)?;
    let session = call.session()?;
    let key = call.text("access_key").and_then(|access_key| state.s3_key(&access_key));
    let itself = session.role == Role::S3 && key.is_none_or(|key| key.user == session.user);
    let admin = session.role == Role::ClusterAdmin;
    match state.switches.sts_callers {
        StsCallers::Both if admin || itself => Ok(()),
        StsCallers::Admin if admin => Ok(()),
        StsCallers::User if itself => Ok(()),
        StsCallers::User if admin => Err(s3_role_only(state)),
        _ => Err(Refusal::forbidden()),
    }
}

/// `POST /s3/sts`: the keys of the S3 user are in the body; the answer does not say when it ends
pub(crate) fn assume_role(state: &mut State, call: &Call) -> Answer {
    check_caller(state, call)?;
    ready(state, call)?;
    call.require(&["access_key", "secret_key", "duration"])?;
    let secret = call.required_text("secret_key")?;
    if secret.chars().count() < 8 {
        return Err(Refusal::bad("secret_key", "is shorter than 8 characters"));
    }
    let duration = call.number("duration")?.unwrap_or_default();
    if !DURATIONS.contains(&duration) {
        return Err(Refusal::bad("duration", "is not in 900 to 604800"));
    }
    let policy = session_policy_in(state, call)?;
    let access_key = call.required_text("access_key")?;
    let key = state.s3_key(&access_key).filter(|key| key.kind == KeyKind::User && key.secret == secret);
    let Some(user) = key.map(|key| key.user) else {
        return Err(Refusal::message(400, "The access key or the secret key of the S3 user is wrong"));
    };
    let opened = state.open_session(user, duration, policy);
    let session = opened.map_err(|refused| Refusal::message(400, &refused.to_string()))?;
    data(json!({
        "access_key": session.access_key,
        "secret_key": session.secret,
        "session_token": session.token,
    }))
}

/// `DELETE /s3/sts/{access_key}`: there only if a switch says so
pub(crate) fn revoke(state: &mut State, call: &Call) -> Answer {
    if !state.switches.sts_session_revoke {
        return Err(Refusal::no_route(&call.method, &call.path));
    }
    ready(state, call)?;
    let access_key = call.place("access_key");
    match state.s3.sessions.remove(access_key) {
        Some(_) => nothing(),
        None => Err(Refusal::message(404, &format!("STS credential {access_key} does not exist"))),
    }
}
