//! Shows messages: as a table of chosen columns, or whole as JSON.

use clap::ValueEnum;
use comfy_table::{Table, presets};
use prost::{Message, Name};
use serde_json::Value;

/// How to show an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// Canonical proto JSON, whole.
    Json,
    /// Markdown, for reports that are filed.
    Md,
}

/// A column: its head, and the JSON pointer of its value.
pub(crate) type Column = (&'static str, &'static str);

/// Shows one message: a line for each column, or whole.
pub(crate) fn one<M: Message + Name>(format: Format, message: &M, columns: &[Column]) -> anyhow::Result<()> {
    let value = stowage_proto::to_json(message)?;
    match format {
        Format::Json => println!("{value:#}"),
        Format::Table | Format::Md => {
            let width = columns.iter().map(|(head, _)| head.len()).max().unwrap_or_default();
            for (head, pointer) in columns {
                let text = cell(&value, pointer);
                if !text.is_empty() {
                    println!("{head:<width$}  {text}");
                }
            }
        }
    }
    Ok(())
}

/// Shows rows: a table, or a JSON array of whole messages.
pub(crate) fn many<M: Message + Name>(format: Format, messages: &[M], columns: &[Column]) -> anyhow::Result<()> {
    let rows = messages.iter().map(stowage_proto::to_json).collect::<Result<Vec<_>, _>>()?;
    match format {
        Format::Json => println!("{:#}", Value::Array(rows)),
        Format::Table | Format::Md => println!("{}", table(format, &rows, columns)),
    }
    Ok(())
}

/// Shows rows of cells beneath a head.
pub(crate) fn show_rows(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(head.iter());
    rows.for_each(|row| {
        table.add_row(row);
    });
    println!("{table}");
}

fn table(format: Format, rows: &[Value], columns: &[Column]) -> Table {
    let mut table = Table::new();
    table.load_preset(if format == Format::Md { presets::ASCII_MARKDOWN } else { presets::NOTHING });
    table.set_header(columns.iter().map(|(head, _)| *head));
    for row in rows {
        table.add_row(columns.iter().map(|(_, pointer)| cell(row, pointer)));
    }
    table
}

fn cell(row: &Value, pointer: &str) -> String {
    row.pointer(pointer).map(|value| shown(pointer, value)).unwrap_or_default()
}

/// A value as people write it: enum values without their prefix, byte counts with a unit, lists joined.
fn shown(pointer: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text_of(pointer, text),
        Value::Array(items) => items.iter().map(|item| shown(pointer, item)).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| format!("{key}={}", shown(key, value))).collect::<Vec<_>>().join(" ")
        }
    }
}

fn text_of(pointer: &str, text: &str) -> String {
    if pointer.to_lowercase().ends_with("bytes")
        && let Ok(bytes) = text.parse()
    {
        return bytesize::ByteSize::b(bytes).display().iec().to_string();
    }
    for word in [
        "_STATE_",
        "_SEVERITY_",
        "CREDENTIAL_KIND_",
        "_LEVEL_",
        "_BASIS_",
        "_MODE_",
        "_FORM_",
        "PROTOCOL_",
        "ACTION_",
        "DIMENSION_",
        "ENFORCED_BY_",
    ] {
        let constant = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if let Some((_, rest)) = text.split_once(word).filter(|_| constant) {
            return rest.to_owned();
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_as_people_write_them() {
        let row = json!({
            "state": "NAMESPACE_STATE_READY", "quota": {"hardBytes": "16777216"}, "protocols": ["PROTOCOL_POSIX"],
            "labels": {"a": "b"}, "on": true
        });
        let shown = ["/state", "/quota/hardBytes", "/protocols", "/labels", "/on", "/absent"]
            .map(|pointer| cell(&row, pointer));
        assert_eq!(shown, ["READY", "16.0 MiB", "POSIX", "a=b", "yes", ""]);
    }

    #[test]
    fn a_table_has_a_head_and_a_line_for_each_row() {
        let table = table(Format::Md, &[json!({"name": "n1"}), json!({"name": "n2"})], &[("NAME", "/name")]);
        assert_eq!(table.to_string(), "| NAME |\n|------|\n| n1   |\n| n2   |");
    }
}
