//! The S3 service, its containers and the audit webhook.

use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::{Options, Preset};

use crate::support::{Bench, class};

fn save() -> Value {
    json!({ "default_fs_name": "s3-data", "config_fs_name": "s3-config" })
}

#[tokio::test]
async fn every_route_that_runs_in_a_container_misses_it_after_the_role() {
    let bench = Bench::start().await;
    let s3 = bench.user("keys", "S3").await;
    let sts = json!({ "access_key": "keys", "secret_key": "Secret-pass1", "duration": 900 });
    for (method, path, body) in [
        (Method::GET, "/s3/containersAreReady", None),
        (Method::POST, "/s3", Some(save())),
        (Method::PUT, "/s3", Some(json!({ "port": 9002 }))),
        (Method::DELETE, "/s3", None),
        (Method::GET, "/s3/buckets", None),
        (Method::POST, "/s3/buckets", Some(json!({ "bucket_name": "abc" }))),
        (Method::DELETE, "/s3/buckets/abc", None),
        (Method::PUT, "/s3/buckets/abc/quota", Some(json!({ "hard_quota": "1GB" }))),
        (Method::GET, "/s3/buckets/abc/policy", None),
        (Method::GET, "/s3/buckets/abc/policyJson", None),
        (Method::GET, "/s3/buckets/abc/lifecycle/rules", None),
        (Method::GET, "/s3/policies", None),
        (Method::POST, "/s3/policies", Some(json!({ "policy_name": "p", "policy_file_content": {} }))),
        (Method::POST, "/s3/policies/attach", Some(json!({ "policy_name": "readonly", "user_name": "keys" }))),
        (Method::GET, "/s3/userPolicies", None),
        (Method::POST, "/s3/sts", Some(sts.clone())),
        (Method::POST, "/s3/auditWebhook/disable", None),
    ] {
        let (status, body) = bench.send(&bench.token, method.clone(), path, body).await;
        assert_eq!((status, class(&body)), (400, "NoValidProtocolContainerToRunIn"), "{method} {path}");
    }
    for (token, expected) in [(&bench.token, "S3RoleOnlyOperation"), (&s3, "NoValidProtocolContainerToRunIn")] {
        let body = bench.send(token, Method::GET, "/s3/serviceAccounts/AK", None).await.1;
        assert_eq!(class(&body), expected);
    }
    assert_eq!(bench.send(&s3, Method::POST, "/s3/policies", None).await.0, 403);
}

#[tokio::test]
async fn containers_join_and_leave_the_service() {
    let bench = Bench::start().await;
    bench.control().set_s3_containers(3);
    let rows = bench.data("/containers").await;
    let uids: Vec<&str> = rows.as_array().unwrap().iter().take(4).map(|row| row["uid"].as_str().unwrap()).collect();
    let mut asked = save();
    asked["host_uids"] = json!([uids[0]]);
    assert_eq!(bench.post("/s3", asked).await.1["data"]["s3_hosts"], json!(["HostId<0>"]));
    let add = |uid: &str| json!({ "container_uids": [uid] });
    let (status, body) = bench.post("/s3/containers", add(uids[0])).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("HostId<0> is already part of the S3 cluster"));
    let stranger = "7a6bfe5e-9944-4bf4-b799-527e9b5c2a13";
    let (status, body) = bench.post("/s3/containers", add(stranger)).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("Unrecognized host ID"));
    assert_eq!(bench.post("/s3/containers", add(uids[1])).await, (200, json!({ "data": null })));
    assert_eq!(bench.data("/s3/containersAreReady").await.as_object().unwrap().len(), 2);
    let remove = |uid: &str| format!("/s3/containers?container_uids={uid}");
    let (status, body) = bench.delete(&remove(uids[2])).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("is not part of the S3 cluster"));
    assert_eq!(bench.delete(&remove(uids[0])).await.0, 200);
    assert_eq!(bench.delete(&remove(uids[1])).await.0, 200);
    assert_eq!(bench.data("/s3").await["active"], false);
    assert_eq!(class(&bench.get("/s3/buckets").await.1), "NoValidProtocolContainerToRunIn");
    assert_eq!(bench.post("/s3/hosts", json!({ "host_uids": [uids[2]] })).await.0, 200);
    assert_eq!(bench.get("/s3/buckets").await.0, 200);
    assert_eq!(bench.post("/s3/containers", add(uids[3])).await.0, 200);
    assert_eq!(bench.data("/s3").await["s3_hosts"], json!(["HostId<2>", "HostId<3>"]));
    bench.control().set_s3_containers(0);
    assert_eq!(class(&bench.post("/s3/containers", add(uids[3])).await.1), "NoValidProtocolContainerToRunIn");
}

#[tokio::test]
async fn deleting_the_service_takes_buckets_policies_and_users_and_leaves_the_data() {
    let bench = Bench::with(Options { preset: Preset::S3Ready, ..Options::default() }).await;
    let token = bench.user("keys", "S3").await;
    bench.post("/s3/buckets", json!({ "bucket_name": "abc" })).await;
    bench.control().write_file(None, "s3-data", "/abc/object", b"stays").unwrap();
    assert_eq!(bench.delete("/s3").await, (200, json!({ "data": null })));
    assert_eq!(bench.send(&token, Method::GET, "/users/whoami", None).await.0, 401);
    assert_eq!(bench.control().read_file(None, "s3-data", "/abc/object").unwrap(), b"stays");
    assert_eq!(bench.post("/s3", save()).await.0, 200);
    assert_eq!(bench.data("/s3/buckets").await["buckets"], json!([]));
    assert_eq!(bench.data("/s3/userPolicies").await["users"], json!({}));
}

#[tokio::test]
async fn settings_of_the_service_are_checked() {
    let bench = Bench::start().await;
    bench.control().set_s3_containers(1);
    for (field, value) in [("port", json!(9001)), ("port", json!(70_000)), ("domain", json!("x".repeat(65)))] {
        let mut asked = save();
        asked[field] = value;
        assert_eq!(bench.post("/s3", asked).await.1["data"]["param"], field);
    }
    assert_eq!(bench.data("/s3").await["active"], false);
}

#[tokio::test]
async fn the_audit_webhook_keeps_its_token_with_its_scheme() {
    let bench = Bench::with(Options { preset: Preset::S3Ready, ..Options::default() }).await;
    let hook = |endpoint: &str| json!({ "endpoint": endpoint, "auth_token": "Splunk abc" });
    assert_eq!(bench.post("/s3/auditWebhook/enable", json!({})).await.0, 400);
    assert_eq!(bench.post("/s3/auditWebhook/enable", hook("no url")).await.0, 400);
    let url = "https://hec.example.com:8088/services/collector/raw";
    assert_eq!(bench.post("/s3/auditWebhook/enable", hook(url)).await, (200, json!({ "data": null })));
    let shown = json!({ "endpoint": url, "authToken": "Splunk abc", "enabled": true });
    assert_eq!(bench.data("/s3/auditWebhook").await, shown);
    assert_eq!(bench.post("/s3/auditWebhook/disable", json!({})).await.0, 200);
    assert_eq!(bench.data("/s3/auditWebhook").await["enabled"], false);
}

#[tokio::test]
async fn the_log_level_of_s3_containers_can_be_set() {
    let bench = Bench::with(Options { preset: Preset::S3Ready, ..Options::default() }).await;
    let rows = bench.data("/s3/debug").await;
    assert_eq!((&rows[0]["hostId"], &rows[1]["stdout"]), (&json!("HostId<0>"), &json!("2 (WARNING)")));
    let level = |level: u64| json!({ "level": level, "host_uids": [rows[1]["uid"]] });
    assert_eq!(bench.post("/s3/debug", level(5)).await.0, 400);
    assert_eq!(bench.post("/s3/debug", level(4)).await, (200, json!({ "data": null })));
    let now = bench.data("/s3/debug").await;
    assert_eq!((&now[0]["stdout"], &now[1]["stdout"]), (&json!("2 (WARNING)"), &json!("4 (DEBUG)")));
}
