//! The sessions of one binding: who has one, who is getting one, and who must wait.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use http::{HeaderName, HeaderValue};
use parking_lot::Mutex;
use secrecy::SecretString;
use stowage_ports::ExchangeError;
use stowage_ports::provider::Extensions;

use crate::mask::Needles;

/// Sessions kept at most; the one that was used longest ago goes first and is made again when it is needed.
const MOST: usize = 1024;

/// Whose session: flow, identity, sorted parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey {
    pub(crate) flow: String,
    pub(crate) identity: String,
    pub(crate) params: Extensions,
}

/// A session as it is presented.
pub(crate) struct Session {
    pub(crate) header: (HeaderName, HeaderValue),
    pub(crate) token: SecretString,
    /// The token in all its forms, compiled once for all answers of the session.
    pub(crate) needles: Needles,
    pub(super) refresh: Option<SecretString>,
    pub(super) renew_at_ms: u64,
    pub(crate) by_login: bool,
    /// Some exchange was answered in this session.
    pub(crate) accepted: AtomicBool,
    serial: u64,
}

/// What a login or refresh brought; numbered when it is kept.
pub(super) struct Fresh {
    pub(super) header: (HeaderName, HeaderValue),
    pub(super) token: SecretString,
    pub(super) refresh: Option<SecretString>,
    pub(super) renew_at_ms: u64,
    pub(super) by_login: bool,
}

type Outcome = Result<Arc<Session>, ExchangeError>;

/// How a failed login is remembered.
pub(super) enum Remember {
    /// Not: the backend did not decide.
    Nothing,
    /// Refused until then.
    Refused(u64),
    /// Locked out until then.
    LockedOut(u64),
}

enum Standing {
    Absent,
    Live(Arc<Session>),
    Refused { until_ms: u64, why: String },
    LockedOut { until_ms: u64 },
}

struct Cell {
    standing: Standing,
    getting: Option<Shared<BoxFuture<'static, Outcome>>>,
    used: u64,
}

/// All sessions of one binding.
#[derive(Default)]
pub(crate) struct Sessions {
    cells: Mutex<HashMap<SessionKey, Cell>>,
    serial: AtomicU64,
}

impl Sessions {
    /// A live session other than `stale`, or what `get` brings, run once for all who wait.
    pub(super) async fn obtain<F>(
        self: &Arc<Self>,
        key: &SessionKey,
        stale: Option<&Session>,
        now_ms: u64,
        get: impl FnOnce(Option<Arc<Session>>) -> F,
    ) -> Outcome
    where
        F: Future<Output = Result<Fresh, (ExchangeError, Remember)>> + Send + 'static,
    {
        let getting = {
            let mut cells = self.cells.lock();
            make_room(&mut cells, key);
            let cell = cells.entry(key.clone()).or_insert(Cell { standing: Standing::Absent, getting: None, used: 0 });
            cell.used = self.serial.fetch_add(1, Ordering::Relaxed);
            let old = match &cell.standing {
                Standing::LockedOut { until_ms } if now_ms < *until_ms => {
                    return Err(ExchangeError::LockedOut(seconds_left(now_ms, *until_ms)));
                }
                Standing::Refused { until_ms, why } if now_ms < *until_ms => {
                    let left = seconds_left(now_ms, *until_ms);
                    return Err(ExchangeError::AuthFailed(format!("{why}; not tried again for {left} s")));
                }
                Standing::Live(session) => {
                    let is_stale = stale.is_some_and(|s| s.serial == session.serial);
                    if !is_stale && now_ms < session.renew_at_ms {
                        return Ok(Arc::clone(session));
                    }
                    Some(Arc::clone(session))
                }
                _ => None,
            };
            // A finished one is left over only when its task was broken off.
            match cell.getting.as_ref().filter(|g| g.peek().is_none()) {
                Some(getting) => getting.clone(),
                None => {
                    let getting = self.start(key.clone(), get(old));
                    cell.getting = Some(getting.clone());
                    getting
                }
            }
        };
        getting.await
    }

    fn start<F>(self: &Arc<Self>, key: SessionKey, get: F) -> Shared<BoxFuture<'static, Outcome>>
    where
        F: Future<Output = Result<Fresh, (ExchangeError, Remember)>> + Send + 'static,
    {
        let sessions = Arc::clone(self);
        let task = tokio::spawn(async move {
            let got = get.await;
            sessions.settle(&key, got)
        });
        let broken = |_| Err(ExchangeError::Unreachable("the login was broken off".to_owned()));
        task.map(move |joined| joined.unwrap_or_else(broken)).boxed().shared()
    }

    fn settle(&self, key: &SessionKey, got: Result<Fresh, (ExchangeError, Remember)>) -> Outcome {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let (standing, outcome) = match got {
            Ok(fresh) => {
                let session = Arc::new(Session::new(fresh, serial));
                (Some(Standing::Live(Arc::clone(&session))), Ok(session))
            }
            Err((error, Remember::Refused(until_ms))) => {
                (Some(Standing::Refused { until_ms, why: reason(&error) }), Err(error))
            }
            Err((error, Remember::LockedOut(until_ms))) => (Some(Standing::LockedOut { until_ms }), Err(error)),
            Err((error, Remember::Nothing)) => (None, Err(error)),
        };
        if let Some(cell) = self.cells.lock().get_mut(key) {
            cell.getting = None;
            if let Some(standing) = standing {
                cell.standing = standing;
            }
        }
        outcome
    }

    /// The backend refused a session that was just made: nobody tries again until then.
    pub(crate) fn refuse(&self, key: &SessionKey, session: &Session, until_ms: u64, why: &str) {
        self.replace(key, session, Standing::Refused { until_ms, why: why.to_owned() });
    }

    /// The backend says that the identity is locked out.
    pub(crate) fn lock_out(&self, key: &SessionKey, session: &Session, until_ms: u64) {
        self.replace(key, session, Standing::LockedOut { until_ms });
    }

    fn replace(&self, key: &SessionKey, session: &Session, with: Standing) {
        if let Some(cell) = self.cells.lock().get_mut(key)
            && matches!(&cell.standing, Standing::Live(live) if live.serial == session.serial)
        {
            cell.standing = with;
        }
    }
}

impl Session {
    fn new(fresh: Fresh, serial: u64) -> Self {
        use secrecy::ExposeSecret as _;
        Self {
            needles: Needles::new([fresh.token.expose_secret()]),
            header: fresh.header,
            token: fresh.token,
            refresh: fresh.refresh,
            renew_at_ms: fresh.renew_at_ms,
            by_login: fresh.by_login,
            accepted: AtomicBool::new(false),
            serial,
        }
    }
}

fn reason(error: &ExchangeError) -> String {
    match error {
        ExchangeError::AuthFailed(why) => why.clone(),
        other => other.to_string(),
    }
}

fn seconds_left(now_ms: u64, until_ms: u64) -> u32 {
    u32::try_from(until_ms.saturating_sub(now_ms).div_ceil(1000)).unwrap_or(u32::MAX)
}

fn make_room(cells: &mut HashMap<SessionKey, Cell>, key: &SessionKey) {
    if cells.len() < MOST || cells.contains_key(key) {
        return;
    }
    // A lock-out or a refusal that was forgotten would be tried again too early.
    let idle =
        cells.iter().filter(|(_, c)| c.getting.is_none() && matches!(c.standing, Standing::Live(_) | Standing::Absent));
    if let Some(oldest) = idle.min_by_key(|(_, c)| c.used).map(|(k, _)| k.clone()) {
        cells.remove(&oldest);
    }
}
