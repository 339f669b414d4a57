//! Sets of values, each compiled once, found in any of their forms.

use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, packed};

use super::views::views;
use super::{MASK, encodings};

/// Most forms that are looked for without an automaton.
const FEW: usize = 64;

/// Finds and masks a fixed set of values. Clones share what was compiled.
#[derive(Clone, Default)]
pub(crate) struct Needles {
    finders: Vec<Finder>,
}

/// A compiled set. A few forms, such as one exchange's own secrets, are hashed in microseconds; an automaton over the
/// forms of one long token takes longer to build than the backend takes to issue it.
#[derive(Clone)]
enum Finder {
    Few(Arc<packed::Searcher>),
    Many(AhoCorasick),
}

impl Finder {
    fn new(forms: &[Vec<u8>]) -> Option<Self> {
        if forms.len() <= FEW {
            let config = packed::Config::new().match_kind(packed::MatchKind::LeftmostLongest).clone();
            if let Some(searcher) = config.builder().extend(forms).build() {
                return Some(Self::Few(Arc::new(searcher)));
            }
        }
        // The compact kind: the default one takes up to a megabyte for a long token.
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest).kind(Some(AhoCorasickKind::ContiguousNFA));
        match builder.build(forms) {
            Ok(automaton) => Some(Self::Many(automaton)),
            // Only a set of more than 2^31 states fails. Then nothing may be shown: the empty text is found everywhere.
            Err(_) => AhoCorasick::new([""]).ok().map(Self::Many),
        }
    }

    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        match self {
            Self::Few(searcher) => searcher.find_iter(text).map(|found| found.start()..found.end()).collect(),
            Self::Many(automaton) => automaton.find_iter(text).map(|found| found.range()).collect(),
        }
    }
}

impl Needles {
    /// Compiles the forms of `values`; empty values are passed over.
    pub(crate) fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let forms: Vec<Vec<u8>> = values.into_iter().flat_map(encodings::forms).collect();
        if forms.is_empty() {
            return Self::default();
        }
        Self { finders: Finder::new(&forms).into_iter().collect() }
    }

    /// These values and more.
    pub(crate) fn and<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.finders.extend(Self::new(values).finders);
        self
    }

    /// The text with every value masked, or `None` when it holds none. Values that overlap are masked as one.
    pub(crate) fn mask(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.finders.is_empty() {
            return None;
        }
        mask(text, |text| self.find(text))
    }

    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        self.finders.iter().flat_map(|finder| finder.find(text)).collect()
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

/// Masks what `find` finds in the text or behind one of its escapes.
pub(super) fn mask(text: &[u8], find: impl Fn(&[u8]) -> Vec<Range<usize>>) -> Option<Vec<u8>> {
    let mut found = find(text);
    for view in views(text) {
        found.extend(find(&view.text).iter().map(|range| view.written(range)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_and_many_are_masked_alike() {
        let many: Vec<String> = (0..2 * FEW).map(|i| format!("other-value-{i:04}")).collect();
        let few = Needles::new(["needle-0001"]);
        let all = Needles::new(many.iter().map(String::as_str).chain(["needle-0001"]));
        assert!(matches!(few.finders[0], Finder::Few(_)) && matches!(all.finders[0], Finder::Many(_)));
        for text in ["needle-0001", "a needle-0001 b", "bmVlZGxlLTAwMDE", "nothing", ""] {
            assert_eq!(few.mask_str(text), all.mask_str(text), "{text}");
        }
    }

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
