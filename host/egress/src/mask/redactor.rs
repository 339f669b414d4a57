//! Knows the live secret values and takes them out of texts that leave the host's inside: guest logs, errors, spans.
//!
//! Every credential and every session brings new values, several times a second, so the set must grow and shrink by one
//! value without being made anew. At most [`MOST`] values are kept, the oldest go first; one that is used again comes back
//! with its use.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::RwLock;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::encodings;
use super::needles::mask;
use super::tails::{TAIL, Tails};

/// Values known at most.
const MOST: usize = 4096;
/// Shorter values would mask innocent text, in bytes.
const SHORTEST: usize = TAIL;

/// A set of live secret values that can mask them in any text. Clones share the set.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    hashes: HashSet<[u8; 32]>,
    /// Oldest first.
    values: VecDeque<SecretString>,
    forms: Tails,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("known", &self.known()).finish()
    }
}

impl Redactor {
    /// One that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many values it knows.
    #[must_use]
    pub fn known(&self) -> usize {
        self.known.read().hashes.len()
    }

    /// Learns a value. Values under 6 bytes are passed over: they would blank out innocent text.
    pub fn learn(&self, value: &str) {
        if value.len() < SHORTEST {
            return;
        }
        let hash = hash(value);
        if self.known.read().hashes.contains(&hash) {
            return;
        }
        let mut known = self.known.write();
        let known = &mut *known;
        if !known.hashes.insert(hash) {
            return;
        }
        encodings::forms(value).iter().for_each(|form| known.forms.add(form));
        known.values.push_back(SecretString::from(value));
        while known.values.len() > MOST
            && let Some(oldest) = known.values.pop_front()
        {
            known.hashes.remove(&self::hash(oldest.expose_secret()));
            encodings::forms(oldest.expose_secret()).iter().for_each(|form| known.forms.remove(form));
        }
    }

    /// The text with every known value masked, or `None` when it holds none.
    #[must_use]
    pub fn redact(&self, text: &str) -> Option<String> {
        let known = self.known.read();
        let masked = mask(text.as_bytes(), |text| known.forms.find(text))?;
        Some(String::from_utf8_lossy(&masked).into_owned())
    }
}

fn hash(value: &str) -> [u8; 32] {
    Sha256::digest(value.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_learned_value_is_masked_also_after_many_others() {
        let redactor = Redactor::new();
        redactor.learn("first-secret-value");
        assert_eq!(redactor.redact("x first-secret-value y").as_deref(), Some("x [masked] y"));
        for i in 0..200 {
            redactor.learn(&format!("another-value-{i}"));
        }
        let text = "first-secret-value another-value-0 another-value-199";
        assert_eq!(redactor.redact(text).as_deref(), Some("[masked] [masked] [masked]"));
        assert_eq!(redactor.known(), 201);
        assert_eq!(redactor.redact("nothing here"), None);
    }

    #[test]
    fn the_oldest_value_goes_when_the_set_is_full_and_returns_with_its_use() {
        let redactor = Redactor::new();
        (0..=MOST).for_each(|i| redactor.learn(&format!("a-value-{i}")));
        assert_eq!(redactor.known(), MOST);
        assert_eq!(redactor.redact("a-value-0 x"), None);
        assert_eq!(redactor.redact("a-value-1 x").as_deref(), Some("[masked] x"));
        redactor.learn("a-value-0");
        assert_eq!(redactor.redact("a-value-0 x").as_deref(), Some("[masked] x"));
        assert_eq!(redactor.redact("a-value-1 x"), None);
    }

    #[test]
    fn a_value_that_begins_or_ends_another_is_masked_with_it() {
        let redactor = Redactor::new();
        ["secret-1", "secret-12", "my-secret-12", "hidden/value"].into_iter().for_each(|value| redactor.learn(value));
        let text = "a my-secret-12 b secret-12 c secret-1 d hidden%2Fvalue e";
        assert_eq!(redactor.redact(text).as_deref(), Some("a [masked] b [masked] c [masked] d [masked] e"));
    }

    #[test]
    fn short_values_are_not_looked_for_and_debug_shows_no_value() {
        let redactor = Redactor::new();
        redactor.learn("abc");
        redactor.learn("long-enough-secret");
        assert_eq!(redactor.redact("abc"), None);
        assert_eq!(format!("{redactor:?}"), "Redactor { known: 1 }");
    }
}
