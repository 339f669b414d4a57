//! Probe and preflight.

use stowage_provider_sdk::prelude::*;

use crate::{Fake, capacity, config::Config, describe::PING, show, state};

const PROBE_KEY: &str = "probe";

/// The declared capabilities with what the configuration makes of them.
fn capabilities(config: &Config) -> Result<Vec<Capability>> {
    let mut found = Fake::describe().capabilities;
    for capability in &mut found {
        let id = capability.id.as_str();
        match id {
            "namespaces.posix" | "namespaces.s3" if !serves(config, id) => {
                capability.state = CapabilityState::Unsupported;
            }
            "namespaces.posix" => {
                capability
                    .constraints
                    .push(("quota.rounding-bytes".to_owned(), Value::Number(config.granularity_bytes)));
            }
            // A directory has no snapshots, and one that only the book knows would restore nothing.
            "snapshots" if config.node_directories => capability.state = CapabilityState::Unsupported,
            "credentials.session" => {
                capability
                    .constraints
                    .push(("session.min-ttl".to_owned(), Value::Seconds(config.session_min_s.into())));
                capability
                    .constraints
                    .push(("session.max-ttl".to_owned(), Value::Seconds(config.session_max_s.into())));
            }
            "policy" => {
                capability
                    .constraints
                    .push(("policy.max-bytes".to_owned(), Value::Number(config.policy_max_bytes.into())));
            }
            _ => {}
        }
        if let Some(shown) = show::capability_state(config, &capability.id)? {
            capability.state = shown;
        }
        capability.evidence = Some("configuration".to_owned());
    }
    Ok(found)
}

fn serves(config: &Config, capability: &str) -> bool {
    config.protocols.iter().any(|p| capability.strip_prefix("namespaces.") == Some(p.as_str()))
}

impl Health for Fake {
    fn probe(mode: ProbeMode) -> Result<ProbeReport> {
        let config = Config::read()?;
        Self::ask(&config, "health.probe", &[])?;
        if config.ping {
            let answer = host::send(&PING, Request::new())?;
            if !answer.is_success() {
                return Err(error::unreachable(format_args!("the backend answered `ping` with {}", answer.status())));
            }
        }
        if mode == ProbeMode::Mutating {
            host::kv::set(PROBE_KEY, b"1", None).map_err(Error::from)?;
            host::kv::delete(PROBE_KEY, None).map_err(Error::from)?;
        }
        let observed_at = host::now_ms();
        let namespaces = state::all::<state::Namespace>("ns/")?.len() as u64;
        let counter = |name: &str, used, limit, unit: &str| Counter {
            name: name.to_owned(),
            used,
            limit,
            unit_name: unit.to_owned(),
            observed_at,
        };
        Ok(ProbeReport {
            native_version: env!("CARGO_PKG_VERSION").to_owned(),
            instance_id: config.instance_id.clone(),
            capabilities: capabilities(&config)?,
            health: vec![ComponentHealth { component: "state".to_owned(), state: show::health_state(&config)? }],
            counters: vec![
                counter("capacity.bytes", capacity::used()?, Some(config.capacity_bytes), "bytes"),
                counter("namespaces", namespaces, None, "namespaces"),
            ],
            extensions: vec![],
        })
    }

    fn preflight(mode: ProbeMode) -> Result<Vec<Finding>> {
        let config = Config::read()?;
        Self::ask(&config, "health.preflight", &[])?;
        let finding = |check: &str, level, asked: &str, seen: String, follows: &str, remedy: Option<&str>| Finding {
            check: check.to_owned(),
            level,
            asked: asked.to_owned(),
            seen,
            follows: follows.to_owned(),
            remedy: remedy.map(str::to_owned),
        };
        let used = capacity::used()?;
        let full = used >= config.capacity_bytes;
        let mut findings = vec![
            finding(
                "capacity",
                if full { FindingLevel::Fail } else { FindingLevel::Pass },
                "Is there capacity left?",
                format!("{used} of {} bytes are taken", config.capacity_bytes),
                if full { "No namespace with a byte limit can be made." } else { "Namespaces can be made." },
                full.then_some("Raise `capacity_bytes`."),
            ),
            finding(
                "isolation",
                FindingLevel::Note,
                "Who keeps tenants apart?",
                format!("all namespaces share the root {:?}", config.root),
                "The node is trusted with the whole root.",
                None,
            ),
        ];
        if mode == ProbeMode::Mutating {
            let wrote = host::kv::set(PROBE_KEY, b"1", None).and_then(|_| host::kv::delete(PROBE_KEY, None));
            let (level, seen) = match wrote {
                Ok(()) => (FindingLevel::Pass, "wrote and removed a key".to_owned()),
                Err(refused) => (FindingLevel::Fail, format!("{refused:?}")),
            };
            findings.push(finding("state", level, "Can the state be written?", seen, "Changes are kept there.", None));
        }
        if let Some(level) = show::finding_level(&config)? {
            let remedy = Some("Remove `show.finding-level` from the configuration.");
            findings.push(finding("on-show", level, "Is a finding on show?", "yes".to_owned(), "Nothing.", remedy));
        }
        Ok(findings)
    }
}
