//! Golden plans: each case as an operator would read it, with the `mount` line that a node makes of it.

use stowage_provider_sdk::prelude::MountSource;

use super::*;
use crate::mount_tokens::Sealed;

fn config(text: &str) -> Config {
    let with_filesystem = format!(r#"{{"filesystem":"gpuaas-kind-fs",{text}}}"#);
    serde_json::from_str::<Config>(if text.contains("isolation") { text } else { &with_filesystem }).unwrap()
}

fn shared() -> Target {
    Target {
        filesystem: "gpuaas-kind-fs".to_owned(),
        path: "stowage/ab12cd34-ef56gh78ij".to_owned(),
        organization: None,
    }
}

fn whole() -> Target {
    Target { filesystem: "sw-ab12cd34-ef56gh78ij-abcdefgh".to_owned(), path: String::new(), organization: None }
}

fn request(prefixes: &[(&str, AccessMode)]) -> MountRequest {
    MountRequest {
        namespace: Vec::new(),
        workload: "job-1".to_owned(),
        node: "node-a".to_owned(),
        node_addresses: vec!["10.0.1.7".to_owned()],
        prefixes: prefixes.iter().map(|(prefix, mode)| ((*prefix).to_owned(), mode.clone())).collect(),
        multi_writer: false,
        form: PlanForm::NodeMount,
        extensions: Vec::new(),
    }
}

/// The plan as text, and the command line that the documented node configuration makes of its first mount.
fn told(plan: &MountPlan) -> String {
    let mut lines = Vec::new();
    for mount in &plan.mounts {
        let MountSource::Client(source) = &mount.source else { panic!("{:?}", mount.source) };
        let mut options: Vec<String> =
            mount.options.iter().map(|(k, v)| if v.is_empty() { k.clone() } else { format!("{k}={v}") }).collect();
        for secret in &plan.secrets {
            let Delivery::OptionKey(key) = &secret.deliver else { panic!("{:?}", secret.deliver) };
            options.push(format!("{key}=<{}>", secret.handle));
        }
        options.push(if mount.mode == AccessMode::ReadOnly { "ro" } else { "rw" }.to_owned());
        let from = match source.servers.as_slice() {
            [] => source.filesystem.clone(),
            servers => format!("{}/{}", servers.join(","), source.filesystem),
        };
        assert!(source.path.is_empty(), "a source names no directory");
        lines.push(format!("mount -t {} -o {} {from} <staging>", source.client_kind, options.join(",")));
        lines.push(format!("bind <staging>/{} ({:?}, enforced by {:?})", mount.subpath, mount.mode, mount.enforced_by));
    }
    lines.extend(plan.prerequisites.iter().map(|needed| format!("needs {}", needed.kind)));
    lines.extend(plan.extensions.iter().map(|(key, value)| format!("{key}: {value}")));
    lines.push(format!("ref {}", String::from_utf8_lossy(&plan.ref_)));
    lines.join("\n")
}

fn golden(name: &str, config: &Config, target: &Target, request: &MountRequest, held: &Held) {
    let plan = compile(config, target, request, held).unwrap();
    insta::assert_snapshot!(name, told(&plan));
}

fn in_organization() -> Target {
    Target { organization: Some("sw-acme-ai-abcdefgh".to_owned()), ..whole() }
}

fn sealed(read_only: bool) -> Held {
    let until = read_only.then_some(1_900_000_000_000);
    Held { token: Token::Sealed(Sealed { handle: "sealed:17".to_owned(), read_only, until }), fence: None }
}

const STATELESS: &str =
    r#""mount":{"client":"stateless","backends":["10.0.0.1","10.0.0.2"],"net":["udp"],"num_cores":0}"#;
const DPDK: &str =
    r#""mount":{"client":"stateless","backends":["10.0.0.1"],"net":["ib0/10.1.0.5/24/10.1.0.1","ib1"],"num_cores":2}"#;
const ORGANIZATION: &str =
    r#""organization":"tenant-a","mount":{"client":"stateless","backends":["10.0.0.1"],"net":["udp"]}"#;
const FILESYSTEM: &str = r#"{"isolation":"filesystem","mount":{"client":"stateful"}}"#;

#[test]
fn a_stateful_client_mounts_by_name() {
    let request = request(&[("", AccessMode::ReadWrite)]);
    golden("stateful_rw", &config(r#""mount":{}"#), &shared(), &request, &Held::default());
}

#[test]
fn a_read_only_mount_says_that_only_the_client_enforces_it() {
    let request = request(&[("", AccessMode::ReadOnly)]);
    golden("stateful_ro", &config(r#""mount":{}"#), &shared(), &request, &Held::default());
}

#[test]
fn a_stateless_client_on_udp_names_its_backends() {
    let request = request(&[("", AccessMode::ReadWrite)]);
    golden("stateless_udp", &config(STATELESS), &shared(), &request, &Held::default());
}

#[test]
fn a_stateless_client_on_dpdk_has_its_devices_and_cores() {
    let request = request(&[("", AccessMode::ReadWrite)]);
    golden("stateless_dpdk", &config(DPDK), &shared(), &request, &Held::default());
}

#[test]
fn a_token_travels_by_handle() {
    let request = request(&[("", AccessMode::ReadWrite)]);
    golden("token_option", &config(STATELESS), &shared(), &request, &sealed(false));
}

#[test]
fn a_token_file_is_named_by_an_option() {
    let request = request(&[("", AccessMode::ReadWrite)]);
    let file = Held { token: Token::File("/etc/weka/stowage-token.json".to_owned()), fence: None };
    golden("token_file", &config(STATELESS), &shared(), &request, &file);
}

#[test]
fn an_organization_mounts_stateless_and_with_a_token() {
    let request = request(&[("", AccessMode::ReadWrite)]);
    golden("organization", &config(ORGANIZATION), &shared(), &request, &sealed(false));
}

#[test]
fn prefixes_become_subpaths_each_with_its_mode_and_never_a_wider_one() {
    let request = request(&[("datasets/", AccessMode::ReadOnly), ("checkpoints", AccessMode::ReadWrite)]);
    golden("subdirectories", &config(STATELESS), &shared(), &request, &Held::default());
}

#[test]
fn a_filesystem_of_its_own_is_kept_by_its_token() {
    let request = request(&[("", AccessMode::ReadWrite), ("", AccessMode::ReadOnly)]);
    golden("filesystem", &config(FILESYSTEM), &whole(), &request, &sealed(false));
}

#[test]
fn a_class_chooses_cache_and_access_times() {
    let mut request = request(&[("", AccessMode::ReadWrite)]);
    request.multi_writer = true;
    request.extensions =
        vec![("mount.option.forcedirect".to_owned(), String::new()), ("unrelated".to_owned(), "x".to_owned())];
    let config = config(r#""mount":{"options":{"writecache":"","noatime":"","readahead_kb":"1024"}}"#);
    golden("class_options", &config, &shared(), &request, &Held::default());
}

#[test]
fn a_kubernetes_volume_has_the_handle_of_a_directory() {
    let mut request = request(&[("", AccessMode::ReadWrite), ("datasets", AccessMode::ReadOnly)]);
    request.form = PlanForm::CsiVolume;
    let config = config(r#""mount":{"options":{"noatime":"","readahead_kb":"1024"}}"#);
    golden("csi_directory", &config, &shared(), &request, &Held::default());
}

#[test]
fn a_kubernetes_volume_has_the_handle_of_a_filesystem() {
    let mut request = request(&[("", AccessMode::ReadWrite), ("datasets", AccessMode::ReadOnly)]);
    request.form = PlanForm::CsiVolume;
    golden("csi_filesystem", &config(FILESYSTEM), &whole(), &request, &Held::default());
}

const TENANTS: &str =
    r#"{"isolation":"organization","mount":{"client":"stateless","backends":["10.0.0.1"],"net":["udp"]}}"#;

#[test]
fn a_tenants_filesystem_is_mounted_from_its_organization_with_its_token() {
    let request = request(&[("", AccessMode::ReadWrite)]);
    golden("tenant", &config(TENANTS), &in_organization(), &request, &sealed(false));
}

#[test]
fn a_kubernetes_volume_of_a_tenant_names_the_organization_that_the_driver_logs_in_to() {
    let mut request = request(&[("", AccessMode::ReadWrite), ("datasets", AccessMode::ReadOnly)]);
    request.form = PlanForm::CsiVolume;
    golden("csi_tenant", &config(TENANTS), &in_organization(), &request, &Held::default());
}

#[test]
fn a_read_only_token_makes_the_server_keep_the_mount_read_only() {
    let request = request(&[("", AccessMode::ReadOnly), ("datasets", AccessMode::ReadOnly)]);
    golden("read_only_token", &config(FILESYSTEM), &whole(), &request, &sealed(true));
}

#[test]
fn a_fence_makes_the_server_keep_the_mount_read_only_unless_the_node_may_write_by_another() {
    let request = request(&[("", AccessMode::ReadOnly)]);
    let raised = |reads_only| {
        let fence = Fence { policy: "p".to_owned(), filesystem_uid: "f".to_owned(), place: None };
        Held { fence: Some(Raised { fence, reads_only }), ..sealed(false) }
    };
    golden("fence", &config(FILESYSTEM), &whole(), &request, &raised(true));
    let plan = compile(&config(FILESYSTEM), &whole(), &request, &raised(false)).unwrap();
    assert_eq!(plan.mounts[0].enforced_by, EnforcedBy::MountOptionOnly);
}

#[test]
fn every_volume_handle_has_one_of_the_published_forms() {
    let csi = |config: &Config, target: &Target| {
        let mut asked = request(&[("", AccessMode::ReadWrite), ("a/b", AccessMode::ReadOnly)]);
        asked.form = PlanForm::CsiVolume;
        let plan = compile(config, target, &asked, &Held::default()).unwrap();
        let handles = plan.extensions.into_iter().filter(|(key, _)| key.ends_with("volume-handle"));
        handles.map(|(_, handle)| handle).collect::<Vec<_>>()
    };
    assert_eq!(
        csi(&config(STATELESS), &shared()),
        ["dir/v1/gpuaas-kind-fs/stowage/ab12cd34-ef56gh78ij", "dir/v1/gpuaas-kind-fs/stowage/ab12cd34-ef56gh78ij/a/b"]
    );
    for (config, target) in [(config(FILESYSTEM), whole()), (config(TENANTS), in_organization())] {
        let stem = "weka/v2/sw-ab12cd34-ef56gh78ij-abcdefgh";
        assert_eq!(csi(&config, &target), [stem.to_owned(), format!("{stem}/a/b")]);
    }
}

#[test]
fn what_a_plan_cannot_say_is_refused() {
    let config = config(STATELESS);
    let refused = |request: &MountRequest| compile(&config, &shared(), request, &Held::default()).unwrap_err();
    for prefix in ["../other", "a/../b", "a\nb", ".stowage-trash/x", "a//b"] {
        assert!(refused(&request(&[(prefix, AccessMode::ReadWrite)])).message.contains("prefixes.0"), "{prefix}");
    }
    assert!(refused(&request(&[])).message.contains("prefixes"));
    for (key, value) in [("suid", ""), ("token", "x"), ("num_cores", "9"), ("net", "udp"), ("noatime", "1")] {
        let mut asked = request(&[("", AccessMode::ReadWrite)]);
        asked.extensions = vec![(format!("mount.option.{key}"), value.to_owned())];
        assert!(refused(&asked).message.contains(key), "{key}");
    }
    let mut asked = request(&[("", AccessMode::ReadWrite)]);
    asked.form = PlanForm::HostPrepared;
    assert!(refused(&asked).message.contains("not supported"));
}
