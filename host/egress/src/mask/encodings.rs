//! The forms in which a value may come back: as it is, in hex, in base64. Escapes are the business of
//! [`views`](super::views).
//!
//! Base64 of a longer text holds a value at one of three alignments, so the bytes that do not depend on the neighbours
//! are looked for at each: `Basic dXNlcjpwYXNz` echoes a password that stands nowhere as itself.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Values shorter than this are looked for in base64 at the first alignment only, whole: the core of a short value at
/// another alignment is so short that it would hit innocent text.
const ALIGNED_FROM: usize = 8;

/// Every form of `value`, without repeats.
pub(super) fn forms(value: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::new();
    let mut add = |text: String| {
        if !text.is_empty() {
            forms.insert(text.into_bytes());
        }
    };
    add(value.to_owned());
    let hex = hex::encode(value);
    add(hex.to_uppercase());
    add(hex);
    base64(value.as_bytes(), &mut add);
    forms
}

fn base64(value: &[u8], add: &mut impl FnMut(String)) {
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        add(engine.encode(value));
        if value.len() < ALIGNED_FROM {
            continue;
        }
        for before in 0..3_usize {
            let mut text = vec![0; before];
            text.extend_from_slice(value);
            let encoded = engine.encode(&text);
            // The characters that hold bits of the neighbours, at both ends.
            let first = [0, 2, 3].get(before).copied().unwrap_or_default();
            let last = text.len() / 3 * 4 + [0, 1, 2].get(text.len() % 3).copied().unwrap_or_default();
            add(encoded.get(first..last).unwrap_or_default().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_a_longer_text_holds_one_of_the_aligned_forms() {
        let forms = forms("hunter2hunter2");
        for before in ["", "a", "ab", "user:", "user1:"] {
            for after in ["", "x", "xy", "xyz"] {
                let encoded = STANDARD_NO_PAD.encode(format!("{before}hunter2hunter2{after}"));
                let found = forms.iter().any(|form| encoded.contains(std::str::from_utf8(form).unwrap()));
                assert!(found, "{before:?} {after:?} {encoded}");
            }
        }
    }
}
