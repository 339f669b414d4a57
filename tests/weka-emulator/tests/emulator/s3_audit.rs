//! The audit webhook: what is delivered, and that nobody waits for it.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};

use crate::s3_client::{Keys, allow};
use crate::support::{Bench, until};

/// What a target received: the `Authorization` header and the event.
type Received = Arc<Mutex<Vec<(String, Value)>>>;

/// A target that takes events with a status.
async fn target(status: StatusCode) -> (String, Received) {
    let received = Received::default();
    let log = Arc::clone(&received);
    let take = async move |headers: HeaderMap, Json(event): Json<Value>| {
        let token = headers["authorization"].to_str().unwrap().to_owned();
        log.lock().push((token, event));
        status
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/collector/raw", listener.local_addr().unwrap());
    let router = Router::new().route("/collector/raw", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

async fn bench() -> (Bench, Keys) {
    let bench = Bench::with_s3().await;
    bench.bucket_over("data", "default", "/data").await;
    let policy = allow(&["s3:GetObject", "s3:PutObject"], &["arn:aws:s3:::data/*"]);
    let keys = bench.s3_user("alice", (1000, 1000), policy).await;
    (bench, keys)
}

async fn enable(bench: &Bench, endpoint: &str) {
    let body = json!({ "endpoint": endpoint, "auth_token": "Splunk 00000000-aaaa" });
    assert_eq!(bench.post("/s3/auditWebhook/enable", body).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_one_event_with_the_documented_fields_and_the_token_as_it_stands() {
    let (bench, alice) = bench().await;
    let (url, received) = target(StatusCode::OK).await;
    bench.s3_put(&alice, "/data/unseen", b"").await;
    enable(&bench, &url).await;
    let put = bench.s3_put(&alice, "/data/a%20cat.jpg", b"meow").await;
    bench.s3_get(&alice, "/data/missing").await;
    bench.s3_get(&alice, "/data").await;
    let wrong = Keys { secret: "wrong".to_owned(), ..alice.clone() };
    bench.s3_get(&wrong, "/data/a%20cat.jpg").await;
    bench.ask(None, Method::GET, "/data/a%20cat.jpg", &[], b"").await;
    assert_eq!(bench.client.get(bench.s3("/wekas3api/health/ready")).send().await.unwrap().status(), 200);
    until("five events", async || received.lock().len() >= 5).await;
    let received = received.lock().clone();
    assert_eq!(received.len(), 5);
    assert!(received.iter().all(|(token, _)| token == "Splunk 00000000-aaaa"));
    let calls: Vec<Value> = received.iter().map(|(_, event)| event["api"].clone()).collect();
    let shown: Vec<_> =
        calls.iter().map(|api| (api["name"].as_str().unwrap(), api["statusCode"].as_u64().unwrap())).collect();
    assert_eq!(
        shown,
        [("PutObject", 200), ("GetObject", 404), ("ListObjects", 403), ("GetObject", 403), ("GetObject", 403)]
    );
    let event = &received[0].1;
    assert_eq!((&event["api"]["bucket"], &event["api"]["object"]), (&json!("data"), &json!("a cat.jpg")));
    assert_eq!((&event["api"]["status"], &calls[1]["status"]), (&json!("OK"), &json!("Not Found")));
    assert!(event["api"]["timeToResponse"].as_str().unwrap().ends_with("ns"));
    assert_eq!((&event["auditVersion"], &event["remotehost"]), (&json!("1.weka"), &json!("127.0.0.1")));
    assert_eq!(event["requestID"], put.header("x-amz-request-id"));
    let credential = event["requestHeader"]["Authorization"].as_str().unwrap();
    assert!(credential.starts_with("AWS4-HMAC-SHA256 Credential=alice/"), "{credential}");
    assert_eq!(
        (&event["responseHeader"]["ETag"], &event["responseHeader"]["Server"]),
        (&json!(put.header("etag")), &json!("S3"))
    );
    assert!(event["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert_eq!(
        (&event["wekaInfo"]["clusterName"], &event["wekaInfo"]["version"]),
        (&json!("wekacb2"), &json!("4.4.22"))
    );
    assert!(calls[2].get("object").is_none() && received[4].1["requestHeader"].get("Authorization").is_none());
    let (delivered, dropped) = bench.control().audit_counts();
    assert_eq!((delivered, dropped), (5, 0));
    assert_eq!(bench.post("/s3/auditWebhook/disable", json!({})).await.0, 200);
    bench.s3_get(&alice, "/data/missing").await;
    assert_eq!(bench.control().audit_counts(), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_for_a_target_that_is_down_or_refuses_are_lost_and_clients_do_not_notice() {
    let (bench, alice) = bench().await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    enable(&bench, &format!("http://{gone}/")).await;
    for _ in 0..3 {
        assert_eq!(bench.s3_put(&alice, "/data/x", b"1").await.status, 200);
    }
    until("three lost events", async || bench.control().audit_counts() == (0, 3)).await;
    let (refusing, received) = target(StatusCode::SERVICE_UNAVAILABLE).await;
    enable(&bench, &refusing).await;
    assert_eq!(bench.s3_put(&alice, "/data/x", b"1").await.status, 200);
    until("a refused event", async || bench.control().audit_counts() == (0, 4)).await;
    let (url, taken) = target(StatusCode::OK).await;
    enable(&bench, &url).await;
    assert_eq!(bench.s3_put(&alice, "/data/x", b"1").await.status, 200);
    until("the next event", async || bench.control().audit_counts() == (1, 4)).await;
    assert_eq!((received.lock().len(), taken.lock().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_never_answers_fills_the_buffer_and_the_rest_is_lost() {
    let (bench, alice) = bench().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    enable(&bench, &format!("http://{}/", silent.local_addr().unwrap())).await;
    for _ in 0..1010 {
        bench.ask(None, Method::GET, "/data/x", &[], b"").await;
    }
    assert_eq!(bench.s3_put(&alice, "/data/x", b"1").await.status, 200);
    let (delivered, dropped) = bench.control().audit_counts();
    assert!(delivered == 0 && dropped >= 8, "{delivered} {dropped}");
}
