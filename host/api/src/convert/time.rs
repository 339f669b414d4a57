//! Times and durations. The domain counts whole milliseconds and seconds.

use prost_types::{Duration, Timestamp};
use stowage_domain::{Seconds, UnixMillis};

use crate::refusal::Refusal;

/// A time of the contract.
pub(crate) fn to(time: UnixMillis) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(time.0 / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(time.0 % 1000).unwrap_or(0) * 1_000_000,
    }
}

/// A time of the domain. Before 1970 is refused.
pub(crate) fn from(field: &str, time: Timestamp) -> Result<UnixMillis, Refusal> {
    let wrong = || Refusal::field(field, "must be a time after 1970-01-01T00:00:00Z with 0 to 999999999 nanoseconds");
    let seconds = u64::try_from(time.seconds).map_err(|_| wrong())?;
    let nanos = u64::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000).ok_or_else(wrong)?;
    let millis =
        seconds.checked_mul(1000).and_then(|millis| millis.checked_add(nanos / 1_000_000)).ok_or_else(wrong)?;
    Ok(UnixMillis(millis))
}

/// A duration of the contract.
pub(crate) fn seconds_to(seconds: Seconds) -> Duration {
    Duration { seconds: i64::try_from(seconds.0).unwrap_or(i64::MAX), nanos: 0 }
}

/// Whole seconds. A part of a second is refused, for no backend keeps it.
pub(crate) fn seconds_from(field: &str, duration: Duration) -> Result<Seconds, Refusal> {
    match u64::try_from(duration.seconds) {
        Ok(seconds) if duration.nanos == 0 => Ok(Seconds(seconds)),
        _ => Err(Refusal::field(field, "must be a whole number of seconds, at least 0")),
    }
}

/// A wait between nothing and `most`; `usual` when absent.
pub(crate) fn wait_from(
    field: &str,
    duration: Option<Duration>,
    usual: std::time::Duration,
    most: std::time::Duration,
) -> Result<std::time::Duration, Refusal> {
    let Some(duration) = duration else { return Ok(usual) };
    let wait = std::time::Duration::try_from(duration).map_err(|_| Refusal::field(field, "must not be negative"))?;
    if wait > most {
        return Err(Refusal::field(field, format!("must be at most {} s", most.as_secs())));
    }
    Ok(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_way_and_nonsense_is_refused() {
        let time = UnixMillis(1_700_000_000_123);
        assert_eq!(from("t", to(time)).unwrap(), time);
        for bad in [
            Timestamp { seconds: -1, nanos: 0 },
            Timestamp { seconds: 1, nanos: -1 },
            Timestamp { seconds: 1, nanos: 1_000_000_000 },
            Timestamp { seconds: i64::MAX, nanos: 0 },
        ] {
            assert!(from("t", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn durations_are_whole_seconds() {
        assert_eq!(seconds_from("d", seconds_to(Seconds(90))).unwrap(), Seconds(90));
        assert!(seconds_from("d", Duration { seconds: 1, nanos: 1 }).is_err());
        assert!(seconds_from("d", Duration { seconds: -1, nanos: 0 }).is_err());
    }

    #[test]
    fn a_wait_has_a_ceiling() {
        let (usual, most) = (std::time::Duration::from_secs(30), std::time::Duration::from_secs(60));
        assert_eq!(wait_from("w", None, usual, most).unwrap(), usual);
        assert!(wait_from("w", Some(Duration { seconds: 61, nanos: 0 }), usual, most).is_err());
        assert!(wait_from("w", Some(Duration { seconds: -1, nanos: 0 }), usual, most).is_err());
    }
}
