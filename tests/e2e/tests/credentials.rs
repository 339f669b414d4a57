//! Direct S3 access on the WEKA emulator: what a credential opens, when it ends, and where its secret is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use stowage_e2e::Region;

fn walk(directory: &Path, seen: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(&entry.path(), seen);
        } else if kind.is_file() {
            seen(&entry.path(), &std::fs::read(entry.path()).unwrap_or_default());
        }
    }
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// What the documented example says with this answer of `credential issue`.
fn boto3(issued: &Value) -> String {
    let python = std::env::var("STOWAGE_PYTHON").expect("no Python with boto3: run by `make test`");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/s3_client.py");
    let mut command = Command::new(python);
    command.arg(script).env("NO_PROXY", "*").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(issued.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "boto3: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A cluster with S3, and a namespace that was made for mounts alone.
fn lake() -> Region {
    let mut region = Region::start("s3-ready");
    region.add_weka();
    region.add_node("node-a");
    for line in [
        "provider probe weka",
        "class create lake --protocol posix --protocol s3 --select vendor=weka",
        "ns create acme/vision/lake --class lake --quota 4MiB --protocol posix",
        "workload register acme/vision/etl",
    ] {
        region.operator.run(line).success();
    }
    region
}

#[test]
fn a_service_account_opens_its_prefix_until_its_workload_is_released() {
    let region = lake();
    let operator = &region.operator;
    let issue = "credential issue acme/vision/lake --prefix datasets/ --action read,write,list,delete \
                 --workload acme/vision/etl --service-account";
    let refused = operator.run(issue).failure();
    assert!(refused.contains("PROTOCOL_NOT_ENABLED"), "{refused}");
    operator.run("ns set-protocols acme/vision/lake posix,s3").success();
    let issued = operator.json(issue);
    let (keys, credential) = (&issued["keys"][0], &issued["credentials"][0]);
    assert!(keys["sessionToken"].is_null() && keys["expireTime"].is_null(), "{credential}");
    let said = boto3(&issued);
    for line in [
        "put datasets/from-s3.txt: done",
        "list datasets/: ['datasets/from-s3.txt']",
        "put elsewhere/from-s3.txt: AccessDenied",
        "list of the whole bucket: AccessDenied",
    ] {
        assert!(said.contains(line), "boto3 did not say {line:?}:\n{said}");
    }
    let released = operator.run("workload release acme/vision/etl").success();
    assert!(released.contains("state=revoked"), "{released}");
    let shown = operator.json(&format!("credential get {}", credential["name"].as_str().unwrap()));
    assert_eq!(shown["state"], "CREDENTIAL_STATE_REVOKED", "{shown}");
    let said = boto3(&issued);
    assert!(!said.contains("done") && said.contains("InvalidAccessKeyId"), "{said}");
}

#[test]
fn the_secret_of_a_credential_is_in_its_answer_and_nowhere_else() {
    let region = lake();
    let operator = &region.operator;
    operator.run("ns set-protocols acme/vision/lake posix,s3").success();
    let issued = operator.json("credential issue acme/vision/lake --action read --ttl 15min");
    let keys = &issued["keys"][0];
    let secrets = ["secretAccessKey", "sessionToken"].map(|field| keys[field].as_str().unwrap().to_owned());
    let name = issued["credentials"][0]["name"].as_str().unwrap();
    let listed = operator.run("credential list acme/vision -o json").success();
    let shown = operator.run(&format!("credential get {name} -o json")).success();
    let mut files = 0;
    walk(region.directory(), &mut |path, bytes| {
        files += 1;
        for secret in &secrets {
            assert!(!holds(bytes, secret), "{} holds a secret", path.display());
        }
    });
    assert!(files > 10, "the walk saw the region's files");
    for secret in &secrets {
        assert!(secret.len() > 20 && !listed.contains(secret.as_str()) && !shown.contains(secret.as_str()));
    }
}

#[test]
fn a_credential_is_issued_by_whichever_way_the_cluster_allows() {
    let region = lake();
    let operator = &region.operator;
    operator.run("ns set-protocols acme/vision/lake posix,s3").success();
    let issue = "credential issue acme/vision/lake --prefix datasets/ --action read,write,list --ttl 15min";
    for (way, switches, release) in [
        ("as the S3 user", json!({ "sts_callers": "user" }), "4.4.22"),
        ("over the S3 protocol", json!({ "sts_callers": "none" }), "4.4.22"),
        ("with generated keys", json!({ "sts_callers": "both", "s3_keys_are_separate": true }), "5.1.2"),
    ] {
        region.emulator("PATCH", "/admin/switches", &switches);
        region.emulator("PUT", "/admin/release", &json!({ "release": release }));
        let said = boto3(&operator.json(issue));
        for line in ["put datasets/from-s3.txt: done", "put elsewhere/from-s3.txt: AccessDenied"] {
            assert!(said.contains(line), "{way}: boto3 did not say {line:?}:\n{said}");
        }
    }
}
