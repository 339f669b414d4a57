//! The backend's moments, `2022-07-27T10:41:10Z`, as Unix milliseconds. No crate of calendars: in the sandbox there is no
//! zone, no file and no clock that one would look for.

/// The moment that a text of this form names; `None` for any other.
pub(crate) fn unix_ms(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time.split('.').next()?, ':')?;
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60
    {
        return None;
    }
    // Years are counted from March, so that the leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let seconds = days.checked_sub(DAYS_TO_1970)? * 86_400 + hour * 3_600 + minute * 60 + second;
    seconds.checked_mul(1_000)
}

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let parts: Vec<u64> = text.split(between).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let all: [u64; 3] = parts.try_into().ok()?;
    all.iter().all(|number| *number < 100_000).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::unix_ms;

    #[test]
    fn moments_are_read_with_and_without_fractions() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2022-07-27T10:41:10Z", 1_658_918_470),
            ("2022-07-27T10:41:10.249Z", 1_658_918_470),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(unix_ms(text), Some(seconds * 1_000), "{text}");
        }
    }

    #[test]
    fn any_other_text_is_none() {
        for text in
            ["", "N/A", "2022-07-27", "2022-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "2022-07-27T10:41:10+02:00"]
        {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }
}
