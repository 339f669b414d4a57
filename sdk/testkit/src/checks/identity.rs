//! What an adapter says of itself and of its backend.

use std::collections::BTreeSet;

use stowage_ports::provider::ProbeMode;

use super::{Checked, holds};
use crate::{Broken, Subject};

pub(super) async fn description(subject: &Subject<'_>) -> Checked {
    let said = subject.provider.description();
    holds(!said.name.is_empty() && !said.vendor.is_empty() && !said.version.is_empty(), || {
        format!("name {:?}, vendor {:?}, version {:?}", said.name, said.vendor, said.version)
    })?;
    serde_json::from_str::<serde_json::Value>(&said.config_schema)
        .map_err(|e| Broken(format!("the schema is not JSON: {e}")))?;
    let purposes: BTreeSet<&str> = said.endpoints.iter().map(|e| e.purpose.as_str()).collect();
    let mut ids = BTreeSet::new();
    for exchange in &said.exchanges {
        let id = &exchange.id;
        holds(ids.insert(id.as_str()), || format!("exchange {id} is declared twice"))?;
        holds(purposes.contains(exchange.purpose.as_str()), || {
            format!("exchange {id} has the purpose {:?}, and no endpoint has it", exchange.purpose)
        })?;
        holds(!exchange.doc.is_empty(), || format!("exchange {id} has no doc for the operator"))?;
        let reads = matches!(exchange.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        holds(!exchange.safe || exchange.idempotent, || format!("exchange {id} is safe and not idempotent"))?;
        // A GET that hands out a credential issues it, and is no read.
        let issues = !exchange.sensitive.is_empty();
        holds(!reads || issues || exchange.safe, || {
            format!("exchange {id} is a {} and not declared safe", exchange.method)
        })?;
    }
    Ok(None)
}

pub(super) async fn probe(subject: &Subject<'_>) -> Checked {
    let mut context = subject.context();
    context.safe_only = true;
    let probed = subject.provider.probe(&context, ProbeMode::ReadOnly).await;
    let report = probed.map_err(|f| Broken(format!("probe failed: {f}")))?.value;
    holds(!report.instance_id.is_empty(), || "the backend has no identity of its own".to_owned())?;
    let mut ids = BTreeSet::new();
    for capability in &report.capabilities {
        holds(ids.insert(capability.id.as_str()), || format!("capability {} stands twice", capability.id))?;
    }
    for counter in &report.counters {
        holds(!counter.unit.is_empty(), || format!("counter {} has no unit", counter.name))?;
    }
    Ok(None)
}
