//! The host's side of the exchanges, in small: sends what is declared to the emulator, logs in by the declared flow, and
//! takes the declared sensitive places out of answers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use stowage_plugin_weka::Weka;
use stowage_provider_sdk::Identity as _;
use stowage_provider_sdk::contract::http::{Auth, Body, FlowUse, HttpError, Request, Response, Step};
use stowage_provider_sdk::contract::identity::{AuthFlow, Description, Exchange};
use stowage_provider_sdk::contract::types::StateError;
use stowage_provider_sdk::native::{Level, NativeHost};
use weka_emulator::{Control, DEFAULT_PASSWORD};

/// How long one exchange may take: a hung backend must not hang a test.
const PATIENCE: Duration = Duration::from_secs(5);

/// Something done to the cluster.
type Act = fn(&Control);

#[derive(Default)]
struct Session {
    access: Option<String>,
    refresh: Option<String>,
}

/// A host whose exchanges go to an emulator.
pub(crate) struct Backend {
    base: String,
    /// Where the endpoint `s3` is bound to, if it is.
    s3: Mutex<Option<String>>,
    masked: Mutex<Option<String>>,
    /// What happens to the cluster after so many exchanges.
    pending: Mutex<(usize, Act)>,
    control: Control,
    config: Mutex<String>,
    runtime: tokio::runtime::Handle,
    client: reqwest::Client,
    description: Description,
    /// By identity and the flow's parameters.
    sessions: Mutex<BTreeMap<String, Session>>,
    /// Secrets by name: user name and password.
    secrets: Mutex<BTreeMap<String, (String, String)>>,
    sealed: Mutex<BTreeMap<String, String>>,
    state: Mutex<BTreeMap<String, (Vec<u8>, u64)>>,
}

impl Backend {
    pub(crate) fn new(base: &str, control: Control, config: &str, runtime: tokio::runtime::Handle) -> Self {
        // Another test of this process may have been first.
        rustls::crypto::ring::default_provider().install_default().ok();
        Self {
            base: base.to_owned(),
            s3: Mutex::default(),
            masked: Mutex::default(),
            pending: Mutex::new((usize::MAX, |_| {})),
            control,
            config: Mutex::new(config.to_owned()),
            runtime,
            client: reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap(),
            description: Weka::describe(),
            sessions: Mutex::default(),
            secrets: Mutex::new(BTreeMap::from([(
                "admin".to_owned(),
                ("admin".to_owned(), DEFAULT_PASSWORD.to_owned()),
            )])),
            sealed: Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// Gives the host a secret, as the host makes one.
    pub(crate) fn give(&self, name: &str, username: &str, password: &str) {
        self.secrets.lock().unwrap().insert(name.to_owned(), (username.to_owned(), password.to_owned()));
    }

    /// Does something to the cluster once so many more exchanges were answered.
    pub(crate) fn after(&self, exchanges: usize, act: Act) {
        *self.pending.lock().unwrap() = (exchanges, act);
    }

    fn count(&self) {
        let mut pending = self.pending.lock().unwrap();
        if pending.0 == 1 {
            (pending.1)(&self.control);
        }
        pending.0 = if pending.0 == usize::MAX { usize::MAX } else { pending.0.saturating_sub(1) };
    }

    /// Masks the values of fields of this name in every answer, as the host does for names like secrets.
    pub(crate) fn mask(&self, field: &str) {
        *self.masked.lock().unwrap() = Some(field.to_owned());
    }

    /// Loses the state that the adapter keeps with the host.
    pub(crate) fn forget_state(&self) {
        self.state.lock().unwrap().clear();
    }

    /// Binds the endpoint `s3`.
    pub(crate) fn bind_s3(&self, url: &str) {
        *self.s3.lock().unwrap() = Some(url.to_owned());
    }

    fn field(&self, secret: &str, field: &str) -> Result<String, HttpError> {
        if let Some(value) = self.sealed.lock().unwrap().get(secret) {
            assert_eq!(field, "value");
            return Ok(value.clone());
        }
        let secrets = self.secrets.lock().unwrap();
        let (username, password) = secrets.get(secret).ok_or_else(|| HttpError::NoSuchSecret(secret.to_owned()))?;
        Ok(if field == "username" { username } else { password }.clone())
    }

    pub(crate) fn reconfigure(&self, config: &str) {
        config.clone_into(&mut self.config.lock().unwrap());
    }

    /// What a sealed handle stands for.
    pub(crate) fn opened(&self, handle: &str) -> String {
        self.sealed.lock().unwrap()[handle].clone()
    }

    fn declared(&self, id: &str) -> Exchange {
        let found = self.description.exchanges.iter().find(|exchange| exchange.id == id);
        found.unwrap_or_else(|| panic!("{id} is not declared")).clone()
    }

    fn go(
        &self,
        exchange: &Exchange,
        params: &[(String, String)],
        query: &[(String, String)],
        body: Option<Vec<u8>>,
        token: Option<&str>,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        let mut url = reqwest::Url::parse(&self.base).unwrap();
        {
            let mut segments = url.path_segments_mut().unwrap();
            segments.clear();
            for part in exchange.path_template.trim_start_matches('/').split('/') {
                match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => segments.push(&params.iter().find(|(key, _)| key == name).expect(name).1),
                    None => segments.push(part),
                };
            }
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.request(exchange.method.parse().unwrap(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        self.answered(request)
    }

    fn answered(&self, request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>), HttpError> {
        self.runtime.block_on(async {
            let lost = |error: reqwest::Error| {
                if error.is_connect() { HttpError::Unreachable(error.to_string()) } else { HttpError::SentUnanswered }
            };
            let response = request.send().await.map_err(lost)?;
            let status = response.status().as_u16();
            Ok((status, response.bytes().await.map_err(lost)?.to_vec()))
        })
    }

    fn log_in(&self, flow: &AuthFlow, used: &FlowUse, session: &mut Session) -> Result<(), HttpError> {
        if let Some(refresh) = session.refresh.take() {
            let exchange = self.declared(flow.refresh_exchange.as_deref().unwrap());
            let body = serde_json::to_vec(&json!({ "refresh_token": refresh })).unwrap();
            let (status, answer) = self.go(&exchange, &[], &[], Some(body), None)?;
            if status == 200 {
                return keep(flow, &answer, session);
            }
        }
        let mut body: Value = serde_json::from_str(&flow.login_body).unwrap();
        for (key, value) in &used.params {
            for field in body.as_object_mut().unwrap().values_mut() {
                if field == &json!(format!("{{{key}}}")) {
                    *field = json!(value);
                }
            }
        }
        for (place, field) in &flow.login_slots {
            fill(&mut body, place, &self.field(&used.identity, field)?);
        }
        let exchange = self.declared(&flow.login_exchange);
        let (status, answer) = self.go(&exchange, &[], &[], Some(serde_json::to_vec(&body).unwrap()), None)?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        match status {
            200 => keep(flow, &answer, session),
            403 if text.contains("locked out") => Err(HttpError::LockedOut(120)),
            400..=499 => Err(HttpError::AuthFailed("the login was refused".to_owned())),
            _ => Err(HttpError::Unreachable(format!("the login answered {status}"))),
        }
    }

    /// An exchange of the S3 protocol: a form, signed with the named secret's keys.
    fn signed(&self, declared: &Exchange, request: &Request) -> Result<(u16, Vec<u8>), HttpError> {
        let Some(base) = self.s3.lock().unwrap().clone() else {
            return Err(HttpError::Denied("endpoint \"s3\" is not bound: the operator must bind it".to_owned()));
        };
        let (Auth::Sigv4(auth), Body::Form(fields)) = (&request.auth, &request.body) else { panic!("{request:?}") };
        let (id, secret) = (self.field(&auth.keys, "username")?, self.field(&auth.keys, "password")?);
        let url = reqwest::Url::parse(&base).unwrap().join(&declared.path_template).unwrap();
        let now_ms = self.control.clock().now();
        let (headers, body) = crate::signing::sign(&url, fields, (&id, &secret), (&auth.service, &auth.region), now_ms);
        let request = self.client.request(declared.method.parse().unwrap(), url).headers(headers).body(body);
        self.answered(request)
    }

    fn exchange(&self, request: &Request) -> Result<Response, HttpError> {
        let declared = self.declared(&request.exchange);
        if declared.purpose == "s3" {
            let (status, answer) = self.signed(&declared, request)?;
            let (body, captured) = self.take_out_of_xml(&declared, answer);
            return Ok(Response { status, headers: Vec::new(), body, captured });
        }
        let mut body = match &request.body {
            Body::Empty => None,
            Body::Json(bytes) => Some(bytes.clone()),
            other => panic!("{other:?}"),
        };
        for slot in &request.slots {
            assert!(declared.slots.contains(&slot.at), "{}: {:?} is no declared place", declared.id, slot.at);
            let mut document: Value = serde_json::from_slice(body.as_deref().unwrap()).unwrap();
            fill(&mut document, &slot.at, &self.field(&slot.secret.name, &slot.secret.field)?);
            body = Some(serde_json::to_vec(&document).unwrap());
        }
        let mut sessions = self.sessions.lock().unwrap();
        let go = |token: Option<&str>| self.go(&declared, &request.params, &request.query, body.clone(), token);
        let (status, answer) = match &request.auth {
            Auth::None => go(None)?,
            Auth::Flow(used) => {
                let flow = self.description.auth_flows.iter().find(|flow| flow.name == used.flow).unwrap();
                let session = sessions.entry(format!("{} {:?}", used.identity, used.params)).or_default();
                if session.access.is_none() {
                    self.log_in(flow, used, session)?;
                }
                let first = go(session.access.as_deref())?;
                if first.0 == 401 {
                    self.log_in(flow, used, session)?;
                    go(session.access.as_deref())?
                } else {
                    first
                }
            }
            other => panic!("{other:?}"),
        };
        drop(sessions);
        let (body, captured) = self.take_out(&declared, answer);
        let body = match self.masked.lock().unwrap().as_deref() {
            Some(field) => blanked(&body, field),
            None => body,
        };
        Ok(Response { status, headers: Vec::new(), body, captured })
    }

    fn take_out_of_xml(&self, declared: &Exchange, answer: Vec<u8>) -> (Vec<u8>, Vec<Option<String>>) {
        let mut text = String::from_utf8(answer).unwrap();
        let mut captured = Vec::new();
        for place in &declared.sensitive {
            let [Step::XmlPath(path)] = place.at.as_slice() else { panic!("{:?}", place.at) };
            let name = path.rsplit('/').next().unwrap();
            let between =
                text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
            captured.push(between.map(|(value, _)| value.to_owned()).map(|value| {
                text = text.replace(&value, "***");
                self.seal(value)
            }));
        }
        (text.into_bytes(), captured)
    }

    fn seal(&self, value: String) -> String {
        let mut sealed = self.sealed.lock().unwrap();
        let handle = format!("sealed:{}", sealed.len() + 1);
        sealed.insert(handle.clone(), value);
        handle
    }

    fn take_out(&self, declared: &Exchange, answer: Vec<u8>) -> (Vec<u8>, Vec<Option<String>>) {
        if declared.sensitive.is_empty() {
            return (answer, Vec::new());
        }
        let Ok(mut parsed) = serde_json::from_slice::<Value>(&answer) else { return (answer, Vec::new()) };
        let mut captured = Vec::new();
        for place in &declared.sensitive {
            let [Step::JsonPointer(pointer)] = place.at.as_slice() else { panic!("{:?}", place.at) };
            captured.push(parsed.pointer_mut(pointer).map(|value| {
                let secret = value.as_str().unwrap_or_default().to_owned();
                *value = json!("***");
                self.seal(secret)
            }));
        }
        (serde_json::to_vec(&parsed).unwrap(), captured)
    }
}

/// The body with the texts of every field of this name masked.
fn blanked(body: &[u8], field: &str) -> Vec<u8> {
    fn walk(value: &mut Value, field: &str) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text) if name == field && !text.is_empty() => *text = "[masked]".to_owned(),
                        other => walk(other, field),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, field)),
            _ => {}
        }
    }
    let Ok(mut document) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    walk(&mut document, field);
    serde_json::to_vec(&document).unwrap()
}

fn fill(document: &mut Value, place: &[Step], value: &str) {
    let [Step::JsonPointer(pointer)] = place else { panic!("{place:?}") };
    *document.pointer_mut(pointer).expect(pointer) = json!(value);
}

fn keep(flow: &AuthFlow, answer: &[u8], session: &mut Session) -> Result<(), HttpError> {
    let parsed: Value = serde_json::from_slice(answer).map_err(|error| HttpError::Protocol(error.to_string()))?;
    session.access = text_at(&parsed, &flow.token_at);
    session.refresh = flow.refresh_token_at.as_ref().and_then(|place| text_at(&parsed, place));
    session.access.as_ref().map(|_| ()).ok_or_else(|| HttpError::Protocol("a login without token".to_owned()))
}

fn text_at(parsed: &Value, place: &[Step]) -> Option<String> {
    let [Step::JsonPointer(pointer)] = place else { panic!("{place:?}") };
    parsed.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

impl NativeHost for Backend {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let answer = self.exchange(request);
        self.count();
        answer
    }
    fn log(&self, _: Level, _: &str, _: &[(String, String)]) {}
    fn now_ms(&self) -> u64 {
        self.control.clock().now()
    }
    fn deadline_remaining_ms(&self) -> u64 {
        30_000
    }
    fn config(&self) -> String {
        self.config.lock().unwrap().clone()
    }
    fn kv_get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, StateError> {
        Ok(self.state.lock().unwrap().get(key).cloned())
    }
    fn kv_set(&self, key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64, StateError> {
        let mut state = self.state.lock().unwrap();
        let found = state.get(key).map_or(0, |(_, version)| *version);
        if if_version.is_some_and(|wanted| wanted != found) {
            return Err(StateError::Conflict);
        }
        state.insert(key.to_owned(), (value.to_vec(), found + 1));
        Ok(found + 1)
    }
    fn kv_delete(&self, key: &str, _: Option<u64>) -> Result<(), StateError> {
        self.state.lock().unwrap().remove(key);
        Ok(())
    }
    fn kv_keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, StateError> {
        let state = self.state.lock().unwrap();
        let keys = state.keys().filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after));
        Ok(keys.take(limit as usize).cloned().collect())
    }
    fn take(&self, _: &str, _: &str) -> Result<u32, StateError> {
        panic!("the adapter needs no numbers")
    }
    fn give_back(&self, _: &str, _: &str) -> Result<(), StateError> {
        panic!("the adapter needs no numbers")
    }
}
