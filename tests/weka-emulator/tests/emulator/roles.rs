//! Which role may call what: the table of the API reference, row by row.

use reqwest::Method;
use serde_json::json;

use crate::support::Bench;

#[tokio::test]
async fn every_role_gets_its_column_of_the_table() {
    let bench = Bench::start().await;
    let fs = bench.fs_uid("default");
    let resolve = format!("/fileSystems/{fs}/resolvePath?path=/");
    let quota = format!("/fileSystems/{fs}/quota");
    let token = format!("/fileSystems/{fs}/mountToken");
    let create = json!({ "name": "x", "group_name": "default", "total_capacity": 1 });
    // (method, path, body, OrgAdmin, CSI, Regular, ReadOnly, S3); 400 means "let in, then refused for its content"
    let table = [
        (Method::GET, "/users/whoami", None, [200, 200, 200, 200, 200]),
        (Method::GET, "/cluster", None, [200, 200, 403, 200, 403]),
        (Method::GET, "/containers", None, [200, 200, 403, 200, 403]),
        (Method::GET, "/fileSystems", None, [200, 200, 403, 200, 403]),
        (Method::POST, "/fileSystems", Some(create), [400, 403, 403, 403, 403]),
        (Method::GET, "/fileSystemGroups", None, [200, 200, 403, 200, 403]),
        (Method::POST, "/fileSystemGroups", Some(json!({})), [403, 403, 403, 403, 403]),
        (Method::GET, resolve.as_str(), None, [200, 200, 403, 200, 403]),
        (Method::GET, quota.as_str(), None, [200, 200, 403, 200, 403]),
        (Method::GET, "/snapshots", None, [200, 200, 403, 200, 403]),
        (Method::POST, "/snapshots", Some(json!({})), [400, 400, 403, 403, 403]),
        (Method::GET, token.as_str(), None, [200, 200, 200, 200, 403]),
        (Method::GET, "/organizations", None, [403, 403, 403, 200, 403]),
        (Method::GET, "/users", None, [200, 403, 403, 200, 403]),
        (Method::POST, "/users", Some(json!({})), [400, 403, 403, 403, 403]),
        (Method::GET, "/s3", None, [403, 403, 403, 200, 403]),
        (Method::GET, "/s3/serviceAccounts", None, [400, 400, 400, 400, 400]),
    ];
    let roles = ["OrgAdmin", "CSI", "Regular", "ReadOnly", "S3"];
    let mut tokens = Vec::new();
    for role in roles {
        tokens.push(bench.user(&format!("user-{role}"), role).await);
    }
    for (method, path, body, expected) in table {
        for ((role, token), expected) in roles.iter().zip(&tokens).zip(expected) {
            let (status, answer) = bench.send(token, method.clone(), path, body.clone()).await;
            assert_eq!(status, expected, "{role} {method} {path}: {answer}");
            if status == 403 {
                assert_eq!(answer, json!({ "data": "Forbidden" }));
            }
        }
    }
}

#[tokio::test]
async fn only_s3_users_pass_the_role_check_of_service_accounts_and_then_miss_the_container() {
    let bench = Bench::start().await;
    let s3 = bench.user("keys", "S3").await;
    let (_, body) = bench.send(&s3, Method::GET, "/s3/serviceAccounts", None).await;
    assert_eq!(body["data"]["exceptionClass"][0], "NoValidProtocolContainerToRunIn");
    let (_, body) = bench.get("/s3/serviceAccounts").await;
    assert_eq!(body["data"]["exceptionClass"][0], "S3RoleOnlyOperation");
}

#[tokio::test]
async fn the_csi_role_resolves_paths_from_4_4_7_on() {
    let bench = Bench::start().await;
    let csi = bench.user("csi", "CSI").await;
    let path = format!("/fileSystems/{}/resolvePath?path=/", bench.fs_uid("default"));
    bench.control().set_release("4.4.6".parse().unwrap());
    assert_eq!(bench.send(&csi, Method::GET, &path, None).await.0, 403);
    bench.control().set_release("4.4.7".parse().unwrap());
    assert_eq!(bench.send(&csi, Method::GET, &path, None).await.0, 200);
}

#[tokio::test]
async fn users_are_made_changed_and_removed_under_the_documented_rules() {
    let bench = Bench::start().await;
    let ask = |name: &str, password: &str, role: &str| json!({ "username": name, "password": password, "role": role });
    for weak in ["Short1", "nouppercase1", "NOLOWERCASE1", "NoDigitsHere"] {
        assert_eq!(bench.post("/users", ask("u", weak, "Regular")).await.0, 400, "{weak}");
    }
    assert_eq!(bench.post("/users", ask("u", "Good-pass1", "Emperor")).await.0, 400);
    let made = bench.post("/users", ask("u", "Good-pass1", "S3")).await.1["data"].clone();
    assert_eq!((&made["role"], &made["policy"]), (&json!("S3"), &json!(null)));
    let (status, body) = bench.post("/users", ask("u", "Good-pass1", "S3")).await;
    assert_eq!((status, &body["message"]), (400, &json!("Could not create user: Username already in use.")));
    let path = format!("/users/{}", made["uid"].as_str().unwrap());
    let (_, body) = bench.put(&path, json!({ "posix_uid": 1000, "posix_gid": 1001 })).await;
    assert_eq!((&body["data"]["posix_uid"], &body["data"]["posix_gid"]), (&json!(1000), &json!(1001)));
    assert_eq!(bench.put(&format!("{path}/password"), json!({ "password": "Other-pass2" })).await.0, 200);
    assert_eq!(bench.try_login("u", "Other-pass2", "Root").await.0, 200);
    assert_eq!(bench.delete(&path).await.0, 200);
    assert_eq!(bench.try_login("u", "Other-pass2", "Root").await.0, 401);
    let me = bench.data("/users/whoami").await["uid"].as_str().unwrap().to_owned();
    assert_eq!(bench.delete(&format!("/users/{me}")).await.0, 400);
    assert_eq!(bench.put(&format!("/users/{me}"), json!({ "role": "ReadOnly" })).await.0, 400);
}
