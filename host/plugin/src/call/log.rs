//! What a guest writes: its log, its standard output and error. Bounded, redacted, part of the call's span.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Bound, Meter};

/// A level of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Where the lines of one call go.
#[derive(Clone)]
pub(crate) struct GuestLog {
    pub(crate) meter: Arc<Meter>,
    pub(crate) bound: Arc<Bound>,
}

impl GuestLog {
    /// Writes one line, or counts it as dropped. A line is cut first and redacted after, so that what is cut off cannot
    /// leave half a secret unseen: the redactor looks at the whole line.
    pub(crate) fn line(&self, level: Level, message: &str, fields: &[(String, String)]) {
        let limits = &self.bound.limits;
        let written = u64::from(self.meter.log_written.load(Ordering::Relaxed));
        if written >= limits.log_lines {
            self.meter.log_dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.meter.log_written.fetch_add(1, Ordering::Relaxed);
        let mut line = message.to_owned();
        for (name, value) in fields {
            write!(line, " {name}={value:?}").ok();
        }
        let mut line = self.bound.redacted(line);
        cut(&mut line, usize::try_from(limits.log_line_bytes).unwrap_or(1024));
        let provider = self.bound.provider.as_str();
        match level {
            Level::Trace => tracing::trace!(target: "stowage::guest", provider, "{line}"),
            Level::Debug => tracing::debug!(target: "stowage::guest", provider, "{line}"),
            Level::Info => tracing::info!(target: "stowage::guest", provider, "{line}"),
            Level::Warn => tracing::warn!(target: "stowage::guest", provider, "{line}"),
            Level::Error => tracing::error!(target: "stowage::guest", provider, "{line}"),
        }
    }
}

fn cut(line: &mut String, bytes: usize) {
    if line.len() > bytes {
        let mut end = bytes.saturating_sub('…'.len_utf8());
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.truncate(end);
        line.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        let mut line = "ääääää".to_owned();
        cut(&mut line, 8);
        assert_eq!(line, "ää…");
        let mut short = "short".to_owned();
        cut(&mut short, 8);
        assert_eq!(short, "short");
    }
}
