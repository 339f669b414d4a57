//! AssumeRole over the S3 protocol.

use reqwest::Method;
use serde_json::json;
use weka_emulator::{Fault, Rule};

use crate::s3_client::{Answer, Keys, allow, answer_of};
use crate::support::Bench;

const ROLE: &str = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:x:ignored:by:weka-s3:&RoleSessionName=ignored";

async fn bench() -> (Bench, Keys) {
    let bench = Bench::with_s3().await;
    bench.bucket_over("data", "default", "/data").await;
    let keys = bench.s3_user("alice", (1000, 1000), json!("readwrite")).await;
    (bench, keys)
}

/// One signed AssumeRole with these parameters beside the fixed ones.
async fn assume(bench: &Bench, keys: &Keys, more: &str) -> Answer {
    send(bench, keys, "sts", &format!("{ROLE}{more}")).await
}

async fn send(bench: &Bench, keys: &Keys, service: &str, form: &str) -> Answer {
    let url = bench.s3("/");
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let mut request = bench.client.post(&url).header(headers[0].0, headers[0].1).body(form.to_owned());
    for (name, value) in keys.signed(service, &Method::POST, &url, &headers, form.as_bytes()) {
        request = request.header(name, value);
    }
    answer_of(request).await
}

fn keys_in(answer: &Answer) -> Keys {
    assert_eq!(answer.status, 200, "{}", answer.text());
    Keys {
        access: answer.element("AccessKeyId"),
        secret: answer.element("SecretAccessKey"),
        token: Some(answer.element("SessionToken")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_from_assume_role_works_until_its_expiration_and_is_narrowed_by_its_policy() {
    let (bench, alice) = bench().await;
    let policy = allow(&["s3:GetObject", "s3:PutObject"], &["arn:aws:s3:::data/a/*"]).to_string();
    let policy: String = url::form_urlencoded::byte_serialize(policy.as_bytes()).collect();
    let before = bench.control().clock().now();
    let made = assume(&bench, &alice, &format!("&DurationSeconds=900&Policy={policy}")).await;
    let session = keys_in(&made);
    let ends: jiff::Timestamp = made.element("Expiration").parse().unwrap();
    let lives = ends.as_millisecond() - i64::try_from(before).unwrap();
    assert!((899_000..=902_000).contains(&lives), "{lives}");
    assert!(made.text().contains("xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""));
    assert_eq!(made.element("RequestId"), made.header("x-amz-request-id"));
    let issued = bench.data("/events?type_list=S3AsssumeRoleEvent").await;
    assert_eq!(issued[0]["params"], serde_json::json!({ "access_key": made.element("AccessKeyId") }));
    assert_eq!(bench.s3_put(&session, "/data/a/x", b"1").await.status, 200);
    assert_eq!(bench.s3_put(&session, "/data/b/x", b"1").await.status, 403);
    bench.control().clock().advance(901_000);
    assert_eq!(bench.s3_get(&session, "/data/a/x").await.refusal(), (403, "ExpiredToken".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_may_stand_in_the_query_and_the_default_is_one_hour() {
    let (bench, alice) = bench().await;
    let url = bench.s3(&format!("/?{ROLE}"));
    let mut request = bench.client.post(&url);
    for (name, value) in alice.signed("sts", &Method::POST, &url, &[], b"") {
        request = request.header(name, value);
    }
    let session = keys_in(&answer_of(request).await);
    bench.control().clock().advance(3_590_000);
    assert_eq!(bench.s3_put(&session, "/data/x", b"1").await.status, 200);
    bench.control().clock().advance(11_000);
    assert_eq!(bench.s3_put(&session, "/data/x", b"1").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_missing_parameters_are_refused_in_the_words_of_sts() {
    let (bench, alice) = bench().await;
    let long = "x".repeat(2049);
    for (more, status, code) in [
        ("&DurationSeconds=899", 400, "InvalidParameterValue"),
        ("&DurationSeconds=604801", 400, "InvalidParameterValue"),
        ("&DurationSeconds=soon", 400, "InvalidParameterValue"),
        ("&Policy=nonsense", 400, "MalformedPolicyDocument"),
        ("&Policy=%7B%22Version%22%3A%222012-10-17%22%7D", 400, "MalformedPolicyDocument"),
        (&format!("&Policy={long}"), 400, "InvalidParameterValue"),
        ("&DurationSeconds=604800", 200, ""),
    ] {
        let answer = assume(&bench, &alice, more).await;
        assert_eq!(answer.refusal(), (status, code.to_owned()), "{more}: {}", answer.text());
        assert!(answer.text().contains("https://sts.amazonaws.com/doc/2011-06-15/"), "{}", answer.text());
    }
    let no_version = send(&bench, &alice, "sts", "Action=AssumeRole").await;
    assert_eq!(no_version.refusal(), (400, "MissingParameter".to_owned()));
    let no_action = send(&bench, &alice, "sts", "Version=2011-06-15").await;
    assert_eq!(no_action.refusal(), (400, "MissingParameter".to_owned()));
    bench.control().add_fault(Rule::new(Fault::StsTableFull).on("POST", "/").of_s3().times(1));
    assert_eq!(assume(&bench, &alice, "").await.refusal(), (400, "LimitExceeded".to_owned()));
    assert_eq!(assume(&bench, &alice, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_users_own_keys_open_a_session() {
    let (bench, alice) = bench().await;
    let session = keys_in(&assume(&bench, &alice, "").await);
    assert_eq!(assume(&bench, &session, "").await.refusal(), (403, "AccessDenied".to_owned()));
    let login = bench.login("alice", "Secret-pass1", "Root").await;
    let made = bench.send(&login, Method::POST, "/s3/serviceAccounts", None).await.1;
    assert_eq!(assume(&bench, &Keys::of(&made["data"]), "").await.refusal(), (403, "AccessDenied".to_owned()));
    let wrong = Keys { secret: "Wrong-pass1".to_owned(), ..alice.clone() };
    let refused = assume(&bench, &wrong, "").await;
    assert_eq!(refused.refusal(), (403, "SignatureDoesNotMatch".to_owned()));
    assert!(!refused.text().contains("sts.amazonaws.com"), "a wrong signature is an ordinary S3 error");
    let unknown = Keys { access: "nobody".to_owned(), ..alice.clone() };
    assert_eq!(assume(&bench, &unknown, "").await.refusal(), (403, "InvalidAccessKeyId".to_owned()));
    assert_eq!(send(&bench, &alice, "s3", ROLE).await.refusal(), (403, "AccessDenied".to_owned()));
    let form = ("content-type", "application/x-www-form-urlencoded");
    let unsigned = bench.ask(None, Method::POST, "/", &[form], ROLE.as_bytes()).await;
    assert_eq!(unsigned.refusal(), (403, "AccessDenied".to_owned()));
    assert_eq!(bench.post("/s3/policies/detach", json!({ "user_name": "alice" })).await.0, 200);
    assert_eq!(assume(&bench, &alice, "").await.refusal(), (403, "AccessDenied".to_owned()));
}
