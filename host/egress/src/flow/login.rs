//! One login or refresh, and what it means when it fails.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use stowage_ports::ExchangeError;
use stowage_ports::exchange::{SecretRef, Step};
use stowage_ports::provider::AuthFlow;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::lockout;
use super::sessions::{Fresh, Remember, Session, SessionKey};
use crate::answer::Answer;
use crate::egress::Bound;
use crate::net::{RawAnswer, Sending};
use crate::request::{Prepared, RequestBody, fill, fill_params, secret_header};
use crate::table::matches;

type Attempt<T> = Result<T, (ExchangeError, Remember)>;

fn failed<T>(error: ExchangeError) -> Attempt<T> {
    Err((error, Remember::Nothing))
}

impl Bound {
    /// A session for `key` that is not `stale`.
    pub(crate) async fn session(
        self: &Arc<Self>,
        key: &SessionKey,
        stale: Option<&Session>,
    ) -> Result<Arc<Session>, ExchangeError> {
        let (bound, owned) = (Arc::clone(self), key.clone());
        let renew = |old| {
            let span = tracing::info_span!("http.session", flow = %owned.flow, identity = %owned.identity);
            async move { bound.renew(&owned, old).await }.instrument(span)
        };
        self.sessions.obtain(key, stale, self.clock.now_ms(), renew).await
    }

    /// Refreshes what is there, or logs in. A refreshed session that no exchange was ever answered in is not refreshed
    /// again.
    async fn renew(&self, key: &SessionKey, old: Option<Arc<Session>>) -> Attempt<Fresh> {
        let Some(flow) = self.table.flows.get(&key.flow) else {
            return failed(ExchangeError::Denied(format!("auth flow {:?} is not declared", key.flow)));
        };
        let worth = old.filter(|session| session.by_login || session.accepted.load(Ordering::SeqCst));
        if let Some(token) = worth.as_ref().and_then(|session| session.refresh.as_ref())
            && let Some(exchange) = &flow.refresh_exchange
        {
            match self.refresh(flow, exchange, key, token).await {
                done @ (Ok(_) | Err((ExchangeError::LockedOut(_), _))) => return done,
                // Backends say a dead refresh token with 400, 401 or 500; a login helps with each and is tried once.
                Err((error, _)) => tracing::info!(flow = %flow.name, %error, "not refreshed, logging in"),
            }
        }
        self.login(flow, key).await
    }

    async fn login(&self, flow: &AuthFlow, key: &SessionKey) -> Attempt<Fresh> {
        let mut slots = Vec::new();
        for (place, field) in &flow.login_slots {
            let secret = SecretRef { name: key.identity.clone(), field: field.clone() };
            let value = self.vault.get(&secret).await.or_else(failed)?;
            if crate::vault::is_secret(field) {
                self.redactor.learn(value.expose_secret());
            }
            slots.push((place.as_slice(), value));
        }
        self.run(flow, &flow.login_exchange, &flow.login_body, key, &slots, true).await
    }

    async fn refresh(&self, flow: &AuthFlow, exchange: &str, key: &SessionKey, token: &SecretString) -> Attempt<Fresh> {
        let place = self.table.exchanges.get(exchange).and_then(|d| d.decl.slots.first());
        let place = place.map(Vec::as_slice).unwrap_or_default();
        let body = flow.refresh_body.as_deref().unwrap_or("{}");
        let slots = [(place, SecretString::from(token.expose_secret()))];
        self.run(flow, exchange, body, key, &slots, false).await
    }

    async fn run(
        &self,
        flow: &AuthFlow,
        exchange: &str,
        body: &str,
        key: &SessionKey,
        slots: &[(&[Step], SecretString)],
        by_login: bool,
    ) -> Attempt<Fresh> {
        let denied =
            |why: String| (ExchangeError::Denied(format!("auth flow {:?}: {why}", flow.name)), Remember::Nothing);
        let declared =
            self.table.exchanges.get(exchange).ok_or_else(|| denied(format!("{exchange:?} is not declared")))?;
        let endpoint = self.endpoint(&declared.decl.purpose).or_else(failed)?;

        let mut document: Value = serde_json::from_str(body).map_err(|e| denied(e.to_string()))?;
        fill_params(&mut document, &key.params).map_err(denied)?;
        let mut body = RequestBody::Json { document, original: None };
        let mut headers = HeaderMap::new();
        for (place, value) in slots {
            fill(&mut body, &mut headers, place, value.expose_secret()).map_err(denied)?;
        }
        let request = Prepared {
            method: declared.method.clone(),
            path_and_query: declared.path.fill(&[]).map_err(denied)?,
            body: body.encode(&mut headers),
            headers,
        };
        let began_ms = self.clock.now_ms();
        let sending = Sending {
            request: &request,
            sign: &|_| Ok(Vec::new()),
            idempotent: true,
            deadline: Instant::now() + self.limits.login_timeout,
            max_response_bytes: self.limits.max_response_bytes,
        };
        let answer = match endpoint.dispatch(&sending).await {
            Ok(answer) => answer,
            // Nothing of the guest's own request was sent, so a lost login is just a backend that did not answer.
            Err(ExchangeError::SentUnanswered | ExchangeError::TimedOut) => {
                return failed(ExchangeError::Unreachable(format!("{exchange} was not answered")));
            }
            Err(error) => return failed(error),
        };
        tracing::info!(exchange, status = answer.status, by_login, "session exchange answered");
        self.judge(flow, exchange, answer, began_ms, by_login)
    }

    fn judge(
        &self,
        flow: &AuthFlow,
        exchange: &str,
        answer: RawAnswer,
        began_ms: u64,
        by_login: bool,
    ) -> Attempt<Fresh> {
        let now_ms = self.clock.now_ms();
        let RawAnswer { status, headers, body } = answer;
        if matches(&flow.locked_out_when, status, &body) {
            let seconds = self.lockout_seconds(&headers, &body);
            return Err((ExchangeError::LockedOut(seconds), Remember::LockedOut(now_ms + u64::from(seconds) * 1000)));
        }
        match status {
            200..=299 => {}
            // The backend has decided. A login of the same words would only be counted as one more failure.
            400..=499 if status != 429 && status != 408 => {
                let until = now_ms.saturating_add(millis(self.limits.refused_login_backoff));
                return Err((
                    ExchangeError::AuthFailed(format!("{exchange} answered {status}")),
                    Remember::Refused(until),
                ));
            }
            _ => return failed(ExchangeError::Unreachable(format!("{exchange} answered {status}"))),
        }
        let junk = |why: String| (ExchangeError::Protocol(format!("{exchange}: {why}")), Remember::Nothing);
        let mut answer = Answer::read(headers, body).map_err(junk)?;
        // The life is read first: it stays in the answer, the tokens do not.
        let life = flow.expires_in_at.as_deref().and_then(|place| answer.take(place));
        let life = life.and_then(|text| text.trim().parse::<f64>().ok()).filter(|s| *s >= 1.0 && *s < 1e9);
        let life_ms =
            life.map_or(u64::from(flow.default_ttl_s.max(1)) * 1000, |s| Duration::from_secs_f64(s).as_millis() as u64);
        let refresh = flow.refresh_token_at.as_deref().and_then(|place| answer.take(place)).map(SecretString::from);
        let Some(token) = answer.take(&flow.token_at).map(SecretString::from) else {
            return Err(junk("the answer has no token at the declared place".to_owned()));
        };
        self.redactor.learn(token.expose_secret());
        if let Some(refresh) = &refresh {
            self.redactor.learn(refresh.expose_secret());
        }
        let presented = flow.header_template.replace("{token}", token.expose_secret());
        let header = secret_header(&flow.header_name, &presented).map_err(junk)?;
        let early = millis(self.limits.renew_before).min(life_ms / 2);
        Ok(Fresh { header, token, refresh, renew_at_ms: began_ms.saturating_add(life_ms - early), by_login })
    }

    /// What the backend says in `retry-after` or in words, or the default.
    pub(crate) fn lockout_seconds(&self, headers: &HeaderMap, body: &[u8]) -> u32 {
        let header = headers.get(http::header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
        let words = || lockout::seconds(&String::from_utf8_lossy(body));
        let default = || u32::try_from(self.limits.default_lockout.as_secs()).unwrap_or(u32::MAX);
        header.or_else(words).unwrap_or_else(default)
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
