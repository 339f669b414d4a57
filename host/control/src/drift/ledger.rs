//! The rows: one for each kind and subject, open while it is seen, resolved when a look that could have seen it does not.

use stowage_domain::{Drift, DriftId, DriftKind, DriftName, Millis, ProviderName, UnixMillis};
use stowage_store::{Cursor, Segments, Transaction};

use super::Found;
use crate::{
    Control, Result, ids,
    rows::{DRIFTS, Keyed, Reads, Row, Writes},
};

/// Rows of one commit: each takes up to three writes of the hundred that a commit has.
const ROWS_AT_ONCE: usize = 30;
/// How long resolved rows are kept.
const KEPT: Millis = Millis(30 * 24 * 3600 * 1000);

/// Which rows of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Open,
    Resolved,
}

impl Side {
    const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
        }
    }

    fn of(drift: &Drift) -> Self {
        if drift.open() { Self::Open } else { Self::Resolved }
    }

    /// Where the rows of this side stand in the index.
    pub(super) fn prefix(self, provider: &ProviderName) -> Segments {
        Segments::of([provider.provider.as_str(), self.word()])
    }

    fn key(self, drift: &Drift) -> Segments {
        let name = &drift.name;
        Segments::of([name.provider.as_str(), self.word(), drift.kind.word(), name.drift.as_str()])
    }
}

/// The same kind and subject have the same name.
fn name(provider: &ProviderName, found: &Found) -> Result<DriftName> {
    let hash = ids::digest(12, &[&found.resource, &found.subject]);
    let id = DriftId::parse(&format!("{}-{hash}", found.difference.kind.word()))?;
    Ok(DriftName::new(provider.provider.clone(), id))
}

impl Control {
    /// Keeps what was found; answers how much of it was not open before.
    pub(super) async fn note_drifts(&self, provider: &ProviderName, found: &[Found], at: UnixMillis) -> Result<u64> {
        let mut new = 0u64;
        for some in found.chunks(ROWS_AT_ONCE) {
            loop {
                let mut change = Transaction::new();
                let mut added = 0u64;
                for one in some {
                    added = added.saturating_add(self.note_drift(&mut change, provider, one, at).await?);
                }
                match change.commit(&self.tables).await {
                    Ok(_) => {
                        new = new.saturating_add(added);
                        break;
                    }
                    Err(error) if error.is_conflict() => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(new)
    }

    async fn note_drift(
        &self,
        change: &mut Transaction,
        provider: &ProviderName,
        found: &Found,
        at: UnixMillis,
    ) -> Result<u64> {
        let mut drift = Drift {
            name: name(provider, found)?,
            kind: found.difference.kind,
            severity: found.difference.severity,
            resource: found.resource.clone(),
            subject: found.subject.clone(),
            evidence: found.difference.evidence.clone(),
            first_seen: at,
            last_seen: at,
            resolved_at: None,
        };
        let Some(before) = self.tables.find::<Drift>(&drift.name).await? else {
            change.insert(&drift);
            change.index(DRIFTS, &Side::Open.key(&drift), "");
            return Ok(1);
        };
        if before.value.open() {
            drift.first_seen = before.value.first_seen;
            change.update(&drift, before.version);
            return Ok(0);
        }
        change.update(&drift, before.version);
        change.unindex(DRIFTS, &Side::Resolved.key(&drift));
        change.index(DRIFTS, &Side::Open.key(&drift), "");
        Ok(1)
    }

    /// Resolves open rows that a look which began then did not see, as far as it `covered` their kind.
    pub(super) async fn resolve_drifts(
        &self,
        provider: &ProviderName,
        began: UnixMillis,
        covered: impl Fn(DriftKind) -> bool,
    ) -> Result<u64> {
        let mut resolved = 0u64;
        let mut cursor = None;
        loop {
            let (drifts, next) = self.side(provider, Side::Open, cursor.as_ref(), ROWS_AT_ONCE).await?;
            for (drift, version) in drifts {
                if drift.last_seen >= began || !covered(drift.kind) {
                    continue;
                }
                let mut change = Transaction::new();
                change.unindex(DRIFTS, &Side::Open.key(&drift));
                change.index(DRIFTS, &Side::Resolved.key(&drift), "");
                change.update(&Drift { resolved_at: Some(self.now()), ..drift }, version);
                match change.commit(&self.tables).await {
                    Ok(_) => resolved = resolved.saturating_add(1),
                    // Somebody else has seen it since.
                    Err(error) if error.is_conflict() => {}
                    Err(error) => return Err(error.into()),
                }
            }
            cursor = next;
            if cursor.is_none() {
                return Ok(resolved);
            }
        }
    }

    /// Forgets rows that were resolved long ago.
    pub(super) async fn forget_old_drifts(&self, provider: &ProviderName) -> Result<()> {
        let now = self.now();
        let old = |drift: &Drift| drift.resolved_at.is_some_and(|at| now.since(at) > KEPT);
        self.forget_drifts_where(provider, Side::Resolved, old).await
    }

    /// Forgets every row of a provider.
    pub(crate) async fn forget_drifts(&self, provider: &ProviderName) -> Result<()> {
        for side in [Side::Open, Side::Resolved] {
            self.forget_drifts_where(provider, side, |_| true).await?;
        }
        self.forget_baseline(provider).await
    }

    async fn forget_drifts_where(
        &self,
        provider: &ProviderName,
        side: Side,
        which: impl Fn(&Drift) -> bool,
    ) -> Result<()> {
        let mut cursor = None;
        loop {
            let (drifts, next) = self.side(provider, side, cursor.as_ref(), ROWS_AT_ONCE).await?;
            let mut change = Transaction::new();
            for (drift, _) in drifts.into_iter().filter(|(drift, _)| which(drift)) {
                change.discard::<Row<Drift>>(&Drift::key_of(&drift.name));
                change.unindex(DRIFTS, &side.key(&drift));
            }
            if !change.is_empty() {
                change.commit(&self.tables).await?;
            }
            cursor = next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    async fn side(
        &self,
        provider: &ProviderName,
        side: Side,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<(Vec<(Drift, stowage_ports::store::Version)>, Option<Cursor>)> {
        let page = self.tables.entries(DRIFTS, &side.prefix(provider), cursor, limit).await?;
        let mut drifts = Vec::with_capacity(page.items.len());
        for (key, _, _) in page.items {
            let id = DriftId::parse(&key.text_at(3).unwrap_or_default())?;
            let found = self.tables.find::<Drift>(&DriftName::new(provider.provider.clone(), id)).await?;
            drifts.extend(found.filter(|row| Side::of(&row.value) == side).map(|row| (row.value, row.version)));
        }
        Ok((drifts, page.next))
    }
}
