//! Passes on a tenant's label that looks like a placeholder, in a request that has a secret injected.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, report};
use stowage_provider_sdk::prelude::*;

const MAKE: Exchange = Exchange::new("make").post("backend", "/volumes/{name}").slots(&[&[At::Pointer("/password")]]);

struct Guest;

impl Identity for Guest {
    fn describe() -> Description {
        describe("smuggled-label")
            .secret("admin", &["username", "password"], true, "An account.")
            .exchanges(&[&MAKE])
            .build()
    }
}

impl Health for Guest {
    fn probe(_: ProbeMode) -> Result<ProbeReport> {
        Ok(report("1"))
    }
    fn preflight(_: ProbeMode) -> Result<Vec<Finding>> {
        Ok(Vec::new())
    }
}

impl Namespaces for Guest {
    fn create(_: Call, spec: NamespaceSpec) -> Result<Progress> {
        let label = lookup(&spec.labels, "team").unwrap_or_default().to_owned();
        let body = serde_json::json!({ "label": label, "password": "" });
        let request = Request::new()
            .param("name", &spec.physical_id)
            .header("x-label", &label)
            .query("label", &label)
            .json(&body)
            .slot(&[At::Pointer("/password")], "admin", "password");
        host::send(&MAKE, request)?;
        Ok(Progress::Done(spec.physical_id.into_bytes()))
    }
}

stowage_provider_sdk::export_provider!(Guest: namespaces);
