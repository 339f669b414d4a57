//! Basic and AWS Signature Version 4, computed where the keys are.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{Prepared, secret_header};

/// What signs a request.
pub(crate) struct Keys {
    pub(crate) access_key_id: SecretString,
    pub(crate) secret_access_key: SecretString,
    pub(crate) session_token: Option<SecretString>,
    pub(crate) service: String,
    pub(crate) region: String,
}

/// The `authorization` header of RFC 7617.
pub(crate) fn basic(username: &SecretString, password: &SecretString) -> Result<(HeaderName, HeaderValue), String> {
    if username.expose_secret().contains(':') {
        return Err("a username for basic authentication holds no ':'".to_owned());
    }
    let pair = STANDARD.encode(format!("{}:{}", username.expose_secret(), password.expose_secret()));
    secret_header("authorization", &format!("Basic {pair}"))
}

/// The headers that sign `request` to `url` at `now_ms`.
///
/// S3 wants its path encoded once and unnormalized and the body's hash in a header; other services (STS, IAM) encode the
/// path again (AWS "Create a signed AWS API request", canonical URI).
pub(crate) fn sigv4(
    keys: &Keys,
    request: &Prepared,
    url: &Url,
    now_ms: u64,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let mut settings = SigningSettings::default();
    if keys.service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let token = keys.session_token.as_ref().map(|t| t.expose_secret().to_owned());
    let credentials = Credentials::new(
        keys.access_key_id.expose_secret(),
        keys.secret_access_key.expose_secret(),
        token,
        None,
        "stowage",
    );
    let identity = credentials.into();
    let time: SystemTime = UNIX_EPOCH + Duration::from_millis(now_ms);
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&keys.region)
        .name(&keys.service)
        .time(time)
        .settings(settings)
        .build()
        .map_err(|e| format!("cannot sign: {e}"))?
        .into();
    let headers = request.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable =
        SignableRequest::new(request.method.as_str(), url.as_str(), headers, SignableBody::Bytes(&request.body))
            .map_err(|e| format!("cannot sign: {e}"))?;
    let (instructions, _) = sign(signable, &params).map_err(|e| format!("cannot sign: {e}"))?.into_parts();
    let (signed, _) = instructions.into_parts();
    signed.iter().map(|header| secret_header(header.name(), header.value())).collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;

    /// The "GET Bucket Lifecycle" example of the S3 API reference, "Authenticating Requests: Using the Authorization
    /// Header".
    #[test]
    fn the_signature_is_that_of_the_published_example() {
        let keys = Keys {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
            service: "s3".to_owned(),
            region: "us-east-1".to_owned(),
        };
        let request = Prepared {
            method: Method::GET,
            path_and_query: "/?lifecycle".to_owned(),
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
        };
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/?lifecycle").unwrap();
        // 2013-05-24T00:00:00Z
        let signed = sigv4(&keys, &request, &url, 1_369_353_600_000).unwrap();
        let authorization = signed.iter().find(|(name, _)| name == "authorization").unwrap().1.to_str().unwrap();
        let signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
        assert!(authorization.ends_with(&format!("Signature={signature}")), "{authorization}");
    }

    #[test]
    fn basic_is_base64_of_the_pair() {
        let (_, value) = basic(&"Aladdin".into(), &"open sesame".into()).unwrap();
        assert_eq!(value.to_str().unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(value.is_sensitive());
        assert!(basic(&"a:b".into(), &"c".into()).is_err());
    }
}
