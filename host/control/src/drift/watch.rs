//! Looking for drift at a steady pace.
//!
//! Each provider is scanned by a task of its own, and one whose last scan has not ended is passed over: a backend that hangs
//! delays nobody else's.

use std::{sync::Arc, time::Duration};

use stowage_domain::{Provider, ProviderName};
use stowage_store::Segments;

use crate::{Caller, Control, PageRequest, Result, rows::Reads};

impl Control {
    /// Scans every provider again and again, until the host stops.
    pub(crate) async fn watch_drifts(self: Arc<Self>) {
        let pause = Duration::from_millis(self.config.drift_interval.0.max(1));
        loop {
            tokio::select! {
                () = self.draining() => return,
                () = tokio::time::sleep(pause) => {}
            }
            if let Err(error) = self.begin_scans().await {
                tracing::warn!(%error, "the providers could not be compared with what is believed");
            }
        }
    }

    async fn begin_scans(self: &Arc<Self>) -> Result<()> {
        let mut page = PageRequest::default();
        loop {
            let found = self.tables.list::<Provider>(&Segments::new(), &page).await?;
            for provider in found.items {
                let control = Arc::clone(self);
                let name = provider.value.name;
                if self.scans.idle(&name) {
                    self.runner.spawn(async move {
                        tokio::select! {
                            () = control.stopping() => {}
                            () = control.scan_by_schedule(&name) => {}
                        }
                    });
                }
            }
            if found.next.is_empty() {
                return Ok(());
            }
            page.token = found.next;
        }
    }

    async fn scan_by_schedule(&self, name: &ProviderName) {
        match self.scan_drifts(&Caller::host(), name).await {
            Ok(scan) if scan.broken_off.is_empty() => {
                let (listed, new, resolved) = (scan.listed, scan.new, scan.resolved);
                tracing::info!(provider = %name, listed, new, resolved, "compared with what is believed");
            }
            Ok(scan) => tracing::warn!(provider = %name, why = scan.broken_off, "the comparison broke off"),
            Err(error) => tracing::warn!(provider = %name, %error, "the provider could not be compared"),
        }
    }
}
