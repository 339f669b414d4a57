//! One emulator, one HTTP client, and mounts that go with the test.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Map, Value, json};
use weka_emulator::{Control, DEFAULT_PASSWORD, Emulator, LoggedRequest, MountRequest, Options, Running, contract};

/// An emulator and a client of it that speaks as `admin`.
pub(crate) struct Bench {
    pub(crate) emulator: Running,
    pub(crate) client: reqwest::Client,
    pub(crate) token: String,
    targets: tempfile::TempDir,
}

pub(crate) fn client() -> reqwest::Client {
    // Another test of this process may have been first.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::over(Emulator::start(options).await.unwrap(), client()).await
    }

    /// Over an emulator that runs, with a client that trusts it.
    pub(crate) async fn over(emulator: Running, client: reqwest::Client) -> Self {
        let mut bench = Self { emulator, client, token: String::new(), targets: tempfile::tempdir().unwrap() };
        bench.token = bench.login("admin", DEFAULT_PASSWORD, "Root").await;
        bench
    }

    pub(crate) fn control(&self) -> &Control {
        self.emulator.control()
    }

    pub(crate) fn switch(&self, name: &str, value: Value) {
        self.control().set_switches(&Map::from_iter([(name.to_owned(), value)])).unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/api/v2{path}", self.emulator.rest_url())
    }

    /// Sends with a given token; answers status and body.
    pub(crate) async fn send(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.client.request(method, self.url(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text:?}")))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.send(&self.token, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(&self.token, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(&self.token, Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(&self.token, Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        self.send(&self.token, Method::DELETE, path, None).await
    }

    /// GET that must succeed; answers `data`.
    pub(crate) async fn data(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body["data"].clone()
    }

    pub(crate) async fn try_login(&self, username: &str, password: &str, org: &str) -> (u16, Value) {
        let body = json!({ "username": username, "password": password, "org": org });
        self.send("none", Method::POST, "/login", Some(body)).await
    }

    pub(crate) async fn login(&self, username: &str, password: &str, org: &str) -> String {
        let (status, body) = self.try_login(username, password, org).await;
        assert_eq!(status, 200, "{body}");
        body["data"]["access_token"].as_str().unwrap().to_owned()
    }

    /// A user of Root with a role; answers its token.
    pub(crate) async fn user(&self, name: &str, role: &str) -> String {
        let body = json!({ "username": name, "password": "Secret-pass1", "role": role });
        let (status, answer) = self.post("/users", body).await;
        assert_eq!(status, 200, "{answer}");
        self.login(name, "Secret-pass1", "Root").await
    }

    pub(crate) fn fs_uid(&self, name: &str) -> String {
        self.control().filesystem_uid(name).unwrap().to_string()
    }

    pub(crate) async fn inode(&self, filesystem: &str, path: &str) -> u64 {
        let uid = self.fs_uid(filesystem);
        let data = self.data(&format!("/fileSystems/{uid}/resolvePath?path={path}")).await;
        data["inode_id"].as_str().unwrap().parse().unwrap()
    }

    /// Makes a directory and puts a hard quota on it; answers the quota's path in the API.
    pub(crate) async fn dir_with_quota(&self, filesystem: &str, path: &str, bytes: u64) -> String {
        self.control().make_dir(filesystem, path, weka_emulator::Owner::default()).unwrap();
        let inode = self.inode(filesystem, path).await;
        let quota = format!("/fileSystems/{}/quota/{inode}", self.fs_uid(filesystem));
        let body = json!({ "hard_limit_bytes": bytes, "soft_limit_bytes": 0, "grace_seconds": 0 });
        let (status, answer) = self.put(&quota, body).await;
        assert_eq!(status, 200, "{answer}");
        quota
    }

    /// A fresh directory to mount at.
    pub(crate) fn target(&self, name: &str) -> PathBuf {
        let target = self.targets.path().join(name);
        std::fs::create_dir_all(&target).unwrap();
        target
    }

    /// Mounts a filesystem of Root.
    pub(crate) fn mount(&self, filesystem: &str, name: &str) -> PathBuf {
        self.mount_as(MountRequest {
            filesystem: filesystem.to_owned(),
            target: self.target(name),
            ..Default::default()
        })
    }

    pub(crate) fn mount_as(&self, request: MountRequest) -> PathBuf {
        self.control().mount(&request).unwrap().target
    }
}

/// Whatever a test does, each answer that it got is one that the contract table knows.
impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let told = |logged: &LoggedRequest| {
            let documented = logged.path != "/api/v2/docs" && logged.path.starts_with("/api/v2/");
            let unknown = logged.status == 404 && logged.answer.to_string().contains("Route ");
            logged.fault.is_none() && documented && !unknown
        };
        let odd: Vec<String> = self
            .control()
            .requests_after(0)
            .iter()
            .filter(|logged| told(logged))
            .filter_map(|logged| {
                contract::check_answer(&logged.method, &logged.path, logged.status, &logged.answer).err()
            })
            .map(|violation| violation.to_string())
            .collect();
        assert!(odd.is_empty(), "{odd:#?}");
    }
}

/// Waits until `check` holds; fails after ten seconds.
pub(crate) async fn until<F: AsyncFnMut() -> bool>(what: &str, mut check: F) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !check().await {
        assert!(Instant::now() < deadline, "{what} did not happen in ten seconds");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The system's error number of a failed file operation.
pub(crate) fn errno<T: std::fmt::Debug>(result: std::io::Result<T>) -> i32 {
    result.unwrap_err().raw_os_error().unwrap()
}

/// Whether something is mounted there.
pub(crate) fn is_mounted(target: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    mounts.lines().any(|line| line.split(' ').nth(1) == target.to_str())
}

/// The most specific exception of a refusal's body; empty if it names none.
pub(crate) fn class(body: &Value) -> &str {
    body["data"]["exceptionClass"][0].as_str().unwrap_or_default()
}
