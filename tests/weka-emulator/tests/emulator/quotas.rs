//! Paths and quotas as the API shows them.

use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::{Fault, Owner, Rule};

use crate::support::Bench;

#[tokio::test]
async fn a_path_resolves_to_a_string_that_may_pass_2_53_and_back() {
    let bench = Bench::start().await;
    bench.control().make_dir("gpuaas-kind-fs", "/projects/p1", Owner::default()).unwrap();
    let fs = bench.fs_uid("gpuaas-kind-fs");
    let mut numbers = Vec::new();
    for path in ["/", "/projects", "/projects/p1"] {
        let data = bench.data(&format!("/fileSystems/{fs}/resolvePath?path={path}")).await;
        let inode: u64 = data["inode_id"].as_str().unwrap().parse().unwrap();
        let back = bench.data(&format!("/fileSystems/{inode}/getPath")).await;
        assert_eq!((&back["path"], &back["fs_name"]), (&json!(path), &json!("gpuaas-kind-fs")));
        numbers.push(inode);
    }
    assert!(numbers.iter().any(|inode| *inode > 1 << 53), "{numbers:?}");
    let (status, body) = bench.get(&format!("/fileSystems/{fs}/resolvePath?path=/nope")).await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("PATH_NOT_FOUND"));
    bench.switch("path_missing_status", json!(404));
    assert_eq!(bench.get(&format!("/fileSystems/{fs}/resolvePath?path=/nope")).await.0, 404);
}

#[tokio::test]
async fn fields_come_by_body_or_query_and_are_rounded_up() {
    let bench = Bench::start().await;
    bench.control().make_dir("default", "/a", Owner::default()).unwrap();
    let inode = bench.inode("default", "/a").await;
    let path = format!("/fileSystems/{}/quota/{inode}", bench.fs_uid("default"));
    let body = json!({ "hard_limit_bytes": 1_000_000_000, "soft_limit_bytes": 0, "grace_seconds": 0, "owner": "me" });
    let (status, put) = bench.put(&path, body).await;
    assert_eq!(status, 200);
    assert_eq!((&put["data"]["hard_limit_bytes"], &put["data"]["owner"]), (&json!(1_000_001_536), &json!("me")));
    assert!(put["data"]["cw_task_id"].is_u64());
    let query = format!("{path}?hard_limit_bytes=4097&soft_limit_bytes=0&grace_seconds=0");
    let (status, put) = bench.send(&bench.token, Method::PUT, &query, None).await;
    assert_eq!((status, &put["data"]["hard_limit_bytes"]), (200, &json!(8192)));
    assert_eq!(put["data"]["owner"], "");
    let (_, patched) = bench.patch(&path, json!({ "owner": "you" })).await;
    assert_eq!((&patched["data"]["hard_limit_bytes"], &patched["data"]["owner"]), (&json!(8192), &json!("you")));
    let csi =
        json!({ "hard_limit_bytes": 9_223_372_036_854_775_807_u64, "soft_limit_bytes": 8192, "grace_seconds": 0 });
    let (_, put) = bench.put(&path, csi).await;
    assert_eq!(put["data"]["hard_limit_bytes"], 9_223_372_036_854_775_807_u64);
    bench.switch("quota_fields_from", json!("query"));
    let (status, refused) = bench.put(&path, json!({ "hard_limit_bytes": 4096 })).await;
    assert_eq!(status, 400);
    assert_eq!(refused["data"]["missing_params"], json!(["hard_limit_bytes", "soft_limit_bytes", "grace_seconds"]));
    let long = json!({ "hard_limit_bytes": 4096, "owner": "o".repeat(49) });
    bench.switch("quota_fields_from", json!("both"));
    assert_eq!(bench.put(&path, long).await.0, 400);
}

#[tokio::test]
async fn one_quota_shows_used_bytes_and_a_list_shows_total_bytes() {
    let bench = Bench::start().await;
    let quota = bench.dir_with_quota("default", "/a", 1 << 20).await;
    let one = bench.data(&quota).await;
    assert_eq!((&one["used_bytes"], &one["status"]), (&json!(4096), &json!("ACTIVE")));
    assert!(one.get("total_bytes").is_none());
    let list = bench.data(&format!("/fileSystems/{}/quota", bench.fs_uid("default"))).await;
    let row = &list[0];
    assert_eq!((&row["total_bytes"], &row["metadata_blocks"]), (&json!(4096), &json!(1)));
    assert_eq!((&row["path"], &row["full_path"]), (&json!("/a"), &json!("default:/a")));
    assert!(row["inode_id"].is_u64() && row.get("used_bytes").is_none());
    bench.switch("quota_get_shows_total", json!(true));
    assert_eq!(bench.data(&quota).await["total_bytes"], 4096);
}

#[tokio::test]
async fn a_list_is_paged_only_when_asked_to_and_loses_nothing() {
    let bench = Bench::start().await;
    for n in 0..7 {
        bench.dir_with_quota("default", &format!("/d{n}"), 1 << 20).await;
    }
    let list = format!("/fileSystems/{}/quota", bench.fs_uid("default"));
    let (_, whole) = bench.get(&list).await;
    assert_eq!(whole["data"].as_array().unwrap().len(), 7);
    assert!(whole.get("next_token").is_none());
    for as_uuid in [false, true] {
        bench.switch("quota_page_rows", json!(3));
        bench.switch("next_token_is_uuid", json!(as_uuid));
        let mut paths = Vec::new();
        let mut page = list.clone();
        loop {
            let (_, body) = bench.get(&page).await;
            let rows = body["data"].as_array().unwrap();
            assert!(rows.len() <= 3);
            paths.extend(rows.iter().map(|row| row["path"].as_str().unwrap().to_owned()));
            match &body["next_token"] {
                Value::Null => break,
                Value::String(token) => page = format!("{list}?next_token={token}"),
                token => page = format!("{list}?next_token={token}"),
            }
        }
        paths.sort();
        assert_eq!(paths, ["/d0", "/d1", "/d2", "/d3", "/d4", "/d5", "/d6"]);
    }
}

#[tokio::test]
async fn a_missing_quota_is_said_in_words_and_a_deleted_one_is_gone() {
    let bench = Bench::start().await;
    let quota = bench.dir_with_quota("default", "/a", 1 << 20).await;
    let (status, body) = bench.delete(&quota).await;
    assert_eq!(status, 200);
    assert!(body["data"]["cw_task_id"].is_u64());
    let (status, body) = bench.get(&quota).await;
    assert_eq!((status, &body["message"]), (500, &json!("Directory has no quota")));
    bench.switch("quota_missing_status", json!(404));
    assert_eq!(bench.delete(&quota).await.0, 404);
    let fs = bench.fs_uid("default");
    assert_eq!(bench.put(&format!("/fileSystems/{fs}/quota/77"), json!({ "hard_limit_bytes": 1 })).await.0, 404);
}

#[tokio::test]
async fn a_directory_that_is_not_empty_needs_data_services_and_is_coloured() {
    let bench = Bench::start().await;
    bench.switch("quota_coloring_ms", json!(60_000));
    bench.control().make_dir("default", "/full/sub", Owner::default()).unwrap();
    let inode = bench.inode("default", "/full").await;
    let quota = format!("/fileSystems/{}/quota/{inode}", bench.fs_uid("default"));
    let limits = json!({ "hard_limit_bytes": 16384, "soft_limit_bytes": 0, "grace_seconds": 0 });
    let (status, body) = bench.put(&quota, limits.clone()).await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("non-empty"));
    bench.switch("data_services", json!(true));
    assert_eq!(bench.put(&quota, limits).await.1["data"]["status"], "ADDING");
    let tasks = bench.data("/tasks").await;
    assert_eq!((&tasks[0]["type"], &tasks[0]["state"]), (&json!("QUOTA_COLORING"), &json!("RUNNING")));
    bench.control().write_file(None, "default", "/full/f", &[0; 100_000]).unwrap();
    bench.control().clock().advance(60_000);
    let settled = bench.data(&quota).await;
    assert_eq!((&settled["status"], &settled["used_bytes"]), (&json!("ACTIVE"), &json!(4096 * 2 + 25 * 4096)));
    assert_eq!(bench.data("/tasks").await, json!([]));
    assert!(bench.control().write_file(None, "default", "/full/g", b"x").is_err());
}

#[tokio::test]
async fn the_33rd_task_is_refused_as_captured() {
    let bench = Bench::start().await;
    bench.switch("data_services", json!(true));
    bench.switch("quota_coloring_ms", json!(60_000));
    let put = async |n: usize| {
        bench.control().make_dir("default", &format!("/t{n}/sub"), Owner::default()).unwrap();
        let inode = bench.inode("default", &format!("/t{n}")).await;
        let path = format!("/fileSystems/{}/quota/{inode}", bench.fs_uid("default"));
        bench.put(&path, json!({ "hard_limit_bytes": 1 << 20 })).await
    };
    for n in 0..32 {
        assert_eq!(put(n).await.0, 200);
    }
    let (status, body) = put(32).await;
    assert_eq!(status, 400);
    assert_eq!(body["message"], "Operation cannot start because there are already 32 tasks running");
    assert_eq!(
        body["data"],
        json!({ "tasks_num": 32, "exceptionClass":
            ["CannotStartOperationTooManyTasks", "BadStateException", "OperationFailedException"] })
    );
}

#[tokio::test]
async fn quotas_nest_four_deep() {
    let bench = Bench::start().await;
    for path in ["/1", "/1/2", "/1/2/3", "/1/2/3/4"] {
        bench.control().make_dir("default", path, Owner::default()).unwrap();
        bench.dir_with_quota("default", path, 1 << 20).await;
    }
    bench.control().make_dir("default", "/1/2/3/4/5", Owner::default()).unwrap();
    let inode = bench.inode("default", "/1/2/3/4/5").await;
    let path = format!("/fileSystems/{}/quota/{inode}", bench.fs_uid("default"));
    assert_eq!(bench.put(&path, json!({ "hard_limit_bytes": 4096 })).await.0, 400);
}

#[tokio::test]
async fn faults_hold_and_twist_quotas() {
    let bench = Bench::start().await;
    let control = bench.control();
    control.add_fault(Rule::new(Fault::QuotaStuckAdding).times(1));
    let stuck = bench.dir_with_quota("default", "/stuck", 4096).await;
    control.clock().advance(100_000);
    assert_eq!(bench.data(&stuck).await["status"], "ADDING");
    control.write_file(None, "default", "/stuck/f", &[0; 9000]).unwrap();
    control.add_fault(Rule::new(Fault::QuotaError).times(1));
    let failed = bench.dir_with_quota("default", "/failed", 4096).await;
    assert_eq!(bench.data(&failed).await["status"], "ERROR");
    control.add_fault(Rule::new(Fault::QuotaOtherInode).on("PUT", "/fileSystems/*/quota/*").times(1));
    control.make_dir("default", "/other", Owner::default()).unwrap();
    let inode = bench.inode("default", "/other").await;
    let path = format!("/fileSystems/{}/quota/{inode}", bench.fs_uid("default"));
    let (_, body) = bench.put(&path, json!({ "hard_limit_bytes": 4096 })).await;
    assert_ne!(body["data"]["inode_id"], inode);
    assert_eq!(bench.data(&path).await["inode_id"], inode);
    control.add_fault(Rule::new(Fault::DeleteIgnored).times(1));
    assert_eq!(bench.delete(&path).await.0, 200);
    assert_eq!(bench.get(&path).await.0, 200);
}

#[tokio::test]
async fn the_quota_goes_with_its_directory() {
    let bench = Bench::start().await;
    let quota = bench.dir_with_quota("default", "/gone", 1 << 20).await;
    bench.control().remove(None, "default", "/gone").unwrap();
    assert_eq!(bench.get(&quota).await.0, 500);
    bench.control().make_dir("default", "/gone", Owner::default()).unwrap();
    let again = bench.inode("default", "/gone").await;
    assert!(!quota.ends_with(&format!("/{again}")), "a directory made again is another inode");
}
