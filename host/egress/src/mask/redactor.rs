//! Knows the live secret values and takes them out of texts that leave the host's inside: guest logs, errors, spans.
//!
//! The automaton over many values costs milliseconds to build and a new session or credential comes several times a
//! second, so there are two: a large one, and a small one over the newest values, which is merged into the large one when
//! it is full. Both are built when a text asks for them and something was learned since. At most [`MOST`] values are kept,
//! the oldest go first; one that is used again comes back with its use.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::Needles;

/// Values known at most.
const MOST: usize = 4096;
/// Values in the small automaton at most.
const RECENT: usize = 64;
/// Shorter values would mask innocent text, in bytes.
const SHORTEST: usize = 6;

/// A set of live secret values that can mask them in any text. Clones share the set.
#[derive(Clone, Default)]
pub struct Redactor {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    known: Mutex<Known>,
    /// Something was learned that `needles` lack.
    learned: AtomicBool,
    needles: ArcSwap<Needles>,
}

#[derive(Default)]
struct Known {
    hashes: HashSet<[u8; 32]>,
    settled: VecDeque<SecretString>,
    recent: Vec<SecretString>,
    /// Over `settled`, when it is up to date.
    compiled: Option<Needles>,
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
        self.shared.known.lock().hashes.len()
    }

    /// Learns a value. Values under 6 bytes are passed over: they would blank out innocent text.
    pub fn learn(&self, value: &str) {
        if value.len() < SHORTEST {
            return;
        }
        let mut known = self.shared.known.lock();
        if !known.hashes.insert(hash(value)) {
            return;
        }
        known.recent.push(SecretString::from(value));
        if known.recent.len() > RECENT {
            let moved: Vec<SecretString> = known.recent.drain(..).collect();
            known.settled.extend(moved);
            while known.settled.len() > MOST {
                if let Some(oldest) = known.settled.pop_front() {
                    known.hashes.remove(&hash(oldest.expose_secret()));
                }
            }
            known.compiled = None;
        }
        self.shared.learned.store(true, Ordering::Release);
    }

    /// The text with every known value masked, or `None` when it holds none.
    #[must_use]
    pub fn redact(&self, text: &str) -> Option<String> {
        if self.shared.learned.load(Ordering::Acquire) {
            let mut known = self.shared.known.lock();
            let compiled = known.compiled.take();
            let settled = compiled.unwrap_or_else(|| Needles::new(known.settled.iter().map(|s| s.expose_secret())));
            let recent = known.recent.iter().map(|s| s.expose_secret());
            self.shared.needles.store(Arc::new(settled.clone().and(recent)));
            known.compiled = Some(settled);
            self.shared.learned.store(false, Ordering::Release);
        }
        self.shared.needles.load().mask_str(text)
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
        for i in 0..MOST + 3 * RECENT {
            redactor.shared.known.lock().settled.push_back(SecretString::from(format!("filler-{i}")));
        }
        redactor.learn("first-secret-value");
        for i in 0..RECENT {
            redactor.learn(&format!("another-value-{i}"));
        }
        assert!(redactor.shared.known.lock().settled.len() <= MOST);
        assert!(redactor.redact("filler-0 x").is_none());
        redactor.learn("filler-0");
        assert!(redactor.redact("filler-0 x").is_some());
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
