//! Prefixes: directories below a namespace's root, such as `datasets/imagenet/`.
//!
//! A grant on `a/` covers `a/b/` and not `ab/`: a prefix ends in `/`, so that comparing text compares directories. `..`,
//! `.`, empty parts, a leading `/`, control characters and the wildcards of policy documents (`* ? $ {`) are refused.

use serde::{Deserialize, Serialize};

use crate::FieldError;

/// A checked prefix; empty for the whole namespace.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix(Box<str>);

impl Prefix {
    /// The directories that a namespace is born with when its owner names none.
    pub const DEFAULTS: [&'static str; 6] =
        ["shared/", "users/", "workloads/", "datasets/", "checkpoints/", "artifacts/"];

    /// Reads a prefix; a missing last `/` is added.
    ///
    /// # Errors
    /// Names `field` and the rule.
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let bare = text.strip_suffix('/').unwrap_or(text);
        let part_fits = |part: &str| {
            !part.is_empty()
                && part.len() <= 255
                && part != "."
                && part != ".."
                && !part.chars().any(|c| c.is_control() || matches!(c, '*' | '?' | '$' | '{' | '}' | '\\'))
        };
        if bare.len() > 1000 || !bare.split('/').all(part_fits) {
            let rule = "must be a relative directory such as datasets/v1/, without '.', '..', empty parts, \
                        control characters or any of * ? $ { } \\";
            return Err(FieldError::new(field, format!("{text:?} {rule}")));
        }
        Ok(Self(format!("{bare}/").into()))
    }

    /// The default directories.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        Self::DEFAULTS.iter().map(|text| Self((*text).into())).collect()
    }

    /// As written, with its last `/`; empty for the whole namespace.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether everything below `other` is below this too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.starts_with(&*self.0)
    }
}

impl TryFrom<String> for Prefix {
    type Error = FieldError;
    fn try_from(text: String) -> Result<Self, FieldError> {
        Self::parse("prefix", &text)
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.0.into()
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse("prefix", text).unwrap()
    }

    #[test]
    fn a_prefix_covers_its_children_and_not_its_neighbours() {
        assert!(prefix("").covers(&prefix("a/")));
        assert!(prefix("a").covers(&prefix("a/b/")));
        assert!(!prefix("a/").covers(&prefix("ab/")));
        assert!(!prefix("a/b/").covers(&prefix("a/")));
    }

    #[test]
    fn a_way_out_or_a_wildcard_is_refused() {
        for bad in ["..", "a/../b", "/etc", "a//b", "./a", "a*", "${aws:username}/", "a\nb", "/"] {
            assert_eq!(Prefix::parse("grant.prefix", bad).unwrap_err().field, "grant.prefix", "{bad:?}");
        }
    }
}
