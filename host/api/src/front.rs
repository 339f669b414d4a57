//! The front layer: token and role, before a request is decoded; then the call's span around all that it causes.
//!
//! Order: the method must have a row in [`crate::rpcs`], the token must be known, one of the caller's roles must be in the
//! row. What the request is about is checked by its handler, see [`crate::call`]. Health is open, so that a load balancer
//! needs no token; reflection is for every known caller.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use secrecy::SecretString;
use stowage_ports::{AuthError, Authenticator, CallerIdentity, CallerKind};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::Instrument;

use crate::{
    call::{Call, denied},
    refusal::Refusal,
    rpcs::{Callers, rpc},
    trace::{CallId, Traced},
};

/// Paths that need no token.
const OPEN: &str = "/grpc.health.v1.Health/";
/// Paths for every known caller, whatever its roles.
const REFLECTION: &str = "/grpc.reflection.";

/// Adds authentication and authorization by role to a service.
#[derive(Clone)]
pub(crate) struct Front {
    authenticator: Arc<dyn Authenticator>,
}

impl Front {
    pub(crate) fn new(authenticator: Arc<dyn Authenticator>) -> Self {
        Self { authenticator }
    }
}

impl<S> Layer<S> for Front {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, authenticator: Arc::clone(&self.authenticator) }
    }
}

/// A service behind the front layer.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    inner: S,
    authenticator: Arc<dyn Authenticator>,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The clone that was polled ready must be the one that is called.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let authenticator = Arc::clone(&self.authenticator);
        Box::pin(async move {
            let traced = Traced::arrived(&request);
            let admitted = admit(authenticator.as_ref(), &mut request, &traced.call_id).await;
            let span = traced.span(request.extensions().get::<Call>().and_then(Call::subject));
            async move {
                let answer = match admitted {
                    Ok(()) => inner.call(request).await?,
                    Err(status) => status.into_http(),
                };
                Ok(traced.answered(answer))
            }
            .instrument(span)
            .await
        })
    }
}

async fn admit(authenticator: &dyn Authenticator, request: &mut Request<Body>, call_id: &CallId) -> Result<(), Status> {
    let path = request.uri().path();
    if path.starts_with(OPEN) {
        return Ok(());
    }
    if path.starts_with(REFLECTION) {
        return identify(authenticator, request.headers()).await.map(|_| ());
    }
    let Some(row) = rpc(path) else {
        identify(authenticator, request.headers()).await?;
        return Err(Refusal::new(
            Code::Unimplemented,
            "UNKNOWN_METHOD",
            format!("{path} is not a method of stowage.v1"),
        )
        .remedy("use a client of this host's release")
        .into());
    };
    let identity = match row.callers {
        Callers::Anyone => None,
        callers => {
            let identity = identify(authenticator, request.headers()).await?;
            if !may_call(callers, &identity) {
                return Err(denied(&identity.subject, row.permission, "anything").into());
            }
            Some(identity)
        }
    };
    request.extensions_mut().insert(Call { identity, rpc: row, call_id: call_id.0.clone() });
    Ok(())
}

fn may_call(callers: Callers, identity: &CallerIdentity) -> bool {
    let is_node = matches!(identity.kind, CallerKind::Node { .. });
    match callers {
        Callers::Anyone => true,
        Callers::Nodes => is_node,
        Callers::Roles(roles) => !is_node && identity.roles.iter().any(|role| roles.contains(role)),
    }
}

async fn identify(authenticator: &dyn Authenticator, headers: &HeaderMap) -> Result<CallerIdentity, Status> {
    let token = bearer(headers).ok_or_else(|| refused(&AuthError::Missing))?;
    authenticator.authenticate(&token).await.map_err(|error| refused(&error))
}

/// The token of `authorization: Bearer …`. Two such headers are none: which of them a proxy checked can't be known.
fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| SecretString::from(token))
}

fn refused(error: &AuthError) -> Status {
    let refusal = match error {
        AuthError::Missing => Refusal::new(Code::Unauthenticated, "CREDENTIAL_MISSING", error.to_string()),
        AuthError::Invalid => Refusal::new(Code::Unauthenticated, "CREDENTIAL_INVALID", error.to_string()),
        AuthError::Unavailable(_) => {
            return Refusal::new(Code::Unavailable, "AUTHENTICATION_UNAVAILABLE", error.to_string())
                .retry_after(std::time::Duration::from_secs(1))
                .into();
        }
    };
    refusal.remedy("send `authorization: Bearer <token>` with a token that this host knows").into()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use secrecy::ExposeSecret;

    use super::*;

    fn read(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers).map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn exactly_one_bearer_header_counts() {
        assert_eq!(read(&["Bearer abc"]), Some("abc".to_owned()));
        assert_eq!(read(&["bearer  abc "]), Some("abc".to_owned()));
        for bad in [&["Basic abc"][..], &["Bearer "], &["Bearer"], &["abc"], &[], &["Bearer a", "Bearer b"]] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
