//! Every number that bounds a guest, in one table.
//!
//! Problem: a limit that is parsed but not enforced, or enforced but not documented, is worse than none. Rule: a row of a
//! table yields the default, the configuration's field and its schema, the documentation and the row of the test that
//! walks the table (`tests/limits.rs`). A row without an enforcing case fails that test.
//!
//! [`CallLimits`] may be set per provider; [`EngineLimits`] hold for the process.

mod table;

pub use table::{CallLimits, EngineLimits};

/// One row: what the documentation, the schema and the tests know of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Name in the configuration.
    pub name: &'static str,
    /// Value when the configuration says nothing.
    pub default: u64,
    /// Least value that is taken.
    pub min: u64,
    /// Largest value that is taken.
    pub max: u64,
    /// Unit.
    pub unit: &'static str,
    /// Native code of the failure that a hit gives, or what is done instead.
    pub on_hit: &'static str,
    /// What it bounds.
    pub doc: &'static str,
}

/// A limit is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit `{name}` is {value} {unit}, but must be from {min} to {max}")]
pub struct LimitError {
    /// The limit.
    pub name: &'static str,
    /// What was asked for.
    pub value: u64,
    /// Unit.
    pub unit: &'static str,
    /// Least value.
    pub min: u64,
    /// Largest value.
    pub max: u64,
}

const HEAD: &str = "\
# Limits of plugins

A plugin is untrusted code; every resource that it can use has a number. This page is written from the table in
`host/plugin/src/limits/table.rs`, which also gives the defaults, the configuration's schema and the test that each limit
is enforced. A failure names the limit that was hit as its native code.

";

/// The table of both sets as Markdown, for the operator's guide.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(HEAD);
    page.push_str("| limit | default | range | unit | on a hit | bounds |\n|---|---|---|---|---|---|\n");
    for row in CallLimits::ROWS.iter().chain(EngineLimits::ROWS) {
        let Row { name, default, min, max, unit, on_hit, doc } = row;
        page.push_str(&format!("| `{name}` | {default} | {min} to {max} | {unit} | {on_hit} | {doc} |\n"));
    }
    page
}

fn schema_of(rows: &[Row]) -> serde_json::Value {
    let properties = rows.iter().map(|row| {
        let schema = serde_json::json!({
            "type": "integer", "minimum": row.min, "maximum": row.max, "default": row.default,
            "description": format!("{} In {}. On a hit: {}.", row.doc, row.unit, row.on_hit),
        });
        (row.name.to_owned(), schema)
    });
    serde_json::json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<serde_json::Map<_, _>>(),
    })
}
