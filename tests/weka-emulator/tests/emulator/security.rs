//! Security policies: making them, attaching them, and the fences they are.

use std::fs;

use rustix::io::Errno;
use serde_json::{Value, json};
use weka_emulator::{ControlError, MountRequest};

use crate::support::{Bench, errno};

async fn policy(bench: &Bench, body: Value) -> String {
    let (status, made) = bench.post("/security/policies", body).await;
    assert_eq!(status, 200, "{made}");
    made["data"]["uid"].as_str().unwrap().to_owned()
}

async fn attach(bench: &Bench, filesystem: &str, policies: &[&str]) {
    let path = format!("/fileSystems/{}/securityPolicy/attach", bench.fs_uid(filesystem));
    assert_eq!(bench.post(&path, json!({ "policies": policies })).await.0, 200);
}

fn ask(bench: &Bench, client: &str) -> MountRequest {
    MountRequest {
        filesystem: "gpuaas-fs".to_owned(),
        target: bench.target(client),
        client_ip: Some(client.parse().unwrap()),
        ..Default::default()
    }
}

#[tokio::test]
async fn policies_are_made_changed_attached_and_kept_while_attached() {
    let bench = Bench::start().await;
    let body = json!({ "name": "nodes", "action": "Allow", "ip": ["10.0.0.0/24"], "read_only": false });
    let uid = policy(&bench, body.clone()).await;
    assert_eq!(bench.post("/security/policies", body).await.0, 400);
    assert_eq!(bench.post("/security/policies", json!({ "name": "bad", "ip": ["tomato"] })).await.0, 400);
    let path = format!("/security/policies/{uid}");
    let change = json!({ "name": "nodes", "add_ip": ["10.1.0.1"], "remove_ip": ["10.0.0.0/24"] });
    assert_eq!(bench.patch(&path, change).await.1["data"]["ips"], json!(["10.1.0.1"]));
    attach(&bench, "gpuaas-fs", &[&uid]).await;
    let on = format!("/fileSystems/{}/securityPolicy", bench.fs_uid("gpuaas-fs"));
    assert_eq!(bench.data(&on).await[0]["uid"], uid);
    assert_eq!(bench.data(&path).await["ref_count"], 1);
    assert_eq!(bench.delete(&path).await.0, 400);
    assert_eq!(bench.post(&format!("{on}/detach"), json!({ "policies": [uid] })).await.1["data"], json!([]));
    assert_eq!(bench.delete(&path).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_lets_in_whom_it_names_and_nobody_else() {
    let bench = Bench::start().await;
    let nodes = policy(&bench, json!({ "name": "nodes", "ip": ["10.0.0.0/24"] })).await;
    let bad = policy(&bench, json!({ "name": "bad", "action": "Deny", "ip": ["10.0.0.66"] })).await;
    bench.mount_as(ask(&bench, "192.168.0.1"));
    attach(&bench, "gpuaas-fs", &[&nodes, &bad]).await;
    bench.mount_as(ask(&bench, "10.0.0.1"));
    for client in ["10.0.1.1", "10.0.0.66"] {
        let ControlError::Mount(refused) = bench.control().mount(&ask(&bench, client)).unwrap_err() else {
            panic!("not refused as a mount");
        };
        assert_eq!(refused.status, 403);
        assert!(refused.message.contains("no security policy"), "{refused}");
    }
    fs::write(bench.target("192.168.0.1").join("f"), b"a mount that exists goes on").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_policy_holds_against_a_client_that_mounts_rw() {
    let bench = Bench::start().await;
    let readers = policy(&bench, json!({ "name": "readers", "ip": ["10.0.0.2"], "read_only": true })).await;
    let writers = policy(&bench, json!({ "name": "writers", "ip": ["10.0.0.1"] })).await;
    attach(&bench, "gpuaas-fs", &[&readers, &writers]).await;
    let writer = bench.mount_as(ask(&bench, "10.0.0.1"));
    let reader = bench.mount_as(ask(&bench, "10.0.0.2"));
    fs::write(writer.join("f"), b"data").unwrap();
    assert_eq!(fs::read(reader.join("f")).unwrap(), b"data");
    assert_eq!(errno(fs::write(reader.join("g"), b"x")), Errno::ROFS.raw_os_error());
    assert_eq!(errno(fs::write(reader.join("f"), b"x")), Errno::ROFS.raw_os_error());
    assert_eq!(errno(fs::remove_file(reader.join("f"))), Errno::ROFS.raw_os_error());
    assert_eq!(errno(fs::create_dir(reader.join("d"))), Errno::ROFS.raw_os_error());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_on_joining_clients_stops_those_that_join_to_mount() {
    let bench = Bench::start().await;
    let uid = policy(&bench, json!({ "name": "racks", "ip": ["10.0.0.0/24"] })).await;
    let (status, body) = bench.put("/security/join/client/securityPolicy", json!({ "policies": [uid] })).await;
    assert_eq!((status, &body["data"][0]["name"]), (200, &json!("racks")));
    let mount = |filesystem: &str, client: &str, name: &str| {
        bench.control().mount(&MountRequest {
            filesystem: filesystem.to_owned(),
            target: bench.target(name),
            client_ip: Some(client.parse().unwrap()),
            ..Default::default()
        })
    };
    assert!(mount("b0/default", "10.9.0.1", "x").is_err());
    mount("b0/default", "10.0.0.1", "inside").unwrap();
    mount("default", "10.9.0.1", "joined").unwrap();
    assert_eq!(bench.delete(&format!("/security/policies/{uid}")).await.0, 400, "it is in use");
    assert_eq!(bench.get("/security/join/tomato/securityPolicy").await.0, 404);
}

#[tokio::test]
async fn policies_can_be_tried_out_and_duplicated() {
    let bench = Bench::start().await;
    let allow = policy(&bench, json!({ "name": "in", "ip": ["10.0.0.0/24"], "read_only": true })).await;
    let deny = policy(&bench, json!({ "name": "out", "action": "Deny", "ip": ["10.0.0.7"], "role": ["CSI"] })).await;
    let test = async |ip: &str, more: &str| {
        bench.data(&format!("/security/policies/test?policies={allow},{deny}&ip={ip}{more}")).await
    };
    let found = test("10.0.0.1", "").await;
    assert_eq!(
        (&found["action"], &found["read_only"], &found["policy"]["name"]),
        (&json!("Allow"), &json!(true), &json!("in"))
    );
    assert_eq!(test("10.0.0.7", "").await["policy"]["name"], "out");
    assert_eq!(test("10.0.0.7", "&role=OrgAdmin").await["action"], "Allow");
    let none = test("192.168.0.1", "").await;
    assert_eq!((&none["action"], &none["explicit"]), (&json!("Deny"), &json!(false)));
    assert_eq!(bench.get("/security/policies/test?policies=x&ip=10.0.0.1").await.0, 400);
    let copy = bench.post(&format!("/security/policies/{deny}/duplicate"), json!({ "name": "out-too" })).await.1;
    assert_eq!((&copy["data"]["action"], &copy["data"]["ips"]), (&json!("Deny"), &json!(["10.0.0.7"])));
    assert_ne!(copy["data"]["uid"], json!(deny));
}
