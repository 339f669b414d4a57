//! Which headers a guest may set and see.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::mask::{Needles, is_secret_field};

/// Largest header set of a request or of what a guest sees, in headers.
const MOST: usize = 64;

/// What authenticates, routes, frames or splits a request belongs to the host. The last four rows would let a safe
/// exchange become another method or path, or let an answer come back compressed or in parts that the mask cannot read.
const REFUSED: [&str; 34] = [
    "authorization",
    "host",
    "cookie",
    "cookie2",
    "set-cookie",
    "x-auth-token",
    "connection",
    "transfer-encoding",
    "content-length",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "expect",
    "http2-settings",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "x-amz-signature",
    "x-amz-credential",
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "accept-encoding",
    "content-encoding",
    "range",
    "if-range",
];
const REFUSED_STARTS: [&str; 3] = ["proxy-", "x-forwarded-", "sec-"];
/// Frames and routes: not even a declared slot may set these.
const NEVER: [&str; 10] = [
    "host",
    "connection",
    "transfer-encoding",
    "content-length",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "content-type",
];
/// Answer headers that carry sessions or say nothing to an adapter.
const DROPPED: [&str; 13] = [
    "content-length",
    "set-cookie",
    "set-cookie2",
    "authorization",
    "authentication-info",
    "connection",
    "transfer-encoding",
    "keep-alive",
    "upgrade",
    "trailer",
    "alt-svc",
    "x-amz-security-token",
    "www-authenticate",
];

/// Judges a guest's headers. The error names the header and why it is refused.
pub(crate) fn guest_headers(headers: &[(String, String)]) -> Result<HeaderMap, String> {
    if headers.len() > MOST {
        return Err(format!("{} headers are more than {MOST}", headers.len()));
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| format!("{name:?} is not a header name"))?;
        let text = name.as_str();
        if REFUSED.contains(&text) || REFUSED_STARTS.iter().any(|start| text.starts_with(start)) {
            return Err(format!("header {text} is the host's: use auth, slots or params"));
        }
        let value = HeaderValue::try_from(value.as_str());
        map.append(name.clone(), value.map_err(|_| format!("the value of header {name} holds control characters"))?);
    }
    Ok(map)
}

/// Checks the header of a slot or of a flow's token.
pub(crate) fn slot_header(name: &str) -> Result<(), String> {
    let header = HeaderName::try_from(name).map_err(|_| format!("{name:?} is not a header name"))?;
    if NEVER.contains(&header.as_str()) || header.as_str().starts_with("proxy-") {
        return Err(format!("header {header} frames or routes a request and holds no secret"));
    }
    Ok(())
}

/// The headers that a guest sees: no sessions, none named like a secret, injected values masked.
pub(crate) fn answer_headers(headers: &HeaderMap, injected: &Needles) -> Vec<(String, String)> {
    let visible = |name: &str| !DROPPED.contains(&name) && !name.starts_with("proxy-") && !is_secret_field(name);
    let shown = headers.iter().filter(|(name, _)| visible(name.as_str())).take(MOST);
    shown.map(|(name, value)| (name.to_string(), injected.clean(&String::from_utf8_lossy(value.as_bytes())))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn headers_that_authenticate_route_or_frame_are_refused_in_any_case() {
        let more = [
            "Proxy-Authorization",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "AUTHORIZATION",
            "Host",
            "Cookie",
            "X-Amz-Date",
        ];
        for name in REFUSED.iter().chain(&more) {
            let error = guest_headers(&one(name, "x")).unwrap_err();
            assert!(error.contains(&name.to_lowercase()), "{error}");
        }
    }

    #[test]
    fn names_and_values_that_split_a_request_are_refused() {
        for (name, value) in
            [("a b", "x"), ("a:b", "x"), ("", "x"), ("x-a", "1\r\nhost: evil"), ("x-a", "1\n"), ("x-a", "\0")]
        {
            assert!(guest_headers(&one(name, value)).is_err(), "{name:?} {value:?}");
        }
        assert!(guest_headers(&vec![("x-a".to_owned(), "1".to_owned()); MOST + 1]).is_err());
    }

    #[test]
    fn harmless_headers_pass() {
        let map = guest_headers(&[
            ("Accept".to_owned(), "application/json".to_owned()),
            ("if-match".to_owned(), "\"e\"".to_owned()),
        ])
        .unwrap();
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn sessions_and_injected_values_do_not_come_back_in_headers() {
        let mut map = HeaderMap::new();
        for (name, value) in [
            ("set-cookie", "sid=1"),
            ("x-subject-token", "t"),
            ("etag", "e"),
            ("x-echo", "got hunter2hunter2"),
            ("location", "/x"),
        ] {
            map.append(name, HeaderValue::from_static(value));
        }
        let seen = answer_headers(&map, &Needles::new(["hunter2hunter2"]));
        let want = [("etag", "e"), ("x-echo", "got [masked]"), ("location", "/x")];
        assert_eq!(seen, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
