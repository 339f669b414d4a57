//! A text as a reader would see it after undoing one escape, with the way back to where each byte stood.
//!
//! Escapes are a writer's choice byte by byte (`%2F` or `%2f` or `/`, `\u0026` or `&`), so a value is looked for in the
//! undone text; listing its escaped forms would always miss one.

use std::ops::Range;

/// An undone text.
pub(super) struct View {
    pub(super) text: Vec<u8>,
    /// Where each byte began, and where the text ended.
    origin: Vec<usize>,
}

impl View {
    /// The bytes of the written text that `range` of the undone one came from.
    pub(super) fn written(&self, range: &Range<usize>) -> Range<usize> {
        let at = |i: usize| self.origin.get(i).copied().unwrap_or_default();
        // A character that was escaped as one unit is covered whole.
        let end = self.origin.iter().skip(range.end).copied().find(|o| *o > at(range.end.saturating_sub(1)));
        at(range.start)..end.unwrap_or_else(|| at(self.text.len()))
    }
}

/// Every view of `text` that differs from it.
pub(super) fn views(text: &[u8]) -> Vec<View> {
    let has = |b: u8| text.contains(&b);
    let mut views = Vec::new();
    if has(b'%') {
        views.push(undo(text, percent));
    }
    if has(b'+') {
        views.push(undo(text, |t| if t.first() == Some(&b'+') { Some((1, b" ".to_vec())) } else { percent(t) }));
    }
    if has(b'\\') {
        views.push(undo(text, backslash));
    }
    if has(b'&') {
        views.push(undo(text, entity));
    }
    views
}

/// Reads escapes by `unit`, which answers how many bytes the escape has and what it stands for.
fn undo(text: &[u8], unit: impl Fn(&[u8]) -> Option<(usize, Vec<u8>)>) -> View {
    let mut view = View { text: Vec::with_capacity(text.len()), origin: Vec::with_capacity(text.len() + 1) };
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let (length, bytes) = match rest.first() {
            Some(b'%' | b'+' | b'\\' | b'&') => {
                unit(rest).unwrap_or_else(|| (1, rest.iter().take(1).copied().collect()))
            }
            Some(plain) => {
                view.text.push(*plain);
                view.origin.push(at);
                at += 1;
                continue;
            }
            None => break,
        };
        view.origin.extend(std::iter::repeat_n(at, bytes.len()));
        view.text.extend(bytes);
        at += length;
    }
    view.origin.push(text.len());
    view
}

fn percent(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let [b'%', hi, lo, ..] = text else { return None };
    Some((3, vec![u8::try_from(hex(*hi)? * 16 + hex(*lo)?).ok()?]))
}

fn backslash(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let [b'\\', kind, rest @ ..] = text else { return None };
    let byte = match kind {
        b'"' | b'\\' | b'/' | b'\'' => *kind,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'u' => {
            let first = unit16(rest)?;
            if let (0xD800..=0xDBFF, Some([b'\\', b'u', low @ ..])) = (first, rest.get(4..))
                && let Some(second @ 0xDC00..=0xDFFF) = unit16(low)
            {
                let c = char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))?;
                return Some((12, c.to_string().into_bytes()));
            }
            return Some((6, char::from_u32(first)?.to_string().into_bytes()));
        }
        _ => return None,
    };
    Some((2, vec![byte]))
}

fn unit16(text: &[u8]) -> Option<u32> {
    text.get(..4)?.iter().try_fold(0, |all, digit| Some(all * 16 + hex(*digit)?))
}

fn entity(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let end = text.iter().take(12).position(|b| *b == b';')?;
    let name = std::str::from_utf8(text.get(1..end)?).ok()?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((end + 1, c.to_string().into_bytes()))
}

fn hex(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(text: &str) -> Vec<String> {
        views(text.as_bytes()).into_iter().map(|v| String::from_utf8_lossy(&v.text).into_owned()).collect()
    }

    #[test]
    fn each_escape_is_undone_and_broken_ones_stay() {
        assert_eq!(undone("a%2Fb%2f%C3%A4%zz%2"), ["a/b/ä%zz%2"]);
        assert_eq!(undone("a+b%20c")[1], "a b c");
        assert_eq!(undone(r#"\"\\\/\u00e4\ud83d\ude00\n\x\ud83d\u12"#), ["\"\\/ä😀\n\\x\\ud83d\\u12"]);
        assert_eq!(undone("&amp;&lt;&gt;&quot;&apos;&#39;&#x41;&nbsp;&"), ["&<>\"''A&nbsp;&"]);
        assert!(undone("plain").is_empty());
    }

    #[test]
    fn a_range_leads_back_to_what_was_written() {
        let view = &views(b"x%C3%A4y")[0];
        assert_eq!(view.written(&(1..3)), 1..7);
        assert_eq!(view.written(&(1..2)), 1..4);
        let view = &views(br"x\u00e4y")[0];
        assert_eq!(view.written(&(1..2)), 1..7);
        assert_eq!(view.written(&(3..4)), 7..8);
    }
}
