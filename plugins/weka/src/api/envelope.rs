//! The envelope of every answer: `{"data": …}`, with `next_token` while a list has more pages.
//!
//! The documents show it with `data` missing (some S3 answers) and with a list where one object is meant (login); both are
//! read. An answer that is none of these is junk, however good its status.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An answer that can not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Junk(pub(crate) String);

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    /// The rows.
    pub(crate) rows: Vec<T>,
    /// Asks for the next page; a number or a string on the wire.
    pub(crate) next: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    next_token: Option<Value>,
}

/// Opens the envelope.
pub(crate) fn data(body: &[u8]) -> Result<Value, Junk> {
    let whole: Value = serde_json::from_slice(body).map_err(junk)?;
    match whole {
        Value::Object(mut fields) if fields.contains_key("data") => Ok(fields.remove("data").unwrap_or_default()),
        other => Ok(other),
    }
}

/// One object; a list of exactly one is the same.
pub(crate) fn one<T: DeserializeOwned>(body: &[u8]) -> Result<T, Junk> {
    let value = match data(body)? {
        Value::Array(mut rows) if rows.len() == 1 => rows.pop().unwrap_or_default(),
        other => other,
    };
    if !value.is_object() {
        return Err(Junk("the answer holds no object".to_owned()));
    }
    serde_json::from_value(value).map_err(junk)
}

/// One page of rows. A list that is not there is no list: junk must not read as "nothing exists".
pub(crate) fn list<T: DeserializeOwned>(body: &[u8]) -> Result<Listed<T>, Junk> {
    #[derive(Deserialize)]
    struct Page<T> {
        data: Vec<T>,
        #[serde(default)]
        next_token: Option<Value>,
    }
    let page: Page<T> = serde_json::from_slice(body).map_err(junk)?;
    let next = page.next_token.and_then(|token| match token {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    Ok(Listed { rows: page.data, next })
}

/// Checks that the body is an envelope at all, for answers whose content does not matter.
pub(crate) fn empty(body: &[u8]) -> Result<(), Junk> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(junk)?;
    drop((envelope.data, envelope.next_token));
    Ok(())
}

fn junk(error: serde_json::Error) -> Junk {
    // The parser's text names positions and types, never content; numbers and strings of the body do not leave.
    Junk(match error.classify() {
        serde_json::error::Category::Data => format!("the answer has another shape ({error})"),
        _ => "the answer is not JSON".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Row {
        name: String,
    }

    #[test]
    fn one_object_is_read_in_a_list_or_without_envelope_too() {
        for body in [r#"{"data":{"name":"a"}}"#, r#"{"data":[{"name":"a"}]}"#, r#"{"name":"a"}"#] {
            assert_eq!(one::<Row>(body.as_bytes()).unwrap().name, "a");
        }
    }

    #[test]
    fn tokens_of_the_next_page_are_numbers_or_strings() {
        for (body, next) in [
            (r#"{"data":[],"next_token":3214121}"#, Some("3214121")),
            (r#"{"data":[],"next_token":"a7"}"#, Some("a7")),
            (r#"{"data":[],"next_token":null}"#, None),
            (r#"{"data":[]}"#, None),
        ] {
            assert_eq!(list::<Row>(body.as_bytes()).unwrap().next.as_deref(), next);
        }
    }

    #[test]
    fn junk_is_never_an_empty_list() {
        for body in ["", "<html>", "{}", r#"{"data":null}"#, r#"{"data":{"x":1}}"#, "[]"] {
            assert!(list::<Row>(body.as_bytes()).is_err(), "{body}");
        }
        for body in ["", "<html>", "null", r#"{"data":null}"#, r#"{"data":"ok"}"#] {
            assert!(one::<Row>(body.as_bytes()).is_err(), "{body}");
        }
        assert!(empty(b"").is_err());
        assert!(empty(br#"{"data":null}"#).is_ok());
    }
}
