//! What the provider could do when it was last looked at, kept apart from what it can do now.

use serde::{Deserialize, Serialize};
use stowage_domain::{
    Capability, ProviderName,
    drift::{self, Ability},
};
use stowage_store::Transaction;

use super::Found;
use crate::{
    Control, Result,
    rows::{Keyed, Reads, Row, Writes},
};

/// The abilities of a provider that are believed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// The provider.
    pub(crate) name: ProviderName,
    /// By id.
    pub(crate) abilities: Vec<Ability>,
}

impl Control {
    /// What changed since the baseline, which takes every gain over.
    pub(super) async fn compare_abilities(&self, provider: &ProviderName, now: &[Capability]) -> Result<Vec<Found>> {
        let before = self.tables.find::<Baseline>(provider).await?;
        let known = before.as_ref().map(|row| row.value.abilities.as_slice()).unwrap_or_default();
        let (found, next) = drift::abilities(known, now);
        if next != known {
            let row = Baseline { name: provider.clone(), abilities: next };
            let mut change = Transaction::new();
            match before {
                Some(before) => change.update(&row, before.version),
                None => change.insert(&row),
            }
            match change.commit(&self.tables).await {
                Err(error) if !error.is_conflict() => return Err(error.into()),
                _ => {}
            }
        }
        let about = |(subject, difference)| Found { difference, resource: provider.to_string(), subject };
        Ok(found.into_iter().map(about).collect())
    }

    pub(super) async fn forget_baseline(&self, provider: &ProviderName) -> Result<()> {
        let mut change = Transaction::new();
        change.discard::<Row<Baseline>>(&Baseline::key_of(provider));
        change.commit(&self.tables).await?;
        Ok(())
    }
}
