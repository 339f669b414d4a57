//! Mounting: tokens, refusals, namespaces, and leaving nothing behind.

use std::fs;
use std::process::{Command, Stdio};

use reqwest::Method;
use rustix::io::Errno;
use serde_json::json;
use weka_emulator::{ControlError, Emulator, Mode, MountRequest, Options};

use crate::support::{Bench, errno, is_mounted, until};

fn status(error: ControlError) -> u16 {
    match error {
        ControlError::Mount(refused) => refused.status,
        other => panic!("not refused as a mount: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filesystem_that_requires_authentication_needs_a_good_token_of_its_own() {
    let bench = Bench::start().await;
    let fs_uid = bench.fs_uid("gpuaas-fs");
    bench.put(&format!("/fileSystems/{fs_uid}"), json!({ "auth_required": true })).await;
    let token = async |name: &str| {
        let path = format!("/fileSystems/{}/mountToken", bench.fs_uid(name));
        bench.data(&path).await["mount_token"].as_str().unwrap().to_owned()
    };
    let ask = |token: Option<String>| MountRequest {
        filesystem: "gpuaas-fs".to_owned(),
        target: bench.target("m"),
        token,
        ..Default::default()
    };
    assert_eq!(status(bench.control().mount(&ask(None)).unwrap_err()), 403);
    assert_eq!(status(bench.control().mount(&ask(Some("forged".to_owned()))).unwrap_err()), 403);
    let other = token("default").await;
    assert_eq!(status(bench.control().mount(&ask(Some(other))).unwrap_err()), 403);
    let good = token("gpuaas-fs").await;
    bench.control().clock().advance(3_600_001);
    assert_eq!(status(bench.control().mount(&ask(Some(good))).unwrap_err()), 403);
    let (_, login) = bench.try_login("admin", weka_emulator::DEFAULT_PASSWORD, "Root").await;
    let access = login["data"]["access_token"].as_str().unwrap().to_owned();
    let path = format!("/fileSystems/{fs_uid}/mountToken");
    let answer = bench.send(&access, Method::GET, &path, None).await.1;
    let good = answer["data"]["mount_token"].as_str().unwrap().to_owned();
    let mount = bench.mount_as(MountRequest { options: format!("rw,token={good}"), ..ask(None) });
    assert!(is_mounted(&mount));
    bench.control().unmount(&mount, None).unwrap();
    bench.control().clock().advance(301_000);
    let file =
        MountRequest { refresh_token: login["data"]["refresh_token"].as_str().map(str::to_owned), ..ask(Some(access)) };
    bench.mount_as(file);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_user_mounts_no_more_but_its_mounts_go_on() {
    let bench = Bench::start().await;
    let token = bench.user("mounter", "Regular").await;
    let path = format!("/fileSystems/{}/mountToken", bench.fs_uid("default"));
    let answer = bench.send(&token, Method::GET, &path, None).await.1;
    let ask = |name: &str| MountRequest {
        filesystem: "default".to_owned(),
        target: bench.target(name),
        token: answer["data"]["mount_token"].as_str().map(str::to_owned),
        ..Default::default()
    };
    let mount = bench.mount_as(ask("one"));
    let users = bench.data("/users").await;
    let user = users.as_array().unwrap().iter().find(|user| user["username"] == "mounter").unwrap();
    bench.delete(&format!("/users/{}/revoke", user["uid"].as_str().unwrap())).await;
    assert_eq!(status(bench.control().mount(&ask("two")).unwrap_err()), 403);
    fs::write(mount.join("f"), b"still here").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_token_and_a_client_that_mounts_ro_both_end_in_erofs() {
    let newer = Options { release: Some("5.1.2".parse().unwrap()), ..Options::default() };
    let bench = Bench::with(newer).await;
    let path = format!("/fileSystems/{}/mountToken", bench.fs_uid("default"));
    let (_, answer) = bench.post(&path, json!({ "read_only": true, "expires": 60 })).await;
    let by_token = bench.mount_as(MountRequest {
        filesystem: "default".to_owned(),
        target: bench.target("token"),
        token: answer["data"]["mount_token"].as_str().map(str::to_owned),
        ..Default::default()
    });
    let by_client = bench.mount_as(MountRequest {
        filesystem: "default".to_owned(),
        target: bench.target("client"),
        mode: Some(Mode::Ro),
        ..Default::default()
    });
    for mount in [by_token, by_client] {
        assert_eq!(errno(fs::write(mount.join("f"), b"x")), Errno::ROFS.raw_os_error());
    }
    let rows = bench.control().mounts();
    let server_side: Vec<bool> = rows.iter().map(|row| row.server_read_only).collect();
    assert_eq!(server_side, [true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_filesystems_wrong_options_and_taken_targets_are_refused() {
    let bench = Bench::start().await;
    let ask = |filesystem: &str, options: &str| MountRequest {
        filesystem: filesystem.to_owned(),
        target: bench.target("m"),
        options: options.to_owned(),
        ..Default::default()
    };
    assert_eq!(status(bench.control().mount(&ask("nope", "")).unwrap_err()), 404);
    assert_eq!(status(bench.control().mount(&ask("default", "subdir=/a")).unwrap_err()), 400);
    let mount = bench.mount_as(ask("default", "rw,nosuid,nodev,noexec,net=udp"));
    assert_eq!(status(bench.control().mount(&ask("default", "")).unwrap_err()), 409);
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let line = mounts.lines().find(|line| line.contains(mount.to_str().unwrap())).unwrap();
    assert!(line.starts_with("default ") && line.contains("fuse.wekafs rw,nosuid,nodev,noexec"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_unmounts_by_itself_is_forgotten_and_may_mount_again() {
    let bench = Bench::start().await;
    let mount = bench.mount("default", "a");
    rustix::mount::unmount(&mount, rustix::mount::UnmountFlags::empty()).unwrap();
    until("the mount is forgotten", async || bench.control().mounts().is_empty()).await;
    bench.mount("default", "a");
    assert!(is_mounted(&mount));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_can_be_made_in_the_private_namespace_of_another_process() {
    let bench = Bench::start().await;
    let mut other = Command::new("unshare").args(["--mount", "cat"]).stdin(Stdio::piped()).spawn().unwrap();
    let pid = other.id();
    let ours = fs::read_link("/proc/self/ns/mnt").unwrap();
    until("the process has its namespace", async || {
        fs::read_link(format!("/proc/{pid}/ns/mnt")).is_ok_and(|theirs| theirs != ours)
            && fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "cat")
    })
    .await;
    let target = bench.target("private");
    let ask =
        MountRequest { filesystem: "default".to_owned(), target: target.clone(), pid: Some(pid), ..Default::default() };
    bench.mount_as(ask);
    assert!(!is_mounted(&target));
    let theirs = format!("/proc/{pid}/root{}", target.display());
    fs::write(format!("{theirs}/f"), b"seen from inside").unwrap();
    assert_eq!(bench.control().read_file(None, "default", "/f").unwrap(), b"seen from inside");
    bench.control().unmount(&target, Some(pid)).unwrap();
    assert!(!fs::exists(format!("{theirs}/f")).unwrap());
    drop(other.stdin.take());
    other.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_emulator_unmounts_even_a_busy_mount() {
    let targets = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let target = targets.path().to_path_buf();
    let ask = MountRequest { filesystem: "default".to_owned(), target: target.clone(), ..Default::default() };
    emulator.control().mount(&ask).unwrap();
    let open = fs::File::create(target.join("f")).unwrap();
    emulator.stop().await;
    assert!(!is_mounted(&target));
    drop(open);
}
