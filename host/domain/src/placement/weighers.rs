//! The weighers: points from 0 to 1000, times a weight.

use super::{Candidate, Score, Wish};
use crate::provider::Health;

type Weigher = fn(&Wish<'_>, &Candidate<'_>) -> u32;

/// Every weigher by name with its weight.
const WEIGHERS: [(&str, u32, Weigher); 2] = [("health", 2, health), ("free-after", 1, free_after)];

pub(super) fn run(wish: &Wish<'_>, candidate: &Candidate<'_>) -> Vec<Score> {
    let score = |(name, weight, weigher): (&str, u32, Weigher)| Score {
        weigher: name.to_owned(),
        points: weigher(wish, candidate).min(1000).saturating_mul(weight),
    };
    WEIGHERS.into_iter().map(score).collect()
}

fn health(_: &Wish<'_>, candidate: &Candidate<'_>) -> u32 {
    match candidate.provider.health() {
        Health::Ok => 1000,
        Health::Unknown => 500,
        Health::Degraded(_) => 250,
        Health::Down(_) => 0,
    }
}

/// The share of the capacity that is free once the namespace is there; half the points where it is not known.
fn free_after(wish: &Wish<'_>, candidate: &Candidate<'_>) -> u32 {
    let Some((total, used)) = candidate.provider.capacity() else { return 500 };
    let taken = u128::from(candidate.ledger.reserved.0.max(used.0)) + u128::from(wish.bytes.0);
    let total = u128::from(total.0);
    let permille = total.saturating_sub(taken) * 1000 / total.max(1);
    u32::try_from(permille).unwrap_or(1000)
}
