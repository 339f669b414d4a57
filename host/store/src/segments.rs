//! Keys made of ordered segments.
//!
//! Ids come from users, so joining them with `/` would let `a` + `b/c` collide with `a/b` + `c`, and would sort `a-b`
//! before `a/b` although `a` is the smaller first segment. Here each segment is escaped (`00` becomes `00 ff`) and ended
//! by `00 01`. Then keys sort exactly as lists of segments do, no two lists share a key, and all keys below a list of
//! leading segments are one range.

use std::fmt;

use bytes::Bytes;
use stowage_ports::store::{Key, KeyRange};

const ESCAPE: u8 = 0x00;
const ESCAPED_ZERO: u8 = 0xff;
const END: u8 = 0x01;

/// An ordered list of segments in its encoded form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Segments(Vec<u8>);

impl Segments {
    /// The empty list: the prefix of everything.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A list of text segments.
    #[must_use]
    pub fn of<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Self {
        texts.into_iter().fold(Self::new(), |list, text| list.text(text.as_ref()))
    }

    /// Adds a text; texts order as their UTF-8 bytes do.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a number; numbers order by size.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// Adds raw bytes.
    #[must_use]
    pub fn bytes(mut self, segment: &[u8]) -> Self {
        self.push_open(segment);
        self.0.extend_from_slice(&[ESCAPE, END]);
        self
    }

    /// Adds all segments of another list.
    #[must_use]
    pub fn join(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    /// The key of exactly this list.
    #[must_use]
    pub fn key(&self) -> Key {
        Bytes::copy_from_slice(&self.0)
    }

    /// Every key that begins with these segments, itself included.
    #[must_use]
    pub fn range(&self) -> KeyRange {
        KeyRange::prefix(&self.0)
    }

    /// Every key whose next segment begins with `text`.
    #[must_use]
    pub fn range_of_text(mut self, text: &str) -> KeyRange {
        self.push_open(text.as_bytes());
        KeyRange::prefix(&self.0)
    }

    /// Reads a stored key back. `None` when the bytes are not a list of segments.
    #[must_use]
    pub fn parse(key: &[u8]) -> Option<Self> {
        let list = Self(key.to_vec());
        list.decode().map(|_| list)
    }

    /// The segments as raw bytes.
    #[must_use]
    pub fn parts(&self) -> Vec<Vec<u8>> {
        self.decode().unwrap_or_default()
    }

    /// The segment at `index` as text; `None` when it is absent or not UTF-8.
    #[must_use]
    pub fn text_at(&self, index: usize) -> Option<String> {
        String::from_utf8(self.parts().into_iter().nth(index)?).ok()
    }

    /// The segment at `index` as the number that [`Segments::number`] wrote.
    #[must_use]
    pub fn number_at(&self, index: usize) -> Option<u64> {
        Some(u64::from_be_bytes(self.parts().into_iter().nth(index)?.try_into().ok()?))
    }

    /// Removes the first segment, which for stored keys is the table's name.
    pub(crate) fn without_first(&self) -> Self {
        self.parts().into_iter().skip(1).fold(Self::new(), |list, part| list.bytes(&part))
    }

    fn push_open(&mut self, segment: &[u8]) {
        for &byte in segment {
            self.0.push(byte);
            if byte == ESCAPE {
                self.0.push(ESCAPED_ZERO);
            }
        }
    }

    fn decode(&self) -> Option<Vec<Vec<u8>>> {
        let mut parts = Vec::new();
        let mut part = Vec::new();
        let mut bytes = self.0.iter();
        while let Some(&byte) = bytes.next() {
            match (byte, (byte == ESCAPE).then(|| bytes.next().copied()).flatten()) {
                (ESCAPE, Some(END)) => parts.push(std::mem::take(&mut part)),
                (ESCAPE, Some(ESCAPED_ZERO)) => part.push(ESCAPE),
                (ESCAPE, _) => return None,
                (other, _) => part.push(other),
            }
        }
        part.is_empty().then_some(parts)
    }
}

/// For messages: segments joined with `/`, anything that is not plain text as hex.
impl fmt::Display for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts().iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            match std::str::from_utf8(part) {
                Ok(text) if !text.chars().any(char::is_control) => f.write_str(text)?,
                _ => part.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segments({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(parts: &[Vec<u8>]) -> Segments {
        parts.iter().fold(Segments::new(), |list, part| list.bytes(part))
    }

    /// Bytes near the escape, so that collisions would be found.
    fn parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let byte = prop_oneof![Just(0u8), Just(1), Just(b'/'), Just(b'a'), Just(0xff)];
        prop::collection::vec(prop::collection::vec(byte, 0..4), 0..4)
    }

    proptest! {
        #[test]
        fn keys_order_as_their_segments_do_and_never_collide(a in parts(), b in parts()) {
            prop_assert_eq!(encode(&a).key().cmp(&encode(&b).key()), a.cmp(&b));
        }

        #[test]
        fn a_key_reads_back_to_its_segments(a in parts()) {
            let list = encode(&a);
            prop_assert_eq!(Segments::parse(&list.key()).map(|list| list.parts()), Some(a));
        }

        #[test]
        fn a_range_holds_exactly_the_lists_that_begin_with_its_segments(a in parts(), b in parts()) {
            prop_assume!(!a.is_empty());
            prop_assert_eq!(encode(&a).range().contains(&encode(&b).key()), b.starts_with(&a));
        }
    }

    #[test]
    fn a_slash_in_an_id_does_not_reach_into_the_next_segment() {
        assert_ne!(Segments::of(["a", "b/c"]).key(), Segments::of(["a/b", "c"]).key());
        assert!(!Segments::of(["a"]).range().contains(&Segments::of(["a/b"]).key()));
        assert!(!Segments::of(["a"]).range().contains(&Segments::of(["ab"]).key()));
    }

    #[test]
    fn a_text_range_holds_the_keys_whose_next_segment_begins_with_it() {
        let range = Segments::of(["t"]).range_of_text("job-");
        assert!(range.contains(&Segments::of(["t", "job-1"]).key()));
        assert!(!range.contains(&Segments::of(["t", "jab"]).key()));
        assert!(!range.contains(&Segments::of(["u", "job-1"]).key()));
    }

    #[test]
    fn bytes_that_are_no_segments_are_refused() {
        assert!(Segments::parse(b"plain").is_none());
        assert!(Segments::parse(b"a\0").is_none());
        assert!(Segments::parse(b"a\0\x02").is_none());
    }
}
