//! Filesystems and groups.

use serde_json::json;
use weka_emulator::{Fault, Rule};

use crate::support::{Bench, until};

#[tokio::test]
async fn a_filesystem_is_creating_then_ready_then_removing_then_gone() {
    let bench = Bench::start().await;
    bench.switch("filesystem_create_ms", json!(60_000));
    bench.switch("filesystem_remove_ms", json!(60_000));
    let body = json!({ "name": "ns-1", "group_name": "default", "total_capacity": 10_000_000_000_u64 });
    let (status, made) = bench.post("/fileSystems", body).await;
    assert_eq!(status, 200);
    assert_eq!((&made["data"]["status"], &made["data"]["is_creating"]), (&json!("CREATING"), &json!(true)));
    assert_eq!(made["data"]["total_budget"], 10_000_003_072_u64);
    let path = format!("/fileSystems/{}", made["data"]["uid"].as_str().unwrap());
    bench.control().clock().advance(60_000);
    assert_eq!(bench.data(&path).await["status"], "READY");
    assert_eq!(bench.delete(&path).await, (200, json!({ "data": null })));
    assert_eq!(bench.data(&path).await["status"], "REMOVING");
    bench.control().clock().advance(60_000);
    assert_eq!(bench.get(&path).await.0, 404);
    assert_eq!(bench.delete(&path).await.0, 404);
    bench.switch("second_delete_is_exception", json!(true));
    let (status, body) = bench.delete(&path).await;
    assert_eq!((status, &body["data"]["exceptionClass"][0]), (400, &json!("FilesystemDoesNotExistException")));
}

#[tokio::test]
async fn creation_settles_by_itself_without_a_hand_on_the_clock() {
    let bench = Bench::start().await;
    let body = json!({ "name": "ns-1", "group_name": "default", "total_capacity": "1GiB" });
    let uid = bench.post("/fileSystems", body).await.1["data"]["uid"].as_str().unwrap().to_owned();
    let path = format!("/fileSystems/{uid}");
    until("READY", async || bench.data(&path).await["is_ready"] == true).await;
    bench.delete(&path).await;
    until("404", async || bench.get(&path).await.0 == 404).await;
}

#[tokio::test]
async fn bad_names_small_sizes_duplicates_and_unknown_groups_are_refused() {
    let bench = Bench::start().await;
    let ask =
        |name: &str, group: &str, bytes: u64| json!({ "name": name, "group_name": group, "total_capacity": bytes });
    let gib = 1 << 30;
    let long = "n".repeat(33);
    for (name, group, bytes) in
        [(long.as_str(), "default", gib), ("a/b", "default", gib), ("ok", "nope", gib), ("ok", "default", gib - 1)]
    {
        assert_eq!(bench.post("/fileSystems", ask(name, group, bytes)).await.0, 400, "{name} {group} {bytes}");
    }
    let (status, body) = bench.post("/fileSystems", ask("gpuaas-fs", "default", gib)).await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("already exist"));
    bench.switch("duplicate_status", json!(409));
    assert_eq!(bench.post("/fileSystems", ask("gpuaas-fs", "default", gib)).await.0, 409);
    assert_eq!(bench.post("/fileSystems", ask(&"n".repeat(32), "default", gib)).await.0, 200);
}

#[tokio::test]
async fn capacity_is_taken_from_the_cluster_and_runs_out() {
    let bench = Bench::start().await;
    let free = bench.data("/cluster").await["capacity"]["unprovisioned_bytes"].as_u64().unwrap();
    let ask = |name: &str, bytes: u64| json!({ "name": name, "group_name": "default", "total_capacity": bytes });
    let (status, body) = bench.post("/fileSystems", ask("big", free + 4096)).await;
    let message = body["message"].as_str().unwrap();
    assert_eq!(status, 400);
    assert!(message.contains("capacity") && message.contains("not enough"), "{message}");
    let half = free / 2 / 4096 * 4096;
    assert_eq!(bench.post("/fileSystems", ask("half", half)).await.0, 200);
    assert_eq!(bench.data("/cluster").await["capacity"]["unprovisioned_bytes"], free - half);
}

#[tokio::test]
async fn a_resize_changes_the_budget_and_without_thin_limits_makes_it_thick() {
    let bench = Bench::start().await;
    let body = json!({ "name": "thin", "group_name": "default", "total_capacity": 2_u64 << 30,
        "thin_provision_min_ssd": 1_u64 << 30, "thin_provision_max_ssd": 2_u64 << 30 });
    let made = bench.post("/fileSystems", body).await.1["data"].clone();
    assert_eq!(made["is_thinly_provisioned"], true);
    let path = format!("/fileSystems/{}", made["uid"].as_str().unwrap());
    let (_, body) = bench.put(&path, json!({ "total_capacity": 3_u64 << 30, "new_name": "thick" })).await;
    assert_eq!((&body["data"]["total_budget"], &body["data"]["name"]), (&json!(3_u64 << 30), &json!("thick")));
    assert_eq!(body["data"]["is_thinly_provisioned"], false);
    let file = vec![1; 8192];
    bench.control().clock().advance(1000);
    bench.control().write_file(None, "thick", "/f", &file).unwrap();
    assert_eq!(bench.data(&path).await["used_total"], 4096 + 8192);
}

#[tokio::test]
async fn groups_are_listed_made_and_kept_while_in_use() {
    let bench = Bench::start().await;
    let groups = bench.data("/fileSystemGroups").await;
    assert_eq!((&groups[0]["name"], &groups[0]["id"]), (&json!("default"), &json!("FSGroupId<0>")));
    let in_use = format!("/fileSystemGroups/{}", groups[0]["uid"].as_str().unwrap());
    assert_eq!(bench.delete(&in_use).await.0, 400);
    let made = bench.post("/fileSystemGroups", json!({ "name": "fast", "start_demote": 10 })).await.1["data"].clone();
    let path = format!("/fileSystemGroups/{}", made["uid"].as_str().unwrap());
    assert_eq!(bench.put(&path, json!({ "new_name": "faster" })).await.1["data"]["name"], "faster");
    assert_eq!(bench.delete(&path).await.0, 200);
}

#[tokio::test]
async fn faults_hold_creation_removal_lists_and_races() {
    let bench = Bench::start().await;
    let ask = |name: &str| json!({ "name": name, "group_name": "default", "total_capacity": 1_u64 << 30 });
    let control = bench.control();
    control.add_fault(Rule::new(Fault::StuckCreating).times(1));
    let stuck = bench.post("/fileSystems", ask("stuck")).await.1["data"]["uid"].as_str().unwrap().to_owned();
    control.clock().advance(3_600_000);
    let token = bench.login("admin", weka_emulator::DEFAULT_PASSWORD, "Root").await;
    let get = async |path: String| bench.send(&token, reqwest::Method::GET, &path, None).await;
    let post = async |body| bench.send(&token, reqwest::Method::POST, "/fileSystems", Some(body)).await;
    let delete = async |path: String| bench.send(&token, reqwest::Method::DELETE, &path, None).await;
    assert_eq!(get(format!("/fileSystems/{stuck}")).await.1["data"]["status"], "CREATING");
    control.add_fault(Rule::new(Fault::LostCreateRace).times(1));
    let (status, body) = post(ask("raced")).await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("already exists"));
    let raced = control.filesystem_uid("raced").unwrap();
    control.add_fault(Rule::new(Fault::DeleteIgnored).times(1));
    assert_eq!(delete(format!("/fileSystems/{raced}")).await.0, 200);
    assert_eq!(get(format!("/fileSystems/{raced}")).await.1["data"]["status"], "READY");
    control.add_fault(Rule::new(Fault::StuckRemoving).times(1));
    delete(format!("/fileSystems/{raced}")).await;
    control.clock().advance(60_000);
    assert_eq!(get(format!("/fileSystems/{raced}")).await.1["data"]["status"], "REMOVING");
    control.add_fault(Rule::new(Fault::CapacityExhausted).times(1));
    let (_, body) = post(ask("more")).await;
    assert!(body["message"].as_str().unwrap().contains("not enough capacity"));
    let stale = control.add_fault(Rule::new(Fault::StaleList));
    post(ask("newer")).await;
    let names = async |path: &str| get(path.to_owned()).await.1["data"].to_string();
    assert!(!names("/fileSystems").await.contains("newer"));
    assert!(names("/fileSystems?force_fresh=true").await.contains("newer"));
    control.remove_fault(stale).unwrap();
    assert!(names("/fileSystems").await.contains("newer"));
}
