//! What was measured at a provider: evidence for its capabilities that a probe cannot give.
//!
//! A read-only probe asks whether a feature is switched on; whether it holds only shows when it is used. What a measurement
//! showed counts like a probe for as long as the backend calls itself the same and has the same release; with an upgrade it
//! ends. Where a later probe says that the feature is off, the probe goes before the measurement.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stowage_audit::Outcome;
use stowage_domain::{
    Capability, CapabilityState, Provider, ProviderName, Standing, UnixMillis, capability::ConstraintValue,
    provider::Probe,
};
use stowage_ports::provider::ProbeMode;
use stowage_store::Transaction;

use crate::{
    Caller, Control, ControlError, Result, Stored, WriteOptions,
    rows::{Keyed, Reads, Request, Row, Writes},
};

/// The most measurements of one record.
const MOST: usize = 64;
/// The longest evidence, in characters.
const LONGEST: usize = 500;

/// One measurement of an ability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// The capability.
    pub capability: String,
    /// Whether the provider can.
    pub confirmed: bool,
    /// What was done and seen.
    pub evidence: String,
    /// What was measured, by registered key.
    #[serde(default)]
    pub constraints: Vec<(String, ConstraintValue)>,
}

/// A measurement with its time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    at: UnixMillis,
    measurement: Measurement,
}

/// Everything that was measured at one release of a provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// The provider.
    pub(crate) name: ProviderName,
    instance_id: String,
    native_version: String,
    measured: Vec<Measured>,
}

impl Evidence {
    fn holds_for(&self, probe: &Probe) -> bool {
        self.instance_id == probe.instance_id && self.native_version == probe.native_version
    }

    /// Lays what was measured over what is declared and probed.
    pub(super) fn lay_over(&self, probe: &Probe, capabilities: &mut Vec<Capability>) {
        if !self.holds_for(probe) {
            return;
        }
        for Measured { at, measurement } in &self.measured {
            apply(capabilities, measurement, *at);
        }
        capabilities.sort_by(|a, b| a.id.cmp(&b.id));
    }
}

fn apply(capabilities: &mut Vec<Capability>, measurement: &Measurement, at: UnixMillis) {
    let evidence = measurement.evidence.clone();
    let (state, standing) = if measurement.confirmed {
        (CapabilityState::Supported, Standing::Probed { at, evidence })
    } else {
        (CapabilityState::Unsupported, Standing::Refuted { at, evidence })
    };
    let Some(found) = capabilities.iter_mut().find(|one| one.id == measurement.capability) else {
        let constraints = measurement.constraints.clone();
        capabilities.push(Capability { id: measurement.capability.clone(), state, standing, constraints });
        return;
    };
    for (key, value) in &measurement.constraints {
        match found.constraints.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value.clone(),
            None => found.constraints.push((key.clone(), value.clone())),
        }
    }
    let off = matches!(found.state, CapabilityState::Unavailable { .. })
        || matches!((&found.state, &found.standing), (CapabilityState::Unsupported, Standing::Refuted { .. }));
    if !off {
        (found.state, found.standing) = (state, standing);
    }
}

fn check(measurements: &[Measurement]) -> Result<()> {
    if measurements.is_empty() || measurements.len() > MOST {
        let rule = format!("{} measurements: 1 to {MOST} are taken", measurements.len());
        return Err(ControlError::field("measurements", rule));
    }
    let mut seen = BTreeSet::new();
    for (index, one) in measurements.iter().enumerate() {
        let field = |name: &str| format!("measurements[{index}].{name}");
        let word = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
        };
        if !word(&one.capability) {
            return Err(ControlError::field(field("capability"), "must be 1 to 64 of a-z, 0-9, '.' and '-'"));
        }
        if !seen.insert(&one.capability) {
            return Err(ControlError::field(field("capability"), format!("{} is measured twice", one.capability)));
        }
        let length = one.evidence.chars().count();
        if length == 0 || length > LONGEST || one.evidence.chars().any(char::is_control) {
            let rule = format!("must be 1 to {LONGEST} characters without control characters");
            return Err(ControlError::field(field("evidence"), rule));
        }
        if one.constraints.len() > 16 || one.constraints.iter().any(|(key, _)| !word(key)) {
            let rule = "must be at most 16 keys, each 1 to 64 of a-z, 0-9, '.' and '-'";
            return Err(ControlError::field(field("constraints"), rule));
        }
    }
    Ok(())
}

impl Control {
    /// Records measurements as evidence; one of the same capability before is replaced. The provider is probed then, so
    /// that the answer shows what the evidence makes of its capabilities.
    ///
    /// # Errors
    /// Wrong fields, `NOT_FOUND`, `PROVIDER_NOT_PROBED` for a provider whose release nobody knows, and what the provider
    /// answered to the probe: the evidence is recorded all the same, and the next probe lays it over.
    pub async fn record_evidence(
        &self,
        caller: &Caller,
        name: &ProviderName,
        measurements: Vec<Measurement>,
        options: WriteOptions,
    ) -> Result<Stored<Provider>> {
        check(&measurements)?;
        let request = Request::new(caller, &options, "record-evidence", &(name, &measurements), self.now())?;
        loop {
            let stored = self.get_provider(caller, name).await?;
            if request.answered(&self.tables).await?.is_some() {
                return Ok(stored);
            }
            let Some(probe) = stored.value.probe.as_ref().filter(|probe| !probe.native_version.is_empty()) else {
                let what = "nobody knows the backend's release: probe it first";
                return Err(ControlError::precondition("PROVIDER_NOT_PROBED", name, what));
            };
            let before = self.tables.find::<Evidence>(name).await?;
            let kept = before.as_ref().filter(|row| row.value.holds_for(probe));
            let mut measured = kept.map(|row| row.value.measured.clone()).unwrap_or_default();
            measured.retain(|old| !measurements.iter().any(|new| new.capability == old.measurement.capability));
            let at = self.now();
            measured.extend(measurements.iter().cloned().map(|measurement| Measured { at, measurement }));
            let row = Evidence {
                name: name.clone(),
                instance_id: probe.instance_id.clone(),
                native_version: probe.native_version.clone(),
                measured,
            };
            let mut change = Transaction::new();
            change.unchanged(&stored);
            match &before {
                Some(before) => change.update(&row, before.version),
                None => change.insert(&row),
            }
            request.claim(&mut change, name);
            self.audit(&mut change, caller, "storage.provider.record-evidence", name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(_) => return self.probe_provider(&Caller::host(), name, ProbeMode::ReadOnly).await,
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Lays what was measured over the capabilities of a record that was just probed.
    pub(super) async fn lay_evidence(&self, record: &mut Provider) -> Result<()> {
        if let (Some(probe), Some(row)) = (&record.probe, self.tables.find::<Evidence>(&record.name).await?) {
            row.value.lay_over(probe, &mut record.capabilities);
        }
        Ok(())
    }

    /// Forgets what was measured at a provider of this name.
    pub(super) async fn forget_evidence(&self, name: &ProviderName) -> Result<()> {
        let mut change = Transaction::new();
        change.discard::<Row<Evidence>>(&Evidence::key_of(name));
        change.commit(&self.tables).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(confirmed: bool) -> Measurement {
        Measurement {
            capability: "quota.hard".into(),
            confirmed,
            evidence: "wrote 2 MiB into a quota of 1 MiB".into(),
            constraints: vec![("quota.latency".into(), ConstraintValue::Seconds(5))],
        }
    }

    fn capability(state: CapabilityState) -> Capability {
        Capability { id: "quota.hard".into(), state, standing: Standing::Declared, constraints: Vec::new() }
    }

    #[test]
    fn a_measurement_refutes_a_declaration_and_never_switches_on_what_is_off() {
        let mut all = vec![capability(CapabilityState::Supported)];
        apply(&mut all, &measurement(false), UnixMillis(7));
        assert!(!all[0].usable() && matches!(all[0].standing, Standing::Refuted { at: UnixMillis(7), .. }));
        let off = CapabilityState::Unavailable { reason: "OFF".into(), remedy: "switch it on".into() };
        let mut all = vec![capability(off.clone())];
        apply(&mut all, &measurement(true), UnixMillis(7));
        assert_eq!((&all[0].state, all[0].constraints.len()), (&off, 1));
        let mut none = Vec::new();
        apply(&mut none, &measurement(true), UnixMillis(7));
        assert!(none[0].usable());
    }

    #[test]
    fn a_wrong_measurement_names_its_field() {
        let mut long = measurement(true);
        long.evidence = "x".repeat(501);
        for (wrong, field) in [
            (Vec::new(), "measurements"),
            (vec![measurement(true), measurement(false)], "measurements[1].capability"),
            (vec![long], "measurements[0].evidence"),
        ] {
            assert_eq!(check(&wrong).unwrap_err().0.fields[0].field, field);
        }
    }
}
