//! A client of the S3 port: requests signed as any SDK signs them, and XML read with the naked eye.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::{Options, Preset};

use crate::support::Bench;

/// Keys to sign with.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) access: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of the first element with this name.
    pub(crate) fn element(&self, name: &str) -> String {
        self.elements(name).first().cloned().unwrap_or_default()
    }

    /// The texts of all elements with this name.
    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = text.split(&open).skip(1);
        parts.map(|part| part.split(&close).next().unwrap().to_owned()).collect()
    }

    /// Status and error code.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status, self.element("Code"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Keys {
    pub(crate) fn of(made: &Value) -> Self {
        let text = |name: &str| made[name].as_str().map(str::to_owned);
        Self { access: text("access_key").unwrap(), secret: text("secret_key").unwrap(), token: text("session_token") }
    }

    fn credentials(&self) -> Credentials {
        Credentials::new(&self.access, &self.secret, self.token.clone(), None, "test")
    }

    /// Headers that sign a request.
    pub(crate) fn signed(
        &self,
        service: &str,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<(String, String)> {
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = self.credentials().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let signable =
            SignableRequest::new(method.as_str(), url, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let (signed, _) = instructions.into_parts();
        signed.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect()
    }

    /// A URL that anybody may use for a while.
    pub(crate) fn presigned(&self, method: &Method, url: &str, valid_for: Duration) -> String {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(valid_for);
        let identity = self.credentials().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let none = std::iter::empty::<(&str, &str)>();
        let signable = SignableRequest::new(method.as_str(), url, none, SignableBody::UnsignedPayload).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let (_, query) = instructions.into_parts();
        let mut url = reqwest::Url::parse(url).unwrap();
        query.iter().for_each(|(name, value)| {
            url.query_pairs_mut().append_pair(name, value);
        });
        url.to_string()
    }
}

impl Bench {
    /// A cluster whose S3 is ready.
    pub(crate) async fn with_s3() -> Self {
        Self::with(Options { preset: Preset::S3Ready, ..Options::default() }).await
    }

    pub(crate) fn s3(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.s3_url())
    }

    /// An S3 user with a uid, a gid and a policy; answers its keys.
    pub(crate) async fn s3_user(&self, name: &str, ids: (u32, u32), policy: Value) -> Keys {
        let body = json!({
            "username": name, "password": "Secret-pass1", "role": "S3", "posix_uid": ids.0, "posix_gid": ids.1,
        });
        assert_eq!(self.post("/users", body).await.0, 200);
        let policy_name = match policy {
            Value::String(predefined) => predefined,
            document => {
                let body = json!({ "policy_name": name, "policy_file_content": document });
                let (status, answer) = self.post("/s3/policies", body).await;
                assert_eq!(status, 200, "{answer}");
                name.to_owned()
            }
        };
        let body = json!({ "policy_name": policy_name, "user_name": name });
        assert_eq!(self.post("/s3/policies/attach", body).await.0, 200);
        Keys { access: name.to_owned(), secret: "Secret-pass1".to_owned(), token: None }
    }

    /// A bucket over a new directory of a filesystem.
    pub(crate) async fn bucket_over(&self, name: &str, filesystem: &str, path: &str) {
        self.control().make_dir(filesystem, path, weka_emulator::Owner::default()).unwrap();
        let body =
            json!({ "bucket_name": name, "existing_path": path, "fs_uid": self.fs_uid(filesystem), "policy": "none" });
        let (status, answer) = self.post("/s3/buckets", body).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// A session of a user over REST.
    pub(crate) async fn session_of(&self, user: &Keys, policy: Option<Value>) -> Keys {
        let mut body = json!({ "access_key": user.access, "secret_key": user.secret, "duration": 900 });
        if let Some(policy) = policy {
            body["policy_file_content"] = policy;
        }
        let (status, answer) = self.post("/s3/sts", body).await;
        assert_eq!(status, 200, "{answer}");
        Keys::of(&answer["data"])
    }

    /// One signed request; `None` sends it unsigned.
    pub(crate) async fn ask(
        &self,
        keys: Option<&Keys>,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let url = self.s3(path);
        let mut request = self.client.request(method.clone(), &url).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(keys) = keys {
            for (name, value) in keys.signed("s3", &method, &url, headers, body) {
                request = request.header(name, value);
            }
        }
        answer_of(request).await
    }

    pub(crate) async fn s3_get(&self, keys: &Keys, path: &str) -> Answer {
        self.ask(Some(keys), Method::GET, path, &[], b"").await
    }

    pub(crate) async fn s3_head(&self, keys: &Keys, path: &str) -> Answer {
        self.ask(Some(keys), Method::HEAD, path, &[], b"").await
    }

    pub(crate) async fn s3_put(&self, keys: &Keys, path: &str, body: &[u8]) -> Answer {
        self.ask(Some(keys), Method::PUT, path, &[], body).await
    }

    pub(crate) async fn s3_post(&self, keys: &Keys, path: &str, body: &[u8]) -> Answer {
        self.ask(Some(keys), Method::POST, path, &[], body).await
    }

    pub(crate) async fn s3_delete(&self, keys: &Keys, path: &str) -> Answer {
        self.ask(Some(keys), Method::DELETE, path, &[], b"").await
    }
}

/// What came back.
pub(crate) async fn answer_of(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

/// A policy with one statement.
pub(crate) fn allow(actions: &[&str], resources: &[&str]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resources }] })
}
