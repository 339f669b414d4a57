//! One look at a provider, from its identity to the last page.

use std::collections::BTreeMap;

use stowage_audit::Outcome;
use stowage_domain::{
    DriftKind, Namespace, NamespaceName, ProviderName, UnixMillis,
    drift::{self, Believed},
};
use stowage_ports::provider::{CallContext, ProbeMode};
use stowage_store::{Segments, Transaction};

use super::{
    Found, Look,
    confirm::Doubtful,
    listing::{Listing, rounding, uid},
    mounts::Mounts,
};
use crate::{
    Caller, Control, Result, convert,
    providers::{PATIENCE, value},
    rows::{PROVIDER_NAMESPACES, Reads},
};

/// What one look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftScan {
    /// When it began.
    pub began: UnixMillis,
    /// When it ended.
    pub ended: UnixMillis,
    /// Why the list of namespaces is not whole, so that nothing was called missing or resolved; empty when it is.
    pub broken_off: String,
    /// Pages that the provider gave.
    pub pages: u64,
    /// Things that it listed.
    pub listed: u64,
    /// Single looks to be sure.
    pub looks: u64,
    /// Namespaces of the host that were compared.
    pub namespaces: u64,
    /// Mounts that were compared.
    pub mounts: u64,
    /// What differs, by kind.
    pub found: BTreeMap<DriftKind, u64>,
    /// How much of it was not open before.
    pub new: u64,
    /// What was open and is not seen any more.
    pub resolved: u64,
}

/// Where the scan puts what it finds.
struct Tally {
    scan: DriftScan,
    provider: ProviderName,
}

impl Control {
    /// Compares what the host believes with what the provider has, now. Changes nothing at the provider.
    ///
    /// # Errors
    /// `NOT_FOUND`, and what the provider answered when it was asked who it is. A list that breaks off is not an error: see
    /// [`DriftScan::broken_off`].
    pub async fn scan_drifts(&self, caller: &Caller, name: &ProviderName) -> Result<DriftScan> {
        let stored = self.get_provider(caller, name).await?;
        let turn = self.scans.of(name);
        let _turn = turn.lock().await;
        let began = self.now();
        let provider = self.load(&stored.value).await?;
        let cx = CallContext { request_id: caller.call_id.clone(), deadline: Some(PATIENCE), safe_only: true };
        let report = value(name, provider.probe(&cx, ProbeMode::ReadOnly).await)?;
        let mut tally = Tally::new(name, began);
        let believed = stored.value.probe.as_ref().map(|probe| probe.instance_id.as_str()).unwrap_or_default();
        if let Some(difference) = drift::instance(believed, &report.instance_id) {
            tally.scan.broken_off = difference.evidence.clone();
            let found = Found { difference, resource: name.to_string(), subject: String::new() };
            self.keep(&mut tally, vec![found]).await?;
        } else {
            let now = convert::probed(&provider.description().capabilities, &report.capabilities, began);
            let found = self.compare_abilities(name, &now).await?;
            self.keep(&mut tally, found).await?;
            let rounding = rounding(&stored.value);
            let look = Look { name, provider: provider.as_ref(), cx: &cx, rounding, began };
            self.compare_namespaces(&look, &mut tally).await?;
        }
        self.forget_old_drifts(name).await?;
        tally.scan.ended = self.now();
        show(name, &tally.scan);
        if caller.identity != Caller::host().identity {
            let mut change = Transaction::new();
            self.audit(&mut change, caller, "storage.provider.scan-drifts", name, Outcome::Done, "");
            change.commit(&self.tables).await?;
        }
        Ok(tally.scan)
    }

    async fn compare_namespaces(&self, look: &Look<'_>, tally: &mut Tally) -> Result<()> {
        let mut listing = Listing::default();
        let whole = match self.walk_list(look, &mut listing).await {
            Ok(()) => true,
            Err(error) => {
                tally.scan.broken_off = error.to_string();
                false
            }
        };
        (tally.scan.pages, tally.scan.listed) = (listing.pages, listing.listed);
        let mut mounts = Mounts::default();
        self.walk_rows(look, whole, &mut listing, &mut mounts, tally).await?;
        self.compare_mounts(look, &mut mounts).await?;
        tally.scan.looks = self.confirm(look, &mut listing).await?;
        tally.scan.mounts = mounts.compared;
        self.keep(tally, listing.found).await?;
        self.keep(tally, mounts.found).await?;
        let covered = |kind: DriftKind| match kind {
            DriftKind::MountStale => true,
            DriftKind::MountDiffers => !mounts.unanswered,
            kind => whole || !kind.needs_whole_list(),
        };
        tally.scan.resolved = self.resolve_drifts(look.name, look.began, covered).await?;
        Ok(())
    }

    /// Walks the host's own rows of this provider: what a whole list did not show, and the mounts.
    async fn walk_rows(
        &self,
        look: &Look<'_>,
        whole: bool,
        listing: &mut Listing,
        mounts: &mut Mounts,
        tally: &mut Tally,
    ) -> Result<()> {
        let prefix = Segments::of([look.name.provider.as_str()]);
        let mut cursor = None;
        loop {
            let page = self.tables.entries(PROVIDER_NAMESPACES, &prefix, cursor.as_ref(), 1000).await?;
            for (key, _, _) in page.items {
                let namespace = NamespaceName::parse(&key.text_at(1).unwrap_or_default())?;
                let Some(row) = self.tables.find::<Namespace>(&namespace).await? else { continue };
                tally.scan.namespaces = tally.scan.namespaces.saturating_add(1);
                self.take_mounts(&namespace, look, mounts).await?;
                let believed = Believed::of(&row.value);
                if whole && believed.comparable(look.began) && !listing.seen.contains(&uid(&row.value)) {
                    listing.doubtful.push(Doubtful::Missing { name: namespace });
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    async fn keep(&self, tally: &mut Tally, found: Vec<Found>) -> Result<()> {
        for one in &found {
            let count = tally.scan.found.entry(one.difference.kind).or_default();
            *count = count.saturating_add(1);
        }
        let new = self.note_drifts(&tally.provider, &found, self.now()).await?;
        tally.scan.new = tally.scan.new.saturating_add(new);
        Ok(())
    }
}

impl Tally {
    fn new(provider: &ProviderName, began: UnixMillis) -> Self {
        let scan = DriftScan {
            began,
            ended: began,
            broken_off: String::new(),
            pages: 0,
            listed: 0,
            looks: 0,
            namespaces: 0,
            mounts: 0,
            found: BTreeMap::new(),
            new: 0,
            resolved: 0,
        };
        Self { scan, provider: provider.clone() }
    }
}

/// What the last look has found, for alerts.
fn show(provider: &ProviderName, scan: &DriftScan) {
    for kind in DriftKind::ALL {
        let found = scan.found.get(&kind).copied().unwrap_or_default();
        let labels = [("provider", provider.provider.to_string()), ("kind", kind.word().to_owned())];
        metrics::gauge!("stowage_drifts", &labels).set(f64::from(u32::try_from(found).unwrap_or(u32::MAX)));
    }
    let whole = f64::from(u8::from(scan.broken_off.is_empty()));
    metrics::gauge!("stowage_drift_scan_whole", "provider" => provider.provider.to_string()).set(whole);
}
