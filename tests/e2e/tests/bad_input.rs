//! Bad input gets an error that names the field and the fix, and changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::Value;
use stowage_e2e::Region;

/// Commands that must be refused, and words that the refusal must have.
const REFUSED: &[(&str, &[&str])] = &[
    ("ns create acme/vision/x --class nowhere --quota 1MiB", &["nowhere"]),
    ("ns create acme/vision/Bad_Name --class cheap --quota 1MiB", &["namespace_id", "a-z"]),
    ("ns create acme/nobody/x --class cheap --quota 1MiB", &["acme", "nobody"]),
    ("ns create acme/vision/x --class cheap --quota 1GiB", &["PROJECT_QUOTA", "67108864"]),
    ("ns create acme/vision/x --class cheap --quota 0", &["hard_bytes"]),
    ("ns create acme/vision/x --class cheap --quota 1MiB --soft-quota 2MiB", &["soft_bytes"]),
    ("ns create acme/vision/x --class cheap --quota 1MiB --prefix ../up/", &["prefix"]),
    ("ns create acme/vision/x --class cheap --quota 1MiB --protocol s3", &["protocol"]),
    ("ns get acme/vision/absent", &["absent"]),
    ("ns update acme/vision/absent --deletion-protection true", &["absent"]),
    ("project create acme/root --uid 0 --gid 0", &["uid"]),
    ("tenant create UPPER", &["tenant_id", "a-z"]),
    ("grant create acme/vision/absent --to project:acme/vision --action read", &["absent"]),
    ("provider add two --plugin absent", &["absent", "plugin"]),
    ("provider add two --plugin fake --config '{\"capacity_bytes\":\"many\"}'", &["capacity_bytes"]),
    ("provider add two --plugin fake --config '{\"root\":\"r\",\"colour\":1}'", &["colour"]),
    ("provider add two --plugin weka --config '{}' --plain-http", &["control"]),
    (
        "provider add two --plugin weka --config '{\"filesystem\":\"default\"}' --endpoint control=http://127.0.0.1:9 --plain-http --secret admin=a/b",
        &["filesystem"],
    ),
    ("provider add two --plugin fake --config '{\"root\":\"r\"}' --secret admin=../up", &["secret"]),
    (
        "provider add two --plugin fake --digest sha256:0000000000000000000000000000000000000000000000000000000000000000",
        &["digest", "pinned"],
    ),
    ("op get op-absent", &["op-absent"]),
    ("mount plan acme/vision/absent --namespace acme/vision/x --node node-a", &["absent"]),
];

#[test]
fn each_refusal_names_the_field_and_nothing_is_changed() {
    let region = Region::start("live-4.4.22");
    region.add_fake();
    let state = || -> Vec<Value> {
        ["provider list", "class list", "project list acme", "ns list acme/vision", "op list", "tenant list"]
            .map(|line| region.operator.json(line))
            .into()
    };
    let before = state();
    for (line, words) in REFUSED {
        let refused = region.operator.run(line).failure();
        for word in *words {
            assert!(refused.contains(word), "{line}: the refusal does not say {word:?}:\n{refused}");
        }
    }
    assert_eq!(state(), before, "a refused command changed something");
}

#[test]
fn a_request_id_makes_a_repeat_safe_and_another_request_under_it_is_refused() {
    let mut region = Region::start("live-4.4.22");
    region.add_fake();
    region.add_node("node-a");
    let line = "ns create acme/vision/once --class cheap --quota 1MiB --no-wait --request-id r-1";
    let first = region.operator.json(line);
    let second = region.operator.json(line);
    assert_eq!(first["name"], second["name"], "the repeat is another operation");
    let conflict = region.operator.run(&line.replace("1MiB", "2MiB")).failure();
    assert!(conflict.contains("r-1"), "{conflict}");
}

#[test]
fn a_wrong_plugin_file_is_listed_with_its_reason_and_hurts_no_other() {
    let region = Region::start("live-4.4.22");
    let plugins = region.directory().join("host/plugins");
    std::fs::write(plugins.join("junk.wasm"), b"not wasm at all").unwrap();
    std::fs::write(plugins.join("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let listed = region.operator.json("plugin list");
    let find = |name: &str| listed.as_array().unwrap().iter().find(|plugin| plugin["name"] == name).unwrap().clone();
    for name in ["plugins/junk", "plugins/core"] {
        let plugin = find(name);
        assert_eq!(plugin["state"], "PLUGIN_STATE_REFUSED", "{plugin}");
        assert!(plugin["stateReason"].as_str().unwrap().contains("component"), "{plugin}");
        let refused = region.operator.run(&format!("provider add p --plugin {}", &name["plugins/".len()..])).failure();
        assert!(refused.contains("component"), "{refused}");
    }
    assert_eq!(find("plugins/fake")["state"], "PLUGIN_STATE_ADMITTED");
    region.add_fake();
    let refused = region.operator.run("plugin inspect not-there").failure();
    assert!(refused.contains("not-there"), "{refused}");
}
