//! What was measured so far: a row each, and what it says of the provider's capabilities.

use std::{cell::RefCell, collections::BTreeMap, future::Future, time::Instant};

use stowage_client::proto as v1;

use crate::cli::report::Row;

/// The rows and the measurements.
#[derive(Default)]
pub(super) struct Journal {
    rows: RefCell<Vec<Row>>,
    measured: RefCell<BTreeMap<String, v1::Measurement>>,
}

impl Journal {
    /// Does one thing and writes its row: what was seen when it worked, the error when not.
    pub(super) async fn step<T>(
        &self,
        check: &str,
        asked: impl Into<String>,
        follows: &str,
        work: impl Future<Output = anyhow::Result<(T, String)>>,
    ) -> Option<T> {
        eprintln!("{check} …");
        let began = Instant::now();
        match work.await {
            Ok((value, seen)) => {
                let seen = format!("{seen}; {:.1} s", began.elapsed().as_secs_f64());
                self.row("PASS", check, asked, seen, follows, "");
                Some(value)
            }
            Err(error) => {
                let follows = "what rests on it was not measured";
                self.row("FAIL", check, asked, format!("{error:#}"), follows, "see the error; then run it again");
                None
            }
        }
    }

    /// A row of what was measured and is neither good nor bad.
    pub(super) fn note(&self, check: &str, asked: &str, seen: impl Into<String>, follows: &str) {
        self.row("NOTE", check, asked, seen, follows, "");
    }

    /// A row of what turned out otherwise than it must.
    pub(super) fn fail(&self, check: &str, asked: &str, seen: impl Into<String>, follows: &str, remedy: &str) {
        self.row("FAIL", check, asked, seen, follows, remedy);
    }

    /// A row of what was not measured, and why.
    pub(super) fn skip(&self, check: &str, why: impl Into<String>, follows: &str, remedy: &str) {
        self.row("SKIP", check, "", why, follows, remedy);
    }

    fn row(
        &self,
        outcome: &str,
        check: &str,
        asked: impl Into<String>,
        seen: impl Into<String>,
        follows: &str,
        remedy: &str,
    ) {
        self.rows.borrow_mut().push(Row {
            outcome: outcome.to_owned(),
            check: check.to_owned(),
            asked: asked.into(),
            seen: seen.into(),
            follows: follows.to_owned(),
            remedy: remedy.to_owned(),
        });
    }

    /// A step that worked confirms a capability. One that failed says nothing of it: the node may have been away.
    pub(super) fn confirmed<T>(&self, capability: &str, step: &Option<T>, evidence: &str) {
        if step.is_some() {
            self.measured(capability, true, evidence);
        }
    }

    /// What a measurement says of a capability. One that refutes goes before one that confirms.
    pub(super) fn measured(&self, capability: &str, confirmed: bool, evidence: impl Into<String>) {
        let verdict = if confirmed { v1::MeasurementVerdict::Confirmed } else { v1::MeasurementVerdict::Refuted };
        let evidence: String = evidence.into().chars().filter(|c| !c.is_control()).take(500).collect();
        let mut measured = self.measured.borrow_mut();
        let entry = measured.entry(capability.to_owned()).or_insert_with(|| v1::Measurement {
            capability: capability.to_owned(),
            verdict: verdict.into(),
            evidence: evidence.clone(),
            ..Default::default()
        });
        if entry.verdict() == v1::MeasurementVerdict::Confirmed && !confirmed {
            entry.verdict = verdict.into();
            entry.evidence = evidence;
        }
    }

    /// A number that was measured of a capability.
    pub(super) fn constraint(&self, capability: &str, key: &str, value: v1::capability_value::Kind) {
        if let Some(entry) = self.measured.borrow_mut().get_mut(capability) {
            entry.constraints.insert(key.to_owned(), v1::CapabilityValue { kind: Some(value) });
        }
    }

    pub(super) fn measurements(&self) -> Vec<v1::Measurement> {
        self.measured.borrow().values().cloned().collect()
    }

    pub(super) fn failures(&self) -> usize {
        self.rows.borrow().iter().filter(|row| row.outcome == "FAIL").count()
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        self.rows.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_refutation_outweighs_every_confirmation() {
        for order in [[true, false], [false, true]] {
            let journal = Journal::default();
            for confirmed in order {
                journal.measured("quota.hard", confirmed, format!("confirmed {confirmed}"));
            }
            let found = journal.measurements().remove(0);
            assert_eq!(found.verdict(), v1::MeasurementVerdict::Refuted);
            assert_eq!(found.evidence, "confirmed false");
        }
    }

    #[tokio::test]
    async fn a_step_that_fails_is_a_row_with_its_error() {
        let journal = Journal::default();
        let worked: Option<u8> = journal.step("a", "do a", "good", async { Ok((1, "done".to_owned())) }).await;
        let failed: Option<u8> = journal.step("b", "do b", "good", async { anyhow::bail!("no") }).await;
        assert_eq!((worked, failed, journal.failures()), (Some(1), None, 1));
        let rows = journal.rows();
        assert_eq!((rows[0].outcome.as_str(), rows[1].seen.as_str()), ("PASS", "no"));
    }
}
