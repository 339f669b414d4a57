//! The story of objects: S3 appears on the cluster, one exact prefix is opened, and boto3 works inside it and nowhere else.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{Teller, weka::mounted_at};
use crate::Region;

const NAMESPACE: &str = "acme/vision/lake";
const ISSUE: &str = "credential issue acme/vision/lake --prefix datasets/ --action read,write,list --ttl 15min";

/// What boto3 must have said: inside its prefix what it was issued for, outside nothing.
const SAID: &[&str] = &[
    "put datasets/from-s3.txt: done",
    "get datasets/from-s3.txt: written over S3",
    "list datasets/: ['datasets/from-posix.txt', 'datasets/from-s3.txt']",
    "put elsewhere/from-s3.txt: AccessDenied",
    "get elsewhere/from-s3.txt: AccessDenied",
    "list of the whole bucket: AccessDenied",
    "delete elsewhere/from-s3.txt: AccessDenied",
];

pub(super) fn tell(region: &Region, teller: &mut Teller) {
    let operator = &region.operator;
    teller.step("Objects are refused while the cluster has no S3, with what its owner must do");
    teller
        .show(operator, "class create lake --protocol posix --protocol s3 --select vendor=weka --multi-writer")
        .success();
    let create = format!("ns create {NAMESPACE} --class lake --quota 16MiB");
    let refused = teller.show(operator, &create).failure();
    assert!(refused.contains("S3") || refused.contains("s3"), "the refusal does not name S3: {refused}");

    teller.step("The cluster's owner sets S3 up; the next probe sees it, and a namespace gets its bucket");
    let _set = region.emulator("PUT", "/admin/preset", &json!({ "preset": "s3-ready" }));
    teller.show(operator, "provider probe weka").success();
    teller.show(operator, &create).success();
    let made = operator.json(&format!("ns get {NAMESPACE}"));
    assert_eq!(made["bucket"], made["physicalId"], "{made}");
    teller.say(&format!("its bucket is {}", made["bucket"]));
    teller.show(operator, "workload register acme/vision/etl").success();
    let plan = format!("mount plan acme/vision/etl --id rw --namespace {NAMESPACE} --node node-a --mode rw");
    teller.show(operator, &plan).success();
    let mount = mounted_at(region, "etl/rw");
    std::fs::write(mount.join("datasets/from-posix.txt"), b"written on a node").expect("write on node-a");

    teller.step("boto3 works inside the prefix of its credential, and is refused outside");
    teller.say(&format!("$ stowage {ISSUE} -o json | python docs/examples/s3_client.py"));
    let said = boto3(&operator.run(&format!("{ISSUE} -o json")).success());
    teller.say(&said);
    for line in SAID {
        assert!(said.contains(line), "boto3 did not say {line:?}:\n{said}");
    }
    let file = mount.join("datasets/from-s3.txt");
    assert_eq!(std::fs::read(&file).expect("read on node-a"), b"written over S3");
    let metadata = std::fs::metadata(&file).expect("metadata");
    assert_eq!((metadata.uid(), metadata.gid()), (2001, 2001), "the object is not the project's");
    teller.say("node-a reads datasets/from-s3.txt, owned by 2001:2001");

    teller.step("What was issued is listed without its secret, and a revoke says what the cluster can do");
    teller.show(operator, "credential list acme/vision").success();
    let issued = operator.json("credential list acme/vision");
    let name = issued[0]["name"].as_str().unwrap_or_else(|| panic!("nothing is listed: {issued}")).to_owned();
    let refused = teller.show(operator, &format!("credential revoke {name}")).failure();
    assert!(refused.contains("SESSION_NOT_REVOCABLE"), "{refused}");
    teller.show(operator, &format!("credential revoke {name} --parent")).success();

    teller.show(operator, "workload release acme/vision/etl").success();
    teller.show(operator, &format!("ns delete {NAMESPACE} --purge")).success();
    let left = region.emulator("GET", "/admin/state", &serde_json::Value::Null);
    for kind in ["buckets", "policies", "sessions"] {
        assert_eq!(left["s3"][kind], 0, "{kind} are left: {left}");
    }
    teller.say("the cluster has no bucket, no policy and no session of it left");
}

/// Hands an answer of `credential issue` to the example that is in the documentation.
fn boto3(credential: &str) -> String {
    let python = std::env::var("STOWAGE_PYTHON").expect("no Python with boto3: run by `make demo` or `make test`");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/s3_client.py");
    let mut child = Command::new(python)
        .arg(script)
        .env("NO_PROXY", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python");
    child.stdin.take().expect("stdin").write_all(credential.as_bytes()).expect("credential");
    let output = child.wait_with_output().expect("python");
    assert!(output.status.success(), "boto3: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
