//! AssumeRole over the S3 protocol: `POST /` on the S3 port, signed for the service `sts` with an S3 user's own keys.
//!
//! Parameters come as a form or in the query. The role and its session name are ignored, as the documents say; what
//! counts are `DurationSeconds` (900 to 604800, default 3600) and `Policy` (at most 2048 characters), which narrows the
//! user's. Keys of a session or a service account open no session. Answer and errors are XML of the STS namespace; a
//! wrong signature is refused before, with an ordinary S3 error.

use std::collections::BTreeMap;

use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result};
use serde_json::Value;
use url::form_urlencoded;

use super::Plane;
use super::signers::check_token;
use crate::clock::rfc3339;
use crate::s3::documents::{Document, LONGEST};
use crate::s3::identity::{KeyKind, S3Key};
use crate::s3::sts::{StsRefused, StsSession};

/// The version of the API that the parameter `Version` must name.
const API_VERSION: &str = "2011-06-15";

/// Seconds when no duration is asked for.
const DEFAULT_SECS: u64 = 3600;

/// Bytes of a form: a policy of 2048 characters, each escaped as three, and the rest.
const LONGEST_FORM: usize = 16 * 1024;

/// A refusal in the words of STS.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }

    fn denied() -> Self {
        let message = "Generating temporary credentials not allowed for this request.";
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    fn missing() -> Self {
        let message = "A required parameter for the specified action is not supplied.";
        Self::new(StatusCode::BAD_REQUEST, "MissingParameter", message)
    }

    fn invalid(what: &str) -> Self {
        let message = format!("An invalid or out-of-range value was supplied for the input parameter. ({what})");
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterValue", &message)
    }

    fn malformed(what: &dyn std::fmt::Display) -> Self {
        let message = format!("The request was rejected because the policy document was malformed. (It {what})");
        Self::new(StatusCode::BAD_REQUEST, "MalformedPolicyDocument", &message)
    }
}

impl From<StsRefused> for Refused {
    fn from(refused: StsRefused) -> Self {
        match refused {
            StsRefused::Duration => Self::invalid("DurationSeconds"),
            StsRefused::NoPolicy => Self::denied(),
            // What the real server answers when its 5000 credentials are out is not documented.
            StsRefused::TooMany(_) => Self::new(StatusCode::BAD_REQUEST, "LimitExceeded", &refused.to_string()),
        }
    }
}

/// Whether a request is one for STS: a form, or an action in the query.
pub(crate) fn is_sts(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let names_action = uri.query().is_some_and(|query| query.starts_with("Action=") || query.contains("&Action="));
    method == Method::POST && uri.path() == "/" && (is_form || names_action)
}

#[async_trait::async_trait]
impl S3Route for Plane {
    fn is_match(&self, method: &Method, uri: &Uri, headers: &HeaderMap, _: &mut Extensions) -> bool {
        is_sts(method, uri, headers)
    }

    /// Who may is decided in the call, so that the refusal is one of STS.
    async fn check_access(&self, _req: &mut S3Request<Body>) -> S3Result<()> {
        Ok(())
    }

    async fn call(&self, req: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let request_id = req.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        let (status, text) = match self.assume_role(req).await {
            Ok(session) => (StatusCode::OK, answered(&session, &request_id)),
            Err(refused) => (refused.status, told(&refused, &request_id)),
        };
        let mut response = S3Response::with_status(Body::from(text), status);
        response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        Ok(response)
    }
}

/// The id that the answer shows, put beside the request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

impl Plane {
    /// The S3 user that signed for STS.
    fn signer(&self, req: &S3Request<Body>) -> Result<S3Key, Refused> {
        let signed = req.credentials.as_ref().ok_or_else(Refused::denied)?;
        if req.service.as_deref() != Some("sts") {
            return Err(Refused::denied());
        }
        let key = self.state.lock().s3_key(&signed.access_key).ok_or_else(Refused::denied)?;
        check_token(&key, &req.headers, &req.uri).map_err(|_| Refused::denied())?;
        if key.kind == KeyKind::User { Ok(key) } else { Err(Refused::denied()) }
    }

    async fn assume_role(&self, req: S3Request<Body>) -> Result<StsSession, Refused> {
        let key = self.signer(&req)?;
        let query = form_urlencoded::parse(req.uri.query().unwrap_or_default().as_bytes()).into_owned();
        let mut given: BTreeMap<String, String> = query.collect();
        let form = axum::body::to_bytes(axum::body::Body::new(req.input), LONGEST_FORM).await;
        let form = form.map_err(|_| Refused::invalid("the form cannot be read"))?;
        given.extend(form_urlencoded::parse(&form).into_owned());
        match given.get("Action").map(String::as_str) {
            Some("AssumeRole") => {}
            Some(_) => return Err(Refused::invalid("Action")),
            None => return Err(Refused::missing()),
        }
        if given.get("Version").map(String::as_str) != Some(API_VERSION) {
            return Err(Refused::missing());
        }
        let duration = match given.get("DurationSeconds") {
            Some(text) => text.parse().map_err(|_| Refused::invalid("DurationSeconds"))?,
            None => DEFAULT_SECS,
        };
        let mut state = self.state.lock();
        let policy = match given.remove("Policy").filter(|text| !text.is_empty()) {
            Some(text) if text.len() > LONGEST => {
                return Err(Refused::invalid("Policy is longer than 2048 characters"));
            }
            Some(text) => {
                let document = Document::iam(&Value::String(text), &state.switches);
                Some(document.map_err(|malformed| Refused::malformed(&malformed))?)
            }
            None => None,
        };
        state.faults.enter_s3("POST", "/");
        let opened = state.open_session(key.user, duration, policy)?;
        state.note_by_user("S3AsssumeRoleEvent", key.user, [("access_key", opened.access_key.as_str())]);
        Ok(opened)
    }
}

/// Text as XML holds it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn answered(session: &StsSession, request_id: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleResult><AssumedRoleUser><Arn></Arn><AssumeRoleId></AssumeRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <Expiration>{}</Expiration><SessionToken>{}</SessionToken></Credentials></AssumeRoleResult>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></AssumeRoleResponse>",
        session.access_key,
        session.secret,
        rfc3339(session.expires),
        session.token,
        escape(request_id),
    )
}

fn told(refused: &Refused, request_id: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <Error><Type></Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{}</RequestId></ErrorResponse>",
        refused.code,
        escape(&refused.message),
        escape(request_id),
    )
}
