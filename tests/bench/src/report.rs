//! A figure, the table of all figures, and the file of them.

use std::path::Path;

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// What a ratio should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// The smaller the better.
    AtMost(f64),
    /// The larger the better.
    AtLeast(f64),
}

impl Target {
    fn met(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(most) => ratio <= most,
            Self::AtLeast(least) => ratio >= least,
        }
    }

    fn text(self, ratio: Option<f64>) -> String {
        let verdict = match ratio {
            Some(ratio) if self.met(ratio) => "met",
            _ => "missed",
        };
        match self {
            Self::AtMost(most) => format!("at most {most}: {verdict}"),
            Self::AtLeast(least) => format!("at least {least}: {verdict}"),
        }
    }
}

/// One figure. `ratio` is `value` by `baseline`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) baseline: Option<f64>,
    pub(crate) ratio: Option<f64>,
    #[serde(skip)]
    target: Option<Target>,
}

impl Figure {
    /// A figure with nothing to compare it to.
    pub(crate) fn alone(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, baseline: None, ratio: None, target: None }
    }

    /// A figure by its baseline.
    pub(crate) fn by(name: impl Into<String>, value: f64, unit: &'static str, baseline: f64) -> Self {
        let ratio = (baseline > 0.0).then_some(value / baseline);
        Self { baseline: Some(baseline), ratio, ..Self::alone(name, value, unit) }
    }

    /// With what its ratio should be.
    pub(crate) fn target(self, target: Target) -> Self {
        Self { target: Some(target), ..self }
    }
}

/// All figures as people read them.
pub(crate) fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(["figure", "value", "unit", "baseline", "ratio", "target"]);
    for figure in figures {
        let number = |n: Option<f64>| n.map(short).unwrap_or_default();
        table.add_row([
            figure.name.clone(),
            short(figure.value),
            figure.unit.to_owned(),
            number(figure.baseline),
            number(figure.ratio),
            figure.target.map(|target| target.text(figure.ratio)).unwrap_or_default(),
        ]);
    }
    for column in [1, 3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Three digits or so.
fn short(n: f64) -> String {
    match n.abs() {
        size if size >= 100.0 => format!("{n:.0}"),
        size if size >= 10.0 => format!("{n:.1}"),
        _ => format!("{n:.3}"),
    }
}

/// Writes the file.
pub(crate) fn write(path: &Path, figures: &[Figure]) -> Result<()> {
    let text = serde_json::to_string_pretty(figures)?;
    std::fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_written_with_its_five_fields() {
        let text = serde_json::to_value([Figure::by("a", 1.0, "µs", 4.0).target(Target::AtMost(0.5))]);
        let wanted = serde_json::json!([{ "name": "a", "value": 1.0, "unit": "µs", "baseline": 4.0, "ratio": 0.25 }]);
        assert_eq!(text.ok(), Some(wanted));
    }

    #[test]
    fn a_missed_target_is_said_to_be_missed() {
        assert_eq!(Target::AtMost(0.15).text(Some(0.2)), "at most 0.15: missed");
        assert_eq!(Target::AtLeast(10.0).text(Some(12.0)), "at least 10: met");
        assert_eq!(Target::AtLeast(10.0).text(None), "at least 10: missed");
    }
}
