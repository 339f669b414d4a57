//! Reading what was found.

use stowage_domain::{Drift, DriftId, DriftKind, DriftName, Provider, ProviderName};

use super::ledger::Side;
use crate::{
    Caller, Control, Listed, PageRequest, Result, Stored,
    rows::{DRIFTS, Reads},
};

/// Which drifts of a provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DriftFilter {
    /// Those that are gone instead of those that are open.
    pub resolved: bool,
    /// Of one kind only.
    pub kind: Option<DriftKind>,
}

impl Control {
    /// Drifts of a provider by kind: one range of the index.
    ///
    /// # Errors
    /// `NOT_FOUND` for a provider that is not there, a wrong page token.
    pub async fn list_drifts(
        &self,
        caller: &Caller,
        provider: &ProviderName,
        filter: DriftFilter,
        page: PageRequest,
    ) -> Result<Listed<Stored<Drift>>> {
        caller.may_touch_region()?;
        self.tables.read::<Provider>(provider).await?;
        let side = if filter.resolved { Side::Resolved } else { Side::Open };
        let prefix = side.prefix(provider);
        let prefix = match filter.kind {
            Some(kind) => prefix.text(kind.word()),
            None => prefix,
        };
        let entries = self.tables.entries(DRIFTS, &prefix, page.cursor()?.as_ref(), page.limit()).await?;
        let mut drifts = Vec::with_capacity(entries.items.len());
        for (key, _, _) in entries.items {
            let id = DriftId::parse(&key.text_at(3).unwrap_or_default())?;
            drifts.extend(self.tables.find::<Drift>(&DriftName::new(provider.provider.clone(), id)).await?);
        }
        Ok(Listed::of(drifts, entries.next))
    }

    /// One drift.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn get_drift(&self, caller: &Caller, name: &DriftName) -> Result<Stored<Drift>> {
        caller.may_touch_region()?;
        self.tables.read::<Drift>(name).await
    }
}
