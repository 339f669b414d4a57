//! Keeping an eye on the backends: each is probed when it is bound and from then on at a steady pace.
//!
//! What a probe finds is what placement goes by, so a backend that is down takes no new namespaces within one interval,
//! and takes them again within one. A probe that fails is a finding too: the part `adapter` is down, and why.

use std::{sync::Arc, time::Duration};

use stowage_domain::{
    Provider, ProviderName,
    provider::{ComponentHealth, Health, Probe},
};
use stowage_ports::provider::ProbeMode;
use stowage_store::{Segments, Transaction};

use crate::{
    Caller, Control, PageRequest, Result,
    rows::{Reads, Writes},
};

/// The part of a backend that a failed probe reports.
const ADAPTER: &str = "adapter";

impl Control {
    /// Probes every provider, again and again, until the host stops.
    pub(crate) async fn watch_providers(self: Arc<Self>) {
        let pause = Duration::from_millis(self.config.probe_interval.0);
        loop {
            let round = async {
                tokio::time::sleep(pause).await;
                self.probe_all().await
            };
            tokio::select! {
                () = self.runner.draining() => return,
                probed = round => if let Err(error) = probed {
                    tracing::warn!(%error, "the providers could not be probed");
                },
            }
        }
    }

    async fn probe_all(&self) -> Result<()> {
        let mut page = PageRequest::default();
        loop {
            let found = self.tables.list::<Provider>(&Segments::new(), &page).await?;
            for provider in &found.items {
                self.look_at(&provider.value.name).await;
            }
            if found.next.is_empty() {
                return Ok(());
            }
            page.token = found.next;
        }
    }

    /// Probes one provider; a failure is recorded as its health.
    pub(crate) async fn look_at(&self, name: &ProviderName) {
        let Err(error) = self.probe_provider(&Caller::host(), name, ProbeMode::ReadOnly).await else { return };
        tracing::warn!(provider = %name, %error, "the probe failed");
        if let Err(error) = self.note_down(name, error.to_string()).await {
            tracing::warn!(provider = %name, %error, "its health could not be recorded");
        }
    }

    async fn note_down(&self, name: &ProviderName, why: String) -> Result<()> {
        let Some(stored) = self.tables.find::<Provider>(name).await? else { return Ok(()) };
        let mut record = stored.value;
        let none = Probe {
            at: self.now(),
            native_version: String::new(),
            instance_id: String::new(),
            components: Vec::new(),
            counters: Vec::new(),
        };
        let probe = record.probe.get_or_insert(none);
        probe.at = self.now();
        probe.components = vec![ComponentHealth { component: ADAPTER.to_owned(), health: Health::Down(why) }];
        let mut change = Transaction::new();
        change.update(&record, stored.version);
        // Whoever was faster has seen the provider later.
        match change.commit(&self.tables).await {
            Err(error) if !error.is_conflict() => Err(error.into()),
            _ => Ok(()),
        }
    }
}
