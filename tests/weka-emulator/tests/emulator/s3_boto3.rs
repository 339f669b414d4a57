//! The S3 port as boto3 meets it. `STOWAGE_PYTHON` names a Python that has it; without one there is nothing to drive.

use std::process::Command;

use serde_json::json;

use crate::support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn boto3_gets_a_session_works_inside_its_prefix_and_is_refused_outside() {
    let Ok(python) = std::env::var("STOWAGE_PYTHON") else {
        eprintln!("STOWAGE_PYTHON is not set: boto3 is not driven");
        return;
    };
    let bench = Bench::with_s3().await;
    bench.dir_with_quota("default", "/data", 16 << 20).await;
    bench.bucket_over("data", "default", "/data").await;
    let alice = bench.s3_user("alice", (1000, 1000), json!("readwrite")).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator/s3_boto3.py");
    let url = bench.emulator.s3_url().to_owned();
    let run = tokio::task::spawn_blocking(move || {
        Command::new(python).args([script, &url, &alice.access, &alice.secret]).env("NO_PROXY", "*").output().unwrap()
    });
    let run = run.await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && said.contains("done"), "{said}");
    let entries = bench.control().list_tree(None, "default", "/data/a").unwrap();
    let file = entries.iter().find(|entry| entry.path == "/data/a/one é.txt").unwrap();
    assert_eq!((file.uid, file.gid, file.len), (1000, 1000, 5));
}
