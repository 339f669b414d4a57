//! Login, refresh, expiry, lock-out.

use reqwest::Method;
use serde_json::json;
use weka_emulator::DEFAULT_PASSWORD;

use crate::support::Bench;

#[tokio::test]
async fn login_answers_an_object_with_both_tokens_and_300_seconds() {
    let bench = Bench::start().await;
    let (status, body) = bench.try_login("admin", DEFAULT_PASSWORD, "Root").await;
    assert_eq!(status, 200);
    assert_eq!(body["data"]["expires_in"], 300);
    assert_eq!(body["data"]["token_type"], "Bearer");
    assert_eq!(body["data"]["password_change_required"], false);
    assert!(body["data"]["refresh_token"].is_string());
    let expiry = bench.data("/security/defaultTokensExpiry").await;
    assert_eq!(expiry["access_token_expiry"], 300);
    assert_eq!(expiry["refresh_token_expiry"], 31_536_000);
    let me = bench.data("/users/whoami").await;
    assert_eq!(
        (&me["role"], &me["org_name"], &me["username"]),
        (&json!("ClusterAdmin"), &json!("Root"), &json!("admin"))
    );
}

#[tokio::test]
async fn the_access_token_expires_and_refresh_rotates_both() {
    let bench = Bench::start().await;
    let (_, login) = bench.try_login("admin", DEFAULT_PASSWORD, "Root").await;
    bench.control().clock().advance(300_000);
    let (status, body) = bench.get("/cluster").await;
    assert_eq!((status, &body["data"]), (401, &json!("Unauthorized")));
    let refresh = json!({ "refresh_token": login["data"]["refresh_token"] });
    let (status, fresh) = bench.send("none", Method::POST, "/login/refresh", Some(refresh)).await;
    assert_eq!(status, 200);
    assert_ne!(fresh["data"]["refresh_token"], login["data"]["refresh_token"]);
    let token = fresh["data"]["access_token"].as_str().unwrap();
    assert_eq!(bench.send(token, Method::GET, "/cluster", None).await.0, 200);
}

#[tokio::test]
async fn a_password_change_ends_every_session() {
    let bench = Bench::start().await;
    let token = bench.user("alice", "OrgAdmin").await;
    let (_, login) = bench.try_login("alice", "Secret-pass1", "Root").await;
    let change = json!({ "username": "alice", "old_password": "Secret-pass1", "new_password": "Other-pass2" });
    assert_eq!(bench.send(&token, Method::PUT, "/users/password", Some(change)).await.0, 200);
    assert_eq!(bench.send(&token, Method::GET, "/users/whoami", None).await.0, 401);
    let refresh = json!({ "refresh_token": login["data"]["refresh_token"] });
    assert_eq!(bench.send("none", Method::POST, "/login/refresh", Some(refresh)).await.0, 401);
    assert_eq!(bench.try_login("alice", "Secret-pass1", "Root").await.0, 401);
    assert_eq!(bench.try_login("alice", "Other-pass2", "Root").await.0, 200);
}

#[tokio::test]
async fn five_wrong_passwords_lock_out_the_right_one_for_two_minutes() {
    let bench = Bench::start().await;
    for _ in 0..5 {
        let (status, body) = bench.try_login("admin", "wrong", "Root").await;
        assert_eq!((status, &body["data"]), (401, &json!("Unauthorized")));
    }
    let (status, body) = bench.try_login("admin", DEFAULT_PASSWORD, "Root").await;
    assert_eq!(status, 403);
    assert!(body["data"].as_str().unwrap().contains("locked out for"), "{body}");
    bench.control().clock().advance(121_000);
    assert_eq!(bench.try_login("admin", DEFAULT_PASSWORD, "Root").await.0, 200);
}

#[tokio::test]
async fn the_lockout_policy_can_be_read_set_in_its_range_and_reset() {
    let bench = Bench::start().await;
    assert_eq!(bench.data("/lockoutPolicy").await, json!({ "num_failed_logins": 5, "lockout_duration": 120 }));
    let (status, _) = bench.put("/lockoutPolicy", json!({ "num_failed_logins": 2, "lockout_duration": 30 })).await;
    assert_eq!(status, 200);
    assert_eq!(bench.put("/lockoutPolicy", json!({ "num_failed_logins": 1 })).await.0, 400);
    assert_eq!(bench.put("/lockoutPolicy", json!({ "lockout_duration": 3601 })).await.0, 400);
    for _ in 0..2 {
        bench.try_login("admin", "wrong", "Root").await;
    }
    assert_eq!(bench.try_login("admin", DEFAULT_PASSWORD, "Root").await.0, 403);
    assert_eq!(bench.delete("/lockoutPolicy").await, (200, json!({ "data": null })));
    assert_eq!(bench.try_login("admin", DEFAULT_PASSWORD, "Root").await.0, 200);
}

#[tokio::test]
async fn a_revoked_user_loses_access_and_refresh() {
    let bench = Bench::start().await;
    let token = bench.user("bob", "ReadOnly").await;
    let (_, login) = bench.try_login("bob", "Secret-pass1", "Root").await;
    let users = bench.data("/users").await;
    let bob = users.as_array().unwrap().iter().find(|user| user["username"] == "bob").unwrap();
    assert_eq!(bench.delete(&format!("/users/{}/revoke", bob["uid"].as_str().unwrap())).await.0, 200);
    assert_eq!(bench.send(&token, Method::GET, "/cluster", None).await.0, 401);
    let refresh = json!({ "refresh_token": login["data"]["refresh_token"] });
    assert_eq!(bench.send("none", Method::POST, "/login/refresh", Some(refresh)).await.0, 401);
}
