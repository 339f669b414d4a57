//! The admin port over HTTP.

use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::{Emulator, Fault, Options, StartError};

use crate::support::Bench;

async fn admin(bench: &Bench, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = bench.client.request(method, format!("{}{path}", bench.emulator.admin_url()));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

#[tokio::test]
async fn faults_switches_clock_preset_and_release_are_set_over_http() {
    let bench = Bench::start().await;
    let rule = json!({ "fault": "unavailable", "method": "GET", "path": "/cluster", "skip": 1, "count": 1 });
    let (status, body) = admin(&bench, Method::POST, "/admin/faults", Some(rule)).await;
    assert_eq!((status, &body["id"]), (200, &json!(1)));
    let statuses = [bench.get("/cluster").await.0, bench.get("/cluster").await.0, bench.get("/cluster").await.0];
    assert_eq!(statuses, [200, 503, 200]);
    assert_eq!(admin(&bench, Method::GET, "/admin/faults", None).await.1[0]["struck"], 1);
    let kinds = admin(&bench, Method::GET, "/admin/faults/kinds", None).await.1;
    assert_eq!(kinds.as_array().unwrap().len(), Fault::ALL.len());
    assert_eq!(admin(&bench, Method::DELETE, "/admin/faults/1", None).await.0, 200);
    assert_eq!(admin(&bench, Method::DELETE, "/admin/faults/1", None).await.0, 404);
    let set = json!({ "quota_missing_status": 404 });
    assert_eq!(admin(&bench, Method::PATCH, "/admin/switches", Some(set)).await.0, 200);
    let table = admin(&bench, Method::GET, "/admin/switches", None).await.1;
    let row = table.as_array().unwrap().iter().find(|row| row["name"] == "quota_missing_status").unwrap();
    assert_eq!((&row["value"], &row["default"]), (&json!(404), &json!(500)));
    assert_eq!(admin(&bench, Method::PATCH, "/admin/switches", Some(json!({ "nope": 1 }))).await.0, 400);
    let preset = json!({ "preset": "s3-ready" });
    assert_eq!(admin(&bench, Method::PUT, "/admin/preset", Some(preset)).await.0, 200);
    assert_eq!(bench.data("/s3").await["active"], true);
    let release = json!({ "release": "5.1.0" });
    assert_eq!(admin(&bench, Method::PUT, "/admin/release", Some(release)).await.0, 200);
    assert_eq!(bench.data("/cluster").await["release"], "5.1.0");
    let bad = json!({ "release": "1.0" });
    assert_eq!(admin(&bench, Method::PUT, "/admin/release", Some(bad)).await.0, 422);
    let step = json!({ "advance_ms": 400_000 });
    let clock = admin(&bench, Method::POST, "/admin/clock", Some(step)).await.1;
    assert_eq!(clock["offset_ms"], 400_000);
    assert_eq!(bench.get("/cluster").await.0, 401);
}

#[tokio::test]
async fn the_request_log_shows_what_was_sent_secrets_included() {
    let bench = Bench::start().await;
    bench.get("/cluster").await;
    bench.get("/capacity").await;
    let log = admin(&bench, Method::GET, "/admin/requests", None).await.1;
    let paths: Vec<&str> = log.as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/api/v2/login", "/api/v2/cluster", "/api/v2/capacity"]);
    assert_eq!(log[0]["body"]["password"], weka_emulator::DEFAULT_PASSWORD);
    assert_eq!((&log[1]["caller"], &log[1]["status"]), (&json!("admin@Root"), &json!(200)));
    assert_eq!(log[2]["status"], 404);
    let later = admin(&bench, Method::GET, "/admin/requests?after=2", None).await.1;
    assert_eq!(later.as_array().unwrap().len(), 1);
    assert_eq!(admin(&bench, Method::DELETE, "/admin/requests", None).await.0, 200);
    assert_eq!(bench.control().requests_after(0).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_make_remove_write_and_mount() {
    let bench = Bench::start().await;
    let dir = json!({ "filesystem": "default", "path": "/a/b", "uid": 7, "gid": 8, "perm": 0o700 });
    assert_eq!(admin(&bench, Method::POST, "/admin/dirs", Some(dir)).await.0, 200);
    let file = json!({ "filesystem": "default", "path": "/a/b/f", "bytes": 10_000 });
    assert_eq!(admin(&bench, Method::PUT, "/admin/files", Some(file)).await.0, 200);
    let tree = admin(&bench, Method::GET, "/admin/tree?filesystem=default&path=/a", None).await.1;
    assert_eq!((&tree[0]["path"], &tree[0]["charged"]), (&json!("/a"), &json!(2 * 4096 + 3 * 4096)));
    assert_eq!((&tree[1]["uid"], &tree[1]["perm"]), (&json!(7), &json!(0o700)));
    assert_eq!((&tree[2]["kind"], &tree[2]["len"]), (&json!("file"), &json!(10_000)));
    let target = bench.target("m");
    let ask = json!({ "filesystem": "default", "target": target, "mode": "ro", "client_ip": "10.0.0.1" });
    let (status, row) = admin(&bench, Method::POST, "/admin/mounts", Some(ask.clone())).await;
    assert_eq!((status, &row["client_ip"]), (200, &json!("10.0.0.1")));
    assert_eq!(std::fs::metadata(target.join("a/b/f")).unwrap().len(), 10_000);
    let (status, body) = admin(&bench, Method::POST, "/admin/mounts", Some(ask)).await;
    assert_eq!(status, 409);
    assert!(body["error"].as_str().unwrap().contains("already a mount"));
    assert_eq!(admin(&bench, Method::GET, "/admin/mounts", None).await.1.as_array().unwrap().len(), 1);
    let unmount = format!("/admin/mounts?target={}", target.display());
    assert_eq!(admin(&bench, Method::DELETE, &unmount, None).await.0, 200);
    assert_eq!(admin(&bench, Method::DELETE, &unmount, None).await.0, 404);
    let gone = "/admin/dirs?filesystem=default&path=/a";
    assert_eq!(admin(&bench, Method::DELETE, gone, None).await.0, 200);
    assert_eq!(admin(&bench, Method::DELETE, gone, None).await.0, 404);
    assert_eq!(admin(&bench, Method::GET, "/admin/state", None).await.1["mounts"], 0);
}

#[tokio::test]
async fn an_admin_port_off_loopback_and_a_weak_password_are_refused() {
    let open = Options { admin: "0.0.0.0:0".parse().unwrap(), ..Options::default() };
    assert!(matches!(Emulator::start(open).await, Err(StartError::AdminNotLoopback(_))));
    let weak = Options { password: "admin".to_owned(), ..Options::default() };
    assert!(matches!(Emulator::start(weak).await, Err(StartError::Password)));
}

#[tokio::test]
async fn a_client_that_keeps_its_connection_is_counted_once() {
    let bench = Bench::start().await;
    let count = || bench.control().summary()["connections"]["rest"].as_u64().unwrap();
    let before = count();
    let kept = reqwest::Client::new();
    for _ in 0..3 {
        kept.get(format!("{}/api/v2/healthcheck", bench.emulator.rest_url()))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
    }
    assert_eq!(count(), before + 1);
    reqwest::Client::new().get(format!("{}/api/v2/healthcheck", bench.emulator.rest_url())).send().await.unwrap();
    assert_eq!(count(), before + 2);
}
