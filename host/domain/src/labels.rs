//! Labels: small words of the caller's own, kept and matched, never interpreted.
//!
//! Keys are 1 to 63 of `a-z 0-9 . _ - /`, values up to 63 characters without control characters, at most 32 of them: they
//! travel to adapters, where longer ones would not fit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::FieldError;

/// A checked set of labels, in key order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Most labels of one resource.
    pub const MAX: usize = 32;

    /// Checks keys, values and their number.
    ///
    /// # Errors
    /// Names `field` and the key.
    pub fn parse(field: &str, pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, FieldError> {
        let mut labels = BTreeMap::new();
        for (key, value) in pairs {
            let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-' | b'/');
            if key.is_empty() || key.len() > 63 || !key.bytes().all(fits) {
                return Err(FieldError::new(
                    field,
                    format!("key {key:?} must be 1 to 63 of a-z, 0-9, '.', '_', '-', '/'"),
                ));
            }
            if value.chars().count() > 63 || value.chars().any(char::is_control) {
                let rule = format!("the value of {key:?} must be at most 63 characters without control characters");
                return Err(FieldError::new(field, rule));
            }
            labels.insert(key, value);
        }
        if labels.len() > Self::MAX {
            return Err(FieldError::new(field, format!("{} labels are over the limit of {}", labels.len(), Self::MAX)));
        }
        Ok(Self(labels))
    }

    /// The value of a label.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All of them, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first pair that `other` does not have.
    #[must_use]
    pub fn first_missing_in<'a>(&'a self, other: &Self) -> Option<(&'a str, &'a str)> {
        self.iter().find(|(key, value)| other.get(key) != Some(value))
    }
}
