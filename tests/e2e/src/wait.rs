//! The one helper that waits: for a condition, with a deadline.

use std::time::{Duration, Instant};

/// Longest wait for anything in a region. Generous: a slow machine must not fail a test, and a condition that comes true
/// ends the wait at once.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Asks `condition` every 20 ms until it answers `Some`; panics after [`DEADLINE`] with what was waited for.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(started.elapsed() < DEADLINE, "gave up after {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
