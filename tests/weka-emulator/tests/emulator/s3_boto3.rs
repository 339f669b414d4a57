//! The S3 port as boto3 meets it. `STOWAGE_PYTHON` names a Python that has it.

use std::process::Command;

use serde_json::json;
use weka_emulator::{Options, Preset, Tls};

use crate::s3_client::Keys;
use crate::support::{Bench, client};

/// A Python with boto3.
fn python() -> String {
    std::env::var("STOWAGE_PYTHON").expect("no Python with boto3: run by `make test`")
}

/// Runs a script of this directory and answers what it said, if it succeeded.
async fn run(python: String, arguments: Vec<String>) -> String {
    let run = tokio::task::spawn_blocking(move || {
        Command::new(python).args(arguments).env("NO_PROXY", "*").output().unwrap()
    });
    let run = run.await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_gets_a_session_works_inside_its_prefix_and_is_refused_outside() {
    let python = python();
    let bench = Bench::with_s3().await;
    bench.dir_with_quota("default", "/data", 16 << 20).await;
    bench.bucket_over("data", "default", "/data").await;
    let alice = bench.s3_user("alice", (1000, 1000), json!("readwrite")).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator/s3_boto3.py");
    let said =
        run(python, vec![script.to_owned(), bench.emulator.s3_url().to_owned(), alice.access, alice.secret]).await;
    assert!(said.contains("done"), "{said}");
    let entries = bench.control().list_tree(None, "default", "/data/a").unwrap();
    let file = entries.iter().find(|entry| entry.path == "/data/a/one é.txt").unwrap();
    assert_eq!((file.uid, file.gid, file.len), (1000, 1000, 5));
}

/// Puts with the defaults of the SDK and says what came of it.
const PUT_BY_DEFAULT: &str = "
import sys, boto3
from botocore.config import Config
from botocore.exceptions import ClientError
url, verify, access_key, secret_key = sys.argv[1:]
client = boto3.client('s3', endpoint_url=url, verify=verify, region_name='us-east-1',
    aws_access_key_id=access_key, aws_secret_access_key=secret_key, config=Config(s3={'addressing_style': 'path'}))
try:
    client.put_object(Bucket='data', Key='x', Body=b'checked')
    print('took', client.get_object(Bucket='data', Key='x')['Body'].read())
except ClientError as error:
    print('refused', error.response['Error']['Code'])
";

#[tokio::test(flavor = "multi_thread")]
async fn the_trailing_checksums_of_newer_sdks_are_taken_only_if_the_switch_says_so() {
    let python = python();
    let _ = client();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let certificate = directory.path().join("ca.pem");
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    let tls = Tls { cert_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() };
    let options = Options { tls: Some(tls), preset: Preset::S3Ready, ..Options::default() };
    let emulator = weka_emulator::Emulator::start(options).await.unwrap();
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    let bench = Bench::over(emulator, client).await;
    bench.bucket_over("data", "default", "/data").await;
    let Keys { access, secret, .. } = bench.s3_user("alice", (0, 0), json!("readwrite")).await;
    let arguments = || {
        let url = bench.emulator.s3_url().to_owned();
        vec![
            "-c".to_owned(),
            PUT_BY_DEFAULT.to_owned(),
            url,
            certificate.display().to_string(),
            access.clone(),
            secret.clone(),
        ]
    };
    let said = run(python.clone(), arguments()).await;
    assert!(said.contains("refused XAmzContentSHA256Mismatch"), "{said}");
    bench.switch("s3_trailing_checksums", json!(true));
    let said = run(python, arguments()).await;
    assert!(said.contains("took b'checked'"), "{said}");
}
