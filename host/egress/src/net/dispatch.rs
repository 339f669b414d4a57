//! Sends a request to one of an endpoint's servers and knows what is known when no answer comes.
//!
//! A connection that could not be made means that nothing was sent: the next server is tried. Once the first byte of the
//! request was asked for by the connection, a lost answer is "may have been applied" and nobody sends it again here: the
//! host looks first. A 503 of an idempotent exchange goes to the next server as well.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use reqwest::{Request, Response};
use stowage_ports::ExchangeError;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::endpoint::{Base, Endpoint};
use super::resolve::AddressRefused;
use crate::request::Prepared;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Makes the headers that authenticate a request at a server's URL.
pub(crate) type Sign<'a> = dyn Fn(&Url) -> Result<Vec<(HeaderName, HeaderValue)>, String> + Sync + 'a;

/// How one request is sent.
pub(crate) struct Sending<'a> {
    pub(crate) request: &'a Prepared,
    pub(crate) sign: &'a Sign<'a>,
    /// Whether a 503 may go to the next server.
    pub(crate) idempotent: bool,
    pub(crate) deadline: Instant,
    pub(crate) max_response_bytes: u64,
}

impl Endpoint {
    /// Sends to the preferred server, then to the others where nothing was applied.
    pub(crate) async fn dispatch(&self, sending: &Sending<'_>) -> Result<RawAnswer, ExchangeError> {
        let count = self.bases.len();
        let start = self.preferred.load(Ordering::Relaxed);
        let mut outcome = Err(ExchangeError::Unreachable("the endpoint has no server".to_owned()));
        for turn in 0..count {
            let at = (start + turn) % count;
            let Some(base) = self.bases.get(at) else { continue };
            outcome = self.attempt(base, sending).await;
            let try_next = match &outcome {
                Ok(answer) => answer.status == 503 && sending.idempotent,
                Err(ExchangeError::Unreachable(_) | ExchangeError::Denied(_)) => true,
                Err(_) => false,
            };
            if !try_next {
                self.preferred.store(at, Ordering::Relaxed);
                break;
            }
            tracing::debug!(server = base.shown(), "tried and passed over");
        }
        outcome
    }

    async fn attempt(&self, base: &Base, sending: &Sending<'_>) -> Result<RawAnswer, ExchangeError> {
        let request = sending.request;
        let url = base
            .join(&request.path_and_query)
            .map_err(|e| ExchangeError::Denied(format!("the path is not a URL: {e}")))?;
        let signed = (sending.sign)(&url).map_err(ExchangeError::Denied)?;
        let sent = Arc::new(AtomicBool::new(false));
        let mut out = Request::new(request.method.clone(), url);
        *out.headers_mut() = request.headers.clone();
        out.headers_mut().extend(signed);
        *out.body_mut() = Some(reqwest::Body::wrap(Watched::new(request.body.clone(), Arc::clone(&sent))));

        let was_sent = || sent.load(Ordering::SeqCst);
        match timeout_at(sending.deadline, self.client.execute(out)).await {
            Err(_) if was_sent() => Err(ExchangeError::SentUnanswered),
            Err(_) => Err(ExchangeError::TimedOut),
            Ok(Err(error)) => Err(classify(&error, was_sent(), base)),
            Ok(Ok(response)) => read(response, sending).await,
        }
    }
}

/// Reads the answer, counting.
async fn read(mut response: Response, sending: &Sending<'_>) -> Result<RawAnswer, ExchangeError> {
    let status = response.status().as_u16();
    if (300..400).contains(&status) && status != 304 {
        let target = response.headers().get(header::LOCATION).and_then(|l| l.to_str().ok());
        let origin = target
            .and_then(|t| Url::parse(t).ok())
            .map_or_else(|| "another path".to_owned(), |u| u.origin().ascii_serialization());
        return Err(ExchangeError::Protocol(format!(
            "redirect to {origin} was not followed: bind the endpoint that answers"
        )));
    }
    let max = sending.max_response_bytes;
    if response.content_length().is_some_and(|length| length > max) && sending.request.method != http::Method::HEAD {
        return Err(ExchangeError::TooLarge(max));
    }
    let mut body = Vec::new();
    loop {
        match timeout_at(sending.deadline, response.chunk()).await {
            Err(_) | Ok(Err(_)) => return Err(ExchangeError::SentUnanswered),
            Ok(Ok(None)) => break,
            Ok(Ok(Some(chunk))) => {
                if (body.len() + chunk.len()) as u64 > max {
                    return Err(ExchangeError::TooLarge(max));
                }
                body.extend_from_slice(&chunk);
            }
        }
    }
    Ok(RawAnswer { status, headers: std::mem::take(response.headers_mut()), body })
}

fn classify(error: &reqwest::Error, sent: bool, base: &Base) -> ExchangeError {
    if let Some(refused) = cause::<AddressRefused>(error) {
        return ExchangeError::Denied(refused.to_string());
    }
    if error.is_connect() || !sent {
        return ExchangeError::Unreachable(format!("{}: {}", base.shown(), root_cause(error)));
    }
    match cause::<hyper::Error>(error) {
        Some(e) if e.is_parse() || e.is_parse_too_large() => {
            ExchangeError::Protocol(format!("{} does not speak HTTP", base.shown()))
        }
        _ => ExchangeError::SentUnanswered,
    }
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

/// The first cause of type `E`.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut causes = causes(error);
    causes.find_map(|e| e.downcast_ref())
}

/// The innermost text: the outer ones quote the URL, whose query may say more than a log should hold.
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

/// A body that notes when the connection begins to send: asking for its data or its end comes after connecting.
struct Watched {
    data: Option<Bytes>,
    sent: Arc<AtomicBool>,
}

impl Watched {
    fn new(data: Bytes, sent: Arc<AtomicBool>) -> Self {
        Self { data: Some(data).filter(|d| !d.is_empty()), sent }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sent.store(true, Ordering::SeqCst);
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent.store(true, Ordering::SeqCst);
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |d| d.len() as u64))
    }
}
