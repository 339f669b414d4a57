//! Guides are run as they are printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use stowage_e2e::Region;

/// The commands of a page's `sh` blocks, in order.
fn commands(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => found.push(line.strip_prefix("stowage ").unwrap_or_else(|| panic!("{line}")).to_owned()),
            _ => {}
        }
    }
    found
}

#[test]
fn the_guide_to_drift_holds_command_by_command() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/train --class scratch --quota 4MiB").success();
    region.operator.run("project create acme/audio --uid 2002 --gid 2002 --quota 64MiB").success();
    let all = commands("drift.md");
    assert!(all.len() > 10, "{all:?}");
    for command in &all {
        let said = region.operator.run(command).success();
        if command.starts_with("mount get") {
            assert!(said.contains("REVOKED"), "{said}");
        }
        if command.starts_with("op list --parent") {
            assert!(said.contains("SUCCEEDED"), "{said}");
        }
    }
}
