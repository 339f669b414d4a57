//! The mark that an object of Stowage's bears: the `owner` of its quota, and the text of the file in its directory.
//!
//! The backend keeps at most 48 characters of an owner. A token that fits is written as it is, behind `sw:`, so that a list
//! can name it again; a longer one is written as a digest behind `sw#`, which can still be found, only not be read back.

use sha2::{Digest as _, Sha256};

/// Most characters of a quota's owner [WEKA user guide, quota management].
pub(crate) const MAX_OWNER: usize = 48;

const PLAIN: &str = "sw:";
const DIGEST: &str = "sw#";

/// The mark of an owner token.
pub(crate) fn of(owner: &str) -> String {
    let clean = !owner.is_empty() && owner.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if clean && PLAIN.len() + owner.len() <= MAX_OWNER {
        format!("{PLAIN}{owner}")
    } else {
        format!("{DIGEST}{}", digest(owner, 40))
    }
}

/// The owner token of a mark; `None` when somebody else wrote it or only its digest is known.
pub(crate) fn owner(mark: &str) -> Option<&str> {
    mark.strip_prefix(PLAIN)
}

/// Whether Stowage wrote it.
pub(crate) fn is_ours(mark: &str) -> bool {
    mark.starts_with(PLAIN) || mark.starts_with(DIGEST)
}

/// The first `length` characters of the hexadecimal SHA-256.
pub(crate) fn digest(text: &str, length: usize) -> String {
    let mut hexadecimal = hex::encode(Sha256::digest(text.as_bytes()));
    hexadecimal.truncate(length);
    hexadecimal
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_mark_fits_is_ours_and_tells_owners_apart(a in ".{0,80}", b in ".{0,80}") {
            let mark = of(&a);
            prop_assert!(mark.len() <= MAX_OWNER && is_ours(&mark));
            prop_assert_eq!(mark == of(&b), a == b);
            prop_assert!(owner(&mark).is_none_or(|found| found == a));
        }
    }

    #[test]
    fn a_token_that_fits_can_be_read_back() {
        assert_eq!(owner(&of("0192f0c1-8f7e-7bbb-8000-0123456789ab")), Some("0192f0c1-8f7e-7bbb-8000-0123456789ab"));
        assert_eq!(owner("user"), None);
        assert!(!is_ours("user"));
    }
}
