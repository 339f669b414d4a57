//! The emulator's clock: the machine's time plus an offset that tests move.
//!
//! Token expiry, lock-out, `CREATING`, quota colouring and grace periods all read this clock, so a test advances five
//! minutes in no time. Example of what it is not: a paused clock. Time also passes by itself, because real clients with
//! real timeouts talk to the emulator.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch on the emulator's clock.
pub type Millis = u64;

/// The machine's clock with a movable offset; clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_millis: Arc<AtomicI64>,
}

impl Clock {
    /// Now, in milliseconds since the epoch.
    pub fn now(&self) -> Millis {
        let machine = jiff::Timestamp::now().as_millisecond();
        machine.saturating_add(self.offset_millis.load(Ordering::SeqCst)).try_into().unwrap_or_default()
    }

    /// Moves the clock by this many milliseconds; a negative number moves it back (clock skew).
    pub fn advance(&self, millis: i64) {
        self.offset_millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// How far the clock stands ahead of the machine's, in milliseconds.
    pub fn offset(&self) -> i64 {
        self.offset_millis.load(Ordering::SeqCst)
    }

    /// Now, as file times need it.
    pub(crate) fn system_time(&self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_millis(self.now())).unwrap_or(UNIX_EPOCH)
    }

    /// Now in RFC 3339, UTC, whole seconds.
    pub(crate) fn rfc3339(&self) -> String {
        rfc3339(self.now())
    }
}

/// A moment in RFC 3339, UTC, whole seconds.
pub(crate) fn rfc3339(at: Millis) -> String {
    let seconds = i64::try_from(at / 1000).unwrap_or_default();
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_move_together() {
        let clock = Clock::default();
        let other = clock.clone();
        let before = other.now();
        clock.advance(300_000);
        assert!(other.now() >= before + 300_000);
        assert_eq!(rfc3339(1_700_000_000_000), "2023-11-14T22:13:20Z");
    }
}
