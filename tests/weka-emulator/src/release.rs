//! The WEKA release that the emulator claims to be; it decides which routes exist.
//!
//! Source: the diff of the vendor's OpenAPI files 4.1–5.1 and the CSI driver's compatibility table. `/nodes` became
//! `/processes` in 4.2, `resolvePath` came in 4.3, `getPath` and security policies in 4.4, `freeSpaceInOrg` in 5.0,
//! `POST mountToken` and `/tenants` in 5.1.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A release such as `4.4.22`; missing parts count as 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Release {
    text: String,
    parts: [u32; 3],
}

/// Since when something exists: major, minor, patch.
pub(crate) type Since = [u32; 3];

/// Every release that this emulator knows routes for.
pub(crate) const ALWAYS: Since = [0, 0, 0];

/// A release that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("release {0:?} is not of the form 4.4.22 (4.2 to 5.1 are known)")]
pub struct UnreadableRelease(String);

impl Release {
    /// Whether this release is `since` or newer.
    pub(crate) fn has(&self, since: Since) -> bool {
        self.parts >= since
    }

    /// Major, minor, patch.
    pub(crate) fn parts(&self) -> Since {
        self.parts
    }

    /// The `major.minor` that the API documentation calls itself.
    pub(crate) fn api_version(&self) -> String {
        let [major, minor, _] = self.parts;
        format!("{major}.{minor}")
    }
}

impl FromStr for Release {
    type Err = UnreadableRelease;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || UnreadableRelease(text.to_owned());
        let mut parts = [0_u32; 3];
        let given: Vec<&str> = text.split('.').collect();
        for (part, given) in parts.iter_mut().zip(&given) {
            *part = given.parse().map_err(|_| unreadable())?;
        }
        let known = ([4, 2, 0]..[5, 2, 0]).contains(&parts);
        if given.len() < 2 || !known { Err(unreadable()) } else { Ok(Self { text: text.to_owned(), parts }) }
    }
}

impl TryFrom<String> for Release {
    type Error = UnreadableRelease;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Release> for String {
    fn from(release: Release) -> Self {
        release.text
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_order_by_number_not_by_text() {
        let release: Release = "4.4.22".parse().unwrap();
        assert!(release.has([4, 4, 7]) && release.has([4, 3, 0]) && !release.has([5, 0, 0]));
        assert_eq!(release.api_version(), "4.4");
        assert!("4".parse::<Release>().is_err());
        assert!("3.14".parse::<Release>().is_err());
        assert!("four.four".parse::<Release>().is_err());
    }
}
