//! What an operator can set of the use cases. Each has a default that fits one region on one host.

use stowage_domain::{Millis, Seconds};

/// Settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Part of every owner token and physical id: two installations on one backend must differ in it. Fixed for the life
    /// of the state store. Default `stowage`.
    pub installation: String,
    /// Provider calls of operations in flight, in all. Default 256.
    pub calls: usize,
    /// Provider calls of operations in flight, per provider. Default 32.
    pub calls_per_provider: usize,
    /// How often every provider is probed. Default 60 s.
    pub probe_interval: Millis,
    /// How often every provider is compared with what is believed. Default 15 min.
    pub drift_interval: Millis,
    /// How often agents report. A node is offline after three of them. Default 10 s.
    pub report_interval: Millis,
    /// How long a join token works. Default 1 h.
    pub join_token_ttl: Seconds,
    /// How long a claimed piece of work stays with its agent. Default 60 s.
    pub work_lease: Millis,
    /// How long an unmount waits for its node before the plan is released at the provider without it. Default 2 min.
    pub unmount_patience: Millis,
    /// How long an operation that has ended can be read; at least as long as request ids. Default 30 days.
    pub operation_retention: Seconds,
    /// How long a repeated request id is answered as before. Default 24 h.
    pub request_retention: Seconds,
    /// How long observed usage is answered without asking again. Default 5 s.
    pub usage_age: Millis,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            installation: "stowage".to_owned(),
            calls: 256,
            calls_per_provider: 32,
            probe_interval: Millis(60_000),
            drift_interval: Millis(900_000),
            report_interval: Millis(10_000),
            join_token_ttl: Seconds(3600),
            work_lease: Millis(60_000),
            unmount_patience: Millis(120_000),
            operation_retention: Seconds(30 * 24 * 3600),
            request_retention: Seconds(24 * 3600),
            usage_age: Millis(5_000),
        }
    }
}
