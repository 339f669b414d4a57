//! Placement: which provider a new namespace goes to, and why.
//!
//! Filters first, each with its numbers; a provider that one of them refuses is out. The rest are weighed, the highest
//! score wins and ties go to the smaller name, so the same inputs always give the same answer. The whole decision is kept:
//! "why is my namespace there" is answered from the record and not from today's numbers.

mod filters;
mod weighers;

use serde::{Deserialize, Serialize};

use crate::{Bytes, Ledger, Protocol, Provider, ProviderName, StorageClass, UnixMillis};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The class.
    pub class: &'a StorageClass,
    /// How it shall be reached.
    pub protocols: &'a [Protocol],
    /// The hard limit.
    pub bytes: Bytes,
}

/// A provider with what is reserved on it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The provider.
    pub provider: &'a Provider,
    /// Its ledger.
    pub ledger: Ledger,
}

/// What one filter said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterVerdict {
    /// Its name.
    pub filter: String,
    /// Whether it let the provider pass.
    pub passed: bool,
    /// With its numbers.
    pub detail: String,
}

/// What one weigher gave, 0 to 1000.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Its name.
    pub weigher: String,
    /// Points, 0 to 1000, times its weight.
    pub points: u32,
}

/// One provider in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The provider.
    pub provider: ProviderName,
    /// What each filter said, in order, up to the first that refused.
    pub filters: Vec<FilterVerdict>,
    /// What each weigher gave; empty when a filter refused.
    pub scores: Vec<Score>,
}

impl Verdict {
    /// Whether every filter let it pass.
    #[must_use]
    pub fn eligible(&self) -> bool {
        self.filters.iter().all(|verdict| verdict.passed)
    }

    /// The sum of its points.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.scores.iter().map(|score| score.points).sum()
    }
}

/// Why a namespace stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The chosen provider; `None` when none fitted.
    pub chosen: Option<ProviderName>,
    /// Every provider, by name.
    pub verdicts: Vec<Verdict>,
    /// When it was decided.
    pub decided_at: UnixMillis,
}

impl Decision {
    /// A choice that an operator made by hand, as at an adoption.
    #[must_use]
    pub fn by_hand(provider: ProviderName, at: UnixMillis) -> Self {
        Self { chosen: Some(provider), verdicts: Vec::new(), decided_at: at }
    }

    /// Each provider with the filter that refused it, for error messages.
    #[must_use]
    pub fn refusals(&self) -> String {
        let refusal = |verdict: &Verdict| {
            let filter = verdict.filters.iter().find(|filter| !filter.passed)?;
            Some(format!("{}: {} ({})", verdict.provider, filter.filter, filter.detail))
        };
        let all: Vec<String> = self.verdicts.iter().filter_map(refusal).collect();
        if all.is_empty() { "there are no providers".to_owned() } else { all.join("; ") }
    }
}

/// Chooses among the candidates.
#[must_use]
pub fn decide(wish: &Wish<'_>, candidates: &[Candidate<'_>], now: UnixMillis) -> Decision {
    let mut verdicts: Vec<Verdict> = candidates
        .iter()
        .map(|candidate| {
            let filters = filters::run(wish, candidate);
            let fits = filters.iter().all(|verdict| verdict.passed);
            let scores = if fits { weighers::run(wish, candidate) } else { Vec::new() };
            Verdict { provider: candidate.provider.name.clone(), filters, scores }
        })
        .collect();
    verdicts.sort_by(|a, b| a.provider.cmp(&b.provider));
    let best = verdicts
        .iter()
        .filter(|verdict| verdict.eligible())
        .max_by(|a, b| a.total().cmp(&b.total()).then_with(|| b.provider.cmp(&a.provider)));
    Decision { chosen: best.map(|verdict| verdict.provider.clone()), verdicts, decided_at: now }
}

#[cfg(test)]
mod tests;
