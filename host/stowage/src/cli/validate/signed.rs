//! An S3 client of one call at a time, signed with a credential as any client of the provider would.

use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context as _;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use stowage_client::proto as v1;
use stowage_ports::{Clock as _, SystemClock};

/// The longest time of one call.
const CALL: Duration = Duration::from_secs(30);

/// A client of one S3 service.
pub(super) struct Bucket {
    http: reqwest::Client,
}

/// What the service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// HTTP status.
    pub(super) status: u16,
    /// The body's beginning.
    pub(super) text: String,
}

impl Said {
    /// Whether it did what was asked.
    pub(super) const fn yes(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Whether it refused for lack of a right.
    pub(super) const fn denied(&self) -> bool {
        self.status == 401 || self.status == 403
    }
}

impl Bucket {
    /// A client that trusts the system's roots and this authority.
    pub(super) fn open(ca: Option<&std::path::Path>) -> anyhow::Result<Self> {
        // The HTTP client takes the process's provider of cryptography; a second installation cannot be of another.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder().timeout(CALL).redirect(reqwest::redirect::Policy::none());
        if let Some(path) = ca {
            let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            for certificate in reqwest::Certificate::from_pem_bundle(&pem)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        Ok(Self { http: builder.build()? })
    }

    /// One call on a key of the credential's bucket, or with a query on the bucket itself.
    pub(super) async fn call(
        &self,
        keys: &v1::CredentialKeys,
        method: &str,
        key: &str,
        query: &str,
        body: &'static [u8],
    ) -> anyhow::Result<Said> {
        let base = keys.endpoint.trim_end_matches('/');
        let path = if key.is_empty() { keys.bucket.clone() } else { format!("{}/{key}", keys.bucket) };
        let url = if query.is_empty() { format!("{base}/{path}") } else { format!("{base}/{path}?{query}") };
        let mut request = self.http.request(method.parse()?, &url).body(body);
        for (name, value) in signature(keys, method, &url, body)? {
            request = request.header(name, value);
        }
        let answer = request.send().await.with_context(|| format!("{method} {path} was not answered"))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_default().chars().take(2000).collect();
        Ok(Said { status, text })
    }
}

fn signature(keys: &v1::CredentialKeys, method: &str, url: &str, body: &[u8]) -> anyhow::Result<Vec<(String, String)>> {
    let settings = {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings
    };
    let token = Some(keys.session_token.clone()).filter(|token| !token.is_empty());
    let identity =
        Credentials::new(&keys.access_key_id, &keys.secret_access_key, token, None, "stowage-validate").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(if keys.region.is_empty() { "us-east-1" } else { &keys.region })
        .name("s3")
        .time(UNIX_EPOCH + Duration::from_millis(SystemClock.now_ms()))
        .settings(settings)
        .build()?
        .into();
    let signable = SignableRequest::new(method, url, std::iter::empty(), SignableBody::Bytes(body))?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    let (headers, _) = instructions.into_parts();
    Ok(headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect())
}
