//! Quotas that directories get when they are made, quotas in batches, quotas of users.

use std::fs;

use rustix::io::Errno;
use serde_json::json;
use weka_emulator::{Options, Owner};

use crate::support::{Bench, errno};

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_made_beneath_one_with_a_default_quota_gets_it_and_stops_its_writer() {
    let bench = Bench::start().await;
    let parent = bench.control().make_dir("default", "/homes", Owner::default()).unwrap();
    let before = bench.control().make_dir("default", "/homes/old", Owner::default()).unwrap();
    let limits = json!({ "hard_limit_bytes": 1 << 20, "owner": "ops" });
    let (status, made) = bench.put(&format!("/fileSystems/quota/{parent}"), limits).await;
    assert_eq!((status, &made["data"]["hard_limit_bytes"]), (200, &json!(1 << 20)));
    let mount = bench.mount("default", "a");
    fs::create_dir(mount.join("homes/ann")).unwrap();
    assert_eq!(errno(fs::write(mount.join("homes/ann/f"), vec![0; 1 << 20])), Errno::DQUOT.raw_os_error());
    fs::write(mount.join("homes/old/f"), vec![0; 1 << 20]).unwrap();
    fs::create_dir(mount.join("homes/ann/deeper")).unwrap();
    let uid = bench.fs_uid("default");
    let quotas = bench.data(&format!("/fileSystems/{uid}/quota")).await;
    let paths: Vec<&str> = quotas.as_array().unwrap().iter().map(|row| row["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/homes/ann"], "only what is made afterwards and right beneath");
    assert_eq!(bench.get(&format!("/fileSystems/{uid}/quota/{before}")).await.0, 500);
    let defaults = bench.data(&format!("/fileSystems/{uid}/quota/default")).await;
    assert_eq!((&defaults[0]["path"], &defaults[0]["owner"]), (&json!("/homes"), &json!("ops")));
    assert_eq!(bench.delete(&format!("/fileSystems/quota/{parent}/default")).await.0, 200);
    fs::create_dir(mount.join("homes/bob")).unwrap();
    fs::write(mount.join("homes/bob/f"), vec![0; 1 << 20]).unwrap();
    assert_eq!(bench.delete(&format!("/fileSystems/quota/{parent}/default")).await.0, 500);
}

#[tokio::test]
async fn quotas_come_in_batches_and_show_no_limit_as_the_largest_number() {
    let bench = Bench::with(Options { release: Some("5.1.2".parse().unwrap()), ..Options::default() }).await;
    bench.dir_with_quota("default", "/a", 1 << 20).await;
    bench.dir_with_quota("default", "/b", 0).await;
    let (a, b) = (bench.inode("default", "/a").await, bench.inode("default", "/b").await);
    let root = bench.inode("default", "/").await;
    let batch = bench.data(&format!("/quota/batch?inode_ids={a},{b},{root}")).await;
    assert_eq!(batch.as_object().unwrap().len(), 2);
    let row = |inode: u64| batch[format!("0x{inode:016x}:0")].clone();
    assert_eq!((&row(a)["hard_limit_bytes"], &row(a)["inodeId"]), (&json!(1 << 20), &json!(a)));
    assert_eq!(row(b)["hard_limit_bytes"], json!(u64::MAX));
    assert_eq!(row(a)["grace_seconds"], json!(u32::MAX));
    let old = bench.data(&format!("/quota?type=directory&uid={}", bench.fs_uid("default"))).await;
    assert_eq!(old, batch);
    let (status, body) = bench.get("/quota").await;
    assert_eq!((status, &body["data"]["missing_params"]), (400, &json!(["type", "uid"])));
}

#[tokio::test]
async fn quotas_of_users_exist_from_5_1_26_on_and_count_what_the_user_owns() {
    let bench = Bench::with(Options { release: Some("5.1.26".parse().unwrap()), ..Options::default() }).await;
    let path = format!("/fileSystems/{}/quota/user", bench.fs_uid("default"));
    let owner = Owner { uid: 1000, ..Owner::default() };
    bench.control().make_dir("default", "/hers", owner).unwrap();
    assert_eq!(bench.post(&format!("{path}?user_id=1000&hard_limit_bytes=1000000"), json!({})).await.0, 200);
    let rows = bench.data(&path).await;
    assert_eq!((&rows[0]["uid_or_gid"], &rows[0]["total_bytes"]), (&json!(1000), &json!(4096)));
    assert_eq!(rows[0]["hard_limit_bytes"], 1_003_520);
    assert_eq!(bench.delete(&format!("{path}?user_id=1000")).await.0, 200);
    assert_eq!(bench.delete(&format!("{path}?user_id=1000")).await.0, 500);
    bench.control().set_release("5.1.2".parse().unwrap());
    assert_eq!(bench.post(&path, json!({ "user_id": 1000 })).await.0, 404);
}
