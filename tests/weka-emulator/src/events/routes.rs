//! Reading events.

use serde_json::{Value, json};

use super::Event;
use super::kinds::{KINDS, SEVERITIES};
use crate::call::Call;
use crate::clock::{Millis, rfc3339};
use crate::envelope::{Answer, Refusal, Reply, data, nothing};
use crate::state::State;

/// Events on one page, unless the caller asks for another number.
const PAGE: usize = 50;

/// What a reader asks for.
struct Wanted<'a> {
    org_id: u64,
    from: Millis,
    until: Millis,
    least: usize,
    kinds: Option<Vec<&'a str>>,
    categories: Option<Vec<&'a str>>,
}

fn moment(call: &Call, name: &str) -> Result<Option<Millis>, Refusal> {
    let Some(text) = call.query.get(name) else { return Ok(None) };
    let time: jiff::Timestamp = text.parse().map_err(|_| Refusal::bad(name, "is no time of RFC 3339"))?;
    Ok(Some(Millis::try_from(time.as_millisecond()).unwrap_or_default()))
}

fn listed<'a>(call: &'a Call, name: &str) -> Option<Vec<&'a str>> {
    call.query.get(name).map(|text| text.split(',').map(str::trim).collect())
}

fn wanted(call: &Call) -> Result<Wanted<'_>, Refusal> {
    let least = match call.query.get("severity") {
        None => 0,
        Some(text) => {
            let known = SEVERITIES.iter().position(|severity| *severity == text.to_uppercase());
            known.ok_or_else(|| Refusal::bad("severity", "is no severity"))?
        }
    };
    Ok(Wanted {
        org_id: call.org()?,
        from: moment(call, "start_time")?.unwrap_or(0),
        until: moment(call, "end_time")?.unwrap_or(Millis::MAX),
        least,
        kinds: listed(call, "type_list"),
        categories: listed(call, "category_list"),
    })
}

impl Wanted<'_> {
    fn has(&self, event: &Event) -> bool {
        let kind = event.kind();
        let severity = kind.map_or("INFO", |kind| kind.severity);
        let rank = SEVERITIES.iter().position(|known| *known == severity).unwrap_or(0);
        let category = kind.map_or("", |kind| kind.category);
        event.org_id == self.org_id
            && (self.from..=self.until).contains(&event.at)
            && rank >= self.least
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.kind.as_str()))
            && self.categories.as_ref().is_none_or(|categories| categories.contains(&category))
    }
}

/// `GET /events`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let wanted = wanted(call)?;
    let page = match call.query.get("num_results") {
        Some(text) => text.parse().map_err(|_| Refusal::bad("num_results", "is not a number"))?,
        None => PAGE,
    };
    let mut found: Vec<&Event> = state.events.entries.iter().filter(|event| wanted.has(event)).collect();
    if call.query.get("sort_order").map(String::as_str) != Some("asc") {
        found.reverse();
    }
    let start = match call.query.get("next_token") {
        Some(token) => {
            let last = found.iter().position(|event| event.uid.to_string() == *token);
            last.map(|last| last.saturating_add(1)).ok_or_else(|| Refusal::bad("next_token", "is not one of ours"))?
        }
        None => 0,
    };
    let shown: Vec<&Event> = found.iter().skip(start).take(page).copied().collect();
    let more = start.saturating_add(shown.len()) < found.len();
    let next_token = shown.last().filter(|_| more).map(|last| json!(last.uid));
    Ok(Reply { data: shown.into_iter().map(Event::row).collect(), next_token })
}

/// `GET /events/local`: of the backend that is asked, which is every one here
pub(crate) fn local(state: &mut State, call: &Call) -> Answer {
    let wanted = wanted(call)?;
    let row = |event: &Event| {
        let kind = event.kind();
        json!({
            "time": rfc3339(event.at),
            "hash": 0,
            "entity": event.entity,
            "severity": kind.map_or("INFO", |kind| kind.severity),
            "permission": "USER",
            "category": kind.map_or("", |kind| kind.category),
            "description": kind.map_or("", |kind| kind.description),
            "eventFields": event.params,
            "type": event.kind,
            "nid": "NodeId<0>",
        })
    };
    data(state.events.entries.iter().rev().filter(|event| wanted.has(event)).map(row).collect())
}

/// `GET /events/describe`
pub(crate) fn describe(_state: &mut State, call: &Call) -> Answer {
    let kinds = listed(call, "type");
    let categories = listed(call, "category");
    let mut rows: Vec<Value> = Vec::new();
    for (at, kind) in KINDS.iter().enumerate() {
        let first = !KINDS.iter().take(at).any(|other| other.name == kind.name);
        let asked = kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind.name))
            && categories.as_ref().is_none_or(|categories| categories.contains(&kind.category));
        if first && asked {
            rows.push(json!({
                "dedup_parameters": [],
                "parameters": [],
                "severity": kind.severity,
                "is_dedup_event": false,
                "permission": "User",
                "category": kind.category,
                "type": kind.name,
                "description": kind.description,
                "formatString": kind.description,
            }));
        }
    }
    data(Value::Array(rows))
}

/// `GET /events/aggregate`: how many in each interval that has any
pub(crate) fn aggregate(state: &mut State, call: &Call) -> Answer {
    if !call.query.contains_key("start_time") {
        return Err(Refusal::missing(&["start_time"]));
    }
    let wanted = wanted(call)?;
    let secs: u64 = match call.query.get("int") {
        Some(text) => {
            text.parse().ok().filter(|secs| *secs > 0).ok_or_else(|| Refusal::bad("int", "is no interval"))?
        }
        None => 3600,
    };
    let length = secs.saturating_mul(1000);
    let mut counts = std::collections::BTreeMap::<Millis, u64>::new();
    for event in state.events.entries.iter().filter(|event| wanted.has(event)) {
        let start = event.at - event.at.checked_rem(length).unwrap_or(0);
        let count = counts.entry(start).or_default();
        *count = count.saturating_add(1);
    }
    data(counts.into_iter().map(|(start, count)| json!({ "time": rfc3339(start), "count": count })).collect())
}

/// `POST /events/custom`: what makes the event is that this succeeds
pub(crate) fn custom(_state: &mut State, call: &Call) -> Answer {
    call.require(&["message"])?;
    nothing()
}
