//! Breaks the contract with its answers, one way for each mode.
#![cfg(target_arch = "wasm32")]

use stowage_guests::describe;
use stowage_provider_sdk::prelude::*;

struct Guest;

impl Identity for Guest {
    fn describe() -> Description {
        describe("bad-answers").build()
    }
}

impl Health for Guest {
    fn probe(_: ProbeMode) -> Result<ProbeReport> {
        Ok(ProbeReport { instance_id: String::new(), ..stowage_guests::report("1") })
    }
    fn preflight(_: ProbeMode) -> Result<Vec<Finding>> {
        Ok(vec![stowage_guests::finding("", "no name")])
    }
}

impl Namespaces for Guest {
    fn create(_: Call, spec: NamespaceSpec) -> Result<Progress> {
        Ok(match spec.name.as_str() {
            "long-ref" => Progress::Done(vec![b'x'; 1025]),
            "empty-ref" => Progress::Done(Vec::new()),
            "long-handle" => Progress::Pending(Job { handle: vec![b'x'; 1025], poll_after_ms: 1, expected_ms: None }),
            "twice" => Progress::needs_node(
                MountSource::host_path("root", "/"),
                vec![NodeStep::new("a", "stat", "x"), NodeStep::new("a", "stat", "y")],
            ),
            "unknown" => Progress::Other("teleported".to_owned()),
            _ => return Err(error::other("weather", "it rains")),
        })
    }
}

stowage_provider_sdk::export_provider!(Guest: namespaces);
