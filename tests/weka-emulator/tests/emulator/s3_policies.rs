//! IAM policies and their attachment.

use serde_json::{Value, json};
use weka_emulator::{Options, Preset};

use crate::support::Bench;

async fn s3() -> Bench {
    Bench::with(Options { preset: Preset::S3Ready, ..Options::default() }).await
}

fn reading(sid: &str) -> Value {
    let statement =
        json!({ "Sid": sid, "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::abc/*"] });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn named(name: &str, content: Value) -> Value {
    json!({ "policy_name": name, "policy_file_content": content })
}

async fn attach(bench: &Bench, policy: &str, user: &str) -> u16 {
    bench.post("/s3/policies/attach", json!({ "policy_name": policy, "user_name": user })).await.0
}

async fn users(bench: &Bench) -> Value {
    bench.data("/s3/userPolicies").await["users"].clone()
}

#[tokio::test]
async fn policies_are_made_shown_and_removed() {
    let bench = s3().await;
    assert_eq!(bench.data("/s3/policies").await["policies"], json!(["readonly", "readwrite", "writeonly"]));
    assert_eq!(bench.post("/s3/policies", named("p", reading(""))).await.0, 200);
    let shown = bench.data("/s3/policies/p").await["policy"].clone();
    assert_eq!(shown, json!({ "name": "p", "content": reading("") }));
    let (status, body) = bench.post("/s3/policies", named("p", reading(""))).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("already exists"));
    assert_eq!(bench.post("/s3/policies", named("readonly", reading(""))).await.0, 400);
    assert_eq!(bench.data("/s3/policies").await["policies"][3], "p");
    bench.switch("s3_policies_shape", json!("objects"));
    assert_eq!(bench.data("/s3/policies").await["policies"][3], json!({ "name": "p" }));
    bench.switch("s3_policies_shape", json!("map"));
    assert_eq!(bench.data("/s3/policies").await["policies"]["p"], reading(""));
    assert_eq!(bench.delete("/s3/policies/p").await, (200, json!({ "data": null })));
    assert_eq!(bench.get("/s3/policies/p").await.0, 404);
    assert_eq!(bench.delete("/s3/policies/p").await.0, 404);
    assert_eq!(bench.delete("/s3/policies/readwrite").await.0, 400);
}

#[tokio::test]
async fn documents_are_checked_for_form_actions_and_length() {
    let bench = s3().await;
    let refused = async |content: Value| {
        let (status, body) = bench.post("/s3/policies", named("p", content)).await;
        assert_eq!(status, 400, "{body}");
        body["data"]["param"] == "policy_file_content" || body["data"]["missing_params"].is_array()
    };
    assert!(refused(json!(null)).await);
    assert!(refused(json!(reading("").to_string())).await, "an object is wanted from 4.2 on");
    assert!(refused(json!({})).await);
    assert!(refused(json!({ "Version": "2008-10-17", "Statement": reading("")["Statement"] })).await);
    for action in ["s3:Get*", "s3:GetObjectTagging", "s3:PutObjectAcl", "admin:*"] {
        let mut content = reading("");
        content["Statement"][0]["Action"] = json!([action]);
        assert!(refused(content).await, "{action}");
    }
    let room = 2048 - reading("").to_string().len();
    assert!(refused(reading(&"x".repeat(room + 1))).await);
    assert_eq!(bench.post("/s3/policies", named("p", reading(&"x".repeat(room)))).await.0, 200);
}

#[tokio::test]
async fn a_user_has_one_policy_and_attaching_replaces_it() {
    let bench = s3().await;
    bench.user("alice", "S3").await;
    bench.user("bob", "S3").await;
    bench.user("carol", "Regular").await;
    assert_eq!(users(&bench).await, json!({ "alice": "", "bob": "" }));
    bench.post("/s3/policies", named("p", reading(""))).await;
    assert_eq!(attach(&bench, "p", "alice").await, 200);
    assert_eq!(attach(&bench, "readonly", "alice").await, 200);
    assert_eq!(users(&bench).await, json!({ "alice": "readonly", "bob": "" }));
    let rows = bench.data("/users").await;
    let alice = rows.as_array().unwrap().iter().find(|row| row["username"] == "alice").unwrap();
    assert_eq!(alice["policy"], "readonly");
    assert_eq!(attach(&bench, "nope", "alice").await, 404);
    assert_eq!(attach(&bench, "p", "carol").await, 404);
    assert_eq!(bench.post("/s3/policies/detach", json!({})).await.0, 400);
    let detach = json!({ "user_name": "alice" });
    assert_eq!(bench.post("/s3/policies/detach", detach).await, (200, json!({ "data": null })));
    assert_eq!(users(&bench).await["alice"], "");
}

#[tokio::test]
async fn deleting_an_attached_policy_is_read_in_three_ways() {
    let bench = s3().await;
    bench.user("alice", "S3").await;
    for (reading_of, status, left) in [("detaches", 200, ""), ("dangling", 200, "p"), ("refused", 400, "p")] {
        bench.switch("policy_delete_in_use", json!(reading_of));
        bench.post("/s3/policies", named("p", reading(""))).await;
        assert_eq!(attach(&bench, "p", "alice").await, 200);
        assert_eq!(bench.delete("/s3/policies/p").await.0, status, "{reading_of}");
        assert_eq!(users(&bench).await["alice"], left, "{reading_of}");
    }
}

#[tokio::test]
async fn the_1025th_policy_is_refused() {
    let bench = s3().await;
    for number in 0..1024 {
        let (status, body) = bench.post("/s3/policies", named(&format!("p{number}"), reading(""))).await;
        assert_eq!(status, 200, "{number}: {body}");
    }
    let (status, body) = bench.post("/s3/policies", named("over", reading(""))).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("1024 IAM policies"));
}
