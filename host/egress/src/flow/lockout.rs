//! How long a lock-out lasts, read from the words of the backend.
//!
//! Known texts: `locked out for 2 minutes`, `User has been locked out for another 1m55s`, `try again in 90 seconds`.

/// Longest time that is believed, in seconds: a backend that says more is asked again after an hour.
const LONGEST: u64 = 3600;

/// Seconds after the first `for`, `for another` or `in` that is followed by a duration; `None` when there is none.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| c.is_whitespace() || "\",.;:!()[]{}".contains(c)).filter(|w| !w.is_empty()).collect();
    let mut rest = words.as_slice();
    while let Some((word, tail)) = rest.split_first() {
        rest = tail;
        if matches!(*word, "for" | "in" | "another")
            && let Some(found) = duration(tail)
        {
            return u32::try_from(found.clamp(1, LONGEST)).ok();
        }
    }
    None
}

/// `2 minutes`, `1m55s`, `1h 2m`, `90 s`, `1 minute and 30 seconds`.
fn duration(words: &[&str]) -> Option<u64> {
    let mut total = None;
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = word.split_at(digits);
        if number.is_empty() {
            if *word == "and" && total.is_some() {
                continue;
            }
            break;
        }
        if unit.is_empty() {
            let Some(scale) = words.next().and_then(|unit| scale(unit)) else { break };
            total = Some(total.unwrap_or(0) + number.parse::<u64>().ok()?.checked_mul(scale)?);
        } else {
            let Some(joined) = joined(word) else { break };
            total = Some(total.unwrap_or(0) + joined);
        }
    }
    total
}

/// `1m55s`.
fn joined(word: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = word;
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let (unit, tail) = tail.split_at(tail.bytes().take_while(u8::is_ascii_alphabetic).count());
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(scale(unit)?)?)?;
        rest = tail;
    }
    Some(total)
}

fn scale(unit: &str) -> Option<u64> {
    match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(3600),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_texts_are_understood() {
        for (text, want) in [
            (r#"{"data":"Authentication Failed. User has been locked out for 2 minutes"}"#, Some(120)),
            (r#"{"data":"User has been locked out for another 1m55s."}"#, Some(115)),
            ("try again in 90 seconds", Some(90)),
            ("locked out for 1 minute and 30 seconds", Some(90)),
            ("Locked for 1h2m3s", Some(3600)),
            ("locked out for 45s, sorry", Some(45)),
            ("locked out for good", None),
            ("locked out", None),
            ("locked out for 99999999999999999999 minutes", None),
            ("locked out for 0 seconds", Some(1)),
        ] {
            assert_eq!(seconds(text), want, "{text}");
        }
    }
}
