//! What came of the checks.

use std::fmt;

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The rule is kept.
    Passed,
    /// The adapter does not offer what the rule is about.
    NotApplicable(String),
    /// The rule is broken: what was asked and what was seen.
    Failed(String),
}

/// One row of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// Stable name.
    pub name: &'static str,
    /// The rule that it holds.
    pub rule: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// Every check in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The rows.
    pub results: Vec<CheckResult>,
}

impl Report {
    /// Whether no rule is broken.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The checks whose rule is broken.
    pub fn failed(&self) -> impl Iterator<Item = &CheckResult> {
        self.results.iter().filter(|r| matches!(r.outcome, Outcome::Failed(_)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for result in &self.results {
            match &result.outcome {
                Outcome::Passed => writeln!(f, "pass  {}", result.name)?,
                Outcome::NotApplicable(why) => writeln!(f, "n/a   {}: {why}", result.name)?,
                Outcome::Failed(why) => writeln!(f, "FAIL  {}: {} ({why})", result.name, result.rule)?,
            }
        }
        Ok(())
    }
}
