//! Native names from owner tokens.
//!
//! No backend has request keys, so what makes a repeated call find its own object is a name that follows from the owner
//! token alone. Names are short because policies and bucket names are: eight characters of this alphabet are 40 bits, so
//! among a million objects a chance collision has odds of about one in two; sixteen are 80 bits, and the odds one in
//! 10^12. A collision shows as `foreign-owner`, it never adopts.

use sha2::{Digest, Sha256};

/// RFC 4648 base 32 in lower case, without what DNS labels and bucket names refuse.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A name of exactly `length` characters (at most 51) out of `a-z2-7` that follows from the owner token alone. It begins
/// with a letter.
#[must_use]
pub fn short_name(owner: &str, length: usize) -> String {
    let digest = Sha256::digest(owner.as_bytes());
    let mut name = String::with_capacity(length);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in digest {
        if name.len() >= length {
            break;
        }
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 5 && name.len() < length {
            held -= 5;
            let digit = (bits >> held) & 31;
            // The first character only has 4 bits, so that it is a letter.
            let digit = if name.is_empty() { digit & 15 } else { digit };
            name.push(char::from(ALPHABET.get(digit as usize).copied().unwrap_or(b'a')));
        }
        bits &= (1 << held) - 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn the_same_owner_gives_the_same_name_and_another_owner_another() {
        assert_eq!(short_name("operations/1", 12), short_name("operations/1", 12));
        assert_ne!(short_name("operations/1", 12), short_name("operations/2", 12));
        assert_eq!(short_name("operations/1", 12)[..8], short_name("operations/1", 8));
    }

    #[test]
    fn names_fit_dns_labels_and_bucket_names() {
        for i in 0..500 {
            let name = short_name(&format!("owner-{i}"), 16);
            assert_eq!(name.len(), 16);
            assert!(name.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{name}");
        }
    }
}
