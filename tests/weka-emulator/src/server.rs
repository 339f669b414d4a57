//! One REST request, from bytes to bytes: faults of the wire, routing, authentication, the handler, the log.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request};
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use bytes::Bytes;
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::auth::{Session, locked_out};
use crate::call::Call;
use crate::envelope::{Refusal, Reply};
use crate::faults::{Fault, Rule};
use crate::listen::Handler;
use crate::requests::LoggedRequest;
use crate::routes;
use crate::state::State;

/// Where the API lies.
const PREFIX: &str = "/api/v2";

/// Longest request body.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// How a connection is told to reset itself.
pub(crate) type Reset = Arc<Notify>;

/// A request, read.
struct Incoming {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Bytes,
}

/// What goes back.
struct Outgoing {
    status: u16,
    body: String,
}

impl Outgoing {
    fn json(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string() }
    }
}

impl From<Refusal> for Outgoing {
    fn from(refusal: Refusal) -> Self {
        Self::json(refusal.status, &refusal.body)
    }
}

/// The REST API behind one of its listeners.
pub(crate) struct Rest {
    /// Which one, from 0.
    pub(crate) number: usize,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Handler for Rest {
    async fn answer(self: Arc<Self>, _peer: SocketAddr, reset: Reset, request: Request) -> Response<Body> {
        answer(&self.state, self.number, &reset, request).await
    }
}

/// Answers one request of listener `endpoint`.
async fn answer(state: &Mutex<State>, endpoint: usize, reset: &Reset, request: Request) -> Response<Body> {
    let Some(incoming) = read(request).await else {
        return respond(Outgoing::from(Refusal::message(400, "The request could not be read")), Shape::Whole);
    };
    let bare = incoming.path.strip_prefix(PREFIX).unwrap_or(&incoming.path).to_owned();
    let struck = state.lock().faults.begin(endpoint, &incoming.method, &bare);
    let Some(rule) = struck else {
        let outgoing = run_and_log(state, &incoming, &bare, None);
        return respond(outgoing, Shape::Whole);
    };
    let delay = |default: u64| Duration::from_millis(rule.delay_ms.unwrap_or(default));
    let fault = rule.fault;
    if let Some(outgoing) = instead(&rule) {
        log(state, &incoming, None, &outgoing, Some(fault));
        return respond(outgoing, Shape::Whole);
    }
    match fault {
        Fault::ResetBefore => {
            log(state, &incoming, None, &unsent(), Some(fault));
            hang_up(reset).await
        }
        Fault::HangBefore => {
            log(state, &incoming, None, &unsent(), Some(fault));
            tokio::time::sleep(delay(600_000)).await;
            hang_up(reset).await
        }
        Fault::ResetAfter => {
            run_and_log(state, &incoming, &bare, Some(fault));
            hang_up(reset).await
        }
        Fault::HangAfter => {
            run_and_log(state, &incoming, &bare, Some(fault));
            tokio::time::sleep(delay(600_000)).await;
            hang_up(reset).await
        }
        Fault::Slow => {
            tokio::time::sleep(delay(1000)).await;
            respond(run_and_log(state, &incoming, &bare, Some(fault)), Shape::Whole)
        }
        Fault::SlowBody => respond(run_and_log(state, &incoming, &bare, Some(fault)), Shape::Slow(delay(50))),
        Fault::Truncated => respond(run_and_log(state, &incoming, &bare, Some(fault)), Shape::CutShort),
        Fault::EmptyBody => {
            run_and_log(state, &incoming, &bare, Some(fault));
            respond(Outgoing { status: 200, body: String::new() }, Shape::Whole)
        }
        _ => respond(run_and_log(state, &incoming, &bare, Some(fault)), Shape::Whole),
    }
}

/// The answer of faults that keep the request from running.
fn instead(rule: &Rule) -> Option<Outgoing> {
    Some(match rule.fault {
        Fault::Unauthorized => Refusal::unauthorized().into(),
        Fault::LockedOut => locked_out(120_000).into(),
        Fault::Status => {
            let body = rule.body.clone().unwrap_or_else(|| json!({ "message": "Internal Server Error" }));
            Outgoing::json(rule.status.unwrap_or(500), &body)
        }
        Fault::TooManyRequests => Refusal::message(429, "Too Many Requests").into(),
        Fault::Unavailable => Refusal::message(503, "Service Unavailable").into(),
        Fault::TooManyTasks => Refusal::too_many_tasks(32).into(),
        Fault::Junk => Outgoing { status: 200, body: "<html>It works!</html>".to_owned() },
        _ => return None,
    })
}

fn unsent() -> Outgoing {
    Outgoing { status: 0, body: String::new() }
}

/// Breaks the connection that the request came in on.
pub(crate) async fn hang_up(reset: &Reset) -> Response<Body> {
    reset.notify_one();
    std::future::pending().await
}

async fn read(request: Request) -> Option<Incoming> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST_BODY).await.ok()?;
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    Some(Incoming {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: query_of(&parts.uri)?,
        headers: headers.collect(),
        body,
    })
}

fn query_of(uri: &Uri) -> Option<BTreeMap<String, String>> {
    Query::<Vec<(String, String)>>::try_from_uri(uri).ok().map(|Query(pairs)| pairs.into_iter().collect())
}

/// Runs the handler under the lock, and logs what it answered.
fn run_and_log(state: &Mutex<State>, incoming: &Incoming, bare: &str, fault: Option<Fault>) -> Outgoing {
    let mut locked = state.lock();
    let (session, mut outgoing) = run(&mut locked, incoming, bare);
    if let Err(error) = locked.save() {
        outgoing = Refusal::message(500, &format!("the emulator cannot keep its state: {error}")).into();
    }
    push(&mut locked, incoming, session.as_ref(), &outgoing, fault);
    outgoing
}

fn log(
    state: &Mutex<State>,
    incoming: &Incoming,
    session: Option<&Session>,
    outgoing: &Outgoing,
    fault: Option<Fault>,
) {
    push(&mut state.lock(), incoming, session, outgoing, fault);
}

fn push(state: &mut State, incoming: &Incoming, session: Option<&Session>, outgoing: &Outgoing, fault: Option<Fault>) {
    let text = String::from_utf8_lossy(&incoming.body);
    let body = if text.is_empty() { Value::Null } else { json_or_text(&text) };
    let at_ms = state.now();
    state.requests.push(LoggedRequest {
        seq: 0,
        at_ms,
        method: incoming.method.clone(),
        path: incoming.path.clone(),
        query: incoming.query.clone(),
        headers: incoming.headers.clone(),
        body,
        caller: session.map(|session| format!("{}@{}", session.username, session.org_name)),
        status: outgoing.status,
        answer: json_or_text(&outgoing.body),
        fault,
    });
}

fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn run(state: &mut State, incoming: &Incoming, bare: &str) -> (Option<Session>, Outgoing) {
    state.settle();
    if incoming.method == "GET" && ["/healthcheck", "/ui/healthcheck"].contains(&bare) {
        return (None, Outgoing::json(200, &json!("ok")));
    }
    // The real one is a page of Swagger UI; the version in it was observed, its form was not.
    if incoming.method == "GET" && bare == "/docs" {
        let info = json!({ "info": { "title": "WEKA REST API", "version": state.release.api_version() } });
        return (None, Outgoing::json(200, &info));
    }
    let unknown = || Outgoing::from(Refusal::no_route(&incoming.method, &incoming.path));
    if !incoming.path.starts_with(PREFIX) {
        return (None, unknown());
    }
    let Some((route, found)) = routes::find(&state.release, &incoming.method, bare) else {
        return (None, unknown());
    };
    let session = state.authenticate(incoming.headers.get(header::AUTHORIZATION.as_str()).map(String::as_str));
    if route.gate != routes::Gate::Open {
        match &session {
            None => return (None, Refusal::unauthorized().into()),
            Some(session) if !route.gate.admits(session.role) => {
                return (Some(session.clone()), Refusal::forbidden().into());
            }
            Some(_) => {}
        }
    }
    let Some(body) = body_of(incoming) else {
        return (session, Refusal::message(400, "The request body is not a JSON object").into());
    };
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let call = Call {
        method: incoming.method.clone(),
        path: incoming.path.clone(),
        places: found.into_iter().map(|(name, value)| (name, decode(value))).collect(),
        query: incoming.query.clone(),
        body,
        session: session.clone(),
        now: state.now(),
    };
    let outgoing = match (route.run)(state, &call) {
        Ok(reply) => {
            state.note_success(route.method, route.path, &call);
            Outgoing::json(200, &Reply::body(reply))
        }
        Err(refusal) => refusal.into(),
    };
    (session, outgoing)
}

fn body_of(incoming: &Incoming) -> Option<Map<String, Value>> {
    if incoming.body.iter().all(u8::is_ascii_whitespace) || incoming.method == "GET" {
        return Some(Map::new());
    }
    match serde_json::from_slice(&incoming.body).ok()? {
        Value::Object(body) => Some(body),
        Value::Null => Some(Map::new()),
        _ => None,
    }
}

/// How the body is sent.
pub(crate) enum Shape {
    Whole,
    /// In pieces, this far apart.
    Slow(Duration),
    /// Half of it, then the connection breaks.
    CutShort,
}

fn respond(outgoing: Outgoing, shape: Shape) -> Response<Body> {
    let Outgoing { status, body } = outgoing;
    let length = body.len();
    let sent = shaped(Bytes::from(body), shape);
    let mut response = Response::new(sent);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// A body sent in this shape.
pub(crate) fn shaped(body: Bytes, shape: Shape) -> Body {
    match shape {
        Shape::Whole => Body::from(body),
        Shape::Slow(apart) => Body::from_stream(SlowBody { rest: body, apart }.into_stream()),
        Shape::CutShort => {
            let half = body.slice(..body.len() / 2);
            let broken = Err(io::Error::other("cut short on demand"));
            Body::from_stream(futures_util::stream::iter([Ok(half), broken]))
        }
    }
}

/// A body in pieces of 16 bytes.
struct SlowBody {
    rest: Bytes,
    apart: Duration,
}

impl SlowBody {
    fn into_stream(self) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
        futures_util::stream::unfold(self, |mut body| async move {
            if body.rest.is_empty() {
                return None;
            }
            tokio::time::sleep(body.apart).await;
            let piece = body.rest.split_to(body.rest.len().min(16));
            Some((Ok(piece), body))
        })
    }
}
