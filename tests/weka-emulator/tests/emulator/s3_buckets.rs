//! Buckets over real directories: creation, quota, policies, lifecycle, removal.

use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::{DEFAULT_PASSWORD, Options, Owner, Preset};

use crate::support::{Bench, errno};

async fn s3() -> Bench {
    Bench::with(Options { preset: Preset::S3Ready, ..Options::default() }).await
}

async fn made(bench: &Bench, body: Value) -> u16 {
    bench.post("/s3/buckets", body).await.0
}

async fn row(bench: &Bench, name: &str) -> Option<Value> {
    let rows = bench.data("/s3/buckets").await["buckets"].clone();
    rows.as_array().unwrap().iter().find(|row| row["name"] == name).cloned()
}

#[tokio::test]
async fn a_bucket_is_a_directory_of_the_services_filesystem() {
    let bench = s3().await;
    let (status, body) = bench.post("/s3/buckets", json!({ "bucket_name": "photos", "policy": "none" })).await;
    assert_eq!((status, body), (200, json!({ "data": { "name": "photos" } })));
    let shown =
        json!({ "name": "photos", "hard_limit_bytes": 0, "path": "/photos", "used_bytes": 4096, "fs": "s3-data" });
    assert_eq!(row(&bench, "photos").await, Some(shown));
    let mount = bench.mount("s3-data", "m");
    assert!(mount.join("photos").is_dir());
    std::fs::write(mount.join("photos/a"), b"1").unwrap();
    assert_eq!(row(&bench, "photos").await.unwrap()["used_bytes"], 8192);
    let (status, body) = bench.post("/s3/buckets", json!({ "bucket_name": "photos" })).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("already exists"));
    bench.switch("duplicate_status", json!(409));
    assert_eq!(made(&bench, json!({ "bucket_name": "photos" })).await, 409);
    bench.switch("bucket_create_answers_null", json!(true));
    assert_eq!(bench.post("/s3/buckets", json!({ "bucket_name": "more" })).await.1, json!({ "data": null }));
}

#[tokio::test]
async fn names_and_filesystems_are_checked() {
    let bench = s3().await;
    for name in ["ab", "Upper", "under_score", "-edge", "10.0.0.1", &"x".repeat(64)] {
        let (status, body) = bench.post("/s3/buckets", json!({ "bucket_name": name })).await;
        assert_eq!((status, &body["data"]["param"]), (400, &json!("bucket_name")), "{name}");
    }
    assert_eq!(made(&bench, json!({})).await, 400);
    let unknown = "7a6bfe5e-9944-4bf4-b799-527e9b5c2a13";
    assert_eq!(made(&bench, json!({ "bucket_name": "abc", "fs_uid": unknown })).await, 400);
    assert_eq!(made(&bench, json!({ "bucket_name": "abc", "fs_uid": "245" })).await, 404);
    assert_eq!(made(&bench, json!({ "bucket_name": "abc", "fs_uid": bench.fs_uid("gpuaas-fs") })).await, 200);
    assert_eq!(row(&bench, "abc").await.unwrap()["fs"], "gpuaas-fs");
    for path in ["policy", "policyJson", "lifecycle/rules"] {
        assert_eq!(bench.get(&format!("/s3/buckets/nope/{path}")).await.0, 404, "{path}");
    }
    assert_eq!(bench.delete("/s3/buckets/nope").await.0, 404);
}

#[tokio::test]
async fn a_bucket_over_an_existing_directory_shows_what_is_in_it() {
    let bench = s3().await;
    let fs_uid = bench.fs_uid("gpuaas-fs");
    let ask = |name: &str, path: &str| json!({ "bucket_name": name, "existing_path": path, "fs_uid": fs_uid });
    assert_eq!(made(&bench, ask("abc", "/tenant/ns")).await, 400);
    bench.control().make_dir("gpuaas-fs", "/tenant/ns", Owner::default()).unwrap();
    bench.control().write_file(None, "gpuaas-fs", "/tenant/ns/data", &[0; 5000]).unwrap();
    assert_eq!(made(&bench, ask("abc", "/tenant/ns/data")).await, 400);
    assert_eq!(made(&bench, ask("abc", "/")).await, 400);
    let mut with_quota = ask("abc", "/tenant/ns");
    with_quota["hard_quota"] = json!("1GB");
    assert_eq!(made(&bench, with_quota.clone()).await, 400);
    assert_eq!(row(&bench, "abc").await, None);
    assert_eq!(made(&bench, ask("abc", "/tenant//ns/")).await, 200);
    let shown = row(&bench, "abc").await.unwrap();
    assert_eq!((&shown["path"], &shown["used_bytes"]), (&json!("/tenant/ns"), &json!(4096 + 8192)));
    assert_eq!(made(&bench, ask("other", "/tenant/ns")).await, 400);
    assert_eq!(bench.delete("/s3/buckets/abc").await.0, 400);
    assert_eq!(bench.delete("/s3/buckets/abc?unlink=true").await, (200, json!({ "data": null })));
    assert_eq!(bench.control().read_file(None, "gpuaas-fs", "/tenant/ns/data").unwrap().len(), 5000);
    bench.switch("data_services", json!(true));
    assert_eq!(made(&bench, with_quota).await, 200);
}

#[tokio::test]
async fn removal_takes_an_empty_directory_and_unlinking_leaves_any() {
    let bench = s3().await;
    made(&bench, json!({ "bucket_name": "abc", "hard_quota": "1MB" })).await;
    bench.control().write_file(None, "s3-data", "/abc/object", b"1").unwrap();
    let (status, body) = bench.delete("/s3/buckets/abc").await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("not empty"));
    assert!(row(&bench, "abc").await.is_some());
    bench.control().remove(None, "s3-data", "/abc/object").unwrap();
    assert_eq!(bench.delete("/s3/buckets/abc").await.0, 200);
    assert!(bench.control().list_tree(None, "s3-data", "/abc").is_err());
    made(&bench, json!({ "bucket_name": "abc", "hard_quota": "1MB" })).await;
    assert_eq!(bench.delete("/s3/buckets/abc?unlink=true").await.0, 200);
    let (status, body) = bench.post("/s3/buckets", json!({ "bucket_name": "abc" })).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("existing_path"), "{body}");
    assert_eq!(made(&bench, json!({ "bucket_name": "abc", "existing_path": "/abc" })).await, 200);
    assert_eq!(row(&bench, "abc").await.unwrap()["hard_limit_bytes"], 1_003_520, "the directory kept its quota");
}

#[tokio::test]
async fn the_hard_quota_is_the_directorys_and_stops_a_posix_writer() {
    let bench = s3().await;
    let limit = async |bench: &Bench| row(bench, "abc").await.unwrap()["hard_limit_bytes"].clone();
    assert_eq!(made(&bench, json!({ "bucket_name": "abc", "hard_quota": "10000B" })).await, 200);
    assert_eq!(limit(&bench).await, 12_288);
    let inode = bench.inode("s3-data", "/abc").await;
    let quota = format!("/fileSystems/{}/quota/{inode}", bench.fs_uid("s3-data"));
    assert_eq!(bench.data(&quota).await["hard_limit_bytes"], 12_288);
    let mount = bench.mount("s3-data", "m");
    let full = std::fs::write(mount.join("abc/big"), vec![0; 20_000]);
    assert_eq!(errno(full), rustix::io::Errno::DQUOT.raw_os_error());
    let put = |text: &str| json!({ "hard_quota": text });
    assert_eq!(bench.put("/s3/buckets/abc/quota", put("1MiB")).await, (200, json!({ "data": null })));
    std::fs::write(mount.join("abc/big"), vec![0; 20_000]).unwrap();
    assert_eq!(bench.put("/s3/buckets/abc/quota", put("lots")).await.0, 400);
    assert_eq!(bench.put("/s3/buckets/abc/quota", json!({})).await.0, 400);
    assert_eq!(bench.put("/s3/buckets/abc/quota", put("0B")).await.0, 200);
    assert_eq!(limit(&bench).await, 0);
    assert_eq!(bench.put("/s3/buckets/abc/quota", put("1GB")).await.0, 400, "a first quota wants an empty directory");
    bench.switch("data_services", json!(true));
    assert_eq!(bench.put("/s3/buckets/abc/quota", put("1GB")).await.0, 200);
    assert_eq!(limit(&bench).await, 1_000_001_536);
    assert_eq!(bench.delete("/s3/buckets/abc/quota").await, (200, json!({ "data": null })));
    assert_eq!(limit(&bench).await, 0);
}

#[tokio::test]
async fn presets_come_in_any_case_and_documents_as_object_or_text() {
    let bench = s3().await;
    assert_eq!(made(&bench, json!({ "bucket_name": "abc", "policy": "download" })).await, 200);
    assert_eq!(made(&bench, json!({ "bucket_name": "bad", "policy": "upside" })).await, 400);
    assert_eq!(bench.data("/s3/buckets/abc/policy").await, json!({ "policy": "download" }));
    for (given, shown) in [("Upload", "upload"), ("public", "public"), ("None", "none"), ("Download", "download")] {
        let (status, _) = bench.put("/s3/buckets/abc/policy", json!({ "bucket_policy": given })).await;
        assert_eq!((status, &bench.data("/s3/buckets/abc/policy").await["policy"]), (200, &json!(shown)));
    }
    assert_eq!(bench.put("/s3/buckets/abc/policy", json!({ "bucket_policy": "custom" })).await.0, 400);
    assert_eq!(bench.put("/s3/buckets/abc/policy", json!({ "policy": "none" })).await.0, 400);
    let shown = bench.data("/s3/buckets/abc/policyJson").await["policy"].clone();
    assert_eq!(shown["Statement"][1]["Action"], json!(["s3:GetObject"]));
    let mut own = shown.clone();
    own["Statement"][1]["Resource"] = json!(["arn:aws:s3:::abc/pub/*"]);
    for given in [own.clone(), json!(own.to_string())] {
        bench.put("/s3/buckets/abc/policy", json!({ "bucket_policy": "none" })).await;
        assert_eq!(bench.data("/s3/buckets/abc/policyJson").await["policy"], json!({}));
        let body = json!({ "policy_file_content": given });
        assert_eq!(bench.put("/s3/buckets/abc/policyJson", body).await, (200, json!({ "data": null })));
        assert_eq!(bench.data("/s3/buckets/abc/policyJson").await["policy"], own);
        assert_eq!(bench.data("/s3/buckets/abc/policy").await["policy"], "custom");
    }
    bench.switch("bucket_policy_json_is_string", json!(true));
    assert!(bench.data("/s3/buckets/abc/policyJson").await["policy"].is_string());
    own["Statement"][1]["Resource"] = json!(["arn:aws:s3:::other/*"]);
    assert_eq!(bench.put("/s3/buckets/abc/policyJson", json!({ "policy_file_content": own })).await.0, 400);
    own["Statement"][1]["Resource"] = json!(["arn:aws:s3:::abc/*"]);
    own["Statement"][1]["Action"] = json!(["s3:*"]);
    assert_eq!(bench.put("/s3/buckets/abc/policyJson", json!({ "policy_file_content": own })).await.0, 400);
}

#[tokio::test]
async fn lifecycle_rules_are_added_listed_and_removed() {
    let bench = s3().await;
    made(&bench, json!({ "bucket_name": "abc" })).await;
    let rules = "/s3/buckets/abc/lifecycle/rules";
    assert_eq!(bench.data(rules).await, json!({ "bucket": "abc", "rules": [] }));
    assert_eq!(bench.delete(rules).await.0, 400);
    for days in [json!("0"), json!("1.5"), json!("soon"), json!(null)] {
        assert_eq!(bench.post(rules, json!({ "expiry_days": days })).await.0, 400, "{days}");
    }
    assert_eq!(bench.post(rules, json!({ "expiry_days": "1", "tags": "untidy" })).await.0, 400);
    let asked = json!({ "expiry_days": "90", "prefix": "videos", "tags": "name=video1&compression=mpeg" });
    let made = bench.post(rules, asked).await.1["data"].clone();
    assert_eq!(made["target"], "abc");
    bench.post(rules, json!({ "expiry_days": "1" })).await;
    let shown = bench.data(rules).await["rules"].clone();
    let first = shown.as_array().unwrap().iter().find(|rule| rule["id"] == made["id"]).unwrap();
    assert_eq!((&first["expiry_days"], &first["prefix"]), (&json!("90"), &json!("videos")));
    let one = format!("{rules}/{}", made["id"].as_str().unwrap());
    assert_eq!(bench.delete(&one).await, (200, json!({ "data": { "target": "abc" } })));
    assert_eq!(bench.delete(&one).await.0, 404);
    assert_eq!(bench.delete(rules).await, (200, json!({ "data": { "target": "abc" } })));
    assert_eq!(bench.data(rules).await["rules"], json!([]));
}

#[tokio::test]
async fn lifecycle_rules_remove_what_is_old_enough_whoever_wrote_it() {
    let mut bench = s3().await;
    made(&bench, json!({ "bucket_name": "abc" })).await;
    bench.post("/s3/buckets/abc/lifecycle/rules", json!({ "expiry_days": "30", "prefix": "tmp/" })).await;
    bench.post("/s3/buckets/abc/lifecycle/rules", json!({ "expiry_days": "1", "tags": "keep=no" })).await;
    let mount = bench.mount("s3-data", "m").join("abc");
    std::fs::create_dir(mount.join("tmp")).unwrap();
    for file in ["tmp/old", "other"] {
        std::fs::write(mount.join(file), b"x").unwrap();
    }
    let day = 86_400_000;
    bench.control().clock().advance(29 * day);
    std::fs::write(mount.join("tmp/new"), b"x").unwrap();
    for (days, left) in [(0, ["tmp/new", "tmp/old"].as_slice()), (1, &["tmp/new"]), (29, &[])] {
        bench.control().clock().advance(days * day);
        bench.token = bench.login("admin", DEFAULT_PASSWORD, "Root").await;
        let found: Vec<&str> = ["tmp/new", "tmp/old"].into_iter().filter(|file| mount.join(file).exists()).collect();
        assert_eq!(found, left, "{days} days later");
    }
    assert!(mount.join("other").exists(), "no rule is for it");
}

#[tokio::test]
async fn a_lifecycle_rule_with_tags_takes_only_objects_that_carry_them() {
    let bench = Bench::with_s3().await;
    bench.bucket_over("data", "default", "/p").await;
    let keys = bench.s3_user("alice", (1000, 1000), json!("readwrite")).await;
    bench.post("/s3/buckets/data/lifecycle/rules", json!({ "expiry_days": "1", "tags": "keep=no&by=ci" })).await;
    for (path, tags) in [("/data/goes", "by=ci&keep=no"), ("/data/stays", "keep=no"), ("/data/plain", "")] {
        let put = bench.ask(Some(&keys), Method::PUT, path, &[("x-amz-tagging", tags)], b"x").await;
        assert_eq!(put.status, 200, "{}", put.text());
    }
    assert_eq!(bench.s3_get(&keys, "/data/goes").await.status, 200);
    bench.control().clock().advance(86_400_000);
    assert_eq!(bench.s3_get(&keys, "/data/goes").await.refusal(), (404, "NoSuchKey".to_owned()));
    for path in ["/data/stays", "/data/plain"] {
        assert_eq!(bench.s3_get(&keys, path).await.status, 200, "{path}");
    }
}
