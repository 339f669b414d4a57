//! One exchange, from what a guest asks to what it may see.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::{HeaderName, HeaderValue};
use percent_encoding::utf8_percent_encode;
use secrecy::{ExposeSecret as _, SecretString};
use stowage_ports::exchange::{Auth, ExchangeContext, ExchangeError, ExchangeRequest, ExchangeResponse, SecretRef};
use stowage_ports::provider::{Extensions, PlaceKeep};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::answer::Answer;
use crate::egress::Bound;
use crate::flow::{Session, SessionKey, millis};
use crate::mask::Needles;
use crate::net::{Endpoint, RawAnswer, Sending};
use crate::request::{Keys, Prepared, RequestBody, basic, fill, guest_headers, sigv4};
use crate::table::{Declared, SEGMENT, matches};
use crate::vault::{captured_name, is_secret};

/// A request that only lacks its authentication.
struct Filled {
    request: Prepared,
    /// Values put in by slots.
    injected: Vec<SecretString>,
    params: Extensions,
}

/// How the request authenticates, with its secrets in hand.
enum Ready {
    Plain,
    Header((HeaderName, HeaderValue)),
    Sign(Keys),
    Session(SessionKey, Arc<Session>),
}

impl Bound {
    pub(crate) fn endpoint(&self, purpose: &str) -> Result<&Endpoint, ExchangeError> {
        self.endpoints.get(purpose).ok_or_else(|| {
            ExchangeError::Denied(format!("endpoint {purpose:?} is not bound: the operator must bind it"))
        })
    }

    pub(crate) async fn exchange(
        self: &Arc<Self>,
        cx: &ExchangeContext,
        declared: &Declared,
        request: ExchangeRequest,
    ) -> Result<ExchangeResponse, ExchangeError> {
        let wanted = request.timeout.unwrap_or(self.limits.exchange_timeout);
        let deadline = Instant::now() + cx.remaining.min(wanted).min(self.limits.exchange_timeout);
        self.allow(cx, declared, &request.auth)?;
        let endpoint = self.endpoint(&declared.decl.purpose)?;

        let auth = request.auth.clone();
        let before = async {
            let filled = self.fill(declared, request).await?;
            let (ready, injected) = self.authenticate(&auth, &filled).await?;
            Ok((filled, ready, injected))
        };
        // Whatever takes long up to here, nothing of this request was sent.
        let (filled, mut ready, injected) =
            timeout_at(deadline, before).await.unwrap_or(Err(ExchangeError::TimedOut))?;

        for attempt in 0.. {
            let raw = self.attempt(endpoint, declared, &filled.request, &ready, deadline).await?;
            let Ready::Session(key, session) = &ready else {
                return self.answer(cx, declared, &filled, raw, injected).await;
            };
            let Some(flow) = self.table.flows.get(&key.flow) else { break };
            if matches(&flow.locked_out_when, raw.status, &raw.body) {
                let seconds = self.lockout_seconds(&raw.headers, &raw.body);
                self.sessions.lock_out(key, session, self.clock.now_ms() + u64::from(seconds) * 1000);
                return Err(ExchangeError::LockedOut(seconds));
            }
            if !matches(&flow.expired_when, raw.status, &raw.body) {
                session.accepted.store(true, Ordering::SeqCst);
                let slots = filled.injected.iter().map(|v| v.expose_secret());
                let injected = session.needles.clone().and(slots);
                return self.answer(cx, declared, &filled, raw, injected).await;
            }
            // Refreshed once and logged in once: more would only lock the identity out.
            if attempt >= 2 || (attempt > 0 && session.by_login) {
                let why = format!("the backend refuses a fresh session of flow {:?} with {}", key.flow, raw.status);
                if !session.accepted.load(Ordering::SeqCst) {
                    let until = self.clock.now_ms().saturating_add(millis(self.limits.refused_login_backoff));
                    self.sessions.refuse(key, session, until, &why);
                }
                return Err(ExchangeError::AuthFailed(why));
            }
            let next = timeout_at(deadline, self.session(key, Some(session))).await;
            let next = next.unwrap_or(Err(ExchangeError::TimedOut))?;
            ready = Ready::Session(key.clone(), next);
        }
        Err(ExchangeError::AuthFailed("the session could not be renewed".to_owned()))
    }

    /// The rules that need no secret and no parsing.
    fn allow(&self, cx: &ExchangeContext, declared: &Declared, auth: &Auth) -> Result<(), ExchangeError> {
        let decl = &declared.decl;
        if declared.of_flow {
            return Err(ExchangeError::Denied(format!(
                "exchange {:?} logs in and is run by the host alone: use auth flow",
                decl.id
            )));
        }
        if cx.safe_only && !decl.safe {
            return Err(ExchangeError::Denied(format!(
                "exchange {:?} is not declared safe and this call may change nothing",
                decl.id
            )));
        }
        if let Auth::Flow { flow, .. } = auth {
            let known = self.table.flows.get(flow);
            let known = known.ok_or_else(|| ExchangeError::Denied(format!("auth flow {flow:?} is not declared")))?;
            let home = self.table.exchanges.get(&known.login_exchange).map(|login| login.decl.purpose.as_str());
            if home != Some(decl.purpose.as_str()) {
                return Err(ExchangeError::Denied(format!(
                    "a session of flow {flow:?} belongs to the endpoint that it logged in to, not to {:?}",
                    decl.purpose
                )));
            }
        }
        Ok(())
    }

    async fn fill(&self, declared: &Declared, request: ExchangeRequest) -> Result<Filled, ExchangeError> {
        let denied = |why: String| ExchangeError::Denied(format!("exchange {:?}: {why}", declared.decl.id));
        let mut path_and_query = declared.path.fill(&request.params).map_err(denied)?;
        for (i, (name, value)) in request.query.iter().enumerate() {
            path_and_query.push(if i == 0 { '?' } else { '&' });
            path_and_query.extend(utf8_percent_encode(name, SEGMENT));
            path_and_query.push('=');
            path_and_query.extend(utf8_percent_encode(value, SEGMENT));
        }
        let mut headers = guest_headers(&request.headers).map_err(denied)?;
        let mut body = RequestBody::parse(request.body).map_err(denied)?;
        let mut injected = Vec::new();
        for (i, slot) in request.slots.iter().enumerate() {
            if !declared.decl.slots.contains(&slot.at) {
                return Err(denied(format!("slot {:?} is not a declared place", slot.at)));
            }
            if request.slots.iter().take(i).any(|earlier| earlier.at == slot.at) {
                return Err(denied(format!("slot {:?} is given twice", slot.at)));
            }
            let value = self.vault.get(&slot.secret).await?;
            fill(&mut body, &mut headers, &slot.at, value.expose_secret()).map_err(denied)?;
            if is_secret(&slot.secret.field) {
                self.redactor.learn(value.expose_secret());
                injected.push(value);
            }
        }
        let body = body.encode(&mut headers);
        if body.len() as u64 > self.limits.max_request_bytes {
            return Err(denied(format!("the body is larger than {} bytes", self.limits.max_request_bytes)));
        }
        let request_out = Prepared { method: declared.method.clone(), path_and_query, headers, body };
        Ok(Filled { request: request_out, injected, params: request.params })
    }

    /// Gets what signs or logs in, and what of it and of the slots must not come back; a session brings its own.
    async fn authenticate(self: &Arc<Self>, auth: &Auth, filled: &Filled) -> Result<(Ready, Needles), ExchangeError> {
        let mut values: Vec<SecretString> = filled.injected.iter().map(|v| v.expose_secret().into()).collect();
        let secret = |name: &str, field: &str| SecretRef { name: name.to_owned(), field: field.to_owned() };
        let ready = match auth {
            Auth::None => Ready::Plain,
            Auth::Basic(name) => {
                let username = self.vault.get(&secret(name, "username")).await?;
                let password = self.vault.get(&secret(name, "password")).await?;
                let header = basic(&username, &password).map_err(ExchangeError::Denied)?;
                // The pair too: its base64 shows a short password that is not looked for at every alignment.
                values.push(format!("{}:{}", username.expose_secret(), password.expose_secret()).into());
                values.push(password);
                Ready::Header(header)
            }
            Auth::Sigv4 { keys, service, region } => {
                // A backend whose users sign with their own name and password has no other pair of keys.
                let secret_access_key = self.either(keys, "secret-access-key", "password").await?;
                let session_token = self.vault.optional(keys, "session-token").await?;
                values.push(secret_access_key.expose_secret().into());
                values.extend(session_token.as_ref().map(|t| SecretString::from(t.expose_secret())));
                Ready::Sign(Keys {
                    access_key_id: self.either(keys, "access-key-id", "username").await?,
                    secret_access_key,
                    session_token,
                    service: service.clone(),
                    region: region.clone(),
                })
            }
            Auth::Flow { flow, identity, params } => {
                let mut params = params.clone();
                params.sort();
                let key = SessionKey { flow: flow.clone(), identity: identity.clone(), params };
                let session = self.session(&key, None).await?;
                self.redactor.learn(session.token.expose_secret());
                return Ok((Ready::Session(key, session), Needles::new([])));
            }
            Auth::Other(kind) => {
                return Err(ExchangeError::Denied(format!("this host does not know the authentication {kind:?}")));
            }
        };
        values.iter().for_each(|v| self.redactor.learn(v.expose_secret()));
        Ok((ready, Needles::new(values.iter().map(|v| v.expose_secret()))))
    }

    /// A field of a secret, or the one that stands for it.
    async fn either(&self, name: &str, field: &str, stand_in: &str) -> Result<SecretString, ExchangeError> {
        if let Some(value) = self.vault.optional(name, field).await? {
            return Ok(value);
        }
        let found = self.vault.optional(name, stand_in).await?;
        found.ok_or_else(|| {
            ExchangeError::NoSuchSecret(format!("{name:?} has neither a field {field:?} nor {stand_in:?} to sign with"))
        })
    }

    async fn attempt(
        &self,
        endpoint: &Endpoint,
        declared: &Declared,
        request: &Prepared,
        ready: &Ready,
        deadline: Instant,
    ) -> Result<RawAnswer, ExchangeError> {
        let sign = |url: &Url| match ready {
            Ready::Plain => Ok(Vec::new()),
            Ready::Header(header) => Ok(vec![header.clone()]),
            Ready::Session(_, session) => Ok(vec![session.header.clone()]),
            Ready::Sign(keys) => sigv4(keys, request, url, self.clock.now_ms()),
        };
        let sending = Sending {
            request,
            sign: &sign,
            idempotent: declared.decl.idempotent || declared.decl.safe,
            deadline,
            max_response_bytes: self.limits.max_response_bytes,
        };
        endpoint.dispatch(&sending).await
    }

    /// Takes the sensitive places out, keeps them, and masks the rest.
    async fn answer(
        &self,
        cx: &ExchangeContext,
        declared: &Declared,
        filled: &Filled,
        raw: RawAnswer,
        injected: Needles,
    ) -> Result<ExchangeResponse, ExchangeError> {
        let RawAnswer { status, headers, body } = raw;
        let decl = &declared.decl;
        let succeeded = (200..300).contains(&status);
        let mut answer = Answer::read(headers, body).map_err(ExchangeError::Protocol)?;
        if succeeded && let Some(lost) = decl.sensitive.iter().find(|place| !answer.can_hold(&place.at)) {
            return Err(ExchangeError::Protocol(format!(
                "exchange {:?} declares the sensitive place {:?}, and the answer is of another kind",
                decl.id, lost.at
            )));
        }
        let taken: Vec<Option<SecretString>> =
            decl.sensitive.iter().map(|place| answer.take(&place.at).map(SecretString::from)).collect();
        let mut captured = Vec::new();
        for (i, (place, value)) in decl.sensitive.iter().zip(&taken).enumerate() {
            let Some(value) = value else {
                captured.push(None);
                continue;
            };
            self.redactor.learn(value.expose_secret());
            let handle = match &place.keep {
                PlaceKeep::Stored(name) => Some(self.vault.stored_handle(name)),
                PlaceKeep::Sealed => {
                    let owner = cx.owner.as_deref().unwrap_or("read");
                    Some(captured_name(&self.provider, owner, &decl.id, &filled.params, i))
                }
                PlaceKeep::Session | PlaceKeep::Other(_) => None,
            };
            captured.push(match handle.filter(|_| succeeded) {
                Some(handle) => Some(self.keep(handle, value).await?),
                None => None,
            });
        }
        let found: Vec<&str> = taken.iter().flatten().map(|v| v.expose_secret()).filter(|v| v.len() >= 4).collect();
        let needles = injected.and(found);
        let (headers, body) = answer.show(&declared.visible, &needles);
        Ok(ExchangeResponse { status, headers, body, captured })
    }

    async fn keep(&self, handle: String, value: &SecretString) -> Result<String, ExchangeError> {
        self.vault.keep(handle, value.expose_secret()).await.map_err(|error| {
            // The change was made and its secret is lost: the same as an answer that never came.
            tracing::error!(%error, "a captured secret could not be kept");
            ExchangeError::SentUnanswered
        })
    }
}
