//! Logins that the host runs by itself, as the description's data say.
//!
//! A session belongs to (flow, identity, parameters). Whoever needs one that is not there starts one login and everybody
//! else waits for the same: fifty callers, one login. The login runs in a task of its own, so a caller that gives up does
//! not break it off for the others. What the backend refused is remembered for a while, because five wrong passwords lock
//! an identity out (WEKA's default policy: five failures, two minutes).

mod lockout;
mod login;
mod sessions;

pub(crate) use login::millis;
pub(crate) use sessions::{Session, SessionKey, Sessions};
