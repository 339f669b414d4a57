//! Organizations: login by name, isolation, limits.

use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::{Fault, MountRequest, Rule};

use crate::support::Bench;

async fn tenant(bench: &Bench, name: &str, quota: u64) -> (Value, String) {
    let body = json!({ "name": name, "username": format!("{name}-admin"), "password": "Org1Admin!",
        "total_quota": quota });
    let (status, made) = bench.post("/organizations", body).await;
    assert_eq!(status, 200, "{made}");
    let token = bench.login(&format!("{name}-admin"), "Org1Admin!", name).await;
    (made["data"].clone(), token)
}

#[tokio::test]
async fn an_organization_comes_with_its_admin_and_rounded_limits() {
    let bench = Bench::start().await;
    assert_eq!(bench.data("/organizations/multipleOrgsExist").await, false);
    let (row, token) = tenant(&bench, "tenant-a", 10_000_000_000).await;
    assert_eq!((&row["id"], &row["total_quota"]), (&json!(1), &json!(10_000_003_072_u64)));
    assert_eq!(bench.data("/organizations/multipleOrgsExist").await, true);
    let me = bench.send(&token, Method::GET, "/users/whoami", None).await.1["data"].clone();
    assert_eq!((&me["org_name"], &me["role"], &me["org_id"]), (&json!("tenant-a"), &json!("OrgAdmin"), &json!(1)));
    assert_eq!(bench.try_login("tenant-a-admin", "Org1Admin!", "Root").await.0, 401);
    let root = &bench.data("/organizations").await[0];
    let limits = format!("/organizations/{}/limits", root["uid"].as_str().unwrap());
    assert_eq!(bench.put(&limits, json!({ "total_quota": 1 })).await.0, 400);
}

#[tokio::test]
async fn organizations_do_not_see_each_others_filesystems_and_share_the_cluster() {
    let bench = Bench::start().await;
    let (_, token) = tenant(&bench, "tenant-a", 4 << 30).await;
    let ask = |name: &str, bytes: u64| json!({ "name": name, "group_name": "default", "total_capacity": bytes });
    assert_eq!(bench.send(&token, Method::GET, "/fileSystems", None).await.1["data"], json!([]));
    let (status, made) = bench.send(&token, Method::POST, "/fileSystems", Some(ask("default", 3 << 30))).await;
    assert_eq!((status, &made["data"]["auth_required"]), (200, &json!(true)));
    let uid = made["data"]["uid"].as_str().unwrap();
    assert_eq!(bench.get(&format!("/fileSystems/{uid}")).await.0, 404);
    assert_eq!(bench.get(&format!("/fileSystems/{uid}/mountToken")).await.0, 403);
    let (status, body) = bench.send(&token, Method::POST, "/fileSystems", Some(ask("more", 2 << 30))).await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("insufficient capacity"));
}

#[tokio::test]
async fn deleting_and_revoking_an_organization_ends_its_sessions() {
    let bench = Bench::start().await;
    let (row, token) = tenant(&bench, "tenant-a", 0).await;
    let path = format!("/organizations/{}", row["uid"].as_str().unwrap());
    assert_eq!(bench.delete(&format!("{path}/revoke")).await.0, 200);
    assert_eq!(bench.send(&token, Method::GET, "/users/whoami", None).await.0, 401);
    bench.login("tenant-a-admin", "Org1Admin!", "tenant-a").await;
    assert_eq!(bench.delete(&path).await.0, 200);
    assert_eq!(bench.try_login("tenant-a-admin", "Org1Admin!", "tenant-a").await.0, 401);
}

#[tokio::test]
async fn the_table_of_organizations_is_finite() {
    let bench = Bench::start().await;
    let ask = json!({ "name": "t", "username": "t-admin", "password": "Org1Admin!" });
    bench.control().add_fault(Rule::new(Fault::OrganizationTableFull).times(1));
    let (status, body) = bench.post("/organizations", ask.clone()).await;
    assert_eq!((status, &body["message"]), (400, &json!("Could not create tenant: Tenant table is full")));
    bench.switch("organization_limit", json!(1));
    assert_eq!(bench.post("/organizations", ask.clone()).await.0, 400);
    bench.switch("organization_limit", json!(2));
    assert_eq!(bench.post("/organizations", ask).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filesystem_of_an_organization_mounts_only_with_its_token_and_by_a_stateless_client() {
    let bench = Bench::start().await;
    let (_, token) = tenant(&bench, "tenant-a", 0).await;
    let ask = json!({ "name": "tenant-fs", "group_name": "default", "total_capacity": 1_u64 << 30 });
    let made = bench.send(&token, Method::POST, "/fileSystems", Some(ask)).await.1["data"].clone();
    bench.control().clock().advance(1000);
    let path = format!("/fileSystems/{}/mountToken", made["uid"].as_str().unwrap());
    let answer = bench.send(&token, Method::GET, &path, None).await.1["data"].clone();
    assert_eq!(answer["filesystem_name"], "tenant-fs");
    let mount_token = answer["mount_token"].as_str().map(str::to_owned);
    let ask = |filesystem: &str, token: &Option<String>| MountRequest {
        filesystem: filesystem.to_owned(),
        target: bench.target("m"),
        token: token.clone(),
        ..Default::default()
    };
    for refused in [ask("tenant-fs", &None), ask("tenant-fs", &mount_token), ask("b0,b1/default", &mount_token)] {
        bench.control().mount(&refused).unwrap_err();
    }
    let mount = bench.mount_as(ask("b0,b1/tenant-fs", &mount_token));
    std::fs::write(mount.join("f"), b"mine").unwrap();
    assert_eq!(bench.control().mounts()[0].user.as_deref(), Some("tenant-a-admin@tenant-a"));
}

#[tokio::test]
async fn quotas_of_an_organization_hold_for_ssd_too_and_never_fall_below_what_it_has() {
    let bench = Bench::start().await;
    let (row, token) = tenant(&bench, "tenant-a", 0).await;
    let limits = format!("/organizations/{}/limits", row["uid"].as_str().unwrap());
    assert_eq!(bench.put(&limits, json!({ "ssd_quota": 3_u64 << 30 })).await.0, 200);
    let ask = |name: &str, ssd: u64| {
        Some(json!({ "name": name, "group_name": "default", "total_capacity": 2_u64 << 30, "ssd_capacity": ssd << 30 }))
    };
    assert_eq!(bench.send(&token, Method::POST, "/fileSystems", ask("one", 2)).await.0, 200);
    let (status, body) = bench.send(&token, Method::POST, "/fileSystems", ask("two", 2)).await;
    assert_eq!((status, body["message"].as_str().unwrap().contains("insufficient capacity")), (400, true), "{body}");
    assert_eq!(bench.send(&token, Method::POST, "/fileSystems", ask("two", 1)).await.0, 200);
    assert_eq!(bench.put(&limits, json!({ "total_quota": 3_u64 << 30 })).await.0, 400);
    assert_eq!(bench.put(&limits, json!({ "total_quota": 4_u64 << 30 })).await.0, 200);
    bench.control().set_release("5.0.0".parse().unwrap());
    let free = bench.send(&token, Method::GET, "/fileSystems/freeSpaceInOrg", None).await.1;
    assert_eq!(free["data"]["total_free_bytes"], 0);
    let root = bench.data("/organizations").await[0]["uid"].as_str().unwrap().to_owned();
    assert_eq!(bench.put(&format!("/organizations/{root}/limits"), json!({ "total_quota": 1 })).await.0, 400);
    let rename = format!("/organizations/{}", row["uid"].as_str().unwrap());
    assert_eq!(bench.put(&rename, json!({ "new_name": "Root" })).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_5_1_on_clients_of_an_organization_need_a_network_space_unless_it_says_otherwise() {
    let options = weka_emulator::Options { release: Some("5.1.2".parse().unwrap()), ..Default::default() };
    let bench = Bench::with(options).await;
    let mount = async |name: &str, enforce: Option<bool>| {
        let mut ask = json!({ "name": name, "username": "a", "password": "Org1Admin!" });
        ask.as_object_mut().unwrap().extend(enforce.map(|on| ("enforce_mount_netspace_access".to_owned(), json!(on))));
        assert_eq!(bench.post("/tenants", ask).await.0, 200);
        let token = bench.login("a", "Org1Admin!", name).await;
        let ask = json!({ "name": "fs", "group_name": "default", "total_capacity": 1_u64 << 30 });
        let made = bench.send(&token, Method::POST, "/fileSystems", Some(ask)).await.1;
        let path = format!("/fileSystems/{}/mountToken", made["data"]["uid"].as_str().unwrap());
        crate::support::until("the filesystem is ready", async || {
            bench.send(&token, Method::GET, "/fileSystems", None).await.1["data"][0]["is_ready"] == true
        })
        .await;
        let issued = bench.send(&token, Method::POST, &path, Some(json!({ "read_only": true }))).await.1;
        bench.control().mount(&MountRequest {
            filesystem: "backend/fs".to_owned(),
            target: bench.target(name),
            token: Some(issued["data"]["mount_token"].as_str().unwrap().to_owned()),
            ..Default::default()
        })
    };
    let refused = mount("fenced", None).await.unwrap_err();
    assert!(refused.to_string().contains("has no network spaces attached"), "{refused}");
    let made = mount("open", Some(false)).await.unwrap();
    assert!(made.server_read_only, "the token was read-only");
    let whoami = bench.login("a", "Org1Admin!", "open").await;
    let me = bench.send(&whoami, Method::GET, "/users/whoami", None).await.1;
    assert_eq!(me["data"]["role"], "TenantAdmin");
}
