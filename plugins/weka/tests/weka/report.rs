//! Probe and preflight on the observed cluster, and on others.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;

use crate::bench::{Bench, FILESYSTEM, GIB, spec};

fn rows(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let remedy = finding.remedy.as_ref().map(|text| format!("\n    do: {text}")).unwrap_or_default();
        let level = format!("{:?}", finding.level).replace("FindingLevel::", "").to_lowercase();
        format!(
            "{level:4} {}: {}\n    saw: {}\n    so: {}{remedy}",
            finding.check, finding.asked, finding.seen, finding.follows
        )
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
pub(crate) fn preflight_shows_the_observed_cluster() {
    let bench = Bench::start();
    let findings = bench.call(|| Weka::preflight(ProbeMode::ReadOnly)).unwrap();
    insta::assert_snapshot!("preflight_live_4_4_22", rows(&findings));
    assert!(bench.changes().is_empty(), "nothing is sent but reads and the login");
}

#[test]
fn preflight_shows_s3_once_it_is_there() {
    let bench = Bench::s3_ready();
    let findings = bench.call(|| Weka::preflight(ProbeMode::ReadOnly)).unwrap();
    let s3: Vec<_> = findings.into_iter().filter(|finding| finding.check.starts_with("s3")).collect();
    insta::assert_snapshot!("preflight_s3_ready", rows(&s3));
}

#[test]
pub(crate) fn the_probe_tells_identity_capabilities_and_counters() {
    let bench = Bench::start();
    bench.create("op-1", &spec("aaaa-bbbb", 10 * GIB)).unwrap();
    let report = bench.call(|| Weka::probe(ProbeMode::ReadOnly)).unwrap();
    assert_eq!(report.native_version, "4.4.22");
    assert_eq!(report.instance_id, "9724f5ec-a68c-437d-8411-03c8425c06b8");
    assert!(report.health.iter().any(|c| c.component == "cluster" && c.state == HealthState::Ok));
    let counter = |name: &str| {
        let found = report.counters.iter().find(|counter| counter.name == name);
        found.map(|counter| (counter.used, counter.limit)).unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(counter("filesystems"), (5, Some(1024)));
    assert_eq!(counter("tasks"), (0, Some(32)));
    assert_eq!(counter("quotas"), (1, None));
    assert_eq!(counter("capacity.bytes").0, 10 * GIB);
    assert!(counter("cluster.provisioned-bytes").1.is_some());
    let state = |id: &str| {
        let found = report.capabilities.iter().find(|capability| capability.id == id);
        format!("{:?}", found.unwrap_or_else(|| panic!("{id}")).state)
    };
    assert!(state("namespaces.posix").ends_with("Supported"));
    assert!(state("namespaces.s3").contains("S3_NOT_ENABLED"));
    assert!(state("isolation.server-enforced").ends_with("Unsupported"));
    assert!(state("snapshots").ends_with("Unsupported"));
    assert!(bench.requests("POST", "/fileSystems").is_empty());
}

#[test]
fn every_unsupported_capability_has_its_reason_or_evidence() {
    for config in [crate::bench::DIRECTORY, FILESYSTEM] {
        let bench = Bench::configured(config);
        let report = bench.call(|| Weka::probe(ProbeMode::ReadOnly)).unwrap();
        for capability in &report.capabilities {
            let plain = matches!(capability.state, CapabilityState::Unsupported);
            let told = !capability.extensions.is_empty()
                || capability.evidence.is_some()
                || capability.id == "quota.soft"
                || capability.id == "encryption.at-rest";
            assert!(!plain || told, "{capability:?}");
        }
        let mut ids: Vec<_> = report.capabilities.iter().map(|capability| &capability.id).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}

#[test]
fn probes_that_change_things_are_unsupported() {
    let bench = Bench::start();
    assert!(bench.call(|| Weka::probe(ProbeMode::Mutating)).is_err());
    assert!(bench.call(|| Weka::preflight(ProbeMode::Mutating)).is_err());
    assert!(bench.control().requests_after(0).is_empty());
}
