//! Passwords that the host makes, such as those of parent S3 users: long, random, and taken by every backend.
//!
//! The alphabet leaves out quotes, backslash, `&`, `<`, `>`, `%`, `/`, `+` and white space, so a value looks the same in
//! JSON, XML, a URL and a shell, and the mask that looks for it in answers has fewer forms to know.

use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use secrecy::SecretString;
use zeroize::Zeroize as _;

/// Shortest password that a policy may ask for.
pub const SHORTEST: usize = 12;
/// Longest password that a policy may ask for; S3 secret keys end at 128 with several vendors.
pub const LONGEST: usize = 128;

const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGITS: &[u8] = b"23456789";

/// What a backend asks of a password. Every class that is not empty gives at least one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Characters in all, 12 to 128. Default 32: about 180 bits.
    pub length: usize,
    /// Special characters to use; empty for none. Default `-_.!`, which WEKA's, ONTAP's and S3's rules all take.
    pub specials: String,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { length: 32, specials: "-_.!".to_owned() }
    }
}

/// Why a policy makes no password.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum PolicyError {
    /// Out of range.
    #[error("password length {0} is out of range: use {SHORTEST} to {LONGEST}")]
    Length(usize),
    /// A special character that changes its looks in JSON, XML or a URL, or is a letter or a digit.
    #[error("special character {0:?} cannot be used: take ASCII punctuation that JSON, XML and URLs leave alone")]
    Special(char),
}

/// Makes a password with at least one lower-case letter, one upper-case letter, one digit and one of the specials.
///
/// # Errors
/// [`PolicyError`] when the length or a special character is out of range.
pub fn generate(policy: &PasswordPolicy) -> Result<SecretString, PolicyError> {
    if !(SHORTEST..=LONGEST).contains(&policy.length) {
        return Err(PolicyError::Length(policy.length));
    }
    if let Some(bad) = policy.specials.chars().find(|c| !c.is_ascii_punctuation() || "\"'\\&<>%/+#?=;`$".contains(*c)) {
        return Err(PolicyError::Special(bad));
    }
    let classes = [LOWER, UPPER, DIGITS, policy.specials.as_bytes()];
    let mut rng = rand::rng();
    let mut bytes: Vec<u8> = classes.iter().filter_map(|class| class.choose(&mut rng).copied()).collect();
    let all: Vec<u8> = classes.concat();
    while bytes.len() < policy.length {
        let at = rng.random_range(0..all.len());
        bytes.extend(all.get(at).copied());
    }
    bytes.shuffle(&mut rng);
    let text: String = bytes.iter().map(|b| char::from(*b)).collect();
    bytes.zeroize();
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;

    proptest! {
        #[test]
        fn every_password_meets_its_policy(length in SHORTEST..=LONGEST, specials in "[-_.!@*]{0,6}") {
            let policy = PasswordPolicy { length, specials: specials.clone() };
            let made = generate(&policy).unwrap();
            let text = made.expose_secret();
            prop_assert_eq!(text.len(), length);
            prop_assert!(text.chars().any(|c| c.is_ascii_lowercase()));
            prop_assert!(text.chars().any(|c| c.is_ascii_uppercase()));
            prop_assert!(text.chars().any(|c| c.is_ascii_digit()));
            prop_assert_eq!(text.chars().any(|c| specials.contains(c)), !specials.is_empty());
            prop_assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || specials.contains(c)));
        }
    }

    #[test]
    fn two_passwords_differ() {
        let policy = PasswordPolicy::default();
        assert_ne!(generate(&policy).unwrap().expose_secret(), generate(&policy).unwrap().expose_secret());
    }

    #[test]
    fn a_policy_out_of_range_is_refused() {
        let short = PasswordPolicy { length: 4, ..PasswordPolicy::default() };
        assert_eq!(generate(&short).unwrap_err(), PolicyError::Length(4));
        let quote = PasswordPolicy { specials: "-\"".to_owned(), ..PasswordPolicy::default() };
        assert_eq!(generate(&quote).unwrap_err(), PolicyError::Special('"'));
    }
}
