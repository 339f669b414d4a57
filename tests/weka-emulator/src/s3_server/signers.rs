//! Whose signature it is: secrets by access key, session tokens, and hosts that name a bucket.

use axum::http::{HeaderMap, Uri};
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::{S3Host, VirtualHost};
use s3s::{S3Error, S3ErrorCode, S3Result};
use url::form_urlencoded;

use super::Plane;
use super::refusals::custom;
use crate::s3::identity::S3Key;

/// The header, and in a presigned URL the parameter, that carries a session's token.
const TOKEN: &str = "x-amz-security-token";

#[async_trait::async_trait]
impl S3Auth for Plane {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let state = self.state.lock();
        let Some(key) = state.s3_key(access_key) else { return Err(S3Error::new(S3ErrorCode::InvalidAccessKeyId)) };
        if key.is_expired(state.now()) {
            let code = &state.switches.s3_expired_code;
            return Err(custom(code, 403, "The provided token has expired."));
        }
        Ok(SecretKey::from(key.secret))
    }
}

/// A session's key needs its own token; any other key needs none and takes none (as in MinIO).
pub(crate) fn check_token(key: &S3Key, headers: &HeaderMap, uri: &Uri) -> S3Result<()> {
    let in_header = headers.get(TOKEN).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let given = in_header.or_else(|| {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(TOKEN)).map(|(_, value)| value.into_owned())
    });
    if given.filter(|given| !given.is_empty()) == key.session_token {
        return Ok(());
    }
    Err(custom("InvalidToken", 403, "The security token included in the request is invalid"))
}

impl S3Host for Plane {
    /// `<bucket>.<domain>` for each domain that the service is configured with; any other host is path-style.
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let domains = self.state.lock().s3.service.as_ref().map(|service| service.domain.clone()).unwrap_or_default();
        let bucket = domains.split(',').map(str::trim).filter(|domain| !domain.is_empty()).find_map(|domain| {
            name.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.')).filter(|bucket| !bucket.is_empty())
        });
        Ok(match bucket {
            Some(bucket) => VirtualHost::new(host).with_bucket(bucket),
            None => VirtualHost::new(host),
        })
    }
}
