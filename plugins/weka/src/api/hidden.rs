//! The refusal that hides in an answer of good status: some releases put `data.error` or an exception there.
//!
//! Every answer is looked at, and some are lists of a megabyte, so nothing of it is kept, and a list ends the look at its
//! first bracket: what stands in its rows is no refusal.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// Whether a refusal hides in this body. Junk holds none: it is refused when it is read.
pub(crate) fn hidden(body: &[u8]) -> bool {
    serde_json::from_slice(body).is_ok_and(|Answer(hidden)| hidden)
}

/// The whole answer. One that is no object, or whose `data` is none, is an error here.
struct Answer(bool);

/// Its `data`.
struct Data(bool);

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfAnswer)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfData)
    }
}

struct OfAnswer;

impl<'de> Visitor<'de> for OfAnswer {
    type Value = Answer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Answer, A::Error> {
        let mut hidden = false;
        while let Some(name) = members.next_key::<String>()? {
            if name == "data" {
                let Data(found) = members.next_value()?;
                hidden = found;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Answer(hidden))
    }
}

struct OfData;

impl<'de> Visitor<'de> for OfData {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Data, A::Error> {
        let mut hidden = false;
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "error" | "reason" => {
                    let told: Value = members.next_value()?;
                    hidden |= told.as_str().is_some_and(|text| !text.is_empty());
                }
                "exceptionClass" => hidden |= members.next_value::<Value>()?.is_array(),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Data(hidden))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_in_the_data_is_found_and_rows_are_none() {
        for body in [
            r#"{"data":{"error":"it failed"}}"#,
            r#"{"x":[1],"data":{"a":{"b":[]},"reason":"full"},"next_token":null}"#,
            r#"{"data":{"exceptionClass":["X"]}}"#,
        ] {
            assert!(hidden(body.as_bytes()), "{body}");
        }
        for body in [
            r#"{"data":{"error":""}}"#,
            r#"{"data":{"error":null,"reason":7,"exceptionClass":"X"}}"#,
            r#"{"data":{"inner":{"error":"not its own"}}}"#,
            r#"{"data":[{"error":"in a row"}]}"#,
            r#"{"data":["in a list"]}"#,
            r#"{"data":null}"#,
            r#"{"data":"error"}"#,
            r#"{"error":"outside"}"#,
            r#"{"data":{"error":"cut"#,
            "<html>",
            "",
        ] {
            assert!(!hidden(body.as_bytes()), "{body}");
        }
    }
}
