//! Does what it should: the neighbour whose calls must keep working.
#![cfg(target_arch = "wasm32")]

use stowage_guests::{describe, report};
use stowage_provider_sdk::prelude::*;

struct Guest;

impl Identity for Guest {
    fn describe() -> Description {
        describe("well-behaved")
            .config_schema(&serde_json::json!({
                "type": "object",
                "additionalProperties": false,
                "properties": { "greeting": { "type": "string", "maxLength": 40 } },
            }))
            .build()
    }
}

impl Health for Guest {
    fn probe(_: ProbeMode) -> Result<ProbeReport> {
        Ok(report("1"))
    }
    fn preflight(_: ProbeMode) -> Result<Vec<Finding>> {
        let config: serde_json::Value = host::config()?;
        let greeting = config.get("greeting").and_then(|text| text.as_str()).unwrap_or("none");
        host::log::info("preflight", &[("greeting", greeting)]);
        Ok(vec![stowage_guests::finding("greeting", greeting)])
    }
}

impl Namespaces for Guest {
    fn create(call: Call, spec: NamespaceSpec) -> Result<Progress> {
        host::kv::store(&format!("ns/{}", spec.physical_id), &call.owner, None)?;
        Ok(Progress::Done(spec.physical_id.into_bytes()))
    }
    fn find(owner: OwnerToken) -> Result<Option<NativeRef>> {
        for key in host::kv::keys("ns/", None, 100).map_err(|error| error::internal(format!("{error:?}")))? {
            let found: Option<host::kv::Versioned<String>> = host::kv::load(&key)?;
            if found.is_some_and(|found| found.value == owner) {
                return Ok(key.strip_prefix("ns/").map(|name| name.as_bytes().to_vec()));
            }
        }
        Ok(None)
    }
    fn inspect(native: NativeRef) -> Result<NamespaceState> {
        Err(error::not_found(String::from_utf8_lossy(&native)).with_native_code("E404"))
    }
}

stowage_provider_sdk::export_provider!(Guest: namespaces);
