//! Numbers as the API sends them: 64 bits wide, at times in a string, at times rounded through a double.
//!
//! An inode id such as `11326619722725392385` is above 2^63, and resolvePath sends it as a string while a quota row sends
//! it as a number. Reading either through `f64` changes its last digits, and a quota then lands on another directory.

use serde::de::{self, Deserializer, Visitor};

/// Reads a whole number from a number or a string.
pub(crate) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    from.deserialize_any(Whole).map(Option::unwrap_or_default)
}

/// As [`whole`]; null, an empty string and `N/A` are `None`.
pub(crate) fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    from.deserialize_any(Whole)
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number, or one in a string")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        u64::try_from(value).map(Some).map_err(|_| E::custom("negative"))
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the value is whole and not negative, and 2^64 rounded up saturates to the unlimited sentinel on purpose"
    )]
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        if value.fract() == 0.0 && value >= 0.0 && value <= u64::MAX as f64 {
            Ok(Some(value as u64))
        } else {
            Err(E::custom("not a whole number"))
        }
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        match value.trim() {
            "" | "N/A" => Ok(None),
            text => text.parse().map(Some).map_err(|_| E::custom("not a whole number")),
        }
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Row {
        #[serde(deserialize_with = "super::whole")]
        inode_id: u64,
    }

    #[test]
    fn ids_above_two_to_the_63_keep_every_digit_in_both_forms() {
        for text in [r#"{"inode_id":11326619722725392385}"#, r#"{"inode_id":"11326619722725392385"}"#] {
            let row: Row = serde_json::from_str(text).unwrap();
            assert_eq!(row.inode_id, 11_326_619_722_725_392_385);
        }
    }

    #[test]
    fn a_sentinel_rounded_through_a_double_is_the_largest_number() {
        let row: Row = serde_json::from_str(r#"{"inode_id":1.8446744073709552e19}"#).unwrap();
        assert_eq!(row.inode_id, u64::MAX);
    }

    #[test]
    fn negative_and_broken_numbers_are_refused() {
        for text in [r#"{"inode_id":-1}"#, r#"{"inode_id":"12x"}"#, r#"{"inode_id":1.5}"#] {
            assert!(serde_json::from_str::<Row>(text).is_err(), "{text}");
        }
    }
}
