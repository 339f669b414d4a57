//! Logs as JSON lines without secrets, and metrics for Prometheus.

use std::io::{self, Write};
use std::net::SocketAddr;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use stowage_egress::Redactor;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Seconds; a plugin call takes tens of microseconds, a backend up to minutes.
const SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0,
];
/// Bytes; one wasm page to the largest memory.
const BYTES: &[f64] = &[65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0, 16_777_216.0, 67_108_864.0, 268_435_456.0];

/// Writes log lines, each through the redactor.
struct Redacted<W>(Redactor, W);

impl<W: Write> Write for Redacted<W> {
    /// The whole line counts as written, whatever the length of the masked one.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        match self.0.redact(&text) {
            Some(masked) => self.1.write_all(masked.as_bytes())?,
            None => self.1.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

/// Standard error, opened anew for each line.
struct Lines(Redactor);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Redacted<io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Redacted(self.0.clone(), io::stderr())
    }
}

/// Sets up logs; every line passes the redactor that knows the live secret values.
pub(crate) fn logs(filter: &str, redactor: &Redactor) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("log.filter {filter:?} is not a filter"))?;
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(true).with_span_list(true);
    lines.with_env_filter(filter).with_writer(Lines(redactor.clone())).init();
    Ok(())
}

/// Serves metrics at `http://<listen>/metrics`.
pub(crate) fn metrics(listen: SocketAddr) -> anyhow::Result<()> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), BYTES)?
        .with_http_listener(listen)
        .install()
        .with_context(|| format!("cannot serve metrics on {listen}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_live_secret_is_masked_and_reported_whole() {
        let redactor = Redactor::new();
        redactor.learn("hunter2-hunter2");
        let mut writer = Redacted(redactor, Vec::new());
        let line = b"{\"message\":\"password hunter2-hunter2\"}\n";
        assert_eq!(writer.write(line).unwrap(), line.len());
        let harmless = b"{\"message\":\"nothing\"}\n";
        assert_eq!(writer.write(harmless).unwrap(), harmless.len());
        let written = String::from_utf8(writer.1).unwrap();
        assert!(written.starts_with("{\"message\":\"password [masked]\"}\n"), "{written}");
        assert!(written.ends_with("{\"message\":\"nothing\"}\n"), "{written}");
    }
}
