//! Releases by isolations by S3 ready or not: what is offered, and what each asks of whom.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::Preset;

use super::{CONFIG, PARENT, SECRET, both, issue, pair, parent_with_policy, session_request};
use crate::bench::{Bench, FILESYSTEM, kind};

const RELEASES: [&str; 6] = ["4.2.18", "4.3.7", "4.4.2", "4.4.22", "5.0.4", "5.1.2"];

fn capability(bench: &Bench, id: &str) -> Capability {
    let report = bench.call(|| Weka::probe(ProbeMode::ReadOnly)).unwrap();
    report.capabilities.into_iter().find(|capability| capability.id == id).unwrap()
}

#[test]
fn s3_under_every_release_isolation_and_readiness() {
    for release in RELEASES {
        // Directories need resolvePath, which came with 4.3.
        let directories = !release.starts_with("4.2");
        for (config, possible) in [(CONFIG, directories), (FILESYSTEM, false)] {
            for preset in [Preset::Live, Preset::S3Ready] {
                let bench = Bench::of_release(config, preset, release);
                bench.host.give(SECRET, PARENT, "Made-by-the-host-1");
                let told = capability(&bench, "namespaces.s3");
                let case = format!("{release} {config} {preset:?}");
                match (config == CONFIG, preset) {
                    (false, _) => {
                        assert_eq!(told.state, CapabilityState::Unsupported, "{case}");
                        assert_eq!(kind(bench.create("op-1", &both())), "Unsupported", "{case}");
                    }
                    (true, Preset::Live) => {
                        let CapabilityState::Unavailable(why) = told.state else { panic!("{case}: {told:?}") };
                        assert_eq!(why.reason, "S3_NOT_ENABLED", "{case}");
                        assert_eq!(kind(bench.create("op-1", &both())), "NotReady", "{case}");
                    }
                    (true, Preset::S3Ready) if !possible => {
                        let CapabilityState::Unavailable(why) = told.state else { panic!("{case}: {told:?}") };
                        assert_eq!(why.reason, "RESOLVE_PATH_UNAVAILABLE", "{case}");
                        assert_eq!(kind(bench.create("op-1", &both())), "Unsupported", "{case}");
                    }
                    (true, Preset::S3Ready) => {
                        assert_eq!(told.state, CapabilityState::Supported, "{case}");
                        bench.create("op-1", &both()).unwrap();
                        let parent = parent_with_policy(&bench);
                        let issued =
                            issue(&bench, "op-2", CredentialRequest::Session(session_request(&parent))).unwrap();
                        assert!(!pair(&issued).id.is_empty(), "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_probe_tells_the_numbers_that_a_host_must_keep_to() {
    let bench = Bench::of_release(CONFIG, Preset::S3Ready, "4.4.22");
    let number = |id: &str, key: &str| {
        let found = capability(&bench, id);
        found.constraints.into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
    };
    assert_eq!(number("policy", "policy.max-bytes"), Some(Value::Number(2048)));
    assert_eq!(number("policy", "policy.dialect"), Some(Value::Text("iam-json".to_owned())));
    assert_eq!(number("credentials.session", "session.min-ttl"), Some(Value::Seconds(900)));
    assert_eq!(number("credentials.session", "session.max-ttl"), Some(Value::Seconds(604_800)));
    assert_eq!(number("credentials.access-key", "key.max-per-principal"), Some(Value::Number(100)));
    assert_eq!(capability(&bench, "revoke.session").state, CapabilityState::Unsupported);
    assert_eq!(capability(&bench, "audit").state, CapabilityState::Supported);
    bench.control().set_s3_containers(0);
    for id in ["namespaces.s3", "policy", "credentials.session", "credentials.access-key", "audit"] {
        assert!(matches!(capability(&bench, id).state, CapabilityState::Unavailable(_)), "{id}");
    }
}
