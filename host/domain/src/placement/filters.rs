//! The filters, cheapest and most telling first.

use super::{Candidate, FilterVerdict, Wish};
use crate::{Bytes, ProviderState, capability::satisfies, provider::Health};

type Filter = fn(&Wish<'_>, &Candidate<'_>) -> Result<String, String>;

/// Every filter by name, in order.
const FILTERS: [(&str, Filter); 7] = [
    ("cordon", cordon),
    ("region", region),
    ("labels", labels),
    ("health", health),
    ("protocols", protocols),
    ("demands", demands),
    ("capacity", capacity),
];

pub(super) fn run(wish: &Wish<'_>, candidate: &Candidate<'_>) -> Vec<FilterVerdict> {
    let mut verdicts = Vec::with_capacity(FILTERS.len());
    for (name, filter) in FILTERS {
        let (passed, detail) = match filter(wish, candidate) {
            Ok(detail) => (true, detail),
            Err(detail) => (false, detail),
        };
        verdicts.push(FilterVerdict { filter: name.to_owned(), passed, detail });
        if !passed {
            break;
        }
    }
    verdicts
}

fn cordon(_: &Wish<'_>, candidate: &Candidate<'_>) -> Result<String, String> {
    match candidate.provider.state {
        ProviderState::Active => Ok("active".to_owned()),
        ProviderState::Cordoned => Err(format!("cordoned: {}", candidate.provider.state_reason)),
    }
}

fn region(wish: &Wish<'_>, candidate: &Candidate<'_>) -> Result<String, String> {
    let (asked, has) = (&wish.class.region, &candidate.provider.region);
    if asked.is_empty() || asked == has {
        Ok(format!("asked {asked:?}, is {has:?}"))
    } else {
        Err(format!("asked {asked:?}, is {has:?}"))
    }
}

fn labels(wish: &Wish<'_>, candidate: &Candidate<'_>) -> Result<String, String> {
    match wish.class.provider_selector.first_missing_in(&candidate.provider.labels) {
        None => Ok("all selected labels are borne".to_owned()),
        Some((key, value)) => {
            let has = candidate.provider.labels.get(key).unwrap_or("");
            Err(format!("asked {key}={value}, is {has:?}"))
        }
    }
}

fn health(_: &Wish<'_>, candidate: &Candidate<'_>) -> Result<String, String> {
    match candidate.provider.health() {
        Health::Ok => Ok("ok".to_owned()),
        Health::Degraded(why) => Ok(format!("degraded: {why}")),
        Health::Unknown => Ok("not known".to_owned()),
        Health::Down(why) => Err(format!("down: {why}")),
    }
}

fn protocols(wish: &Wish<'_>, candidate: &Candidate<'_>) -> Result<String, String> {
    for protocol in wish.protocols {
        satisfies(&candidate.provider.capabilities, &format!("namespaces.{}", protocol.word()))?;
    }
    let words: Vec<&str> = wish.protocols.iter().map(|protocol| protocol.word()).collect();
    Ok(words.join(", "))
}

fn demands(wish: &Wish<'_>, candidate: &Candidate<'_>) -> Result<String, String> {
    let multi_writer = wish.class.multi_writer.then_some("mounts.multi-writer");
    let all: Vec<&str> = wish.class.demands.iter().map(String::as_str).chain(multi_writer).collect();
    for demand in &all {
        satisfies(&candidate.provider.capabilities, demand)?;
    }
    Ok(if all.is_empty() { "none".to_owned() } else { all.join(", ") })
}

/// Free is what is neither reserved by namespaces nor used by anything: the larger of the two counts as taken.
fn capacity(wish: &Wish<'_>, candidate: &Candidate<'_>) -> Result<String, String> {
    let Some((total, used)) = candidate.provider.capacity() else { return Ok("capacity not known".to_owned()) };
    let reserved = candidate.ledger.reserved;
    let free = Bytes(total.0.saturating_sub(reserved.0.max(used.0)));
    let detail = format!("free {free}, asked {}, total {total}, reserved {reserved}, used {used}", wish.bytes);
    if wish.bytes <= free { Ok(detail) } else { Err(detail) }
}
