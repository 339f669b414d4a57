//! One request on the S3 port, from the connection to the answer: faults, the health check, the library, the headers
//! that every answer has, and the audit event.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use bytes::Bytes;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode};

use super::Plane;
use super::access::{Origin, Seen, SeenCall};
use super::audit::Audit;
use super::event::{Answered, event};
use super::refusals::custom;
use super::sts::{RequestId, is_sts};
use crate::faults::{Fault, Rule};
use crate::listen::Handler;
use crate::server::{Reset, Shape, hang_up, shaped};

/// What a load balancer asks.
const HEALTH: &str = "/wekas3api/health/ready";

/// Bytes of an answer that a fault may cut or slow down.
const MOST_SHAPED: usize = 64 << 20;

/// The handler of the S3 listener.
pub(crate) struct Door {
    plane: Plane,
    service: S3Service,
    audit: Audit,
    is_tls: bool,
}

/// What is known of a request before the library takes it.
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    peer: SocketAddr,
    id: String,
    seen: Seen,
}

impl Door {
    pub(crate) fn new(plane: Plane, audit: Audit, is_tls: bool) -> Self {
        let mut builder = S3ServiceBuilder::new(plane.clone());
        builder.set_auth(plane.clone());
        builder.set_access(plane.clone());
        builder.set_route(plane.clone());
        builder.set_host(plane.clone());
        Self { service: builder.build(), plane, audit, is_tls }
    }

    fn health(&self) -> Response<Body> {
        let ready = self.plane.state.lock().s3.is_ready();
        bare(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
    }

    /// Runs a request and reports it.
    async fn run(&self, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let begun = Instant::now();
        let id = format!("{:016X}", rand::random::<u64>());
        let seen = Seen::default();
        let about = Asked {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            peer,
            id: id.clone(),
            seen: seen.clone(),
        };
        let mut request = request;
        request.extensions_mut().insert(Origin { peer, is_tls: self.is_tls });
        request.extensions_mut().insert(RequestId(id));
        request.extensions_mut().insert(seen);
        let mut response = match self.refused_checksum(&about.headers) {
            Some(refused) => refusal(refused),
            None => match self.service.call(request.map(s3s::Body::http_body_unsync)).await {
                Ok(response) => response.map(Body::new),
                Err(_) => refusal(S3Error::new(S3ErrorCode::InternalError)),
            },
        };
        if let Ok(id) = HeaderValue::from_str(&about.id) {
            response.headers_mut().insert("x-amz-request-id", id);
        }
        response.headers_mut().insert("server", HeaderValue::from_static("S3"));
        self.report(&about, &response, begun.elapsed());
        if self.plane.state.lock().save().is_err() {
            return refusal(S3Error::new(S3ErrorCode::InternalError));
        }
        response
    }

    /// Bodies with a checksum behind them are newer than the protocol that the documents describe.
    fn refused_checksum(&self, headers: &HeaderMap) -> Option<S3Error> {
        let payload = headers.get("x-amz-content-sha256")?.to_str().ok()?;
        if !payload.ends_with("-TRAILER") || self.plane.state.lock().switches.s3_trailing_checksums {
            return None;
        }
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        Some(custom("XAmzContentSHA256Mismatch", 400, message))
    }

    fn report(&self, about: &Asked, response: &Response<Body>, took: Duration) {
        let call = about.seen.0.lock().clone().unwrap_or_else(|| guessed(about));
        let state = self.plane.state.lock();
        self.audit.tell(&state, |state| {
            event(
                state,
                &Answered {
                    call,
                    peer: about.peer,
                    request_id: &about.id,
                    request: &about.headers,
                    response: response.headers(),
                    status: response.status(),
                    took,
                },
            )
        });
    }
}

/// The operation of a request that was refused before it was known, such as one with a wrong signature.
fn guessed(about: &Asked) -> SeenCall {
    if is_sts(&about.method, &about.uri, &about.headers) {
        return SeenCall { name: "AssumeRole".to_owned(), ..SeenCall::default() };
    }
    let path = percent_encoding::percent_decode_str(about.uri.path()).decode_utf8_lossy().into_owned();
    let (bucket, object) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let name = match (about.method.as_str(), bucket.is_empty(), object.is_empty()) {
        ("GET", true, _) => "ListBuckets",
        ("GET", _, true) => "ListObjectsV2",
        ("GET", _, false) => "GetObject",
        ("HEAD", _, true) => "HeadBucket",
        ("HEAD", _, false) => "HeadObject",
        ("PUT", _, true) => "CreateBucket",
        ("PUT", _, false) => "PutObject",
        ("DELETE", _, true) => "DeleteBucket",
        ("DELETE", _, false) => "DeleteObject",
        _ => "",
    };
    SeenCall { name: name.to_owned(), bucket: bucket.to_owned(), object: object.to_owned() }
}

impl Handler for Door {
    fn is_open(&self) -> bool {
        self.plane.state.lock().s3.is_ready()
    }

    async fn answer(self: Arc<Self>, peer: SocketAddr, reset: Reset, request: Request<Body>) -> Response<Body> {
        if !self.is_open() {
            return hang_up(&reset).await;
        }
        if request.uri().path() == HEALTH {
            return self.health();
        }
        let path = percent_encoding::percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
        let struck = {
            let mut state = self.plane.state.lock();
            state.settle();
            state.faults.begin_s3(request.method().as_str(), &path)
        };
        let Some(rule) = struck else { return self.run(request, peer).await };
        if let Some(instead) = instead(&rule) {
            return instead;
        }
        let delay = |default: u64| Duration::from_millis(rule.delay_ms.unwrap_or(default));
        match rule.fault {
            Fault::ResetBefore => hang_up(&reset).await,
            Fault::HangBefore => {
                tokio::time::sleep(delay(600_000)).await;
                hang_up(&reset).await
            }
            Fault::ResetAfter => {
                self.run(request, peer).await;
                hang_up(&reset).await
            }
            Fault::HangAfter => {
                self.run(request, peer).await;
                tokio::time::sleep(delay(600_000)).await;
                hang_up(&reset).await
            }
            Fault::Slow => {
                tokio::time::sleep(delay(1000)).await;
                self.run(request, peer).await
            }
            Fault::SlowBody => reshaped(self.run(request, peer).await, Shape::Slow(delay(50))).await,
            Fault::Truncated => reshaped(self.run(request, peer).await, Shape::CutShort).await,
            Fault::EmptyBody => {
                self.run(request, peer).await;
                bare(StatusCode::OK)
            }
            _ => self.run(request, peer).await,
        }
    }
}

/// The answer of faults that keep the request from running.
fn instead(rule: &Rule) -> Option<Response<Body>> {
    let status = |status: u16| StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Some(match rule.fault {
        Fault::Unauthorized | Fault::LockedOut => refusal(S3Error::new(S3ErrorCode::AccessDenied)),
        Fault::Status => match &rule.body {
            Some(body) => {
                let mut response = Response::new(Body::from(body.as_str().map_or(body.to_string(), str::to_owned)));
                *response.status_mut() = status(rule.status.unwrap_or(500));
                response
            }
            None => refusal(custom("InternalError", rule.status.unwrap_or(500), "We encountered an internal error.")),
        },
        Fault::TooManyRequests | Fault::TooManyTasks => {
            refusal(custom("SlowDown", 429, "Please reduce your request rate."))
        }
        Fault::Unavailable => refusal(S3Error::with_message(S3ErrorCode::SlowDown, "Please reduce your request rate.")),
        Fault::Junk => Response::new(Body::from("<html>It works!</html>")),
        _ => return None,
    })
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn refusal(error: S3Error) -> Response<Body> {
    match error.to_http_response() {
        Ok(response) => response.map(Body::new),
        Err(_) => bare(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

async fn reshaped(response: Response<Body>, shape: Shape) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let whole: Bytes = to_bytes(body, MOST_SHAPED).await.unwrap_or_default();
    parts.headers.insert("content-length", HeaderValue::from(whole.len()));
    Response::from_parts(parts, shaped(whole, shape))
}
