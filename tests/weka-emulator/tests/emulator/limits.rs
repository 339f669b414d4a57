//! Every documented limit of the cluster: its number, and that one more is refused.

use serde_json::{Value, json};
use weka_emulator::Switches;

use crate::support::Bench;

#[test]
fn the_limits_are_the_documented_ones() {
    let switches = Switches::default();
    assert_eq!(switches.user_limit, 1152);
    assert_eq!(switches.organization_limit, 256);
    assert_eq!(switches.filesystem_limit, 1024);
    assert_eq!((switches.snapshot_limit, switches.writable_snapshot_limit), (24_576, 14_336));
    assert_eq!(switches.security_policy_limit, 128);
    assert_eq!((switches.task_limit, switches.quota_nesting), (32, 4));
}

/// Makes objects until one is refused; answers how many were made and the refusal.
async fn fill(bench: &Bench, path: &str, ask: impl Fn(usize) -> Value) -> (usize, Value) {
    for made in 0..100 {
        let (status, answer) = bench.post(path, ask(made)).await;
        if status != 200 {
            assert_eq!(status, 400, "{answer}");
            return (made, answer);
        }
    }
    panic!("{path} refuses nothing");
}

#[tokio::test]
async fn one_more_than_a_limit_is_refused() {
    let bench = Bench::start().await;
    let fs_uid = bench.fs_uid("default");
    // (switch, its value, path, how many fit, what the refusal says, body)
    let fs = fs_uid.clone();
    type Ask = Box<dyn Fn(usize) -> Value>;
    let snapshot = move |writable: bool, letter: char| {
        let fs = fs.clone();
        Box::new(
            move |n| json!({ "fs_uid": fs, "name": format!("{letter}{n}"), "access_point": format!("{letter}{n}"), "is_writable": writable }),
        ) as Ask
    };
    let user = |n| json!({ "username": format!("u{n}"), "password": "Secret-pass1", "role": "Regular" });
    let org = |n| json!({ "name": format!("o{n}"), "username": format!("a{n}"), "password": "Secret-pass1" });
    let filesystem = |n| json!({ "name": format!("f{n}"), "group_name": "default", "total_capacity": 1_u64 << 30 });
    let rows: Vec<(&str, u64, &str, usize, &str, Ask)> = vec![
        ("user_limit", 3, "/users", 2, "User table is full", Box::new(user)),
        ("user_limit", 1152, "/organizations", 2, "Tenant table is full", Box::new(org)),
        ("filesystem_limit", 7, "/fileSystems", 2, "Filesystem table is full", Box::new(filesystem)),
        ("snapshot_limit", 2, "/snapshots", 2, "Snapshot table is full", snapshot(false, 'r')),
        ("writable_snapshot_limit", 9, "/snapshots", 2, "Snapshot table is full", snapshot(true, 'w')),
        (
            "security_policy_limit",
            2,
            "/security/policies",
            2,
            "table is full",
            Box::new(|n| json!({ "name": format!("p{n}") })),
        ),
    ];
    bench.switch("organization_limit", json!(3));
    for (switch, value, path, fits, says, ask) in rows {
        bench.switch(switch, json!(value));
        let (made, refusal) = fill(&bench, path, ask).await;
        assert_eq!(made, fits, "{path} {switch}: {refusal}");
        assert!(refusal["message"].as_str().unwrap().contains(says), "{refusal}");
    }
}

#[tokio::test]
async fn names_and_sizes_have_their_documented_lengths() {
    let bench = Bench::start().await;
    let long = |length: usize| "n".repeat(length);
    let fs = |name: String, bytes: u64| json!({ "name": name, "group_name": "default", "total_capacity": bytes });
    let gib = 1_u64 << 30;
    for (path, body, status) in [
        ("/fileSystems", fs(long(32), gib), 200),
        ("/fileSystems", fs(long(33), gib), 400),
        ("/fileSystems", fs("a/b".to_owned(), gib), 400),
        ("/fileSystems", fs("small".to_owned(), gib - 1), 400),
        ("/security/policies", json!({ "name": long(64) }), 200),
        ("/security/policies", json!({ "name": long(65) }), 400),
        ("/snapshotPolicy", json!({ "name": long(12) }), 200),
        ("/snapshotPolicy", json!({ "name": long(13) }), 400),
    ] {
        let (got, answer) = bench.post(path, body.clone()).await;
        assert_eq!(got, status, "{path} {body}: {answer}");
    }
    let quota = bench.dir_with_quota("default", "/d", 1 << 20).await;
    assert_eq!(bench.patch(&quota, json!({ "owner": long(48) })).await.0, 200);
    assert_eq!(bench.patch(&quota, json!({ "owner": long(49) })).await.0, 400);
    for (attempts, secs, status) in
        [(2, 30, 200), (50, 3600, 200), (1, 30, 400), (51, 30, 400), (2, 29, 400), (2, 3601, 400)]
    {
        let body = json!({ "num_failed_logins": attempts, "lockout_duration": secs });
        assert_eq!(bench.put("/lockoutPolicy", body.clone()).await.0, status, "{body}");
    }
}

#[tokio::test]
async fn a_filesystem_bears_16_security_policies() {
    let bench = Bench::start().await;
    let mut uids = Vec::new();
    for n in 0..17 {
        let made = bench.post("/security/policies", json!({ "name": format!("p{n}") })).await.1;
        uids.push(made["data"]["uid"].clone());
    }
    let path = format!("/fileSystems/{}/securityPolicy", bench.fs_uid("default"));
    assert_eq!(bench.put(&path, json!({ "policies": uids })).await.0, 400);
    assert_eq!(bench.put(&path, json!({ "policies": uids[..16] })).await.0, 200);
    let attach = format!("{path}/attach");
    assert_eq!(bench.post(&attach, json!({ "policies": [uids[16]] })).await.0, 400);
}
