//! Sets of values, each compiled once, found in any of their forms.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::views::views;
use super::{MASK, encodings};

/// Finds and masks a fixed set of values. Clones share what was compiled.
#[derive(Clone, Default)]
pub(crate) struct Needles {
    automata: Vec<AhoCorasick>,
}

impl Needles {
    /// Compiles the forms of `values`; empty values are passed over.
    pub(crate) fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let forms: Vec<Vec<u8>> = values.into_iter().flat_map(encodings::forms).collect();
        if forms.is_empty() {
            return Self::default();
        }
        // The compact kind: the default one takes up to a megabyte for a long token, and a thousand sessions hold theirs.
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest).kind(Some(AhoCorasickKind::ContiguousNFA));
        let automaton = match builder.build(&forms) {
            Ok(automaton) => Some(automaton),
            // Only a set of more than 2^31 states fails. Then nothing may be shown: the empty text is found everywhere.
            Err(_) => AhoCorasick::new([""]).ok(),
        };
        Self { automata: automaton.into_iter().collect() }
    }

    /// These values and more.
    pub(crate) fn and<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.automata.extend(Self::new(values).automata);
        self
    }

    /// The text with every value masked, or `None` when it holds none. Values that overlap are masked as one.
    pub(crate) fn mask(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.automata.is_empty() {
            return None;
        }
        let mut found = self.find(text);
        for view in views(text) {
            found.extend(self.find(&view.text).iter().map(|range| view.written(range)));
        }
        if found.is_empty() {
            return None;
        }
        found.sort_by_key(|range| range.start);
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for range in found {
            if range.start >= at {
                out.extend_from_slice(text.get(at..range.start).unwrap_or_default());
                out.extend_from_slice(MASK.as_bytes());
            }
            at = at.max(range.end);
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        Some(out)
    }

    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        self.automata.iter().flat_map(|automaton| automaton.find_iter(text)).map(|found| found.range()).collect()
    }

    /// The same over a string.
    pub(crate) fn mask_str(&self, text: &str) -> Option<String> {
        self.mask(text.as_bytes()).map(|masked| String::from_utf8_lossy(&masked).into_owned())
    }

    /// The text, masked where needed.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.mask_str(text).unwrap_or_else(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_begins_like_another_is_masked_to_its_end() {
        for needles in [
            Needles::new(["secret-1", "secret-12"]),
            Needles::new(["secret-1"]).and(["secret-12"]),
            Needles::new(["secret-12"]).and(["secret-1"]),
        ] {
            assert_eq!(needles.clean("a secret-12 b secret-1 c"), "a [masked] b [masked] c");
        }
    }
}
