//! JSON that can go on as it came: pages of rows with nothing in them to hide.
//!
//! Rewriting an answer of a megabyte costs more than the backend took to send it. So it is walked once without being
//! kept, and is plain when every member's name was seen (a second one of the same name too) and none is of a secret field,
//! no text has an escape, and no number a fraction. Then each name, text and number stands in the answer as a reader gets
//! it, and what was injected is looked for in the answer as a whole. Anything else is taken apart and written anew.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::mask::is_secret_field;

/// Whether the text is one plain JSON document.
pub(super) fn is_plain(text: &str) -> bool {
    if text.contains('\\') {
        return false;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    Walk { names: &mut HashSet::new() }.deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

/// Walks a value. An error ends the walk: the value is not plain.
struct Walk<'w, 'de> {
    /// Names that are known to be of no secret.
    names: &'w mut HashSet<&'de str>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with nothing to hide")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, _: &'de str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Walk { names: self.names })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<&'de str>()? {
            if !self.names.contains(name) {
                if is_secret_field(name) {
                    return Err(Error::custom("a field is named like a secret"));
                }
                self.names.insert(name);
            }
            members.next_value_seed(Walk { names: self.names })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_there_as_it_is_read_and_has_no_secret_name_is_plain() {
        for text in
            ["[]", r#"{"data":[{"inode_id":18446744073709551615,"n":-1,"t":"ä%+&"}],"next_token":null}"#, "true"]
        {
            assert!(is_plain(text), "{text}");
        }
        for text in [
            r#"{"a":{"token":"x"}}"#,
            r#"{"data":1,"password":null,"data":2}"#,
            r#"{"to\u006ben":"x"}"#,
            r#"{"a":"x\ty"}"#,
            r#"{"n":1e5}"#,
            r#"{"n":18446744073709551616}"#,
            r#"{"n":-0}"#,
            "{} {}",
            "{",
            "",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }
}
