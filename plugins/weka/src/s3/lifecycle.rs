//! The rules by which a bucket's objects age: removed so many days after they were written, whatever protocol wrote them.
//!
//! A rule cannot be changed, and all of them can only be removed together or one by one. So the rules that are missing are
//! added before those that are too many go: nothing that shall be removed at some time is kept for ever by a lost answer,
//! and a repeated call finds what is done already by its content.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use stowage_provider_sdk::prelude::{Extensions, Result, error, lookup};

use crate::exchanges::{S3_RULE_ADD, S3_RULE_DELETE, S3_RULES};
use crate::rest::{Rest, absent, unreadable};

/// Rules of one bucket [WEKA user guide, S3 lifecycle].
pub(crate) const MAX_RULES: u64 = 1000;

/// Registered keys of a rule.
const DAYS: &str = "expire-days";
const PREFIX: &str = "prefix";
const TAGS: &str = "tags";

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    days: u32,
    prefix: String,
    tags: String,
}

#[derive(Debug, Deserialize)]
struct Row {
    id: String,
    #[serde(default)]
    expiry_days: Value,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    tags: Option<String>,
}

impl Rule {
    fn read(index: usize, keys: &Extensions) -> Result<Self> {
        let field = |key: &str| format!("rules.{index}.{key}");
        if let Some((key, _)) = keys.iter().find(|(key, _)| ![DAYS, PREFIX, TAGS].contains(&key.as_str())) {
            return Err(error::invalid(&field(key), "is not known: a rule has expire-days, prefix and tags"));
        }
        let days = lookup(keys, DAYS).and_then(|text| text.parse().ok()).filter(|days| *days >= 1);
        let days = days.ok_or_else(|| error::invalid(&field(DAYS), "must be a whole number of days, 1 at least"))?;
        let text = |key| lookup(keys, key).unwrap_or_default().to_owned();
        Ok(Self { days, prefix: text(PREFIX), tags: text(TAGS) })
    }

    fn of(row: &Row) -> Option<Self> {
        let days = match &row.expiry_days {
            Value::String(text) => text.parse().ok()?,
            other => u32::try_from(other.as_u64()?).ok()?,
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Some(Self { days, prefix: text(&row.prefix), tags: text(&row.tags) })
    }

    fn body(&self) -> Value {
        // Days are sent as text: so the API has it.
        let mut body = Map::from_iter([("expiry_days".to_owned(), Value::from(self.days.to_string()))]);
        for (key, value) in [(PREFIX, &self.prefix), (TAGS, &self.tags)] {
            if !value.is_empty() {
                body.insert(key.to_owned(), json!(value));
            }
        }
        Value::Object(body)
    }
}

/// Makes the bucket's rules these.
pub(crate) fn set(rest: &Rest, bucket: &str, rules: &[Extensions]) -> Result<()> {
    let mut wanted = Vec::new();
    for (index, keys) in rules.iter().enumerate() {
        let rule = Rule::read(index, keys)?;
        if !wanted.contains(&rule) {
            wanted.push(rule);
        }
    }
    if wanted.len() as u64 > MAX_RULES {
        return Err(error::too_large("lifecycle.rules", wanted.len() as u64, MAX_RULES));
    }
    let listed = list(rest, bucket)?;
    let mut kept = Vec::new();
    let mut stale = Vec::new();
    for row in &listed {
        match Rule::of(row) {
            Some(rule) if wanted.contains(&rule) && !kept.contains(&rule) => kept.push(rule),
            _ => stale.push(row.id.as_str()),
        }
    }
    for rule in wanted.iter().filter(|rule| !kept.contains(rule)) {
        let request = rest.request().param("bucket", bucket).json(&rule.body());
        rest.done(&S3_RULE_ADD, request, "adding a lifecycle rule")?;
    }
    for id in stale {
        let request = rest.request().param("bucket", bucket).param("rule", id);
        absent(rest.done(&S3_RULE_DELETE, request, "removing a lifecycle rule"))?;
    }
    Ok(())
}

fn list(rest: &Rest, bucket: &str) -> Result<Vec<Row>> {
    let doing = "listing lifecycle rules";
    let request = rest.request().param("bucket", bucket);
    let Some(response) = absent(rest.send(&S3_RULES, request, doing))? else { return Ok(Vec::new()) };
    super::rows_in(response.body(), "rules").map_err(|cause| unreadable(&S3_RULES, doing, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pairs: &[(&str, &str)]) -> Extensions {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_rule_is_the_same_as_it_was_asked_for() {
        let rule = Rule::read(0, &keys(&[(DAYS, "60"), (PREFIX, "tmp/")])).unwrap();
        assert_eq!(rule.body(), json!({ "expiry_days": "60", "prefix": "tmp/" }));
        for days in [json!("60"), json!(60)] {
            let row = json!({ "id": "1", "enabled": true, "expiry_days": days, "prefix": "tmp/" });
            assert_eq!(Rule::of(&serde_json::from_value(row).unwrap()), Some(rule.clone()));
        }
    }

    #[test]
    fn a_rule_that_the_backend_cannot_keep_names_its_field() {
        for wrong in
            [&[][..], &[(DAYS, "0")], &[(DAYS, "1.5")], &[(DAYS, "-1")], &[(DAYS, "1"), ("storage-class", "x")]]
        {
            let error = Rule::read(3, &keys(wrong)).unwrap_err();
            assert!(error.message.contains("rules.3."), "{error:?}");
        }
    }
}
