//! Snapshots: rows, visibility, restore, removal.

use std::fs;

use rustix::io::Errno;
use serde_json::json;

use crate::support::{Bench, errno};

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_shows_under_its_access_point_and_can_be_restored() {
    let bench = Bench::start().await;
    let fs_uid = bench.fs_uid("gpuaas-fs");
    let quota = bench.dir_with_quota("gpuaas-fs", "/p", 1 << 20).await;
    let mount = bench.mount("gpuaas-fs", "a");
    fs::write(mount.join("p/f"), b"before").unwrap();
    let body = json!({ "fs_uid": fs_uid, "name": "base", "access_point": "base-ap" });
    let (status, made) = bench.post("/snapshots", body).await;
    assert_eq!(status, 200, "{made}");
    let row = &made["data"];
    assert_eq!((&row["filesystem"], &row["accessPoint"]), (&json!("gpuaas-fs"), &json!("base-ap")));
    assert_eq!((&row["isWritable"], &row["filesystemUid"]), (&json!(false), &json!(fs_uid)));
    fs::write(mount.join("p/f"), b"after!").unwrap();
    fs::write(mount.join("p/new"), b"new").unwrap();
    let image = mount.join(".snapshots/base-ap");
    assert_eq!(fs::read(image.join("p/f")).unwrap(), b"before");
    assert_eq!(errno(fs::write(image.join("p/f"), b"x")), Errno::ROFS.raw_os_error());
    assert_eq!(fs::read_dir(&mount).unwrap().count(), 1, "the snapshot directory is not listed");
    bench.delete(&quota).await;
    let uid = row["uid"].as_str().unwrap();
    assert_eq!(bench.post(&format!("/snapshots/{fs_uid}/{uid}/restore"), json!({})).await.0, 200);
    assert_eq!(fs::read(mount.join("p/f")).unwrap(), b"before");
    assert!(!mount.join("p/new").exists());
    assert_eq!(bench.data(&quota).await["hard_limit_bytes"], 1 << 20, "a restore brings that time's quotas back");
}

#[tokio::test]
async fn removal_takes_time_and_holds_up_other_snapshot_work() {
    let bench = Bench::start().await;
    bench.switch("snapshot_remove_ms", json!(60_000));
    let ask = |name: &str| json!({ "fs_uid": bench.fs_uid("default"), "name": name, "access_point": name });
    let uid = bench.post("/snapshots", ask("one")).await.1["data"]["uid"].as_str().unwrap().to_owned();
    assert_eq!(bench.post("/snapshots", ask("one")).await.0, 400);
    let path = format!("/snapshots/{uid}");
    assert_eq!(bench.delete(&path).await, (200, json!({ "data": null })));
    assert_eq!(bench.data(&path).await["isRemoving"], true);
    let (status, body) = bench.post("/snapshots", ask("two")).await;
    assert_eq!(status, 400);
    let expected = "Operation not allowed to start in filesystem default because snapshots are being deleted in it";
    assert_eq!(body["message"], expected);
    bench.control().clock().advance(60_000);
    assert_eq!(bench.get(&path).await.0, 404);
    assert_eq!(bench.post("/snapshots", ask("two")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_points_have_a_default_and_a_writable_snapshot_can_be_written() {
    let bench = Bench::start().await;
    let fs_uid = bench.fs_uid("default");
    let row = bench.post("/snapshots", json!({ "fs_uid": fs_uid, "name": "s" })).await.1["data"].clone();
    let access_point = row["accessPoint"].as_str().unwrap();
    assert!(
        access_point.starts_with("@GMT-") && access_point.len() == "@GMT-2022.07.27-10.41.09".len(),
        "{access_point}"
    );
    let body = json!({ "fs_uid": fs_uid, "name": "w", "access_point": "w", "is_writable": true });
    let uid = bench.post("/snapshots", body).await.1["data"]["uid"].as_str().unwrap().to_owned();
    let mount = bench.mount("default", "a");
    fs::write(mount.join(".snapshots/w/f"), b"in the snapshot").unwrap();
    assert!(!mount.join("f").exists());
    let renamed = bench.put(&format!("/snapshots/{uid}"), json!({ "new_name": "v", "access_point": "v" })).await.1;
    assert_eq!((&renamed["data"]["name"], &renamed["data"]["accessPoint"]), (&json!("v"), &json!("v")));
    assert_eq!(fs::read(mount.join(".snapshots/v/f")).unwrap(), b"in the snapshot");
    let listed = bench.data("/snapshots?filesystem=default").await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(bench.data("/snapshots?filesystem=gpuaas-fs").await, json!([]));
}
