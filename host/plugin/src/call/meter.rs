//! What a call costs, counted outside its store, so that it survives the store's end.
//!
//! CPU time is the time in which the call's future is being polled, without the parts that stand in an import of the
//! contract. It is not taken from the epochs: the epoch counter goes on while a guest waits for its backend, and a budget
//! counted in ticks would kill an adapter whose backend is slow. It is not taken from the runtime's call hook either: the
//! hook brackets memory fills and copies as host calls, so a guest could compute there for nothing.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stowage_ports::provider::Receipt;

/// The counters of one call.
#[derive(Debug)]
pub(crate) struct Meter {
    start: Instant,
    used_ns: AtomicU64,
    /// Nanoseconds after `start` at which the clock was started, plus one; 0 while it stands.
    since_ns: AtomicU64,
    in_import: AtomicBool,
    in_exchange: AtomicBool,
    pub(crate) memory_peak: AtomicU64,
    pub(crate) host_calls: AtomicU32,
    pub(crate) exchanges: AtomicU32,
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) log_written: AtomicU32,
    pub(crate) log_dropped: AtomicU32,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            used_ns: AtomicU64::new(0),
            since_ns: AtomicU64::new(0),
            in_import: AtomicBool::new(false),
            in_exchange: AtomicBool::new(false),
            memory_peak: AtomicU64::new(0),
            host_calls: AtomicU32::new(0),
            exchanges: AtomicU32::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            log_written: AtomicU32::new(0),
            log_dropped: AtomicU32::new(0),
        }
    }

    fn elapsed_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The call's future is polled from now on.
    pub(crate) fn go(&self) {
        if !self.in_import.load(Ordering::Relaxed) {
            self.since_ns.store(self.elapsed_ns() + 1, Ordering::Relaxed);
        }
    }

    /// It is not polled any more.
    pub(crate) fn halt(&self) {
        let since = self.since_ns.swap(0, Ordering::Relaxed);
        if since != 0 {
            self.used_ns.fetch_add((self.elapsed_ns() + 1).saturating_sub(since), Ordering::Relaxed);
        }
    }

    /// An import of the contract begins; it ends when the guard is dropped.
    pub(crate) fn enter_import(&self, exchange: bool) -> InImport<'_> {
        self.halt();
        self.in_import.store(true, Ordering::Relaxed);
        self.in_exchange.store(exchange, Ordering::Relaxed);
        InImport(self)
    }

    /// Whether an HTTP exchange is under way.
    pub(crate) fn in_exchange(&self) -> bool {
        self.in_exchange.load(Ordering::Relaxed)
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> Duration {
        let since = self.since_ns.load(Ordering::Relaxed);
        let running = if since == 0 { 0 } else { (self.elapsed_ns() + 1).saturating_sub(since) };
        Duration::from_nanos(self.used_ns.load(Ordering::Relaxed) + running)
    }

    pub(crate) fn receipt(&self, queued: Duration) -> Receipt {
        let wide = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let narrow = |n: &AtomicU32| n.load(Ordering::Relaxed);
        Receipt {
            cpu_ns: wide(&self.used_ns),
            wall_ns: self.elapsed_ns(),
            queue_ns: u64::try_from(queued.as_nanos()).unwrap_or(u64::MAX),
            memory_peak_bytes: wide(&self.memory_peak),
            host_calls: narrow(&self.host_calls),
            exchanges: narrow(&self.exchanges),
            bytes_sent: wide(&self.sent),
            bytes_received: wide(&self.received),
            log_lines: (narrow(&self.log_written), narrow(&self.log_dropped)),
        }
    }
}

/// Stands while an import runs.
pub(crate) struct InImport<'a>(&'a Meter);

impl Drop for InImport<'_> {
    fn drop(&mut self) {
        self.0.in_import.store(false, Ordering::Relaxed);
        self.0.in_exchange.store(false, Ordering::Relaxed);
        self.0.go();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_an_import_is_not_cpu_time() {
        let meter = Meter::new();
        meter.go();
        let guard = meter.enter_import(true);
        assert!(meter.in_exchange());
        let before = meter.cpu();
        while meter.elapsed_ns() < 2_000_000 {
            std::hint::spin_loop();
        }
        meter.go();
        assert_eq!(meter.cpu(), before, "polling inside an import does not start the clock");
        drop(guard);
        assert!(!meter.in_exchange());
        while meter.cpu() == before {
            std::hint::spin_loop();
        }
        meter.halt();
        assert!(meter.receipt(Duration::ZERO).cpu_ns > 0);
    }
}
