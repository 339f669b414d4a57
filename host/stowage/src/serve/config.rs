//! The host's configuration file: TOML, every key with a default but the listener.
//!
//! Relative paths are relative to the file, so that a configuration and what belongs to it can be moved together.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostConfig {
    /// Part of the name of everything that this host makes at a backend. Two hosts on one backend must differ in it; fixed
    /// for the life of the state. `stowage init` makes one.
    #[serde(default = "installation")]
    pub(crate) installation: String,
    /// The gRPC listener.
    pub(crate) server: Server,
    /// Who may call.
    #[serde(default)]
    pub(crate) auth: Auth,
    /// The state store.
    #[serde(default)]
    pub(crate) state: State,
    /// Plugins.
    #[serde(default)]
    pub(crate) plugins: Plugins,
    /// Secrets.
    #[serde(default)]
    pub(crate) secrets: Secrets,
    /// Prometheus endpoint; none when absent.
    #[serde(default)]
    pub(crate) metrics: Option<Metrics>,
    /// Logs.
    #[serde(default)]
    pub(crate) log: Log,
    /// How long what is over is kept.
    #[serde(default)]
    pub(crate) retention: Retention,
    /// Node agents.
    #[serde(default)]
    pub(crate) nodes: Nodes,
    /// Looking for drift.
    #[serde(default)]
    pub(crate) drift: Drift,
}

/// Looking for drift.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Drift {
    /// Seconds between two comparisons of a provider with what is believed.
    pub(crate) scan_every_s: u32,
}

impl Default for Drift {
    fn default() -> Self {
        Self { scan_every_s: 900 }
    }
}

/// The gRPC listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    /// Address to listen on. One that is not loopback is refused without `tls`.
    pub(crate) listen: SocketAddr,
    /// File that the address is written to once it is bound, for whoever started the host with port 0.
    #[serde(default)]
    pub(crate) address_file: Option<PathBuf>,
    /// Certificate and key.
    #[serde(default)]
    pub(crate) tls: Option<Tls>,
}

/// Certificate and key, as PEM files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// Certificate chain.
    pub(crate) certificate: PathBuf,
    /// Private key.
    pub(crate) key: PathBuf,
}

/// Who may call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Auth {
    /// File of token hashes; `stowage token add` writes it.
    pub(crate) token_file: PathBuf,
}

/// The state store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct State {
    /// Which engine keeps it.
    pub(crate) engine: Engine,
    /// Where.
    pub(crate) directory: PathBuf,
}

/// The embedded engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// sled, the default.
    Sled,
    /// redb.
    Redb,
}

/// Plugins.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Plugins {
    /// Directory of `.wasm` files; each is admitted at the start.
    pub(crate) directory: PathBuf,
    /// Directory of compiled code.
    pub(crate) cache: PathBuf,
}

/// Secrets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Secrets {
    /// Directory with one file a secret; only its owner may read it. Environment variables are asked after it.
    pub(crate) directory: PathBuf,
}

/// Prometheus endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metrics {
    /// Address to listen on.
    pub(crate) listen: SocketAddr,
}

/// Logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// What is logged, in the syntax of `RUST_LOG`.
    pub(crate) filter: String,
}

/// How long what is over is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Days for which an operation that has ended can be read; request ids may keep it longer.
    pub(crate) operations_days: u32,
    /// Hours for which a repeated request id is answered as before.
    pub(crate) requests_hours: u32,
}

/// Node agents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Nodes {
    /// Seconds between the reports of an agent; after three without one its node is offline.
    pub(crate) report_every_s: u32,
}

fn installation() -> String {
    "stowage".to_owned()
}

impl Default for Auth {
    fn default() -> Self {
        Self { token_file: "tokens.json".into() }
    }
}

impl Default for State {
    fn default() -> Self {
        Self { engine: Engine::Sled, directory: "state".into() }
    }
}

impl Default for Plugins {
    fn default() -> Self {
        Self { directory: "plugins".into(), cache: "cache".into() }
    }
}

impl Default for Secrets {
    fn default() -> Self {
        Self { directory: "secrets".into() }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned() }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { operations_days: 30, requests_hours: 24 }
    }
}

impl Default for Nodes {
    fn default() -> Self {
        Self { report_every_s: 10 }
    }
}

impl HostConfig {
    /// Reads a file and anchors its relative paths at its directory.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}: make one with `stowage init`", path.display()))?;
        let mut config: Self =
            toml::from_str(&text).with_context(|| format!("{} is not a configuration", path.display()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        let base = base.canonicalize().with_context(|| format!("cannot resolve {}", base.display()))?;
        for own in config.paths() {
            *own = base.join(&*own);
        }
        Ok(config)
    }

    fn paths(&mut self) -> Vec<&mut PathBuf> {
        let mut paths = vec![
            &mut self.auth.token_file,
            &mut self.state.directory,
            &mut self.plugins.directory,
            &mut self.plugins.cache,
            &mut self.secrets.directory,
        ];
        paths.extend(self.server.address_file.as_mut());
        if let Some(tls) = &mut self.server.tls {
            paths.extend([&mut tls.certificate, &mut tls.key]);
        }
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimal_file_gets_the_defaults_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stowage.toml");
        std::fs::write(&path, "[server]\nlisten = \"127.0.0.1:7070\"\n").unwrap();
        let config = HostConfig::load(&path).unwrap();
        let base = directory.path().canonicalize().unwrap();
        assert_eq!(config.state.directory, base.join("state"));
        assert_eq!(config.state.engine, Engine::Sled);
        assert_eq!(config.auth.token_file, base.join("tokens.json"));
        assert_eq!(config.drift.scan_every_s, 900);
        assert_eq!((config.retention.operations_days, config.retention.requests_hours), (30, 24));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stowage.toml");
        std::fs::write(&path, "[server]\nlisten = \"127.0.0.1:7070\"\ncolour = 1\n").unwrap();
        assert!(format!("{:#}", HostConfig::load(&path).unwrap_err()).contains("colour"));
    }
}
