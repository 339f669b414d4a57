//! Who may do what on the S3 port: users, sessions, service accounts and anonymous callers.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::s3_client::{Keys, allow, answer_of};
use crate::support::Bench;

/// Buckets `data` and `other`, and a user who may read, write, list and delete in `data`.
async fn bench() -> (Bench, Keys) {
    let bench = Bench::with_s3().await;
    bench.bucket_over("data", "default", "/data").await;
    bench.bucket_over("other", "default", "/other").await;
    let actions = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:ListBucket",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ];
    let policy = allow(&actions, &["arn:aws:s3:::data", "arn:aws:s3:::data/*"]);
    let keys = bench.s3_user("alice", (1000, 1000), policy).await;
    (bench, keys)
}

/// One exact prefix, as platforms write it.
fn only(prefix: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
          "Resource": [format!("arn:aws:s3:::data/{prefix}*"), "arn:aws:s3:::other/*"] },
        { "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::data"],
          "Condition": { "StringLike": { "s3:prefix": format!("{prefix}*") } } },
    ] })
}

const DENIED: u16 = 403;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_may_what_its_policy_and_its_users_policy_both_allow() {
    let (bench, alice) = bench().await;
    for path in ["/data/a/x", "/data/b/x"] {
        assert_eq!(bench.s3_put(&alice, path, b"1").await.status, 200);
    }
    let session = bench.session_of(&alice, Some(only("a/"))).await;
    let get = async |path: &str| bench.s3_get(&session, path).await.status;
    assert_eq!((get("/data/a/x").await, get("/data/b/x").await), (200, DENIED));
    // The session's policy names `other`; the user's does not.
    assert_eq!(bench.s3_put(&session, "/other/a/x", b"1").await.refusal(), (DENIED, "AccessDenied".to_owned()));
    let put = async |path: &str| bench.s3_put(&session, path, b"2").await.status;
    assert_eq!((put("/data/a/y").await, put("/data/b/y").await), (200, DENIED));
    assert_eq!(bench.s3_head(&session, "/data/b/x").await.status, DENIED);
    for (query, status) in [
        ("list-type=2&prefix=a%2F", 200),
        ("prefix=a%2Fx", 200),
        ("list-type=2", DENIED),
        ("list-type=2&prefix=", DENIED),
        ("list-type=2&prefix=b%2F", DENIED),
        ("list-type=2&prefix=a", DENIED),
        ("list-type=2&prefix=b%2F&prefix=a%2F", 400),
        ("delimiter=%2F", DENIED),
    ] {
        let listed = bench.s3_get(&session, &format!("/data?{query}")).await;
        assert!(listed.status == status || (status == 400 && listed.status == DENIED), "{query}: {}", listed.text());
    }
    let delete = async |path: &str| bench.s3_delete(&session, path).await.status;
    assert_eq!((delete("/data/a/y").await, delete("/data/b/x").await), (204, DENIED));
    assert_eq!(bench.s3_post(&session, "/data/b/big?uploads=", b"").await.status, DENIED);
    let id = bench.s3_post(&session, "/data/a/big?uploads=", b"").await.element("UploadId");
    assert_eq!(put(&format!("/data/a/big?partNumber=1&uploadId={id}")).await, 200);
    assert_eq!(put(&format!("/data/b/big?partNumber=1&uploadId={id}")).await, DENIED);
    // The session's policy has no AbortMultipartUpload and no ListMultipartUploadParts.
    assert_eq!(delete(&format!("/data/a/big?uploadId={id}")).await, DENIED);
    assert_eq!(get(&format!("/data/a/big?uploadId={id}")).await, DENIED);
    assert_eq!(bench.s3_delete(&alice, &format!("/data/a/big?uploadId={id}")).await.status, 204);
    let copy = [("x-amz-copy-source", "/data/b/x")];
    let copied = bench.ask(Some(&session), Method::PUT, "/data/a/stolen", &copy, b"").await;
    assert_eq!(copied.refusal(), (DENIED, "AccessDenied".to_owned()));
    let body = b"<Delete><Object><Key>a/x</Key></Object><Object><Key>b/x</Key></Object></Delete>";
    let gone = bench.s3_post(&session, "/data?delete=", body).await;
    assert_eq!((gone.elements("Deleted").len(), gone.element("Error").contains("b/x")), (1, true), "{}", gone.text());
    assert_eq!(bench.s3_get(&alice, "/data/b/x").await.status, 200);
    for path in ["/", "/data?policy=", "/data?tagging=", "/data?location=", "/data/a/x?tagging="] {
        assert_eq!(get(path).await, DENIED, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_replaced_or_detached_counts_at_once_for_sessions_too() {
    let (bench, alice) = bench().await;
    let session = bench.session_of(&alice, None).await;
    assert_eq!(bench.s3_put(&session, "/data/x", b"1").await.status, 200);
    assert_eq!(
        bench.post("/s3/policies/attach", json!({ "policy_name": "readonly", "user_name": "alice" })).await.0,
        200
    );
    assert_eq!(bench.s3_put(&session, "/data/x", b"1").await.status, DENIED);
    assert_eq!(bench.s3_get(&session, "/data/x").await.status, 200);
    assert_eq!(bench.post("/s3/policies/detach", json!({ "user_name": "alice" })).await.0, 200);
    assert_eq!(bench.s3_get(&session, "/data/x").await.status, DENIED);
    assert_eq!(bench.s3_get(&alice, "/data/x").await.status, DENIED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_time_and_with_its_user_and_needs_its_token() {
    let (bench, alice) = bench().await;
    let session = bench.session_of(&alice, None).await;
    assert_eq!(bench.s3_put(&session, "/data/x", b"1").await.status, 200);
    let without = Keys { token: None, ..session.clone() };
    assert_eq!(bench.s3_get(&without, "/data/x").await.refusal(), (403, "InvalidToken".to_owned()));
    let other = bench.session_of(&alice, None).await;
    let mixed = Keys { token: other.token.clone(), ..session.clone() };
    assert_eq!(bench.s3_get(&mixed, "/data/x").await.refusal(), (403, "InvalidToken".to_owned()));
    let user_with = Keys { token: other.token.clone(), ..alice.clone() };
    assert_eq!(bench.s3_get(&user_with, "/data/x").await.refusal(), (403, "InvalidToken".to_owned()));
    let wrong = Keys { secret: "wrong".to_owned(), ..session.clone() };
    assert_eq!(bench.s3_get(&wrong, "/data/x").await.refusal(), (403, "SignatureDoesNotMatch".to_owned()));

    bench.control().clock().advance(901_000);
    assert_eq!(bench.s3_get(&session, "/data/x").await.refusal(), (403, "ExpiredToken".to_owned()));
    bench.switch("s3_expired_code", json!("InvalidAccessKeyId"));
    assert_eq!(bench.s3_get(&session, "/data/x").await.refusal(), (403, "InvalidAccessKeyId".to_owned()));

    let mut bench = bench;
    bench.token = bench.login("admin", weka_emulator::DEFAULT_PASSWORD, "Root").await;
    let live = bench.session_of(&alice, None).await;
    let users = bench.data("/users").await;
    let uid = users.as_array().unwrap().iter().find(|user| user["username"] == "alice").unwrap()["uid"].clone();
    assert_eq!(bench.delete(&format!("/users/{}", uid.as_str().unwrap())).await.0, 200);
    for keys in [&live, &alice] {
        assert_eq!(bench.s3_get(keys, "/data/x").await.refusal(), (403, "InvalidAccessKeyId".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_may_at_most_what_its_user_may() {
    let (bench, alice) = bench().await;
    bench.s3_put(&alice, "/data/a/x", b"1").await;
    bench.s3_put(&alice, "/data/b/x", b"1").await;
    let login = bench.login("alice", "Secret-pass1", "Root").await;
    let body = json!({ "policy_file_content": only("a/") });
    let made = bench.send(&login, Method::POST, "/s3/serviceAccounts", Some(body)).await.1;
    let account = Keys::of(&made["data"]);
    assert_eq!(bench.s3_get(&account, "/data/a/x").await.status, 200);
    assert_eq!(bench.s3_get(&account, "/data/b/x").await.status, DENIED);
    assert_eq!(bench.s3_put(&account, "/other/x", b"").await.status, DENIED);
    let path = format!("/s3/serviceAccounts/{}", account.access);
    assert_eq!(bench.send(&login, Method::DELETE, &path, None).await.0, 200);
    assert_eq!(bench.s3_get(&account, "/data/a/x").await.refusal(), (403, "InvalidAccessKeyId".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn anonymous_callers_may_what_the_buckets_policy_allows_and_write_as_nobody() {
    let (bench, alice) = bench().await;
    bench.s3_put(&alice, "/data/x", b"1").await;
    let anonymous = async |method: Method, path: &str| bench.ask(None, method, path, &[], b"2").await.status;
    assert_eq!(anonymous(Method::GET, "/data/x").await, DENIED);
    let set = async |policy: &str| {
        let body = json!({ "bucket_policy": policy });
        assert_eq!(bench.put("/s3/buckets/data/policy", body).await.0, 200);
    };
    set("download").await;
    assert_eq!(anonymous(Method::GET, "/data/x").await, 200);
    assert_eq!(anonymous(Method::GET, "/data?list-type=2").await, 200);
    assert_eq!(anonymous(Method::PUT, "/data/y").await, DENIED);
    set("upload").await;
    assert_eq!(anonymous(Method::GET, "/data/x").await, DENIED);
    assert_eq!(anonymous(Method::PUT, "/data/y").await, 200);
    let mount = bench.mount("default", "a");
    let meta = std::fs::metadata(mount.join("data/y")).unwrap();
    assert_eq!((meta.uid(), meta.gid()), (65_534, 65_534));
    assert_eq!(anonymous(Method::DELETE, "/data/y").await, 204);
    assert_eq!(anonymous(Method::GET, "/").await, DENIED);
    assert_eq!(anonymous(Method::PUT, "/fresh").await, DENIED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_url_opens_one_thing_for_a_while() {
    let (bench, alice) = bench().await;
    bench.s3_put(&alice, "/data/a/x", b"shared").await;
    let session = bench.session_of(&alice, Some(only("a/"))).await;
    let fetch = async |method: Method, url: String| answer_of(bench.client.request(method, url).body("new")).await;
    let minute = Duration::from_secs(60);
    for keys in [&alice, &session] {
        let got = fetch(Method::GET, keys.presigned(&Method::GET, &bench.s3("/data/a/x"), minute)).await;
        assert_eq!((got.status, got.text().as_str()), (200, "shared"), "{keys:?}");
    }
    let outside = session.presigned(&Method::GET, &bench.s3("/data/b/x"), minute);
    assert_eq!(fetch(Method::GET, outside).await.refusal(), (DENIED, "AccessDenied".to_owned()));
    let put = session.presigned(&Method::PUT, &bench.s3("/data/a/new"), minute);
    assert_eq!(fetch(Method::PUT, put.clone()).await.status, 200);
    assert_eq!(fetch(Method::GET, put.clone()).await.refusal().1, "SignatureDoesNotMatch");
    let moved = put.replace("/data/a/new", "/data/a/other");
    assert_eq!(fetch(Method::PUT, moved).await.refusal().1, "SignatureDoesNotMatch");
    bench.control().clock().advance(901_000);
    assert_eq!(fetch(Method::PUT, put).await.refusal(), (403, "ExpiredToken".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_are_made_and_removed_as_the_policy_allows() {
    let (bench, alice) = bench().await;
    let root = bench.s3_user("root-like", (7, 8), json!("readwrite")).await;
    assert_eq!(bench.s3_put(&alice, "/fresh", b"").await.refusal(), (DENIED, "AccessDenied".to_owned()));
    assert_eq!(bench.s3_put(&root, "/fresh", b"").await.status, 200);
    assert_eq!(bench.s3_put(&root, "/fresh", b"").await.refusal(), (409, "BucketAlreadyOwnedByYou".to_owned()));
    assert_eq!(bench.s3_put(&root, "/data", b"").await.refusal(), (409, "BucketAlreadyExists".to_owned()));
    assert_eq!(bench.s3_put(&root, "/No_Bucket", b"").await.refusal(), (400, "InvalidBucketName".to_owned()));
    let mount = bench.mount("s3-data", "a");
    let meta = std::fs::metadata(mount.join("fresh")).unwrap();
    assert_eq!((meta.uid(), meta.gid()), (7, 8));
    assert_eq!(bench.s3_get(&root, "/").await.elements("Name"), ["data", "fresh", "other"]);
    assert_eq!(bench.s3_head(&root, "/fresh").await.status, 200);
    assert_eq!(bench.s3_head(&root, "/missing").await.status, 404);
    assert_eq!(bench.s3_get(&root, "/fresh?location=").await.status, 200);
    std::fs::write(mount.join("fresh/posix"), b"1").unwrap();
    assert_eq!(bench.s3_delete(&root, "/fresh").await.refusal(), (409, "BucketNotEmpty".to_owned()));
    std::fs::remove_file(mount.join("fresh/posix")).unwrap();
    assert_eq!(bench.s3_delete(&root, "/fresh").await.status, 204);
    assert!(!mount.join("fresh").exists());
    assert_eq!(bench.data("/s3/buckets").await["buckets"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_tags_and_lifecycle_of_a_bucket_are_the_same_over_both_protocols() {
    let (bench, _) = bench().await;
    let root = bench.s3_user("root-like", (0, 0), json!("readwrite")).await;
    assert_eq!(bench.s3_get(&root, "/data?policy=").await.refusal(), (404, "NoSuchBucketPolicy".to_owned()));
    let mut policy = allow(&["s3:GetObject"], &["arn:aws:s3:::data/*"]);
    policy["Statement"][0]["Principal"] = json!({ "AWS": ["*"] });
    assert_eq!(bench.s3_put(&root, "/data?policy=", policy.to_string().as_bytes()).await.status, 204);
    let shown = bench.s3_get(&root, "/data?policy=").await;
    assert_eq!(serde_json::from_slice::<Value>(&shown.body).unwrap(), policy);
    assert_eq!(bench.data("/s3/buckets/data/policyJson").await["policy"], policy);
    let mut wild = policy.clone();
    wild["Statement"][0]["Action"] = json!("s3:*");
    let refused = bench.s3_put(&root, "/data?policy=", wild.to_string().as_bytes()).await;
    assert_eq!(refused.refusal(), (400, "MalformedPolicy".to_owned()));
    assert_eq!(bench.s3_delete(&root, "/data?policy=").await.status, 204);
    assert_eq!(bench.data("/s3/buckets/data/policy").await["policy"], "none");

    assert_eq!(bench.s3_get(&root, "/data?tagging=").await.refusal(), (404, "NoSuchTagSet".to_owned()));
    let tags = b"<Tagging><TagSet><Tag><Key>team</Key><Value>vision</Value></Tag></TagSet></Tagging>";
    assert_eq!(bench.s3_put(&root, "/data?tagging=", tags).await.status, 200);
    assert_eq!(bench.s3_get(&root, "/data?tagging=").await.element("Value"), "vision");
    assert_eq!(bench.s3_delete(&root, "/data?tagging=").await.status, 204);

    let rule = json!({ "expiry_days": "30", "prefix": "tmp/", "tags": "a=1" });
    assert_eq!(bench.post("/s3/buckets/data/lifecycle/rules", rule).await.0, 200);
    let shown = bench.s3_get(&root, "/data?lifecycle=").await;
    assert_eq!((shown.element("Days"), shown.element("Prefix")), ("30".to_owned(), "tmp/".to_owned()));
    let rules =
        b"<LifecycleConfiguration><Rule><ID>week</ID><Status>Enabled</Status><Filter><Prefix>w/</Prefix></Filter>\
                  <Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>";
    assert_eq!(bench.s3_put(&root, "/data?lifecycle=", rules).await.status, 200);
    let listed = bench.data("/s3/buckets/data/lifecycle/rules").await;
    assert_eq!((&listed["rules"][0]["id"], &listed["rules"][0]["expiry_days"]), (&json!("week"), &json!("7")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_real_server_has_not_is_not_implemented_here_either() {
    let (bench, _) = bench().await;
    let root = bench.s3_user("root-like", (0, 0), json!("readwrite")).await;
    for path in ["/data?versioning=", "/data?acl=", "/data?cors=", "/data?uploads=", "/data?versions=", "/data/x?acl="]
    {
        assert_eq!(bench.s3_get(&root, path).await.refusal(), (501, "NotImplemented".to_owned()), "{path}");
    }
    bench.switch("s3_unlisted_calls", json!(false));
    for release in ["4.4.22", "5.0.1"] {
        bench.control().set_release(release.parse().unwrap());
        let status = if release == "5.0.1" { 200 } else { 501 };
        assert_eq!(bench.s3_get(&root, "/").await.status, status, "{release}");
        assert_eq!(bench.s3_get(&root, "/data?list-type=2").await.status, 200, "{release}");
    }
    let copy = [("x-amz-copy-source", "/data/x")];
    let part = bench.ask(Some(&root), Method::PUT, "/data/y?partNumber=1&uploadId=u", &copy, b"").await;
    assert_eq!(part.refusal(), (501, "NotImplemented".to_owned()));
}
