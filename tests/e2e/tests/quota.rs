//! Quotas hold where they are set: at the writer, at the project, and while many ask at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use stowage_e2e::Region;

const MIB: usize = 1 << 20;

/// Writes whole MiB until it is stopped, and answers how many and by what.
fn write(path: &Path, most: usize) -> (usize, Option<i32>) {
    let mut file = File::create(path).unwrap();
    let chunk = vec![7_u8; MIB];
    for written in 0..most {
        if let Err(error) = file.write_all(&chunk).and_then(|()| file.sync_data()) {
            return (written, error.raw_os_error());
        }
    }
    (most, None)
}

fn mounted(region: &Region, namespace: &str) -> PathBuf {
    region.operator.run("workload register acme/vision/job").success();
    let line = format!("mount plan acme/vision/job --id m --namespace {namespace} --node node-a --mode rw");
    region.operator.run(&line).success();
    let plan = region.operator.json("mount get acme/vision/job/m");
    region.path(plan["mountPaths"][0].as_str().unwrap())
}

/// What the project's namespaces have reserved; proto JSON leaves a zero out.
fn reserved(region: &Region) -> u64 {
    let project = region.operator.json("project get acme/vision");
    project["bytesReserved"].as_str().map_or(0, |text| text.parse().unwrap())
}

const EDQUOT: i32 = 122;

#[test]
fn a_writer_is_stopped_where_the_quota_stands_now() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/data --class scratch --quota 4MiB").success();
    let file = mounted(&region, "acme/vision/data").join("shared/big");

    let (first, stopped) = write(&file, 32);
    assert_eq!(stopped, Some(EDQUOT), "4 MiB: stopped after {first} MiB");
    assert!((2..=4).contains(&first), "4 MiB: stopped after {first} MiB");

    region.operator.run("ns set-quota acme/vision/data --quota 12MiB").success();
    let (grown, stopped) = write(&file, 32);
    assert_eq!(stopped, Some(EDQUOT), "12 MiB: stopped after {grown} MiB");
    assert!((10..=12).contains(&grown), "12 MiB: stopped after {grown} MiB");
    assert_eq!(reserved(&region), 12 << 20);

    region.operator.run("ns set-quota acme/vision/data --quota 2MiB").success();
    std::fs::remove_file(&file).unwrap();
    let (shrunk, stopped) = write(&file, 32);
    assert_eq!(stopped, Some(EDQUOT), "2 MiB: stopped after {shrunk} MiB");
    assert!(shrunk <= 2, "2 MiB: stopped after {shrunk} MiB");
    assert_eq!(reserved(&region), 2 << 20);
    let effective = &region.operator.json("ns get acme/vision/data")["effectiveQuota"]["hardBytes"];
    assert_eq!(effective, "2097152");
}

#[test]
fn a_quota_that_the_project_has_no_room_for_is_refused_and_the_old_one_stands() {
    let mut region = Region::start("live-4.4.22");
    region.add_fake();
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/data --class cheap --quota 4MiB").success();
    let refused = region.operator.run("ns set-quota acme/vision/data --quota 65MiB").failure();
    assert!(refused.contains("PROJECT_QUOTA") && refused.contains("67108864"), "{refused}");
    let namespace = region.operator.json("ns get acme/vision/data");
    assert_eq!(
        (&namespace["state"], &namespace["quota"]["hardBytes"]),
        (&Value::from("NAMESPACE_STATE_READY"), &Value::from("4194304"))
    );
    assert_eq!(reserved(&region), 4 << 20);
}

#[test]
fn of_many_creates_at_once_exactly_those_get_in_that_there_is_room_for() {
    let mut region = Region::start("live-4.4.22");
    region.add_fake();
    region.add_node("node-a");
    // 64 MiB hold three of 20 MiB.
    let start = |index: usize| {
        let line = format!("ns create acme/vision/n{index} --class cheap --quota 20MiB");
        region.operator.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..8).map(start).collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let (made, refused): (Vec<_>, Vec<_>) = outputs.iter().partition(|output| output.status.success());
    for output in &refused {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("PROJECT_QUOTA"), "{said}");
    }
    assert_eq!(made.len(), 3, "three have room, and five have not");
    assert_eq!(reserved(&region), 60 << 20);
    let listed = region.operator.json("ns list acme/vision");
    let names: Vec<_> =
        listed.as_array().unwrap().iter().map(|namespace| namespace["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3, "a refused one left a record: {names:?}");
    for name in names {
        region.operator.run(&format!("ns delete {name} --purge")).success();
    }
    assert_eq!(reserved(&region), 0, "a delete gives its room back");
    region.operator.run("ns create acme/vision/all --class cheap --quota 64MiB").success();
}

#[test]
fn a_protected_or_mounted_namespace_is_not_deleted() {
    let mut region = Region::start("live-4.4.22");
    region.add_fake();
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/dear --class cheap --quota 4MiB --deletion-protection").success();
    let path = mounted(&region, "acme/vision/dear");
    std::fs::write(path.join("shared/kept"), b"x").unwrap();

    let refused = region.operator.run("ns delete acme/vision/dear --purge").failure();
    assert!(refused.contains("DELETION_PROTECTED") && refused.contains("deletion_protection"), "{refused}");
    region.operator.run("ns update acme/vision/dear --deletion-protection false").success();
    let refused = region.operator.run("ns delete acme/vision/dear --purge").failure();
    let mount = "tenants/acme/projects/vision/workloads/job/mountPlans/m";
    assert!(refused.contains("MOUNTED") && refused.contains(mount), "{refused}");
    assert!(path.join("shared/kept").exists(), "a refused delete removed data");
    assert_eq!(region.operator.json("ns get acme/vision/dear")["state"], "NAMESPACE_STATE_READY");

    region.operator.run("workload release acme/vision/job").success();
    region.operator.run("ns delete acme/vision/dear --purge").success();
    assert_eq!(reserved(&region), 0);
}
