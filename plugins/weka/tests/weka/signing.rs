//! AWS Signature Version 4 over a form, as the host signs it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as sign_request};
use aws_sigv4::sign::v4;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

const FORM: &str = "application/x-www-form-urlencoded";

/// The headers and the body that are sent.
pub(crate) fn sign(
    url: &Url,
    fields: &[(String, String)],
    (id, secret): (&str, &str),
    (service, region): (&str, &str),
    now_ms: u64,
) -> (HeaderMap, String) {
    let mut encoded = url.clone();
    encoded.query_pairs_mut().clear().extend_pairs(fields);
    let body = encoded.query().unwrap_or_default().to_owned();
    let identity = Credentials::new(id, secret, None, None, "test").into();
    let time: SystemTime = UNIX_EPOCH + Duration::from_millis(now_ms);
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let signable = SignableRequest::new(
        "POST",
        url.as_str(),
        [("content-type", FORM)].into_iter(),
        SignableBody::Bytes(body.as_bytes()),
    )
    .unwrap();
    let (instructions, _) = sign_request(signable, &params).unwrap().into_parts();
    let (signed, _) = instructions.into_parts();
    let mut headers = HeaderMap::from_iter([(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(FORM))]);
    for header in signed {
        let name: HeaderName = header.name().parse().unwrap();
        headers.insert(name, header.value().parse().unwrap());
    }
    (headers, body)
}
