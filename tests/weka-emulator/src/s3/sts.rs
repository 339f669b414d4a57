//! Temporary credentials: sessions of an S3 user with an end, issued over REST and over the S3 protocol alike.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::faults::Fault;
use crate::s3::documents::Document;
use crate::s3::keys;
use crate::state::State;
use crate::uid::Uid;

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
