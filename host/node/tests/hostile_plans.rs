//! What a hostile host, plugin or tenant may put into a plan, and what the node makes of it: nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use stowage_node::config::NodeConfig;
use stowage_node::mounting::{Delivered, Mounter};
use stowage_node::orders;
use stowage_proto::v1::mount_source::Kind;
use stowage_proto::v1::{AccessMode, ClientSource, HostPathSource, Mount, MountOption, MountSource};

const PROVIDER: &str = "providers/one";
const NOTHING: Delivered = Delivered { options: Vec::new(), environment: Vec::new() };

/// A node whose one client kind writes a file if its program is ever run.
fn node(root: &Path) -> Mounter {
    std::fs::create_dir_all(root.join("data/ns")).unwrap();
    std::os::unix::fs::symlink("/etc", root.join("data/ns/link")).unwrap();
    let text = format!(
        r#"
        name = "n"
        server = "http://127.0.0.1:1"
        state_dir = "{0}/state"
        mount_root = "{0}/mounts"
        [roots.data]
        path = "{0}/data"
        providers = ["{PROVIDER}"]
        [clients.parallel]
        program = "/usr/bin/touch"
        arguments = ["{0}/was-run"]
        source_with_servers = "{{servers}}/{{filesystem}}"
        source = "{{filesystem}}"
        allowed_options = ["readcache"]
        "#,
        root.display()
    );
    Mounter::open(NodeConfig::parse(&text, "node.toml").unwrap()).unwrap()
}

fn client(kind: &str, filesystem: &str, options: &[(&str, &str)]) -> Mount {
    let source = ClientSource { client_kind: kind.into(), filesystem: filesystem.into(), ..Default::default() };
    let option = |(key, value): &(&str, &str)| MountOption { key: (*key).into(), value: (*value).into() };
    Mount {
        source: Some(MountSource { kind: Some(Kind::Client(source)) }),
        mode: AccessMode::ReadWrite.into(),
        options: options.iter().map(option).collect(),
        ..Default::default()
    }
}

fn host_path(root: &str, path: &str, subpath: &str) -> Mount {
    let source = HostPathSource { root: root.into(), path: path.into() };
    Mount {
        source: Some(MountSource { kind: Some(Kind::HostPath(source)) }),
        mode: AccessMode::ReadOnly.into(),
        subpath: subpath.into(),
        ..Default::default()
    }
}

async fn refused(mount: Mount) -> &'static str {
    let root = tempfile::tempdir().unwrap();
    let mounter = node(root.path());
    let order = orders::mount(&mount).unwrap();
    let error = mounter.mount("m", "plan", PROVIDER, &[order], &NOTHING).await.unwrap_err();
    assert!(!root.path().join("was-run").exists(), "a program ran: {error}");
    let targets = std::fs::read_dir(root.path().join("mounts")).unwrap();
    for target in targets.flatten() {
        assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 0, "something is mounted: {error}");
    }
    error.reason()
}

#[tokio::test]
async fn a_program_as_client_kind_is_not_run() {
    for kind in ["/bin/sh", "sh", "../parallel", ""] {
        assert_eq!(refused(client(kind, "fs", &[])).await, "UNKNOWN_CLIENT_KIND");
    }
}

#[tokio::test]
async fn options_that_the_node_does_not_list_are_refused() {
    for option in [("suid", ""), ("dev", ""), ("readcache", "x,suid"), ("bind", ""), ("loop", "/dev/sda")] {
        assert_eq!(refused(client("parallel", "fs", &[option])).await, "PLAN_REFUSED");
    }
}

#[tokio::test]
async fn a_file_system_name_that_is_an_argument_or_a_path_is_refused() {
    for filesystem in ["-obind", "../../etc", "/etc", "fs with space", ""] {
        assert_eq!(refused(client("parallel", filesystem, &[])).await, "PLAN_REFUSED");
    }
}

#[tokio::test]
async fn a_host_path_outside_the_bound_roots_is_refused() {
    for root in ["/etc", "etc", "", "data/../.."] {
        assert_eq!(refused(host_path(root, "", "")).await, "UNKNOWN_SOURCE_ROOT");
    }
}

#[tokio::test]
async fn a_path_that_climbs_or_leads_through_a_link_is_refused() {
    for (path, subpath) in [("../..", ""), ("ns", "../../.."), ("ns", "link"), ("ns/link", ""), ("ns", "link/ssl")] {
        assert_eq!(refused(host_path("data", path, subpath)).await, "PATH_ESCAPES", "{path} {subpath}");
    }
}

#[test]
fn a_source_that_a_node_cannot_mount_is_refused_before_anything_happens() {
    let object = Kind::Object(Default::default());
    let mount = Mount {
        source: Some(MountSource { kind: Some(object) }),
        mode: AccessMode::ReadOnly.into(),
        ..Default::default()
    };
    assert!(orders::mount(&mount).is_err());
}
