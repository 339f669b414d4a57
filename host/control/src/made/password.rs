//! Passwords that the host makes, such as those of parent S3 users: long, random, and taken by every backend.
//!
//! The alphabet leaves out quotes, backslash, `&`, `<`, `>`, `%`, `/`, `+` and white space, so a value looks the same in
//! JSON, XML, a URL and a shell, and the mask that looks for it in answers has fewer forms to know.

use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use secrecy::SecretString;
use zeroize::Zeroize as _;

/// Characters in all: about 180 bits, and fewer than the 128 at which S3 secret keys end with several vendors.
const LENGTH: usize = 32;
/// One of each is in every password, as the rules of most backends ask.
const CLASSES: [&[u8]; 4] = [
    b"abcdefghijkmnopqrstuvwxyz",
    b"ABCDEFGHJKLMNPQRSTUVWXYZ",
    b"23456789",
    // WEKA's, ONTAP's and S3's rules all take these.
    b"-_.!",
];

/// Makes a password with at least one lower-case letter, one upper-case letter, one digit and one of `-_.!`.
pub(super) fn generate() -> SecretString {
    let mut rng = rand::rng();
    let mut bytes: Vec<u8> = CLASSES.iter().filter_map(|class| class.choose(&mut rng).copied()).collect();
    let all: Vec<u8> = CLASSES.concat();
    while bytes.len() < LENGTH {
        let at = rng.random_range(0..all.len());
        bytes.extend(all.get(at).copied());
    }
    bytes.shuffle(&mut rng);
    let text: String = bytes.iter().map(|b| char::from(*b)).collect();
    bytes.zeroize();
    SecretString::from(text)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn every_password_has_one_of_each_class_and_no_two_are_alike() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let made = generate();
            let text = made.expose_secret();
            assert_eq!(text.len(), LENGTH);
            for class in CLASSES {
                assert!(text.bytes().any(|b| class.contains(&b)), "{text}");
            }
            assert!(text.bytes().all(|b| CLASSES.concat().contains(&b)), "{text}");
            assert!(seen.insert(text.to_owned()));
        }
    }
}
