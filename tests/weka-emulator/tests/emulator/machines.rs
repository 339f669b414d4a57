//! Containers that come and go, and what the cluster says about it: alerts, events.

use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::{DEFAULT_PASSWORD, Options, Preset};

use crate::support::Bench;

fn types(events: &Value) -> Vec<&str> {
    events.as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn deactivating_the_s3_containers_takes_the_protocol_away_and_is_seen_everywhere() {
    let bench = Bench::with(Options { preset: Preset::S3Ready, ..Options::default() }).await;
    let containers = bench.data("/containers").await;
    let uids: Vec<Value> = (0..2).map(|at| containers[at]["uid"].clone()).collect();
    assert_eq!(bench.get("/s3/buckets").await.0, 200);
    assert_eq!(bench.post("/containers/deactivate", json!({ "container_uids": uids })).await.0, 200);
    let (status, body) = bench.get("/s3/buckets").await;
    assert_eq!((status, &body["data"]["exceptionClass"][0]), (400, &json!("NoValidProtocolContainerToRunIn")));
    let first = bench.data(&format!("/containers/{}", uids[0].as_str().unwrap())).await;
    assert_eq!((&first["state"], &first["status"]), (&json!("INACTIVE"), &json!("DOWN")));
    let cluster = bench.data("/cluster").await;
    assert_eq!((&cluster["hosts"]["backends"]["active"], &cluster["active_alerts_count"]), (&json!(5), &json!(1)));
    assert_eq!(bench.data("/alerts").await[0]["type"], "DataProtection");
    assert!(types(&bench.data("/events").await).contains(&"S3ClusterStatusInactiveEvent"));
    let one_more = json!({ "container_uids": [containers[2]["uid"]] });
    assert_eq!(bench.post("/containers/deactivation-check", one_more.clone()).await.0, 400);
    assert_eq!(bench.post("/containers/deactivate", one_more).await.0, 400, "a stripe needs five");
    assert_eq!(bench.delete(&format!("/containers/{}", containers[3]["uid"].as_str().unwrap())).await.0, 400);
    assert_eq!(bench.post("/hosts/activate", json!({ "host_uids": uids })).await.0, 200);
    assert_eq!(bench.data("/alerts").await, json!([]));
}

#[tokio::test]
async fn an_alert_is_muted_for_its_time_and_filtered_by_severity() {
    let bench = Bench::start().await;
    assert_eq!(bench.delete("/license").await.0, 200);
    assert_eq!(bench.data("/alerts").await[0]["type"], "NoClusterLicense");
    assert_eq!(bench.data("/alerts?severity=CRITICAL").await, json!([]));
    let mute = json!({ "duration": 60 });
    assert_eq!(bench.put("/alerts/NoClusterLicense/mute", mute.clone()).await.0, 200);
    assert_eq!(bench.data("/alerts").await[0]["muted"], true);
    assert_eq!(bench.data("/cluster").await["active_alerts_count"], 0);
    bench.control().clock().advance(61_000);
    assert_eq!(bench.data("/alerts").await[0]["muted"], false);
    assert_eq!(bench.put("/alerts/NoSuchAlert/mute", mute).await.0, 404);
    assert_eq!(bench.post("/license", json!({ "license": "new" })).await.0, 200);
    assert_eq!(bench.data("/alerts").await, json!([]));
    assert_eq!(bench.data("/license").await["license"], "new");
}

#[tokio::test]
async fn changes_make_events_that_are_read_in_pages_and_show_no_secret() {
    let bench = Bench::start().await;
    bench.user("ann", "Regular").await;
    assert_eq!(bench.try_login("ann", "wrong-Pass1", "Root").await.0, 401);
    bench.post("/events/custom", json!({ "message": "maintenance" })).await;
    let all = bench.data("/events?sort_order=asc").await;
    assert_eq!(types(&all), ["UserLoggedIn", "UserCreated", "UserLoggedIn", "UserLoginFailed", "CustomEvent"]);
    assert_eq!(all[4]["params"]["message"], "maintenance");
    assert_eq!(all[1]["params"]["username"], "ann");
    for secret in ["Secret-pass1", "wrong-Pass1", DEFAULT_PASSWORD] {
        assert!(!all.to_string().contains(secret), "{secret}");
    }
    let mut paged = Vec::new();
    let mut next = String::new();
    loop {
        let (_, page) = bench.get(&format!("/events?sort_order=asc&num_results=2{next}")).await;
        paged.extend(types(&page["data"]).into_iter().map(str::to_owned));
        match page["next_token"].as_str() {
            Some(token) => next = format!("&next_token={token}"),
            None => break,
        }
    }
    assert_eq!(paged, types(&all));
    assert_eq!(types(&bench.data("/events?category_list=Custom").await), ["CustomEvent"]);
    assert_eq!(types(&bench.data("/events?type_list=UserLoginFailed,UserCreated").await).len(), 2);
    assert_eq!(types(&bench.data("/events?severity=MAJOR").await), Vec::<&str>::new());
    assert_eq!(bench.get("/events?severity=tomato").await.0, 400);
    let since = bench.data("/events/aggregate?start_time=2020-01-01T00:00:00Z&int=86400").await;
    let count: u64 = since.as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap()).sum();
    assert_eq!(count, 5);
    assert_eq!(bench.data("/events?end_time=2020-01-01T00:00:00Z").await, json!([]));
}

#[tokio::test]
async fn an_organization_reads_its_own_events_and_tasks_only() {
    let bench = Bench::start().await;
    let ask = json!({ "name": "tenant-a", "username": "a-admin", "password": "Org1Admin!" });
    assert_eq!(bench.post("/organizations", ask).await.0, 200);
    let token = bench.login("a-admin", "Org1Admin!", "tenant-a").await;
    let mine = bench.send(&token, Method::GET, "/events", None).await.1;
    assert_eq!(types(&mine["data"]), ["UserLoggedIn"]);
    assert!(!bench.data("/events").await.to_string().contains("a-admin internal"));
    bench.switch("data_services", json!(true));
    bench.switch("quota_coloring_ms", json!(60_000));
    bench.control().make_dir("default", "/secret", weka_emulator::Owner::default()).unwrap();
    bench.control().write_file(None, "default", "/secret/f", b"x").unwrap();
    let quota = format!("/fileSystems/{}/quota/{}", bench.fs_uid("default"), bench.inode("default", "/secret").await);
    assert_eq!(bench.put(&quota, json!({ "hard_limit_bytes": 1 << 20 })).await.0, 200);
    assert_eq!(bench.data("/tasks").await.as_array().unwrap().len(), 1);
    assert_eq!(bench.send(&token, Method::GET, "/tasks", None).await.1["data"], json!([]));
}

#[tokio::test]
async fn a_container_joins_inactive_is_changed_and_leaves() {
    let bench = Bench::start().await;
    let made = bench.post("/containers", json!({ "container_name": "weka-new", "ip": "10.1.0.99" })).await.1;
    let uid = made["data"]["uid"].as_str().unwrap().to_owned();
    assert_eq!((&made["data"]["state"], &made["data"]["container_ip"]), (&json!("INACTIVE"), &json!("10.1.0.99")));
    assert_eq!(bench.post("/containers", json!({ "container_name": "weka-new" })).await.0, 400);
    let path = format!("/containers/{uid}");
    assert_eq!(bench.put(&path, json!({ "cores": 3, "failure_domain": "RACK-9" })).await.0, 200);
    let row = bench.data(&path).await;
    assert_eq!(
        (&row["cores"], &row["failure_domain"], &row["cores_ids"]),
        (&json!(3), &json!("RACK-9"), &json!([1, 2, 3]))
    );
    let device = json!({ "device": "eth1", "ips": ["10.2.0.1"] });
    assert_eq!(bench.post(&format!("{path}/netdevs"), device).await.0, 200);
    let devices = bench.data(&format!("{path}/netdevs")).await;
    assert_eq!(devices.as_array().unwrap().len(), 2);
    let device = devices[1]["uid"].as_str().unwrap();
    assert_eq!(bench.delete(&format!("{path}/netdevs/{device}")).await.0, 200);
    assert_eq!(bench.delete(&format!("{path}/netdevs/{device}")).await.0, 404);
    assert_eq!(bench.delete(&path).await.0, 200);
    assert_eq!(bench.get(&path).await.0, 404);
    let filtered = bench.data("/processes?filter_type=ByContainerOrProcess&container_ids=2").await;
    assert_eq!(filtered.as_array().unwrap().len(), 2);
    let process = format!("/nodes/{}", filtered[0]["uid"].as_str().unwrap());
    assert_eq!(bench.data(&process).await, filtered[0]);
}

#[tokio::test]
async fn defaults_of_mounts_are_set_and_reset_one_by_one() {
    let bench = Bench::start().await;
    let set = json!({ "qos_max_throughput_mbps": 300, "qos_preferred_throughput_mbps": 200 });
    bench.put("/mountDefaults", set).await;
    assert_eq!(
        bench.data("/mountDefaults").await,
        json!({ "qos_max_throughput": 300, "qos_preferred_throughput": 200 })
    );
    bench.delete("/mountDefaults?qos_max_throughput_mbps=true").await;
    assert_eq!(bench.data("/mountDefaults").await, json!({ "qos_max_throughput": 0, "qos_preferred_throughput": 200 }));
    bench.delete("/mountDefaults").await;
    assert_eq!(bench.data("/mountDefaults").await["qos_preferred_throughput"], 0);
}
