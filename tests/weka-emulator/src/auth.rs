//! Login, refresh, sessions, lock-out and mount tokens.
//!
//! Access tokens live 300 seconds (observed); refresh tokens as `defaultTokensExpiry` says. Five failed logins lock a
//! name for 120 seconds, during which the right password fails too, with 403 (documented; the text is what a driver in
//! production parses). Tokens are opaque to clients; here they are looked up, never decoded.

use std::collections::HashMap;

use crate::uid::Uid;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::clock::Millis;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::faults::Fault;
use crate::state::State;
use crate::users::Role;

/// Who a request speaks for.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: Uid,
    pub(crate) username: String,
    pub(crate) org_id: u64,
    pub(crate) org_name: String,
    pub(crate) role: Role,
}

/// What a token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Grant {
    user: Uid,
    expires: Millis,
}

/// A mount token: one filesystem, for whoever holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MountToken {
    pub(crate) filesystem: Uid,
    pub(crate) user: Uid,
    pub(crate) read_only: bool,
    expires: Millis,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Failures {
    count: u64,
    locked_until: Millis,
}

/// The four numbers of `defaultTokensExpiry`, in seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Expiry {
    access: u64,
    refresh: u64,
    max_access: u64,
    max_refresh: u64,
}

/// Tokens in circulation and the rules about them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tokens {
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
    mount: HashMap<String, MountToken>,
    /// By organization and user name, with a line break between.
    failures: HashMap<String, Failures>,
    expiry: Expiry,
    lockout_after: u64,
    lockout_secs: u64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            access: HashMap::new(),
            refresh: HashMap::new(),
            mount: HashMap::new(),
            failures: HashMap::new(),
            expiry: Expiry { access: 300, refresh: 31_536_000, max_access: 3600, max_refresh: 31_536_000 },
            lockout_after: 5,
            lockout_secs: 120,
        }
    }
}

fn random_token(kind: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS512","typ":"JWT"}"#);
    let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"kind":"{kind}","jti":"{}"}}"#, Uid::fresh()));
    let signature = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    format!("{header}.{payload}.{signature}")
}

impl Tokens {
    pub(crate) fn set_refresh_secs(&mut self, secs: u64) {
        self.expiry.refresh = secs;
        self.expiry.max_refresh = self.expiry.max_refresh.max(secs);
    }

    fn issue(&mut self, user: Uid, now: Millis, access_secs: u64, refresh_secs: u64) -> (String, String) {
        self.access.retain(|_, grant| grant.expires > now);
        self.refresh.retain(|_, grant| grant.expires > now);
        let access = random_token("access");
        let refresh = random_token("refresh");
        let lives = |secs: u64| now.saturating_add(secs.saturating_mul(1000));
        self.access.insert(access.clone(), Grant { user, expires: lives(access_secs) });
        self.refresh.insert(refresh.clone(), Grant { user, expires: lives(refresh_secs) });
        (access, refresh)
    }

    /// Makes a mount token.
    pub(crate) fn issue_mount(&mut self, filesystem: Uid, user: Uid, read_only: bool, expires: Millis) -> String {
        let token = random_token("mount");
        self.mount.insert(token.clone(), MountToken { filesystem, user, read_only, expires });
        token
    }

    /// A mount token that is still good; taken away unless tokens may be used again.
    pub(crate) fn redeem_mount(&mut self, token: &str, now: Millis, reusable: bool) -> Option<MountToken> {
        let found = self.mount.get(token).filter(|found| found.expires > now).cloned()?;
        if !reusable {
            self.mount.remove(token);
        }
        Some(found)
    }

    /// Who holds this access token, if it is good.
    pub(crate) fn access_holder(&self, token: &str, now: Millis) -> Option<Uid> {
        self.access.get(token).filter(|grant| grant.expires > now).map(|grant| grant.user)
    }

    /// Who holds this refresh token, if it is good.
    pub(crate) fn refresh_holder(&self, token: &str, now: Millis) -> Option<Uid> {
        self.refresh.get(token).filter(|grant| grant.expires > now).map(|grant| grant.user)
    }

    /// Ends every token of a user.
    pub(crate) fn revoke_user(&mut self, user: Uid) {
        self.access.retain(|_, grant| grant.user != user);
        self.refresh.retain(|_, grant| grant.user != user);
        self.mount.retain(|_, token| token.user != user);
    }

    pub(crate) fn drop_mount_tokens_of(&mut self, filesystem: Uid) {
        self.mount.retain(|_, token| token.filesystem != filesystem);
    }
}

impl Session {
    /// The role's name, as events show it.
    pub(crate) fn role_name(&self) -> String {
        json!(self.role).as_str().unwrap_or_default().to_owned()
    }
}

impl State {
    /// The session behind a user, as the user stands now.
    pub(crate) fn session_of(&self, user: Uid) -> Option<Session> {
        let user = self.users.iter().find(|candidate| candidate.uid == user)?;
        let org = self.organizations.iter().find(|org| org.id == user.org_id)?;
        Some(Session {
            user: user.uid,
            username: user.username.clone(),
            org_id: org.id,
            org_name: org.name.clone(),
            role: user.role,
        })
    }

    /// The session of an `Authorization: Bearer` header.
    pub(crate) fn authenticate(&self, header: Option<&str>) -> Option<Session> {
        let (scheme, token) = header?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        self.session_of(self.tokens.access_holder(token.trim(), self.now())?)
    }

    fn tokens_answer(&mut self, user: Uid, access_secs: u64, refresh_secs: u64) -> Value {
        let now = self.now();
        let (access, refresh) = self.tokens.issue(user, now, access_secs, refresh_secs);
        json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": access_secs,
            "refresh_token": refresh,
            "password_change_required": self.switches.password_change_required,
        })
    }
}

fn for_how_long(millis: u64) -> String {
    let secs = millis.div_ceil(1000);
    match (secs / 60, secs % 60) {
        (0, secs) => format!("another {secs}s"),
        (minutes, 0) => format!("{minutes} minutes"),
        (minutes, secs) => format!("another {minutes}m{secs}s"),
    }
}

pub(crate) fn locked_out(millis: u64) -> Refusal {
    let text = format!("Authentication Failed. User has been locked out for {}", for_how_long(millis));
    Refusal::new(403, json!({ "data": text }))
}

/// `POST /login`
pub(crate) fn login(state: &mut State, call: &Call) -> Answer {
    call.require(&["username", "password"])?;
    let username = call.required_text("username")?;
    let password = call.required_text("password")?;
    let org = call.text("org").unwrap_or_else(|| "Root".to_owned());
    let key = format!("{org}\n{username}");
    let locked = state.tokens.failures.get(&key).map_or(0, |failures| failures.locked_until.saturating_sub(call.now));
    if locked > 0 {
        return Err(locked_out(locked));
    }
    let org_id = state.organizations.iter().find(|candidate| candidate.name == org).map(|org| org.id);
    let user = state.users.iter().find(|user| Some(user.org_id) == org_id && user.username == username);
    let known = user.is_some();
    let Some(user) = user.filter(|user| user.password == password).map(|user| user.uid) else {
        let who = Map::from_iter([("username".to_owned(), json!(username)), ("org".to_owned(), json!(org))]);
        state.note("UserLoginFailed", None, who.clone());
        if (known || state.switches.unknown_users_lock_out) && locks_out(state, key, call.now) {
            state.note("UserLoginLocked", None, who);
        }
        return Err(Refusal::unauthorized());
    };
    state.tokens.failures.remove(&key);
    let Expiry { access, refresh, .. } = state.tokens.expiry;
    let answer = state.tokens_answer(user, access, refresh);
    data(if state.faults.strikes(Fault::LoginList) { json!([answer]) } else { answer })
}

/// Counts a failed login; whether it was the last one allowed.
fn locks_out(state: &mut State, key: String, now: Millis) -> bool {
    let tokens = &mut state.tokens;
    let failures = tokens.failures.entry(key).or_default();
    failures.count = failures.count.saturating_add(1);
    let locks = failures.count >= tokens.lockout_after;
    if locks {
        failures.count = 0;
        failures.locked_until = now.saturating_add(tokens.lockout_secs.saturating_mul(1000));
    }
    locks
}

/// `POST /login/refresh`
pub(crate) fn refresh(state: &mut State, call: &Call) -> Answer {
    let token = call.required_text("refresh_token")?;
    let holder = state.tokens.refresh_holder(&token, call.now).and_then(|user| state.session_of(user));
    let Some(session) = holder else { return Err(Refusal::unauthorized()) };
    let limits = state.tokens.expiry.clone();
    let access = call.number("access_token_expiry")?.unwrap_or(limits.access).min(limits.max_access);
    let refresh = call.number("refresh_token_expiry")?.unwrap_or(limits.refresh).min(limits.max_refresh);
    if !state.switches.refresh_token_reusable {
        state.tokens.refresh.remove(&token);
    }
    let answer = state.tokens_answer(session.user, access, refresh);
    data(answer)
}

/// `GET /users/whoami`
pub(crate) fn whoami(state: &mut State, call: &Call) -> Answer {
    let session = call.session()?;
    data(json!({
        "org_id": session.org_id,
        "username": session.username,
        "uid": session.user,
        "source": "Internal",
        "role": session.role.shown(&state.release),
        "org_name": session.org_name,
    }))
}

/// `GET /security/defaultTokensExpiry`
pub(crate) fn expiry(state: &mut State, _call: &Call) -> Answer {
    let expiry = &state.tokens.expiry;
    data(json!({
        "access_token_expiry": expiry.access,
        "refresh_token_expiry": expiry.refresh,
        "max_access_token_expiry": expiry.max_access,
        "max_refresh_token_expiry": expiry.max_refresh,
    }))
}

/// `GET /security/tokensExpiry`: the older form
pub(crate) fn old_expiry(state: &mut State, _call: &Call) -> Answer {
    let Expiry { access, refresh, .. } = state.tokens.expiry;
    data(json!({ "access_token_expiry": access, "refresh_token_expiry": refresh }))
}

/// `POST /security/defaultTokensExpiry`
pub(crate) fn set_expiry(state: &mut State, call: &Call) -> Answer {
    let old = state.tokens.expiry.clone();
    let new = Expiry {
        access: call.number("access_token_expiry")?.unwrap_or(old.access),
        refresh: call.number("refresh_token_expiry")?.unwrap_or(old.refresh),
        max_access: call.number("max_access_token_expiry")?.unwrap_or(old.max_access),
        max_refresh: call.number("max_refresh_token_expiry")?.unwrap_or(old.max_refresh),
    };
    if new.access == 0 || new.access > new.max_access {
        return Err(Refusal::bad("access_token_expiry", "is not between 1 and max_access_token_expiry"));
    }
    if new.refresh == 0 || new.refresh > new.max_refresh {
        return Err(Refusal::bad("refresh_token_expiry", "is not between 1 and max_refresh_token_expiry"));
    }
    state.tokens.expiry = new;
    nothing()
}

/// `GET /lockoutPolicy`
pub(crate) fn lockout_policy(state: &mut State, _call: &Call) -> Answer {
    data(json!({
        "num_failed_logins": state.tokens.lockout_after,
        "lockout_duration": state.tokens.lockout_secs,
    }))
}

/// `PUT /lockoutPolicy`: 2 to 50 attempts, 30 seconds to 60 minutes
pub(crate) fn set_lockout_policy(state: &mut State, call: &Call) -> Answer {
    let after = call.number("num_failed_logins")?.unwrap_or(state.tokens.lockout_after);
    let secs = call.number("lockout_duration")?.unwrap_or(state.tokens.lockout_secs);
    if !(2..=50).contains(&after) {
        return Err(Refusal::bad("num_failed_logins", "is not in 2 to 50"));
    }
    if !(30..=3600).contains(&secs) {
        return Err(Refusal::bad("lockout_duration", "is not in 30 to 3600"));
    }
    state.tokens.lockout_after = after;
    state.tokens.lockout_secs = secs;
    lockout_policy(state, call)
}

/// `DELETE /lockoutPolicy`: back to the default, and everyone is let in again
pub(crate) fn reset_lockout_policy(state: &mut State, _call: &Call) -> Answer {
    let default = Tokens::default();
    state.tokens.lockout_after = default.lockout_after;
    state.tokens.lockout_secs = default.lockout_secs;
    state.tokens.failures.clear();
    nothing()
}
