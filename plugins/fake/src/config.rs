//! The configuration of a fake backend, and its JSON Schema.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use stowage_provider_sdk::prelude::*;

/// As the operator writes it. Everything has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the root that the nodes' own configuration binds to a directory.
    pub root: String,
    /// What all byte limits together may be.
    pub capacity_bytes: u64,
    /// Whether namespaces are real directories, made by nodes.
    pub node_directories: bool,
    /// Whether usage is read by a node from the filesystem's quota.
    pub usage_from_node: bool,
    /// How many polls each change takes.
    pub job_polls: u32,
    /// When to poll again, in milliseconds.
    pub poll_after_ms: u32,
    /// Byte limits are rounded up to this.
    pub granularity_bytes: u64,
    /// How namespaces may be reached.
    pub protocols: Vec<String>,
    /// How long a deleted namespace can be had back, in seconds.
    pub recoverable_s: u64,
    /// Largest policy, in bytes.
    pub policy_max_bytes: u32,
    /// Shortest session, in seconds.
    pub session_min_s: u32,
    /// Longest session, in seconds.
    pub session_max_s: u32,
    /// Locations that can be adopted when there are no real directories.
    pub adoptable: Vec<String>,
    /// Whether each change is written to the backend's own audit log.
    pub events: bool,
    /// The backend's own identity.
    pub instance_id: String,
    /// Whether the probe sends the exchange `ping`.
    pub ping: bool,
    /// Whether keys come from the exchange `keys.make`, so that the host captures their secrets.
    pub key_exchange: bool,
    /// Outcomes on demand, by function: `{"namespaces.create": "error:unreachable"}`.
    pub faults: BTreeMap<String, String>,
    /// States on show, by variant: `{"health-state": "degraded:slow"}`.
    pub show: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root: "fake".to_owned(),
            capacity_bytes: 1 << 40,
            node_directories: true,
            usage_from_node: false,
            job_polls: 0,
            poll_after_ms: 50,
            granularity_bytes: 4096,
            protocols: vec!["posix".to_owned(), "s3".to_owned()],
            recoverable_s: 86_400,
            policy_max_bytes: 2048,
            session_min_s: 60,
            session_max_s: 43_200,
            adoptable: Vec::new(),
            events: false,
            instance_id: "fake".to_owned(),
            ping: false,
            key_exchange: false,
            faults: BTreeMap::new(),
            show: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Reads it from the host.
    pub fn read() -> Result<Self> {
        host::config()
    }
}

/// The schema that the host checks the configuration against.
pub fn schema() -> Json {
    let d = Config::default();
    let text =
        |doc: &str, default: &str| json!({ "type": "string", "minLength": 1, "description": doc, "default": default });
    let flag = |doc: &str, default: bool| json!({ "type": "boolean", "description": doc, "default": default });
    let number = |doc: &str, least: u64, default: u64| json!({ "type": "integer", "minimum": least, "description": doc, "default": default });
    let texts =
        |doc: &str| json!({ "type": "object", "additionalProperties": { "type": "string" }, "description": doc });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "root": text("Name of the root that the nodes' own configuration binds to a directory.", &d.root),
            "capacity_bytes": number("What all byte limits together may be.", 0, d.capacity_bytes),
            "node_directories": flag("Namespaces are real directories, made by nodes.", d.node_directories),
            "usage_from_node": flag("Usage is read by a node from the filesystem's quota.", d.usage_from_node),
            "job_polls": number("How many polls each change takes; 0 answers at once.", 0, u64::from(d.job_polls)),
            "poll_after_ms": number("When to poll again.", 0, u64::from(d.poll_after_ms)),
            "granularity_bytes": number("Byte limits are rounded up to this.", 1, d.granularity_bytes),
            "protocols": {
                "type": "array", "items": { "enum": ["posix", "s3"] }, "uniqueItems": true,
                "description": "How namespaces may be reached.", "default": ["posix", "s3"]
            },
            "recoverable_s": number("How long a deleted namespace can be had back.", 0, d.recoverable_s),
            "policy_max_bytes": number("Largest policy.", 1, u64::from(d.policy_max_bytes)),
            "session_min_s": number("Shortest session.", 1, u64::from(d.session_min_s)),
            "session_max_s": number("Longest session.", 1, u64::from(d.session_max_s)),
            "adoptable": {
                "type": "array", "items": { "type": "string" },
                "description": "Locations that can be adopted when there are no real directories."
            },
            "events": flag("Each change is written to the backend's own audit log.", d.events),
            "instance_id": text("The backend's own identity.", &d.instance_id),
            "ping": flag("The probe sends the exchange `ping`.", d.ping),
            "key_exchange": flag("Keys come from the exchange `keys.make`; the host captures their secrets.", d.key_exchange),
            "faults": texts("Outcomes on demand, by function: {\"namespaces.create\": \"error:unreachable\"}."),
            "show": texts("States on show, by variant of the contract: {\"health-state\": \"degraded:slow\"}.")
        }
    })
}
