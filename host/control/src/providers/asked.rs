//! Asking: probes and preflights.

use std::time::Duration;

use stowage_audit::Outcome;
use stowage_domain::{Provider, ProviderName};
use stowage_ports::provider::{Answer, CallContext, Finding, ProbeMode};
use stowage_store::Transaction;

use crate::{
    Caller, Control, ControlError, Result, Stored, convert,
    rows::{Reads, Writes},
};

/// The longest that a caller waits for a backend.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A provider's failure as an error of the use case.
pub(crate) fn value<T>(provider: &ProviderName, answer: Answer<T>) -> Result<T> {
    answer.map(|called| called.value).map_err(|failure| ControlError::provider(provider, &failure.error))
}

impl Control {
    fn asking(&self, caller: &Caller, mode: &ProbeMode) -> CallContext {
        CallContext {
            request_id: caller.call_id.clone(),
            deadline: Some(PATIENCE),
            safe_only: *mode == ProbeMode::ReadOnly,
        }
    }

    /// Asks the backend what it is and can, and records the answer as evidence.
    ///
    /// # Errors
    /// What the provider answered; `PROVIDER_INSTANCE_CHANGED` when another backend answers than the one with our
    /// namespaces.
    pub async fn probe_provider(
        &self,
        caller: &Caller,
        name: &ProviderName,
        mode: ProbeMode,
    ) -> Result<Stored<Provider>> {
        let stored = self.get_provider(caller, name).await?;
        let provider = self.load(&stored.value).await?;
        let report = value(name, provider.probe(&self.asking(caller, &mode), mode).await)?;
        loop {
            let stored = self.tables.read::<Provider>(name).await?;
            let mut record = stored.value;
            let before = record.probe.as_ref().map(|probe| probe.instance_id.clone()).filter(|id| !id.is_empty());
            if let Some(before) = before.filter(|before| *before != report.instance_id)
                && self.provider_ledger(caller, name).await?.namespaces > 0
            {
                let what = format!(
                    "the backend calls itself {:?} and was {before:?} before: its endpoint leads elsewhere; correct it",
                    report.instance_id
                );
                return Err(ControlError::precondition("PROVIDER_INSTANCE_CHANGED", name, what));
            }
            let now = self.now();
            record.capabilities = convert::probed(&provider.description().capabilities, &report.capabilities, now);
            record.probe = Some(convert::probe(&report, now));
            self.lay_evidence(&mut record).await?;
            record.updated_at = now;
            let mut change = Transaction::new();
            change.update(&record, stored.version);
            // The host's own looks, one a minute, would bury what people did.
            if caller.identity != Caller::host().identity {
                self.audit(&mut change, caller, "storage.provider.probe", name, Outcome::Done, "");
            }
            match change.commit(&self.tables).await {
                Ok(version) => return Ok(Stored { value: record, version }),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Checks the backend's set-up; each finding tells what follows from it.
    ///
    /// # Errors
    /// What the provider answered.
    pub async fn preflight_provider(
        &self,
        caller: &Caller,
        name: &ProviderName,
        mode: ProbeMode,
    ) -> Result<Vec<Finding>> {
        let stored = self.get_provider(caller, name).await?;
        let provider = self.load(&stored.value).await?;
        value(name, provider.preflight(&self.asking(caller, &mode), mode).await)
    }
}
