//! The backend's own audit: a target that is kept, a log of the fake's own changes, and pushed bodies as JSON.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::{audit::*, *};

use crate::{Fake, config::Config, gate::Gate, state};

const TARGET: &str = "audit/target";

/// An event as the fake keeps it and as it reads a pushed one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    at: u64,
    #[serde(default)]
    id: Option<String>,
    operation: String,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    status: u32,
    #[serde(default)]
    access_key: Option<String>,
    #[serde(default)]
    client: Option<String>,
}

impl From<Line> for Event {
    fn from(line: Line) -> Self {
        Self {
            at: line.at,
            id: line.id,
            operation: line.operation,
            namespace: line.namespace,
            object: line.object,
            status: line.status,
            access_key: line.access_key,
            client: line.client,
            extensions: vec![],
        }
    }
}

/// Writes an event to the log, when `events` is set.
pub(crate) fn note(config: &Config, operation: &str, namespace: Option<&str>) -> Result<()> {
    if !config.events {
        return Ok(());
    }
    let number = state::change::<u64, u64>("audit/next", |next| {
        let number = next.unwrap_or(0);
        Ok((number + 1, number))
    })?;
    let line = Line {
        at: host::now_ms(),
        id: Some(number.to_string()),
        operation: operation.to_owned(),
        namespace: namespace.map(str::to_owned),
        object: None,
        status: 0,
        access_key: None,
        client: None,
    };
    host::kv::store(&format!("event/{number:020}"), &line, None)?;
    Ok(())
}

impl Audit for Fake {
    fn configure(call: Call, target: Target) -> Result<Progress> {
        let config = Config::read()?;
        if let Target::Other(word) = &target {
            return Err(error::invalid("target", format_args!("{word:?} is not a target of this backend")));
        }
        let after = match Self::gate(&config, "audit.configure", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        host::kv::store(TARGET, &target, None)?;
        after.finish(TARGET.as_bytes().to_vec())
    }

    fn configured() -> Result<Target> {
        Self::ask(&Config::read()?, "audit.configured", &[])?;
        Ok(host::kv::load(TARGET)?.map_or(Target::None, |v| v.value))
    }

    fn parse(body: Vec<u8>, _headers: Vec<(String, String)>) -> Result<Vec<Event>> {
        Self::ask(&Config::read()?, "audit.parse", &[])?;
        let lines: Vec<Line> = serde_json::from_slice(&body)
            .map_err(|e| error::invalid("body", format_args!("is not a list of events: {e}")))?;
        Ok(lines.into_iter().map(Event::from).collect())
    }

    fn read(cursor: Option<Vec<u8>>) -> Result<Page> {
        Self::ask(&Config::read()?, "audit.read", &[])?;
        let page = PageRequest { cursor: cursor.clone(), limit: 100 };
        let after = page.after()?.map(str::to_owned);
        let keys = host::kv::keys("event/", after.as_deref(), 100)?;
        let mut items = Vec::with_capacity(keys.len());
        for key in &keys {
            if let Some(found) = host::kv::load::<Line>(key)? {
                items.push(found.value.into());
            }
        }
        // The cursor stays where the log ends: the next read begins after it.
        let next = keys.last().map(|k| k.clone().into_bytes()).or(cursor);
        Ok(Page { items, next, gap: false })
    }
}
