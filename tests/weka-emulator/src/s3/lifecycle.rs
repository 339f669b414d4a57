//! Lifecycle rules of a bucket: objects go after so many whole days, whatever protocol wrote them.

use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data};
use crate::s3::bucket_routes::known;
use crate::s3::buckets::{Bucket, LifecycleRule};
use crate::s3::gate::ready;
use crate::s3::keys;
use crate::state::State;

/// Rules that a bucket can have (documented).
pub(crate) const MOST_RULES: usize = 1000;

fn bucket_of<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Bucket, Refusal> {
    ready(state, call)?;
    let name = known(state, call)?;
    state.s3.buckets.get_mut(&name).ok_or_else(|| Refusal::message(404, "Bucket does not exist"))
}

/// `GET /s3/buckets/{bucket}/lifecycle/rules`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let bucket = bucket_of(state, call)?;
    let row = |(id, rule): (&String, &LifecycleRule)| {
        json!({
            "id": id,
            "enabled": rule.enabled,
            "expiry_days": rule.expiry_days.to_string(),
            "prefix": rule.prefix,
            "tags": rule.tags,
        })
    };
    let rows: Vec<Value> = bucket.lifecycle.iter().map(row).collect();
    data(json!({ "bucket": bucket.name, "rules": rows }))
}

/// `POST /s3/buckets/{bucket}/lifecycle/rules`: the days are a string
pub(crate) fn add(state: &mut State, call: &Call) -> Answer {
    let bucket = bucket_of(state, call)?;
    let days = call.required_text("expiry_days")?;
    let Some(expiry_days) = days.parse().ok().filter(|days: &u64| *days >= 1) else {
        return Err(Refusal::bad("expiry_days", "is not a whole number of days from 1 on"));
    };
    let tags = call.text("tags").unwrap_or_default();
    let is_tag = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| !name.is_empty());
    if !tags.is_empty() && !tags.split('&').all(is_tag) {
        return Err(Refusal::bad("tags", "is not of the form name=value&name=value"));
    }
    if bucket.lifecycle.len() >= MOST_RULES {
        return Err(Refusal::message(400, &format!("Bucket {} has {MOST_RULES} lifecycle rules already", bucket.name)));
    }
    let id = keys::access_key().to_ascii_lowercase();
    let prefix = call.text("prefix").unwrap_or_default();
    bucket.lifecycle.insert(id.clone(), LifecycleRule { expiry_days, prefix, tags, enabled: true });
    data(json!({ "id": id, "target": bucket.name }))
}

/// `DELETE /s3/buckets/{bucket}/lifecycle/rules`: an error if there are none
pub(crate) fn reset(state: &mut State, call: &Call) -> Answer {
    let bucket = bucket_of(state, call)?;
    if bucket.lifecycle.is_empty() {
        return Err(Refusal::message(400, &format!("Bucket {} has no lifecycle rules", bucket.name)));
    }
    bucket.lifecycle.clear();
    data(json!({ "target": bucket.name }))
}

/// `DELETE /s3/buckets/{bucket}/lifecycle/rules/{rule}`
pub(crate) fn remove(state: &mut State, call: &Call) -> Answer {
    let bucket = bucket_of(state, call)?;
    let rule = call.place("rule");
    if bucket.lifecycle.remove(rule).is_none() {
        return Err(Refusal::message(404, &format!("Lifecycle rule {rule} does not exist")));
    }
    data(json!({ "target": bucket.name }))
}
