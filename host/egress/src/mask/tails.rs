//! Forms of many values, each known by its last bytes: adding or removing one costs the same however many there are.
//!
//! An automaton over some thousand tokens takes longer to build than everything else about a credential, and every new
//! token makes the old one useless. Here a form is its length and a hash, under its last six bytes; a text is walked with
//! a window of six bytes, and where a tail is known, as many bytes before it are hashed and compared. The tail is the
//! part to look by: tokens of one issuer begin alike and end in a signature.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::ops::Range;

/// Bytes that a form is looked up by; no form is shorter, see `encodings`.
pub(super) const TAIL: usize = 6;
const WINDOW: u64 = (1 << (8 * TAIL)) - 1;

/// The set.
#[derive(Default)]
pub(super) struct Tails {
    by_tail: HashMap<u64, Vec<Form>, BuildHasherDefault<Spread>>,
    hash: RandomState,
}

/// A form, without its bytes.
struct Form {
    length: usize,
    hash: u64,
    /// Values that have it.
    values: usize,
}

impl Tails {
    /// Adds a form; one that is shorter than a tail is passed over.
    pub(super) fn add(&mut self, form: &[u8]) {
        let Some(tail) = tail(form) else { return };
        let (length, hash) = (form.len(), self.hash.hash_one(form));
        let forms = self.by_tail.entry(tail).or_default();
        match forms.iter_mut().find(|known| known.length == length && known.hash == hash) {
            Some(known) => known.values += 1,
            None => forms.push(Form { length, hash, values: 1 }),
        }
    }

    /// Takes back what was added once.
    pub(super) fn remove(&mut self, form: &[u8]) {
        let Some(tail) = tail(form) else { return };
        let (length, hash) = (form.len(), self.hash.hash_one(form));
        let Some(forms) = self.by_tail.get_mut(&tail) else { return };
        for known in forms.iter_mut().filter(|known| known.length == length && known.hash == hash) {
            known.values = known.values.saturating_sub(1);
        }
        forms.retain(|known| known.values > 0);
        if forms.is_empty() {
            self.by_tail.remove(&tail);
        }
    }

    /// Where forms stand in the text; they may overlap.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut window = 0;
        for (at, byte) in text.iter().enumerate() {
            window = (window << 8 | u64::from(*byte)) & WINDOW;
            // A window that is not full yet holds zeros in front, and a form with those would begin before the text.
            let Some(forms) = self.by_tail.get(&window) else { continue };
            let end = at + 1;
            for form in forms {
                let Some(start) = end.checked_sub(form.length) else { continue };
                if text.get(start..end).is_some_and(|here| self.hash.hash_one(here) == form.hash) {
                    found.push(start..end);
                }
            }
        }
        found
    }
}

fn tail(form: &[u8]) -> Option<u64> {
    let bytes = form.last_chunk::<TAIL>()?;
    Some(bytes.iter().fold(0, |window, byte| window << 8 | u64::from(*byte)))
}

/// A hash of one number, which is cheaper than the text's own byte.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 << 8 | u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread ^ (spread >> 32);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_added_twice_stays_until_it_is_removed_twice() {
        let mut tails = Tails::default();
        tails.add(b"a-secret");
        tails.add(b"a-secret");
        tails.remove(b"a-secret");
        assert_eq!(tails.find(b"x a-secret"), vec![2..10]);
        tails.remove(b"a-secret");
        assert!(tails.find(b"x a-secret").is_empty());
        assert!(tails.by_tail.is_empty());
    }

    proptest! {
        #[test]
        fn every_place_of_every_form_is_found_and_nothing_else(
            forms in prop::collection::btree_set("[ab\0]{6,9}", 1..6),
            text in "[ab\0]{0,60}",
        ) {
            let mut tails = Tails::default();
            forms.iter().for_each(|form| tails.add(form.as_bytes()));
            let mut found = tails.find(text.as_bytes());
            found.sort_by_key(|range| (range.start, range.end));
            let mut wanted = Vec::new();
            for start in 0..text.len() {
                let mut ends: Vec<usize> =
                    forms.iter().filter(|form| text[start..].starts_with(*form)).map(|form| start + form.len()).collect();
                ends.sort_unstable();
                wanted.extend(ends.into_iter().map(|end| start..end));
            }
            prop_assert_eq!(found, wanted);
        }
    }
}
