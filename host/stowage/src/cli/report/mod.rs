//! A report that an operator files: who was looked at and when, one row for each check, and how many of each outcome.
//!
//! It holds no address, no name of an account's secret and nothing that the host redacts; it can be pasted into a ticket.

mod markdown;

pub(crate) use markdown::markdown;

use std::collections::BTreeMap;

use serde::Serialize;
use stowage_client::proto as v1;

use super::output::{Format, show_rows};

/// The whole report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// What kind of report: `preflight` or `validation`.
    pub(crate) report: &'static str,
    /// Who was looked at.
    pub(crate) of: Subject,
    /// When, in UTC.
    pub(crate) date: String,
    /// How many rows of each outcome.
    pub(crate) counts: BTreeMap<String, usize>,
    /// The rows, in the order of checking.
    pub(crate) rows: Vec<Row>,
}

/// Who was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Subject {
    /// `providers/{provider}`.
    pub(crate) provider: String,
    /// The plugin with its version.
    pub(crate) plugin: String,
    /// Digest of the plugin's component.
    pub(crate) plugin_digest: String,
    /// The backend's release.
    pub(crate) release: String,
    /// The backend's own identity.
    pub(crate) instance: String,
}

impl Subject {
    /// What a provider says of itself; `version` is its plugin's.
    pub(crate) fn of(provider: &v1::Provider, version: &str) -> Self {
        let unknown = |text: &str| if text.is_empty() { "unknown".to_owned() } else { text.to_owned() };
        Self {
            provider: provider.name.clone(),
            plugin: format!("{} {version}", provider.plugin).trim_end().to_owned(),
            plugin_digest: provider.plugin_digest.clone(),
            release: unknown(&provider.native_version),
            instance: unknown(&provider.instance_id),
        }
    }
}

/// One check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    /// How it came out, in a word.
    pub(crate) outcome: String,
    /// What was checked.
    pub(crate) check: String,
    /// What was asked or done.
    pub(crate) asked: String,
    /// What was seen.
    pub(crate) seen: String,
    /// What follows from it.
    pub(crate) follows: String,
    /// What to do; empty when nothing is needed.
    pub(crate) remedy: String,
}

impl Report {
    /// A report with its counts.
    pub(crate) fn new(report: &'static str, of: Subject, date: String, rows: Vec<Row>) -> Self {
        let mut counts = BTreeMap::new();
        for row in &rows {
            *counts.entry(row.outcome.clone()).or_default() += 1;
        }
        Self { report, of, date, counts, rows }
    }

    /// Prints it.
    pub(crate) fn show(&self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Json => println!("{}", serde_json::to_string_pretty(self)?),
            Format::Md => print!("{}", markdown(self)),
            Format::Table => {
                const HEAD: [&str; 6] = ["OUTCOME", "CHECK", "ASKED", "SEEN", "FOLLOWS", "REMEDY"];
                let cells = |row: &Row| {
                    let Row { outcome, check, asked, seen, follows, remedy } = row.clone();
                    vec![outcome, check, asked, seen, follows, remedy]
                };
                show_rows(&HEAD, self.rows.iter().map(cells));
            }
        }
        Ok(())
    }
}

/// This moment, as [`date`] writes it.
pub(crate) fn now() -> String {
    date(&super::values::from_now(std::time::Duration::ZERO))
}

/// The moment as `2026-01-31T10:00:00Z`.
pub(crate) fn date(time: &prost_types::Timestamp) -> String {
    prost_types::Timestamp { seconds: time.seconds, nanos: 0 }.to_string()
}
