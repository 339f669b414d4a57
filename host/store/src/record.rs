//! A row: a Rust type with a table, a key and a schema version.
//!
//! Rows are JSON in an envelope, `{"v":2,"r":{…}}`. Adding a field with `#[serde(default)]` needs no new version; a change
//! that old rows do not satisfy raises [`Record::SCHEMA`] and says in [`Record::upgrade`] how one step up is made. Rows are
//! upgraded when they are read, so no start has to rewrite the store.

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, Value};

use crate::{Error, Segments};

/// A type whose values are rows of one table.
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The table's name, the first segment of each key. Never reuse a name for another type.
    const TABLE: &'static str;

    /// The version of the JSON that this type writes.
    const SCHEMA: u32 = 1;

    /// The key inside the table: at least one segment.
    fn key(&self) -> Segments;

    /// Turns the JSON of schema `from` into that of `from + 1`. Called once per step.
    ///
    /// # Errors
    /// Text that says what is missing; the default knows no older schema.
    fn upgrade(from: u32, _old: Value) -> Result<Value, String> {
        Err(format!("there is no step up from schema {from}"))
    }
}

#[derive(Serialize)]
struct Outgoing<'a, R> {
    v: u32,
    r: &'a R,
}

#[derive(Deserialize)]
struct Incoming<'a> {
    v: u32,
    #[serde(borrow)]
    r: &'a RawValue,
}

pub(crate) fn encode<R: Record>(record: &R) -> Result<Bytes, Error> {
    serde_json::to_vec(&Outgoing { v: R::SCHEMA, r: record })
        .map(Bytes::from)
        .map_err(|error| Error::Unwritable { table: R::TABLE, reason: error.to_string() })
}

pub(crate) fn decode<R: Record>(key: &Segments, bytes: &[u8]) -> Result<R, Error> {
    let unreadable = |reason: String| Error::Unreadable { table: R::TABLE, key: key.to_string(), reason };
    if let Some(record) = of_this_schema::<R>(bytes) {
        return serde_json::from_slice(record).map_err(|error| unreadable(error.to_string()));
    }
    let incoming: Incoming<'_> = serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
    if incoming.v > R::SCHEMA {
        return Err(Error::Newer { table: R::TABLE, key: key.to_string(), found: incoming.v, known: R::SCHEMA });
    }
    if incoming.v == R::SCHEMA {
        return serde_json::from_str(incoming.r.get()).map_err(|error| unreadable(error.to_string()));
    }
    let mut value: Value = serde_json::from_str(incoming.r.get()).map_err(|error| unreadable(error.to_string()))?;
    for from in incoming.v..R::SCHEMA {
        value = R::upgrade(from, value).map_err(unreadable)?;
    }
    serde_json::from_value(value).map_err(|error| unreadable(error.to_string()))
}

/// The record inside a row that is just as [`encode`] writes it now: most are, and are then read in one pass.
fn of_this_schema<R: Record>(bytes: &[u8]) -> Option<&[u8]> {
    let record = bytes.strip_prefix(b"{\"v\":")?.strip_prefix(R::SCHEMA.to_string().as_bytes())?;
    record.strip_prefix(b",\"r\":")?.strip_suffix(b"}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Volume {
        name: String,
        bytes: u64,
    }

    impl Record for Volume {
        const TABLE: &'static str = "volume";
        const SCHEMA: u32 = 3;

        fn key(&self) -> Segments {
            Segments::of([&self.name])
        }

        fn upgrade(from: u32, mut old: Value) -> Result<Value, String> {
            let fields = old.as_object_mut().ok_or("not an object")?;
            match from {
                1 => fields.insert("kib".into(), 4.into()).map_or(Ok(old), |_| Err("kib is new".into())),
                2 => {
                    let kib = fields.remove("kib").and_then(|kib| kib.as_u64()).ok_or("no kib")?;
                    fields.insert("bytes".into(), (kib * 1024).into());
                    Ok(old)
                }
                other => Err(format!("no step from {other}")),
            }
        }
    }

    #[test]
    fn an_old_row_is_upgraded_step_by_step() {
        let key = Segments::of(["a"]);
        let want = Volume { name: "a".into(), bytes: 4096 };
        assert_eq!(decode::<Volume>(&key, br#"{"v":1,"r":{"name":"a"}}"#), Ok(want));
    }

    #[test]
    fn a_row_of_a_newer_program_is_refused_and_the_fix_is_named() {
        let error = decode::<Volume>(&Segments::of(["a"]), br#"{"v":4,"r":{}}"#).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 4, known: 3, .. }));
        assert!(error.to_string().contains("run the newer program"), "{error}");
    }

    #[test]
    fn junk_is_unreadable_and_never_a_default() {
        for junk in [&b"{}"[..], b"", b"\xff", br#"{"v":3,"r":{"name":"a"}}"#, br#"{"v":0,"r":{}}"#] {
            assert!(matches!(decode::<Volume>(&Segments::of(["a"]), junk), Err(Error::Unreadable { .. })));
        }
    }
}
