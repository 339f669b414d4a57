//! A kept cluster over the death of its process.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::Method;
use rustix::mount::UnmountFlags;
use serde_json::{Value, json};
use weka_emulator::{DEFAULT_PASSWORD, Emulator, Options, StartError};

use crate::support::client;

/// The binary on a state directory; killed when it goes out of scope.
struct Process {
    child: Child,
    ready: Value,
    client: reqwest::Client,
    token: String,
}

impl Process {
    async fn start(state: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weka-emulator"))
            .arg("--state")
            .arg(state)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap();
        Self { child, ready, client: client(), token: String::new() }
    }

    async fn started(state: &Path, more: &[&str]) -> Self {
        let mut process = Self::start(state, more).await;
        process.token = process.login("admin", DEFAULT_PASSWORD, "Root").await;
        process
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/api/v2{path}", self.ready["rest_url"].as_str().unwrap());
        let request = self.client.request(method, url).bearer_auth(&self.token);
        let request = if let Some(body) = &body { request.json(body) } else { request };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        answer["data"].clone()
    }

    async fn login(&self, username: &str, password: &str, org: &str) -> String {
        let body = json!({ "username": username, "password": password, "org": org });
        self.send(Method::POST, "/login", Some(body)).await["access_token"].as_str().unwrap().to_owned()
    }

    async fn admin(&self, method: Method, path: &str, body: Value) {
        let url = format!("{}{path}", self.ready["admin_url"].as_str().unwrap());
        let response = self.client.request(method, url).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.text().await.unwrap());
    }

    /// `kill -9`
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test]
async fn a_killed_cluster_comes_back_with_all_that_it_had_answered() {
    let state = tempfile::tempdir().unwrap();
    let first = Process::started(state.path(), &["--preset", "s3-ready"]).await;
    let org =
        json!({ "name": "tenant-a", "username": "a-admin", "password": "Org1Admin!", "total_quota": 1_u64 << 40 });
    let org = first.send(Method::POST, "/organizations", Some(org)).await;
    let user = json!({ "username": "keys", "password": "Secret-pass1", "role": "S3", "posix_uid": 7, "posix_gid": 8 });
    first.send(Method::POST, "/users", Some(user)).await;
    let ask = json!({ "name": "mine", "group_name": "default", "total_capacity": 1_u64 << 30 });
    let made = first.send(Method::POST, "/fileSystems", Some(ask)).await;
    first.send(Method::POST, "/s3/buckets", Some(json!({ "bucket_name": "kept-bucket" }))).await;
    let attach = json!({ "policy_name": "readonly", "user_name": "keys" });
    first.send(Method::POST, "/s3/policies/attach", Some(attach)).await;
    first.admin(Method::POST, "/admin/dirs", json!({ "filesystem": "default", "path": "/p/q", "uid": 5 })).await;
    let fs_uid = first.send(Method::GET, "/fileSystems", None).await[0]["uid"].as_str().unwrap().to_owned();
    let resolve = format!("/fileSystems/{fs_uid}/resolvePath?path=/p/q");
    let inode = first.send(Method::GET, &resolve, None).await;
    let quota = format!("/fileSystems/{fs_uid}/quota/{}", inode["inode_id"].as_str().unwrap());
    let limits = json!({ "hard_limit_bytes": 1 << 20, "soft_limit_bytes": 0, "grace_seconds": 0 });
    first.send(Method::PUT, &quota, Some(limits)).await;
    let file = json!({ "filesystem": "default", "path": "/p/q/f", "text": "bytes that stay" });
    first.admin(Method::PUT, "/admin/files", file).await;
    let snapshot = json!({ "fs_uid": fs_uid, "name": "s", "access_point": "s" });
    let snapshot = first.send(Method::POST, "/snapshots", Some(snapshot)).await;
    first.admin(Method::PATCH, "/admin/switches", json!({ "data_services": true })).await;
    first.admin(Method::POST, "/admin/clock", json!({ "advance_ms": 60_000 })).await;
    let lists = ["/cluster", "/fileSystems", "/organizations", "/users", "/s3", "/s3/userPolicies", "/containers"];
    let mut before = Vec::new();
    for list in lists {
        before.push(first.send(Method::GET, list, None).await);
    }
    let token = first.token.clone();
    first.kill();

    let mut second = Process::start(state.path(), &["--preset", "live-4.4.22"]).await;
    second.token = token;
    for (list, before) in lists.into_iter().zip(before) {
        let after = second.send(Method::GET, list, None).await;
        if list == "/cluster" {
            assert_eq!((&after["guid"], &after["capacity"]), (&before["guid"], &before["capacity"]));
        } else {
            assert_eq!(after, before, "{list}");
        }
    }
    assert_eq!(second.send(Method::GET, &resolve, None).await, inode, "the session and the inode are the same");
    assert_eq!(second.send(Method::GET, &quota, None).await["hard_limit_bytes"], 1 << 20);
    let buckets = second.send(Method::GET, "/s3/buckets", None).await;
    assert_eq!(buckets["buckets"][0]["name"], "kept-bucket");
    let uid = snapshot["uid"].as_str().unwrap();
    second.send(Method::POST, &format!("/snapshots/{fs_uid}/{uid}/restore"), Some(json!({}))).await;
    let url = format!("{}/admin/files?filesystem=default&path=/p/q/f", second.ready["admin_url"].as_str().unwrap());
    assert_eq!(second.client.get(url).send().await.unwrap().text().await.unwrap(), "bytes that stay");
    second.login("a-admin", "Org1Admin!", "tenant-a").await;
    let fresh = second.send(
        Method::POST,
        "/fileSystems",
        Some(json!({ "name": "next", "group_name": "default",
        "total_capacity": 1_u64 << 30 })),
    );
    assert_ne!(fresh.await["id"], made["id"], "series go on");
    second.send(Method::DELETE, &format!("/organizations/{}", org["uid"].as_str().unwrap()), None).await;
    second.kill();
    let third = Process::started(state.path(), &["--release", "5.1.2", "--switch", "duplicate_status=409"]).await;
    assert_eq!(third.send(Method::GET, "/tenants", None).await.as_array().unwrap().len(), 1);
    assert_eq!(third.send(Method::GET, "/cluster", None).await["release"], "5.1.2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mounted_writer_synced_is_there_after_a_kill() {
    let state = tempfile::tempdir().unwrap();
    let target = tempfile::tempdir().unwrap();
    let first = Process::started(state.path(), &[]).await;
    let mount = json!({ "filesystem": "default", "target": target.path() });
    first.admin(Method::POST, "/admin/mounts", mount.clone()).await;
    let path = target.path().to_owned();
    let write = move || {
        std::fs::create_dir(path.join("d")).unwrap();
        let mut file = File::create(path.join("d/f")).unwrap();
        file.write_all(&[7; 100_000]).unwrap();
        file.sync_all().unwrap();
    };
    tokio::task::spawn_blocking(write).await.unwrap();
    first.kill();
    rustix::mount::unmount(target.path(), UnmountFlags::DETACH).unwrap();
    let second = Process::started(state.path(), &[]).await;
    second.admin(Method::POST, "/admin/mounts", mount).await;
    let path = target.path().join("d/f");
    let read = tokio::task::spawn_blocking(move || std::fs::read(path).unwrap()).await.unwrap();
    assert_eq!(read, vec![7; 100_000]);
    let url =
        format!("{}/admin/mounts?target={}", second.ready["admin_url"].as_str().unwrap(), target.path().display());
    assert!(second.client.delete(url).send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn two_emulators_do_not_share_a_state_and_a_broken_one_is_said() {
    let state = tempfile::tempdir().unwrap();
    let options = || Options { state: Some(state.path().to_owned()), ..Options::default() };
    let running = Emulator::start(options()).await.unwrap();
    let refused = Emulator::start(options()).await.err().unwrap();
    assert!(refused.to_string().contains("another emulator runs in it"), "{refused}");
    running.stop().await;
    std::fs::write(state.path().join("cluster.json"), "{}").unwrap();
    let refused = Emulator::start(options()).await.err().unwrap();
    assert!(matches!(refused, StartError::State { .. }), "{refused}");
    assert!(refused.to_string().contains("missing field"), "{refused}");
}
