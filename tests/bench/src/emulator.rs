//! The WEKA emulator as a process of its own, and a bare client of it: what an adapter is compared with.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::host::beside_this_binary;

/// Name and password of the administrator.
pub(crate) const ADMIN: (&str, &str) = ("admin", "Emulated-Secret-77");
/// The filesystem of both presets that namespaces are made in.
pub(crate) const FILESYSTEM: &str = "gpuaas-kind-fs";
/// Longest start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A certificate for the loopback address that nobody else has signed.
pub(crate) struct Certificate {
    /// The certificate.
    pub(crate) pem: String,
    key: String,
}

impl Certificate {
    pub(crate) fn make() -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
        Ok(Self { pem: made.cert.pem(), key: made.signing_key.serialize_pem() })
    }
}

/// An emulator that runs until it is dropped.
pub(crate) struct Emulator {
    /// Where its REST API is.
    pub(crate) rest: String,
    /// Where its S3 service is.
    pub(crate) s3: String,
    admin: String,
    /// A client that keeps its connections.
    pub(crate) client: Client,
    _child: Child,
}

impl Emulator {
    /// Starts one in a preset; with a certificate REST and S3 are https.
    pub(crate) async fn start(preset: &str, scratch: &Path, tls: Option<&Certificate>) -> Result<Self> {
        let mut command = Command::new(beside_this_binary("weka-emulator")?);
        command.args(["--preset", preset, "--release", "4.4.22", "--password", ADMIN.1]);
        if let Some(tls) = tls {
            let (certificate, key) = (scratch.join("emulator.pem"), scratch.join("emulator.key"));
            std::fs::write(&certificate, &tls.pem)?;
            std::fs::write(&key, &tls.key)?;
            command.arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("the emulator has no output")?).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.context("the emulator does not start")??;
        let ready: Value = serde_json::from_str(&line.context("the emulator has ended")?)?;
        let url = |name: &str| text(&ready, name).with_context(|| format!("no {name}"));
        Ok(Self {
            rest: url("rest_url")?,
            s3: url("s3_url")?,
            admin: url("admin_url")?,
            client: client(tls)?,
            _child: child,
        })
    }

    /// Calls the admin port.
    pub(crate) async fn admin(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let request = self.client.request(method, format!("{}{path}", self.admin));
        let request = if body.is_null() { request } else { request.json(body) };
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// Makes a directory with those above it; answers its inode.
    pub(crate) async fn make_directory(&self, path: &str) -> Result<u64> {
        let directory = json!({ "filesystem": FILESYSTEM, "path": path });
        let made = self.admin(Method::POST, "/admin/dirs", &directory).await?;
        made.get("inode").and_then(Value::as_u64).context("a directory without an inode")
    }

    /// Connections that the REST API has accepted since the start.
    pub(crate) async fn connections(&self) -> Result<u64> {
        let state = self.admin(Method::GET, "/admin/state", &Value::Null).await?;
        state.pointer("/connections/rest").and_then(Value::as_u64).context("the emulator counts no connections")
    }

    /// Empties the request log, which keeps every answer.
    pub(crate) async fn forget_requests(&self) -> Result<()> {
        self.admin(Method::DELETE, "/admin/requests", &Value::Null).await.map(drop)
    }

    /// REST calls in the log, each as `METHOD /path`.
    pub(crate) async fn requests(&self) -> Result<Vec<String>> {
        let log = self.admin(Method::GET, "/admin/requests", &Value::Null).await?;
        let text = |row: &Value, field| text(row, field).unwrap_or_default();
        let rows = log.as_array().context("the log is no list")?.iter();
        Ok(rows.map(|row| format!("{} {}", text(row, "method"), text(row, "path"))).collect())
    }

    /// A session of the administrator's, as a bearer token.
    pub(crate) async fn log_in(&self) -> Result<String> {
        let (username, password) = ADMIN;
        let body = json!({ "username": username, "password": password, "org": "Root" });
        let url = format!("{}/api/v2/login", self.rest);
        let answer: Value = self.client.post(url).json(&body).send().await?.error_for_status()?.json().await?;
        answer
            .pointer("/data/access_token")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .context("a login without a token")
    }

    /// Calls the REST API as the administrator.
    pub(crate) async fn call(&self, token: &str, method: Method, path: &str, body: &Value) -> Result<Value> {
        let request = self.client.request(method, format!("{}/api/v2{path}", self.rest)).bearer_auth(token);
        let request = if body.is_null() { request } else { request.json(body) };
        let response = request.send().await?;
        let status = response.status();
        let answer: Value = response.json().await?;
        ensure!(status.is_success(), "{path} answered {status}: {answer}");
        Ok(answer)
    }

    /// The uid of [`FILESYSTEM`].
    pub(crate) async fn filesystem(&self, token: &str) -> Result<String> {
        let listed = self.call(token, Method::GET, "/fileSystems", &Value::Null).await?;
        let mut rows = listed.get("data").and_then(Value::as_array).context("no filesystems")?.iter();
        let found = rows.find(|row| text(row, "name").as_deref() == Some(FILESYSTEM));
        found.and_then(|row| text(row, "uid")).context("the preset has another filesystem")
    }
}

/// A client like the host's: one pool of connections, nothing followed and nothing repeated.
pub(crate) fn client(tls: Option<&Certificate>) -> Result<Client> {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().no_proxy().tcp_nodelay(true);
    let builder = match tls {
        Some(tls) => builder.tls_certs_only([reqwest::Certificate::from_pem(tls.pem.as_bytes())?]),
        None => builder,
    };
    Ok(builder.build()?)
}

fn text(object: &Value, field: &str) -> Option<String> {
    object.get(field)?.as_str().map(str::to_owned)
}
