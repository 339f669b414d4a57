//! Temporary credentials, by three ways to the same thing.
//!
//! 1. `POST /s3/sts` as the provider's own identity, with the parent's keys in the body: no document says which roles may.
//! 2. The same as the parent S3 user, when the first is refused.
//! 3. `AssumeRole` of the S3 protocol, signed with the parent's keys, when that is refused too or REST has no such call.
//!
//! Whichever it is, the parent's keys are put in by the host and what is secret of the answer stays there. The answer has no
//! time of expiry (the token's `exp` is a duration in nanoseconds), so it is counted from the host's clock before sending.

use serde::Deserialize;
use serde_json::json;
use stowage_provider_sdk::prelude::{Error, ErrorKind, Request, Response, Result, error, host, http};

use super::document::Document;
use super::users::{self, Generated};
use crate::api::envelope;
use crate::config::StsWay;
use crate::exchanges::{PARENT_KEYS, S3_ASSUME_ROLE, S3_STS};
use crate::rest::{Rest, unreadable};

/// Shortest and longest life, in seconds [WEKA user guide, S3 STS].
pub(crate) const MIN_TTL_S: u32 = 900;
pub(crate) const MAX_TTL_S: u32 = 604_800;
/// Temporary credentials that live at once in a cluster.
pub(crate) const MAX_LIVE: u64 = 5000;

/// The field of a sealed value.
const SEALED_FIELD: &str = "value";
const DOING: &str = "issuing a temporary credential";

/// An issued key: its public id, and handles of what is secret.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// Who issues.
pub(crate) struct Parent<'a> {
    /// Its uid.
    pub(crate) uid: &'a str,
    /// Its name.
    pub(crate) name: &'a str,
    /// The host's name of the secret with its name and password.
    pub(crate) secret: &'a str,
}

/// Which keys of the parent go into the request.
#[derive(Clone, Copy)]
enum With<'a> {
    /// Its name and password.
    Own,
    /// Those that the cluster has made for it.
    Generated(&'a Generated),
}

/// Issues a credential that can do what both the parent and the document allow.
///
/// From 5.1 on a cluster may take generated keys alone. Which it is shows in its refusal; generated ones are noted and then
/// tried first.
pub(crate) fn issue(rest: &Rest, parent: &Parent<'_>, document: &Document, ttl_s: u32) -> Result<Keys> {
    let with = |keys: With<'_>| by_any_way(rest, parent, keys, document, ttl_s);
    let noted =
        users::note(parent.name)?.filter(|note| note.uid.as_deref() == Some(parent.uid)).and_then(|note| note.keys);
    let first = with(noted.as_ref().map_or(With::Own, With::Generated));
    if !unknown_keys(&first) {
        return first;
    }
    match users::generate_keys(rest, parent.uid, parent.name, parent.secret) {
        Ok(keys) => match with(With::Generated(&keys)) {
            // Somebody else has made them anew meanwhile.
            second if unknown_keys(&second) => Err(error::conflict_retry("the parent's keys were made anew meanwhile")),
            second => second,
        },
        // A release that makes no keys, or a parent that is not there: the first refusal says it.
        Err(Error { kind: ErrorKind::Unsupported(_) | ErrorKind::NotFound, .. }) => first,
        Err(error) => Err(error),
    }
}

/// Whether the backend does not know the keys that were put in.
fn unknown_keys(answer: &Result<Keys>) -> bool {
    matches!(answer, Err(Error { kind: ErrorKind::NotFound, .. }))
}

fn by_any_way(rest: &Rest, parent: &Parent<'_>, with: With<'_>, document: &Document, ttl_s: u32) -> Result<Keys> {
    let as_user = || over_rest(&super::accounts::login(rest, parent.secret), parent, with, document, ttl_s);
    // Generated keys are in two places, and a request is signed with one secret: they go over REST.
    let over_s3 = || match with {
        With::Own => over_protocol(rest, parent, document, ttl_s),
        With::Generated(_) => Ok(None),
    };
    match rest.config.s3.sts {
        StsWay::Admin => over_rest(rest, parent, with, document, ttl_s),
        StsWay::User => as_user(),
        StsWay::Protocol => over_s3()?.ok_or_else(unbound),
        StsWay::Auto => {
            let first = over_rest(rest, parent, with, document, ttl_s);
            if !refused(&first) {
                return first;
            }
            let second = as_user();
            if !refused(&second) {
                return second;
            }
            over_s3()?.map_or(second, Ok)
        }
    }
}

/// Whether another identity or way may be allowed what this one is not.
fn refused(answer: &Result<Keys>) -> bool {
    matches!(answer, Err(Error { kind: ErrorKind::PermissionDenied | ErrorKind::Unsupported(_), .. }))
}

fn unbound() -> Error {
    error::not_ready(
        "credentials.session",
        "S3_ENDPOINT_NOT_BOUND",
        "bind the provider's endpoint `s3` to the cluster's S3 service",
    )
}

fn over_rest(rest: &Rest, parent: &Parent<'_>, with: With<'_>, document: &Document, ttl_s: u32) -> Result<Keys> {
    #[derive(Deserialize)]
    struct Row {
        access_key: String,
    }
    let [id_at, secret_at] = PARENT_KEYS;
    let body = |id: &str| json!({ "access_key": id, "secret_key": "", "duration": ttl_s, "policy_file_content": document.json() });
    let request = match with {
        With::Own => rest.request().json(&body("")).slot(id_at, parent.secret, "username").slot(
            secret_at,
            parent.secret,
            "password",
        ),
        With::Generated(keys) => rest.request().json(&body(&keys.id)).slot(secret_at, &keys.secret, SEALED_FIELD),
    };
    let response = rest.send(&S3_STS, request, DOING)?;
    let row: Row = envelope::one(response.body()).map_err(|cause| unreadable(&S3_STS, DOING, &cause))?;
    // In the order of the declaration: each with the envelope and without it.
    let either = |with: usize, without: usize| response.captured(with).or_else(|| response.captured(without));
    keys(row.access_key, either(0, 1), either(2, 3))
}

/// `None` when the operator has bound no endpoint for it.
fn over_protocol(rest: &Rest, parent: &Parent<'_>, document: &Document, ttl_s: u32) -> Result<Option<Keys>> {
    let field = |name: &str, value: String| (name.to_owned(), value);
    let form = vec![
        field("Action", "AssumeRole".to_owned()),
        field("Version", "2011-06-15".to_owned()),
        // The service ignores the next two, and its protocol has them.
        field("RoleArn", format!("arn:aws:iam:::role/{}", parent.name)),
        field("RoleSessionName", parent.name.to_owned()),
        field("DurationSeconds", ttl_s.to_string()),
        field("Policy", String::from_utf8_lossy(&document.bytes()).into_owned()),
    ];
    let request = Request::new().form(form).sigv4(parent.secret, "sts", &rest.config.s3.region);
    let response = match host::send(&S3_ASSUME_ROLE, request) {
        Ok(response) => response,
        Err(lost) if matches!(&lost.cause, http::HttpError::Denied(why) if why.contains("not bound")) => {
            return Ok(None);
        }
        Err(lost) => return Err(lost.into()),
    };
    if !response.is_success() {
        return Err(said(&response));
    }
    let id = element(&response.text(), "AccessKeyId");
    let id = id.ok_or_else(|| error::ambiguous(format_args!("{DOING}: the answer has no key")))?;
    keys(id, response.captured(0), response.captured(1)).map(Some)
}

fn keys(id: String, secret: Option<&str>, token: Option<&str>) -> Result<Keys> {
    match (secret, token) {
        (Some(secret), Some(token)) if !id.is_empty() => {
            Ok(Keys { id, secret: secret.to_owned(), token: Some(token.to_owned()) })
        }
        _ => Err(error::ambiguous(format_args!("{DOING}: it was issued and its answer is not whole"))
            .with_native_code("UnreadableAnswer")),
    }
}

/// The text of the first element of this name.
fn element(xml: &str, name: &str) -> Option<String> {
    let document = roxmltree::Document::parse(xml).ok()?;
    let found = document.descendants().find(|node| node.is_element() && node.tag_name().name() == name)?;
    Some(found.text()?.trim().to_owned())
}

/// What a refusal of the S3 protocol means.
fn said(response: &Response) -> Error {
    let xml = response.text();
    let code = element(&xml, "Code").unwrap_or_default();
    let words = element(&xml, "Message").unwrap_or_else(|| "the S3 service refused without a reason".to_owned());
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let text = format!("{DOING}: {}", words.chars().map(clean).take(300).collect::<String>());
    let error = match (code.as_str(), response.status()) {
        ("AccessDenied" | "SignatureDoesNotMatch", _) => error::permission_denied(text),
        ("InvalidAccessKeyId", _) => Error { message: text, ..error::not_found("the parent S3 user") },
        ("MissingParameter" | "InvalidParameterValue" | "MalformedPolicyDocument", _) => {
            Error { message: text, ..error::invalid("policy", "is refused by the S3 service") }
        }
        ("STSNotInitialized", _) => {
            error::not_ready("credentials.session", "STS_NOT_INITIALIZED", "wait until the S3 service is up")
        }
        ("RequestTimeTooSkewed", _) => error::not_ready(
            "credentials.session",
            "CLOCK_SKEW",
            "set the clocks of this host and of the cluster by the same source",
        ),
        (_, 503) => error::unreachable(text),
        (_, 429) => Error { message: text, ..error::throttled(None) },
        (_, 403) => error::permission_denied(text),
        (_, 400..=499) => Error { message: text, ..error::invalid("policy", "is refused by the S3 service") },
        _ => error::ambiguous(text),
    };
    if code.is_empty() { error } else { error.with_native_code(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_found_whatever_its_namespace() {
        let xml =
            r#"<A xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><B><AccessKeyId> JR9O </AccessKeyId></B></A>"#;
        assert_eq!(element(xml, "AccessKeyId").as_deref(), Some("JR9O"));
        for broken in ["", "<a>", "{}", "<!DOCTYPE a [<!ENTITY x 'y'>]><a><AccessKeyId>&x;</AccessKeyId></a>"] {
            assert_eq!(element(broken, "AccessKeyId"), None, "{broken}");
        }
    }
}
