//! The interface `audit`: where the S3 service sends its events, and what an event says.
//!
//! An event names neither user nor project. What leads to who it was is the access key, which stands in the request's
//! `Authorization` header; nothing else of that header is taken. Events are dropped while nobody takes them, so they are
//! evidence and never the only source.

use serde::Deserialize;
use serde_json::{Value, json};
use stowage_provider_sdk::prelude::audit::{Event, Push, Target};
use stowage_provider_sdk::prelude::{Audit, Call, Extensions, Progress, Result, error};

use crate::Weka;
use crate::api::{AuditWebhook, number};
use crate::exchanges::{S3_AUDIT_DISABLE, S3_AUDIT_ENABLE, S3_AUDIT_WEBHOOK, SENT_AUTH_TOKEN};
use crate::rest::Rest;
use crate::s3;

/// Events in one body; the service sends one, a buffer between may send more.
const MAX_EVENTS: usize = 10_000;

impl Audit for Weka {
    fn configure(_call: Call, target: Target) -> Result<Progress> {
        let rest = Rest::connect()?;
        s3::offered(&rest)?;
        match target {
            Target::PushHttp(push) => enable(&rest, &push)?,
            Target::None => disable(&rest)?,
            Target::PushSyslog(_) => return Err(error::unsupported("audit.push-syslog")),
            Target::PullLog => return Err(error::unsupported("audit.pull-log")),
            Target::Other(word) => return Err(error::unsupported(&word)),
        }
        Ok(Progress::Done(b"s3-audit".to_vec()))
    }

    fn configured() -> Result<Target> {
        let rest = Rest::connect()?;
        s3::offered(&rest)?;
        let webhook = read(&rest)?;
        // The token stays with the host.
        Ok(if webhook.enabled { Target::PushHttp(Push { url: webhook.endpoint, bearer: None }) } else { Target::None })
    }

    fn parse(body: Vec<u8>, _headers: Vec<(String, String)>) -> Result<Vec<Event>> {
        events(&body)
    }
}

fn read(rest: &Rest) -> Result<AuditWebhook> {
    rest.one(&S3_AUDIT_WEBHOOK, rest.request(), "reading the S3 audit webhook")
}

/// The secret's value is sent whole as the receiver's `Authorization` header, so it holds its scheme.
fn enable(rest: &Rest, push: &Push) -> Result<()> {
    let Some(bearer) = &push.bearer else {
        return Err(error::invalid("target.bearer", "is needed: the S3 service sends no events without a token"));
    };
    if !(push.url.starts_with("https://") || push.url.starts_with("http://")) {
        return Err(error::invalid("target.url", "must be an http or https address"));
    }
    s3::ready(rest)?;
    let body = json!({ "endpoint": push.url, "auth_token": "" });
    let request = rest.request().json(&body).slot(SENT_AUTH_TOKEN, &bearer.name, &bearer.field);
    // Sent though the address may be there already: whether the token is the same nobody can see.
    rest.done(&S3_AUDIT_ENABLE, request, "switching the S3 audit on")?;
    let now = read(rest)?;
    if now.enabled && now.endpoint == push.url {
        return Ok(());
    }
    Err(error::conflict_retry("the S3 audit does not show its new address yet"))
}

fn disable(rest: &Rest) -> Result<()> {
    if !read(rest)?.enabled {
        return Ok(());
    }
    rest.done(&S3_AUDIT_DISABLE, rest.request(), "switching the S3 audit off")
}

#[derive(Deserialize)]
struct Row {
    api: Api,
    time: String,
    #[serde(default, rename = "requestID")]
    request_id: Option<String>,
    #[serde(default)]
    remotehost: Option<String>,
    #[serde(default, rename = "requestHeader")]
    request_header: serde_json::Map<String, Value>,
    #[serde(default, rename = "userAgent")]
    user_agent: Option<String>,
    #[serde(default, rename = "wekaInfo")]
    cluster: Cluster,
}

#[derive(Deserialize)]
struct Api {
    name: String,
    #[serde(default)]
    bucket: Option<String>,
    #[serde(default)]
    object: Option<String>,
    #[serde(default, rename = "statusCode", deserialize_with = "number::whole")]
    status: u64,
}

#[derive(Default, Deserialize)]
struct Cluster {
    #[serde(default, rename = "clusterGUID")]
    guid: Option<String>,
    #[serde(default, rename = "serverName")]
    server: Option<String>,
}

/// Events of a body: one, a list, or one after another.
fn events(body: &[u8]) -> Result<Vec<Event>> {
    let broken = || error::invalid("body", "holds no S3 audit event");
    let mut all = Vec::new();
    for document in serde_json::Deserializer::from_slice(body).into_iter::<Value>() {
        match document.map_err(|_| broken())? {
            Value::Array(list) => all.extend(list),
            one => all.push(one),
        }
        if all.len() > MAX_EVENTS {
            return Err(error::too_large("audit.events", all.len() as u64, MAX_EVENTS as u64));
        }
    }
    all.into_iter().map(|event| serde_json::from_value(event).ok().and_then(one).ok_or_else(broken)).collect()
}

fn one(row: Row) -> Option<Event> {
    let at = row.time.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let mut extensions: Extensions = Vec::new();
    for (key, value) in
        [("user-agent", row.user_agent), ("cluster.guid", row.cluster.guid), ("server.name", row.cluster.server)]
    {
        extensions.extend(present(value).map(|value| (key.to_owned(), value)));
    }
    Some(Event {
        at: u64::try_from(at).ok()?,
        id: present(row.request_id),
        operation: row.api.name,
        namespace: present(row.api.bucket),
        object: present(row.api.object),
        status: u32::try_from(row.api.status).unwrap_or(u32::MAX),
        access_key: access_key(&row.request_header),
        client: present(row.remotehost),
        extensions,
    })
}

/// The key in `Credential=<key>/<date>/…` of a signed request; a request without a signature has none.
fn access_key(headers: &serde_json::Map<String, Value>) -> Option<String> {
    let header = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?.1;
    let text = match header {
        Value::String(text) => text,
        Value::Array(values) => values.first()?.as_str()?,
        _ => return None,
    };
    let (_, after) = text.split_once("Credential=")?;
    let key: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    Some(key.trim_end_matches('.').to_owned()).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"api":{"bucket":"ab12cd34-ef56gh78ij","name":"PutObject","object":"cat-and-dog.jpg","status":"OK","statusCode":200,"timeToResponse":"10531825ns"},
 "auditVersion":"1.weka","deploymentid":"079f7a1f","remotehost":"216.58.114.14",
 "requestHeader":{"Authorization":"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20250321/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=abcdef","User-Agent":"aws-sdk-go/1.44","Content-Type":"image/jpeg"},
 "requestID":"1773CE9A70A978BB","responseHeader":{"Content-Length":"0","Server":"S3"},
 "time":"2025-03-21T06:37:27.915055685Z","userAgent":"aws-sdk-go/1.44",
 "wekaInfo":{"clusterGUID":"b28b4f9b","clusterName":"DAD08-B","release":"4.4.6.11","serverIP":"10.26.211.72","serverName":"obj-115-07","version":"4.4.6"}}"#;

    #[test]
    fn the_documented_event_is_read_and_nothing_of_its_signature_is_kept() {
        let events = events(EVENT.as_bytes()).unwrap();
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event.at, 1_742_539_047_915);
        assert_eq!(
            (event.operation.as_str(), event.namespace.as_deref(), event.object.as_deref(), event.status),
            ("PutObject", Some("ab12cd34-ef56gh78ij"), Some("cat-and-dog.jpg"), 200)
        );
        assert_eq!(event.access_key.as_deref(), Some("AKIAIOSFODNN7EXAMPLE"));
        assert_eq!((event.id.as_deref(), event.client.as_deref()), (Some("1773CE9A70A978BB"), Some("216.58.114.14")));
        assert!(!format!("{event:?}").contains("abcdef"));
    }

    #[test]
    fn several_events_come_in_a_list_or_one_after_another() {
        for body in [format!("[{EVENT},{EVENT}]"), format!("{EVENT}\n{EVENT}\n"), format!("{EVENT}{EVENT}")] {
            assert_eq!(events(body.as_bytes()).unwrap().len(), 2);
        }
        assert!(events(b"").unwrap().is_empty());
    }

    #[test]
    fn a_key_is_read_in_every_form_and_an_unsigned_request_has_none() {
        let key = |header: Value| access_key(&serde_json::Map::from_iter([("authorization".to_owned(), header)]));
        assert_eq!(key(json!("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE...")).unwrap(), "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(key(json!(["AWS4-HMAC-SHA256 Credential=sw-ab12cd34/2025"])).unwrap(), "sw-ab12cd34");
        for unsigned in [json!(""), json!("Bearer x"), json!("Credential=/x"), json!(7), json!([])] {
            assert_eq!(key(unsigned), None);
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for body in ["{", "7", "{}", r#"{"api":{"name":"x"}}"#, r#"{"api":{"name":"x"},"time":"yesterday"}"#] {
            assert!(events(body.as_bytes()).is_err(), "{body}");
        }
    }
}
