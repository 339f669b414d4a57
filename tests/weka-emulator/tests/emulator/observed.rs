//! The observed cluster, finding by finding, and what else the API says about itself.

use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::{Options, Preset};

use crate::support::Bench;

fn classes(body: &Value) -> Vec<&str> {
    body["data"]["exceptionClass"].as_array().unwrap().iter().map(|class| class.as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_live_preset_is_the_observed_cluster() {
    let bench = Bench::start().await;
    let cluster = bench.data("/cluster").await;
    assert_eq!(cluster["name"], "wekacb2");
    assert_eq!(cluster["release"], "4.4.22");
    assert_eq!(cluster["status"], "OK");
    assert_eq!(cluster["io_status"], "STARTED");
    assert_eq!(cluster["net"]["link_layer"], "ETH");
    assert_eq!(cluster["licensing"]["limits"]["usable_capacity_gb"], u64::MAX);
    let filesystems = bench.data("/fileSystems").await;
    let names: Vec<&str> = filesystems.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["default", "gpuaas-fs", "gpuaas-kind-fs", "s3-data", "s3-config"]);
    for row in filesystems.as_array().unwrap() {
        assert_eq!((&row["status"], &row["is_ready"]), (&json!("READY"), &json!(true)));
        assert_eq!((&row["is_encrypted"], &row["auth_required"]), (&json!(false), &json!(false)));
        assert_eq!((&row["audit"], &row["used_total"]), (&json!(false), &json!(4096)));
    }
    let budgets: u64 = filesystems.as_array().unwrap().iter().map(|row| row["total_budget"].as_u64().unwrap()).sum();
    let capacity = &cluster["capacity"];
    let free = capacity["total_bytes"].as_u64().unwrap() - budgets;
    assert_eq!(capacity["unprovisioned_bytes"], free);
}

#[tokio::test]
async fn s3_without_containers_answers_as_observed() {
    let bench = Bench::start().await;
    let s3 = bench.data("/s3").await;
    assert_eq!((&s3["active"], &s3["s3_hosts"]), (&json!(false), &json!([])));
    assert_eq!((&s3["filesystem_name"], &s3["config_fs_name"]), (&json!("N/A"), &json!("N/A")));
    assert_eq!((&s3["port"], &s3["tls_enabled"]), (&json!("9000"), &json!(true)));
    let webhook = bench.data("/s3/auditWebhook").await;
    assert_eq!(webhook, json!({ "endpoint": "", "authToken": "", "enabled": false }));
    for path in ["/s3/buckets", "/s3/policies", "/s3/userPolicies", "/s3/containersAreReady"] {
        let (status, body) = bench.get(path).await;
        assert_eq!(status, 400, "{path}");
        assert_eq!(classes(&body), ["NoValidProtocolContainerToRunIn", "OperationFailedException"], "{path}");
    }
    for method in [Method::GET, Method::POST] {
        let (status, body) = bench.send(&bench.token, method, "/s3/serviceAccounts", Some(json!({}))).await;
        assert_eq!((status, classes(&body)[0]), (400, "S3RoleOnlyOperation"));
    }
    let save = json!({ "default_fs_name": "s3-data", "config_fs_name": "s3-config", "all_hosts": true });
    let (status, body) = bench.post("/s3", save).await;
    assert_eq!((status, classes(&body)[0]), (400, "NoValidProtocolContainerToRunIn"));
    bench.switch("s3_refusal_status", json!(403));
    assert_eq!(bench.get("/s3/buckets").await.0, 403);
}

#[tokio::test]
async fn s3_readiness_comes_and_goes_at_run_time() {
    let bench = Bench::start().await;
    bench.control().set_preset(Preset::S3Ready);
    let s3 = bench.data("/s3").await;
    assert_eq!((&s3["active"], s3["s3_hosts"].as_array().unwrap().len()), (&json!(true), 2));
    assert_eq!((&s3["filesystem_name"], &s3["config_fs_name"]), (&json!("s3-data"), &json!("s3-config")));
    assert_eq!((&s3["anonymous_posix_uid"], &s3["domain"]), (&json!(65534), &json!("")));
    assert_eq!(bench.data("/s3/buckets").await["buckets"], json!([]));
    let ready = bench.data("/s3/containersAreReady").await;
    assert!(ready.as_object().unwrap().values().all(|ready| *ready == json!(true)));
    assert_eq!(bench.post("/s3/buckets", json!({ "bucket_name": "photos" })).await.0, 200);
    let body = bench.get("/s3/serviceAccounts").await.1;
    assert_eq!(classes(&body)[0], "S3RoleOnlyOperation");
    bench.control().set_s3_containers(0);
    assert_eq!(bench.data("/s3").await["active"], false);
    assert_eq!(bench.get("/s3/buckets").await.0, 400);
    bench.control().set_preset(Preset::Live);
    assert_eq!(bench.data("/s3").await["filesystem_name"], "N/A");
    bench.control().set_preset(Preset::S3Ready);
    assert_eq!(bench.data("/s3/buckets").await["buckets"], json!([]));
}

#[tokio::test]
async fn s3_can_be_saved_once_there_is_a_container() {
    let bench = Bench::start().await;
    bench.control().set_s3_containers(1);
    let save = json!({ "default_fs_name": "s3-data", "config_fs_name": "s3-config", "port": 9000 });
    assert_eq!(bench.post("/s3", json!({ "default_fs_name": "nope", "config_fs_name": "s3-config" })).await.0, 400);
    assert_eq!(bench.post("/s3", save.clone()).await.0, 200);
    let (status, body) = bench.post("/s3", save).await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("already exists"));
    assert_eq!(bench.put("/s3", json!({ "domain": "s3.example.com" })).await.0, 200);
    assert_eq!(bench.data("/s3").await["domain"], "s3.example.com");
    let hook = json!({ "endpoint": "https://hec.example.com/raw", "auth_token": "Splunk abc" });
    assert_eq!(bench.post("/s3/auditWebhook/enable", hook).await, (200, json!({ "data": null })));
    assert_eq!(bench.data("/s3/auditWebhook").await["authToken"], "Splunk abc");
    assert_eq!(bench.delete("/s3").await, (200, json!({ "data": null })));
    assert_eq!(bench.data("/s3").await["active"], false);
}

#[tokio::test]
async fn machines_tasks_licence_and_features_can_be_read() {
    let bench = Bench::start().await;
    let containers = bench.data("/containers").await;
    assert_eq!(containers.as_array().unwrap().len(), 7);
    assert_eq!(containers[0]["id"], "HostId<0>");
    assert_eq!(containers, bench.data("/hosts").await);
    assert_eq!(bench.data("/containers?filter_type=Clients").await, json!([]));
    let dataserv = |rows: &Value| rows.as_array().unwrap().iter().any(|row| row["roles"] == json!(["DATASERV"]));
    assert!(!dataserv(&bench.data("/processes").await));
    bench.switch("data_services", json!(true));
    assert!(dataserv(&bench.data("/processes").await));
    assert_eq!(bench.data("/dataService/features").await[0]["enabled"], true);
    assert_eq!(bench.data("/tasks").await, json!([]));
    assert_eq!(bench.data("/tasks/limits").await, json!({ "cpuPercentLimit": 5 }));
    assert_eq!(bench.data("/license").await["mode"], "Classic");
    let health = bench.client.get(bench.url("/healthcheck")).send().await.unwrap();
    assert_eq!((health.status().as_u16(), health.text().await.unwrap()), (200, "\"ok\"".to_owned()));
}

#[tokio::test]
async fn unknown_routes_uids_and_bodies_get_their_documented_answers() {
    let bench = Bench::start().await;
    let (status, body) = bench.get("/capacity").await;
    assert_eq!((status, &body["message"]), (404, &json!("Route GET - /api/v2/capacity does not exist")));
    let uid = "7a6bfe5e-9944-4bf4-b799-527e9b5c2a13";
    let (status, body) = bench.get(&format!("/fileSystems/{uid}")).await;
    assert_eq!((status, &body["message"]), (404, &json!(format!("uid: '{uid}' not found"))));
    let (status, body) = bench.post("/fileSystems", json!({ "name": "x" })).await;
    assert_eq!((status, &body["data"]["missing_params"]), (400, &json!(["group_name", "total_capacity"])));
    let sent = bench.client.post(bench.url("/fileSystems")).bearer_auth(&bench.token).body("{not json");
    assert_eq!(sent.send().await.unwrap().status(), 400);
    let (status, body) = bench.send("", Method::GET, "/cluster", None).await;
    assert_eq!((status, body), (401, json!({ "data": "Unauthorized" })));
}

#[tokio::test]
async fn the_release_decides_which_routes_exist_and_can_change_mid_run() {
    let old = Options { release: Some("4.2.0".parse().unwrap()), ..Options::default() };
    let bench = Bench::with(old).await;
    let uid = bench.fs_uid("default");
    let resolve = format!("/fileSystems/{uid}/resolvePath?path=/");
    assert_eq!(bench.get(&resolve).await.0, 404);
    bench.control().set_release("4.4.22".parse().unwrap());
    assert_eq!(bench.get(&resolve).await.0, 200);
    assert_eq!(bench.post(&format!("/fileSystems/{uid}/mountToken"), json!({})).await.0, 404);
    bench.control().set_release("5.1.2".parse().unwrap());
    assert_eq!(bench.post(&format!("/fileSystems/{uid}/mountToken"), json!({})).await.0, 200);
    assert_eq!(bench.data("/tenants").await[0]["name"], "Root");
}

#[tokio::test]
async fn a_degraded_cluster_can_be_shown() {
    let bench = Bench::start().await;
    let fields = json!({ "status": "DEGRADED", "io_status": "STOPPED" });
    bench.control().override_cluster(fields.as_object().unwrap().clone());
    assert_eq!(bench.data("/cluster").await["status"], "DEGRADED");
    bench.control().override_cluster(json!({ "status": null }).as_object().unwrap().clone());
    assert_eq!(bench.data("/cluster").await["status"], "OK");
}
