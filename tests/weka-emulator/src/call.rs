//! One request to the REST API, read and ready for its handler.

use std::collections::BTreeMap;

use crate::uid::Uid;
use serde_json::{Map, Value};

use crate::auth::Session;
use crate::clock::Millis;
use crate::envelope::Refusal;

/// A request after routing and authentication.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// With `/api/v2`.
    pub(crate) path: String,
    /// What stood in the path's `{…}` places, by name.
    pub(crate) places: BTreeMap<&'static str, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Map<String, Value>,
    pub(crate) session: Option<Session>,
    pub(crate) now: Millis,
}

impl Call {
    pub(crate) fn place(&self, name: &str) -> &str {
        self.places.get(name).map_or("", String::as_str)
    }

    /// A UUID in the path; anything else is an unknown uid.
    pub(crate) fn uid(&self, name: &str) -> Result<Uid, Refusal> {
        let text = self.place(name);
        Uid::parse(text).ok_or_else(|| Refusal::no_uid(text))
    }

    /// Who calls. Routes that need no login never ask.
    pub(crate) fn session(&self) -> Result<&Session, Refusal> {
        self.session.as_ref().ok_or_else(Refusal::unauthorized)
    }

    pub(crate) fn org(&self) -> Result<u64, Refusal> {
        Ok(self.session()?.org_id)
    }

    /// A field of the body; `null` counts as absent.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.field(name)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.field(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A number of bytes or anything else, as a number, a decimal string or a string with a unit.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        self.field(name).map(|value| number_in(name, value)).transpose()
    }

    /// The texts of an array field.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.field(name) else { return Ok(None) };
        let items = value.as_array().ok_or_else(|| Refusal::bad(name, "is not an array"))?;
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
        texts.map(Some).ok_or_else(|| Refusal::bad(name, "has an item that is not a string"))
    }

    /// Refuses a body that lacks one of these.
    pub(crate) fn require(&self, names: &[&str]) -> Result<(), Refusal> {
        let missing: Vec<&str> = names.iter().copied().filter(|name| !self.has(name)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Refusal::missing(&missing)) }
    }

    /// A required text.
    pub(crate) fn required_text(&self, name: &str) -> Result<String, Refusal> {
        self.text(name).ok_or_else(|| Refusal::missing(&[name]))
    }

    pub(crate) fn query_flag(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|value| value == "true" || value == "1")
    }
}

/// Reads `1073741824`, `"1073741824"`, `"1GiB"`, `"1 GB"`, `"11B"` without passing through floating point.
pub(crate) fn number_in(name: &str, value: &Value) -> Result<u64, Refusal> {
    match value {
        Value::Number(number) => number.as_u64().ok_or_else(|| Refusal::bad(name, "is not a whole number of 64 bits")),
        Value::String(text) => parse_bytes(text).ok_or_else(|| Refusal::bad(name, "is not a number of bytes")),
        _ => Err(Refusal::bad(name, "is not a number")),
    }
}

fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let scale: u64 = match unit.trim() {
        "" | "B" => 1,
        "KB" | "kB" => 1000,
        "MB" => 1000_u64.pow(2),
        "GB" => 1000_u64.pow(3),
        "TB" => 1000_u64.pow(4),
        "PB" => 1000_u64.pow(5),
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "PiB" => 1 << 50,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_with_and_without_units() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("11B", Some(11)),
            ("1GiB", Some(1 << 30)),
            ("1 GB", Some(1_000_000_000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999PiB", None),
            ("GiB", None),
            ("1.5GB", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }
}
