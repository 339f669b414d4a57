//! The S3 port as a listener: readiness, TLS, host names, faults and outages.

use reqwest::Method;
use reqwest::header::HOST;
use serde_json::json;
use weka_emulator::{Fault, Options, Outage, Preset, Rule, Tls};

use crate::s3_client::{Keys, answer_of};
use crate::support::{Bench, client};

async fn bench() -> (Bench, Keys) {
    let bench = Bench::with_s3().await;
    bench.bucket_over("data", "default", "/data").await;
    let keys = bench.s3_user("alice", (1000, 1000), json!("readwrite")).await;
    (bench, keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_behind_the_port_while_s3_is_not_ready() {
    let bench = Bench::start().await;
    let health = bench.s3("/wekas3api/health/ready");
    assert!(bench.client.get(&health).send().await.is_err());
    bench.control().set_preset(Preset::S3Ready);
    assert_eq!(bench.client.get(&health).send().await.unwrap().status(), 200);
    // The connection is kept open; the containers go away under it.
    bench.control().set_s3_containers(0);
    assert!(bench.client.get(&health).send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_that_of_the_rest_api() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let tls = Tls { cert_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() };
    let options = Options { tls: Some(tls), preset: Preset::S3Ready, ..Options::default() };
    let emulator = weka_emulator::Emulator::start(options).await.unwrap();
    let _ = client();
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    assert!(emulator.s3_url().starts_with("https://127.0.0.1:"));
    let health = format!("{}/wekas3api/health/ready", emulator.s3_url());
    assert_eq!(client.get(health).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_beneath_a_configured_domain_names_the_bucket() {
    let (bench, alice) = bench().await;
    assert_eq!(bench.put("/s3", json!({ "domain": "s3.example.com,other.example.com" })).await.0, 200);
    bench.s3_put(&alice, "/data/x", b"1").await;
    for (host, path, status) in [
        ("data.s3.example.com", "/x", 200),
        ("data.other.example.com:9000", "/x", 200),
        ("s3.example.com", "/data/x", 200),
        ("nosuch.s3.example.com", "/x", 404),
    ] {
        let signed = alice.signed("s3", &Method::GET, &format!("http://{host}{path}"), &[], b"");
        let mut request = bench.client.get(bench.s3(path)).header(HOST, host);
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let answer = answer_of(request).await;
        assert_eq!(answer.status, status, "{host}{path}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_s3_port_strike_there_and_not_on_rest() {
    let (bench, alice) = bench().await;
    bench.s3_put(&alice, "/data/x", &[7; 100]).await;
    let add = |fault| bench.control().add_fault(Rule::new(fault).on("GET", "/data/*").of_s3().times(1));
    add(Fault::Unavailable);
    assert_eq!(bench.data("/cluster").await["name"], "wekacb2");
    assert_eq!(bench.s3_get(&alice, "/data/x").await.refusal(), (503, "SlowDown".to_owned()));
    assert_eq!(bench.s3_get(&alice, "/data/x").await.status, 200);
    add(Fault::Status);
    assert_eq!(bench.s3_get(&alice, "/data/x").await.refusal(), (500, "InternalError".to_owned()));
    add(Fault::Junk);
    assert!(bench.s3_get(&alice, "/data/x").await.text().contains("It works"));
    add(Fault::SlowBody);
    assert_eq!(bench.s3_get(&alice, "/data/x").await.body, [7; 100]);
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::Truncated] {
        add(fault);
        let mut request = bench.client.get(bench.s3("/data/x"));
        for (name, value) in alice.signed("s3", &Method::GET, &bench.s3("/data/x"), &[], b"") {
            request = request.header(name, value);
        }
        let broken = match request.send().await {
            Ok(response) => response.bytes().await.is_err(),
            Err(_) => true,
        };
        assert!(broken, "{fault:?}");
    }
    bench.control().add_fault(Rule::new(Fault::Unavailable));
    assert_eq!(bench.get("/cluster").await.0, 503);
    assert_eq!(bench.s3_get(&alice, "/data/x").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_s3_port_leaves_rest_alone() {
    let (bench, alice) = bench().await;
    bench.s3_put(&alice, "/data/x", b"1").await;
    let outage = format!("{}/admin/outage", bench.emulator.admin_url());
    let set = async |outage_kind: Outage| {
        let body = json!({ "outage": outage_kind, "port": "s3" });
        assert_eq!(bench.client.put(&outage).json(&body).send().await.unwrap().status(), 200);
    };
    for kind in [Outage::Reset, Outage::Refuse] {
        set(kind).await;
        assert!(bench.client.get(bench.s3("/data/x")).send().await.is_err(), "{kind:?}");
        assert_eq!(bench.get("/cluster").await.0, 200);
        set(Outage::None).await;
        crate::support::until("the port", async || {
            bench.client.get(bench.s3("/wekas3api/health/ready")).send().await.is_ok()
        })
        .await;
    }
    assert_eq!(bench.s3_get(&alice, "/data/x").await.status, 200);
}
