//! Keeping an eye on the backends: each is probed when it is bound and from then on at a steady pace.
//!
//! What a probe finds is what placement goes by, so a backend that is down takes no new namespaces within one interval,
//! and takes them again within one. A probe that fails is a finding too: the part `adapter` is down, and why.
//!
//! Probes run side by side, a bounded number at once, and a provider whose last probe has not ended is passed over: one
//! backend that hangs holds one place and delays nobody else's probe.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use stowage_domain::{
    Provider, ProviderName,
    provider::{ComponentHealth, Health, Probe},
};
use stowage_ports::provider::ProbeMode;
use stowage_store::{Segments, Transaction};
use tokio::{
    sync::Semaphore,
    task::{Id, JoinError, JoinSet},
    time::MissedTickBehavior,
};

use crate::{
    Caller, Control, PageRequest, Result,
    rows::{Reads, Writes},
};

/// The part of a backend that a failed probe reports.
const ADAPTER: &str = "adapter";
/// Probes at once. Each ends by its own deadline, so a whole region of hanging backends is gone through all the same.
const AT_ONCE: usize = 16;

/// Probes that have not ended.
struct Probing {
    tasks: JoinSet<()>,
    names: HashMap<Id, ProviderName>,
    turns: Arc<Semaphore>,
}

impl Probing {
    /// Whose probe has not ended.
    fn busy(&self) -> HashSet<ProviderName> {
        self.names.values().cloned().collect()
    }

    fn begin(&mut self, control: &Arc<Control>, name: ProviderName) {
        let (control, turns, of) = (Arc::clone(control), Arc::clone(&self.turns), name.clone());
        let task = self.tasks.spawn(async move {
            // A closed semaphore would be an error here; it is never closed.
            let _turn = turns.acquire().await;
            control.look_at(&of).await;
        });
        self.names.insert(task.id(), name);
    }

    fn ended(&mut self, ended: std::result::Result<(Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let name = self.names.remove(&id);
        if let (Err(error), Some(provider)) = (ended, name) {
            tracing::error!(%provider, %error, "a probe ended by a defect");
        }
    }
}

impl Control {
    /// Probes every provider, again and again, until the host stops.
    pub(crate) async fn watch_providers(self: Arc<Self>) {
        let period = Duration::from_millis(self.config.probe_interval.0.max(1));
        let mut rounds = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut probing =
            Probing { tasks: JoinSet::new(), names: HashMap::new(), turns: Arc::new(Semaphore::new(AT_ONCE)) };
        loop {
            tokio::select! {
                () = self.runner.draining() => return,
                Some(ended) = probing.tasks.join_next_with_id() => probing.ended(ended),
                _ = rounds.tick() => if let Err(error) = self.probe_all(&mut probing).await {
                    tracing::warn!(%error, "the providers could not be probed");
                },
            }
        }
    }

    /// Begins a probe of every provider that has none.
    async fn probe_all(self: &Arc<Self>, probing: &mut Probing) -> Result<()> {
        let busy = probing.busy();
        let mut page = PageRequest::default();
        loop {
            let found = self.tables.list::<Provider>(&Segments::new(), &page).await?;
            for provider in found.items {
                if !busy.contains(&provider.value.name) {
                    probing.begin(self, provider.value.name);
                }
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
