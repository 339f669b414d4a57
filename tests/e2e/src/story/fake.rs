//! The same story on the fake provider: the same calls, another vendor, nothing else changed.

use super::Teller;
use super::weka::mounted_at;
use crate::Region;

pub(super) fn tell(region: &mut Region, teller: &mut Teller) {
    teller.step("The same on another vendor's adapter: the fake, whose namespaces are directories of the nodes");
    let config = r#"{"root":"fake","capacity_bytes":1073741824}"#;
    teller
        .show(
            &region.operator,
            &format!("provider add fake --plugin fake --config '{config}' --region eu-1 --label vendor=fake"),
        )
        .success();
    teller.show(&region.operator, "class create cheap --protocol posix --select vendor=fake --multi-writer").success();
    teller.show(&region.operator, "ns create acme/vision/again --class cheap --quota 16MiB").success();
    let placed = teller.show(&region.operator, "ns get acme/vision/again").success();
    assert!(placed.contains("READY") && placed.contains("fake"), "the namespace is not ready on the fake");

    teller.step("Mounted on two nodes, written on one, read on the other, released, deleted");
    teller.show(&region.operator, "workload register acme/vision/job-2").success();
    for (id, node, mode) in [("rw", "node-a", "rw"), ("ro", "node-b", "ro")] {
        let line =
            format!("mount plan acme/vision/job-2 --id {id} --namespace acme/vision/again --node {node} --mode {mode}");
        teller.show(&region.operator, &line).success();
    }
    let (rw, ro) = (mounted_at(region, "job-2/rw"), mounted_at(region, "job-2/ro"));
    std::fs::write(rw.join("artifacts/model"), b"model").expect("write on node-a");
    assert_eq!(std::fs::read(ro.join("artifacts/model")).expect("read on node-b"), b"model");
    let refused = std::fs::write(ro.join("artifacts/other"), b"x").expect_err("node-b is read-only");
    teller.say(&format!("node-b writes artifacts/other: {refused}"));
    teller.show(&region.operator, "workload release acme/vision/job-2").success();
    teller.show(&region.operator, "ns delete acme/vision/again --purge").success();
    let left = std::fs::read_dir(region.fake_root()).expect("fake root").flatten();
    let left: Vec<_> =
        left.map(|entry| entry.file_name()).filter(|name| !name.to_string_lossy().starts_with('.')).collect();
    teller.say(&format!("left beneath the fake's root: {left:?}"));
}
