//! Service accounts and temporary credentials over REST.

use base64::Engine as _;
use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::{DEFAULT_PASSWORD, Fault, Options, Preset, Rule};

use crate::s3_client::Keys;
use crate::support::{Bench, class};

/// An S3 user `alice` with a policy; answers its token.
async fn alice() -> (Bench, String) {
    let bench = Bench::with(Options { preset: Preset::S3Ready, ..Options::default() }).await;
    let token = bench.user("alice", "S3").await;
    let attach = json!({ "policy_name": "readwrite", "user_name": "alice" });
    assert_eq!(bench.post("/s3/policies/attach", attach).await.0, 200);
    (bench, token)
}

fn sts(duration: u64) -> Value {
    json!({ "access_key": "alice", "secret_key": "Secret-pass1", "duration": duration })
}

fn narrower() -> Value {
    let statement = json!({ "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::abc/*"] });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

#[tokio::test]
async fn an_s3_user_manages_its_own_service_accounts() {
    let (bench, token) = alice().await;
    let other = bench.user("bob", "S3").await;
    let path = "/s3/serviceAccounts";
    let made = bench.send(&token, Method::POST, path, None).await.1["data"].clone();
    let access_key = made["access_key"].as_str().unwrap();
    assert_eq!((access_key.len(), made["secret_key"].as_str().unwrap().len()), (20, 40));
    let body = Some(json!({ "policy_file_content": narrower() }));
    let inline = bench.send(&token, Method::POST, path, body).await.1["data"]["access_key"].clone();
    let listed = bench.send(&token, Method::GET, path, None).await.1["data"]["service_accounts"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(bench.send(&other, Method::GET, path, None).await.1["data"]["service_accounts"], json!([]));
    let one = format!("{path}/{access_key}");
    let shown = bench.send(&token, Method::GET, &one, None).await.1["data"].clone();
    assert_eq!((&shown["parent_user"], &shown["implied_policy"]), (&json!("alice"), &json!(true)));
    assert!(shown["policy"].as_str().unwrap().contains("s3:*") && shown.get("secret_key").is_none());
    let shown = bench.send(&token, Method::GET, &format!("{path}/{}", inline.as_str().unwrap()), None).await.1;
    assert_eq!(
        (&shown["data"]["implied_policy"], &shown["data"]["policy"]),
        (&json!(false), &json!(narrower().to_string()))
    );
    assert_eq!(bench.send(&other, Method::DELETE, &one, None).await.0, 404);
    assert_eq!(bench.send(&token, Method::DELETE, &one, None).await, (200, json!({ "data": null })));
    assert_eq!(bench.send(&token, Method::GET, &one, None).await.0, 404);
    assert_eq!(class(&bench.get(&one).await.1), "S3RoleOnlyOperation");
    let bad = Some(json!({ "policy_file_content": { "Statement": [] } }));
    assert_eq!(bench.send(&token, Method::POST, path, bad).await.0, 400);
}

#[tokio::test]
async fn the_101st_service_account_of_a_user_is_refused_and_the_clusters_limit_holds_too() {
    let (bench, token) = alice().await;
    let path = "/s3/serviceAccounts";
    let mut last = String::new();
    for _ in 0..100 {
        let (status, body) = bench.send(&token, Method::POST, path, None).await;
        assert_eq!(status, 200, "{body}");
        last = body["data"]["access_key"].as_str().unwrap().to_owned();
    }
    let (status, body) = bench.send(&token, Method::POST, path, None).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("100 service accounts"));
    bench.switch("service_account_limit", json!(101));
    let other = bench.user("bob", "S3").await;
    assert_eq!(bench.send(&other, Method::POST, path, None).await.0, 200);
    assert_eq!(bench.send(&other, Method::POST, path, None).await.0, 400);
    assert_eq!(bench.send(&token, Method::DELETE, &format!("{path}/{last}"), None).await.0, 200);
    assert_eq!(bench.send(&token, Method::POST, path, None).await.0, 200);
}

#[tokio::test]
async fn sts_answers_keys_and_a_token_that_does_not_tell_its_end() {
    let (bench, _) = alice().await;
    let mut ask = sts(3600);
    ask["policy_file_content"] = narrower();
    let made = bench.post("/s3/sts", ask).await.1["data"].clone();
    assert_eq!(made.as_object().unwrap().len(), 3);
    let token = made["session_token"].as_str().unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let expected = json!({ "accessKey": made["access_key"], "exp": 3_600_000_000_000_u64, "policy": "readwrite" });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn sts_checks_duration_keys_and_policy() {
    let (bench, _) = alice().await;
    for (duration, status) in [(899, 400), (900, 200), (604_800, 200), (604_801, 400)] {
        assert_eq!(bench.post("/s3/sts", sts(duration)).await.0, status, "{duration}");
    }
    let missing = bench.post("/s3/sts", json!({})).await.1;
    assert_eq!(missing["data"]["missing_params"], json!(["access_key", "secret_key", "duration"]));
    for (field, value) in [
        ("secret_key", json!("Wrong-pass1")),
        ("secret_key", json!("short")),
        ("access_key", json!("nobody")),
        ("policy_file_content", json!({ "Statement": [] })),
    ] {
        let mut ask = sts(900);
        ask[field] = value;
        assert_eq!(bench.post("/s3/sts", ask).await.0, 400, "{field}");
    }
    bench.post("/s3/policies/detach", json!({ "user_name": "alice" })).await;
    let (status, body) = bench.post("/s3/sts", sts(900)).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("no attached policy"));
}

#[tokio::test]
async fn who_may_call_sts_is_read_in_four_ways() {
    let (bench, token) = alice().await;
    let other = bench.user("bob", "S3").await;
    for (callers, admin, itself) in [("both", 200, 200), ("admin", 200, 403), ("user", 400, 200), ("none", 403, 403)] {
        bench.switch("sts_callers", json!(callers));
        let (status, body) = bench.post("/s3/sts", sts(900)).await;
        assert_eq!(status, admin, "{callers}");
        assert!(status != 400 || class(&body) == "S3RoleOnlyOperation");
        assert_eq!(bench.send(&token, Method::POST, "/s3/sts", Some(sts(900))).await.0, itself, "{callers}");
        assert_eq!(bench.send(&other, Method::POST, "/s3/sts", Some(sts(900))).await.0, 403, "{callers}");
    }
}

#[tokio::test]
async fn live_sessions_are_limited_and_expired_ones_make_room() {
    let (mut bench, _) = alice().await;
    bench.switch("sts_session_limit", json!(2));
    for expected in [200, 200, 400] {
        assert_eq!(bench.post("/s3/sts", sts(900)).await.0, expected);
    }
    bench.control().clock().advance(900_000);
    bench.token = bench.login("admin", DEFAULT_PASSWORD, "Root").await;
    assert_eq!(bench.post("/s3/sts", sts(900)).await.0, 200);
    bench.control().add_fault(Rule::new(Fault::StsTableFull).times(1));
    let (status, body) = bench.post("/s3/sts", sts(900)).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("Too many STS credentials"));
    assert_eq!(bench.post("/s3/sts", sts(900)).await.0, 200);
}

#[tokio::test]
async fn the_5001st_live_session_is_refused() {
    let (bench, _) = alice().await;
    for number in 0..5000 {
        assert_eq!(bench.post("/s3/sts", sts(604_800)).await.0, 200, "{number}");
        if number % 1000 == 999 {
            bench.control().clear_requests();
        }
    }
    let (status, body) = bench.post("/s3/sts", sts(900)).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("5000 are live"));
}

#[tokio::test]
async fn one_session_is_revoked_only_where_a_switch_makes_the_route() {
    let (bench, _) = alice().await;
    let key = bench.post("/s3/sts", sts(900)).await.1["data"]["access_key"].as_str().unwrap().to_owned();
    let path = format!("/s3/sts/{key}");
    let (status, body) = bench.delete(&path).await;
    assert!(status == 404 && body["message"].as_str().unwrap().starts_with("Route DELETE - /api/v2/s3/sts/"));
    bench.switch("sts_session_revoke", json!(true));
    assert_eq!(bench.delete(&path).await.0, 200);
    assert_eq!(bench.delete(&path).await.0, 404);
}

#[tokio::test]
async fn a_deleted_user_takes_its_keys_along() {
    let (bench, token) = alice().await;
    let key = bench.send(&token, Method::POST, "/s3/serviceAccounts", None).await.1["data"]["access_key"].clone();
    bench.post("/s3/sts", sts(900)).await;
    let uid = bench.send(&token, Method::GET, "/users/whoami", None).await.1["data"]["uid"].clone();
    let keys = async |bench: &Bench| {
        let summary = bench.control().summary();
        (summary["s3"]["service_accounts"].clone(), summary["s3"]["sessions"].clone())
    };
    assert_eq!(keys(&bench).await, (json!(1), json!(1)));
    assert_eq!(bench.delete(&format!("/users/{}", uid.as_str().unwrap())).await.0, 200);
    assert_eq!(keys(&bench).await, (json!(0), json!(0)));
    let token = bench.user("alice", "S3").await;
    let one = format!("/s3/serviceAccounts/{}", key.as_str().unwrap());
    assert_eq!(bench.send(&token, Method::GET, &one, None).await.0, 404);
    assert_eq!(bench.data("/s3/userPolicies").await["users"]["alice"], "");
}

#[tokio::test]
async fn revoking_a_user_and_a_new_password_end_sessions_only_where_switches_say_so() {
    let (bench, token) = alice().await;
    let uid = bench.send(&token, Method::GET, "/users/whoami", None).await.1["data"]["uid"].clone();
    let user = format!("/users/{}", uid.as_str().unwrap());
    let live = |bench: &Bench| bench.control().summary()["s3"]["sessions"].as_u64().unwrap();
    bench.post("/s3/sts", sts(900)).await;
    bench.delete(&format!("{user}/revoke")).await;
    let password = json!({ "password": "Secret-pass1" });
    bench.put(&format!("{user}/password"), password.clone()).await;
    assert_eq!(live(&bench), 1);
    bench.switch("user_revoke_ends_sessions", json!(true));
    bench.delete(&format!("{user}/revoke")).await;
    assert_eq!(live(&bench), 0);
    bench.post("/s3/sts", sts(900)).await;
    bench.switch("new_password_ends_sessions", json!(true));
    bench.put(&format!("{user}/password"), password).await;
    assert_eq!(live(&bench), 0);
}

#[tokio::test]
async fn from_5_1_on_an_s3_user_has_generated_keys_too() {
    let (bench, token) = alice().await;
    let uid = bench.send(&token, Method::GET, "/users/whoami", None).await.1["data"]["uid"].clone();
    let path = format!("/users/{}/s3/resetCredentials", uid.as_str().unwrap());
    assert_eq!(bench.post(&path, json!({})).await.0, 404);
    bench.control().set_release("5.1.2".parse().unwrap());
    let first = bench.post(&path, json!({})).await.1["data"].clone();
    let second = bench.post(&path, json!({})).await.1["data"].clone();
    let with =
        |keys: &Value| json!({ "access_key": keys["accessKey"], "secret_key": keys["secretKey"], "duration": 900 });
    assert_eq!(bench.post("/s3/sts", with(&first)).await.0, 400, "the newer keys replaced these");
    assert_eq!(bench.post("/s3/sts", with(&second)).await.0, 200);
    assert_eq!(bench.post("/s3/sts", sts(900)).await.0, 200);
    bench.switch("s3_keys_are_separate", json!(true));
    assert_eq!(bench.post("/s3/sts", sts(900)).await.0, 400);
    bench.post("/s3/policies/detach", json!({ "user_name": "alice" })).await;
    let (status, body) = bench.post(&path, json!({})).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("with an S3 policy attached"));
}

#[tokio::test]
async fn what_ends_a_key_ends_it_on_the_s3_port_in_each_reading() {
    let (bench, token) = alice().await;
    let user = Keys { access: "alice".to_owned(), secret: "Secret-pass1".to_owned(), token: None };
    bench.bucket_over("data", "default", "/p").await;
    assert_eq!(bench.s3_put(&user, "/data/x", b"x").await.status, 200);
    let session = bench.session_of(&user, None).await;
    let made = bench.send(&token, Method::POST, "/s3/serviceAccounts", None).await.1["data"].clone();
    let account = Keys::of(&made);
    let reads = async |keys: &Keys| bench.s3_get(keys, "/data/x").await.status;
    assert_eq!((reads(&session).await, reads(&account).await), (200, 200));

    bench.post("/s3/policies/detach", json!({ "user_name": "alice" })).await;
    assert_eq!((reads(&session).await, reads(&account).await), (403, 403));
    bench.switch("sessions_keep_parent_policy", json!(true));
    assert_eq!((reads(&session).await, reads(&account).await), (200, 403));
    bench.post("/s3/policies/attach", json!({ "policy_name": "readonly", "user_name": "alice" })).await;

    bench.switch("service_account_linger_ms", json!(60_000));
    let path = format!("/s3/serviceAccounts/{}", account.access);
    assert_eq!(bench.send(&token, Method::DELETE, &path, None).await.0, 200);
    assert_eq!(reads(&account).await, 200, "deleted, and it works on for a minute");
    bench.control().clock().advance(60_000);
    assert_eq!(reads(&account).await, 403);

    bench.switch("sts_session_revoke", json!(true));
    assert_eq!(bench.delete(&format!("/s3/sts/{}", session.access)).await.0, 200);
    assert_eq!(reads(&session).await, 403);
    assert_eq!(reads(&user).await, 200, "its parent is as it was");
}
