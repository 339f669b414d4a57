//! The node's own configuration: what a plan may become on this machine.
//!
//! A plan names a client kind and options; this file alone says which program that kind is, which options are allowed
//! and which directories a provider's host paths may lie in. Nothing that comes over the network can widen it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// The node's id, as it was created at the host.
    pub name: String,
    /// The host's address, such as `https://stowage.region.example:7443`.
    pub server: String,
    /// PEM file of the authority that signed the host's certificate; the machine's own authorities when absent.
    #[serde(default)]
    pub server_ca: Option<PathBuf>,
    /// File with the one-time join token; read at the first start only.
    #[serde(default)]
    pub join_token_file: Option<PathBuf>,
    /// Where the agent keeps its token, its mounts and its staging directories. Default `/var/lib/stowage-node`.
    #[serde(default = "default_state_dir")]
    pub state_dir: PathBuf,
    /// Workloads' mounts appear beneath this directory. Default `/run/stowage/mounts`.
    #[serde(default = "default_mount_root")]
    pub mount_root: PathBuf,
    /// Addresses that storage servers see this node under, for server-side fences.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Client kinds by name.
    #[serde(default)]
    pub clients: BTreeMap<String, ClientKind>,
    /// Host-path roots by the name that providers use.
    #[serde(default)]
    pub roots: BTreeMap<String, HostRoot>,
    /// Program for subvolumes and their quotas, on roots that are btrfs. Default `/usr/bin/btrfs`.
    #[serde(default = "default_btrfs")]
    pub btrfs: PathBuf,
    /// How long a mount program may run, in seconds. Default 60; a hung client must not hang the agent.
    #[serde(default = "default_mount_timeout_s")]
    pub mount_timeout_s: u64,
    /// Pieces of work that the agent does at once. Default 8; a mount that hangs holds one place until its time is up.
    #[serde(default = "default_work_at_once")]
    pub work_at_once: usize,
    /// How often the agent reports, in seconds. Default 10.
    #[serde(default = "default_report_every_s")]
    pub report_every_s: u64,
}

/// One client kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientKind {
    /// Absolute path of the program that mounts, such as `/usr/bin/mount`.
    pub program: PathBuf,
    /// Its first arguments, such as `["-t", "wekafs"]`.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The source when the plan names servers: `{servers}` (joined by commas) and `{filesystem}` are filled in.
    pub source_with_servers: String,
    /// The source when the plan names none.
    pub source: String,
    /// Option keys that a plan may set.
    #[serde(default)]
    pub allowed_options: Vec<String>,
    /// Options that this node always adds, such as `net=udp`; they win over the plan's.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// One host-path root.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRoot {
    /// The directory.
    pub path: PathBuf,
    /// Providers that may use it.
    pub providers: Vec<String>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}; name the file with --config")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML of this shape.
    #[error("{path} is not a node configuration: {source}")]
    Parse {
        /// The file.
        path: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A value is wrong.
    #[error("{path}: `{field}` {problem}")]
    Invalid {
        /// The file.
        path: String,
        /// The field.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

/// Options that no plan and no node may set: the agent forces their opposites.
const NEVER: [&str; 5] = ["suid", "dev", "loop", "remount", "bind"];

impl NodeConfig {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: shown.clone(), source })?;
        Self::parse(&text, &shown)
    }

    /// Checks a text; `shown` names it in errors.
    pub fn parse(text: &str, shown: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)
            .map_err(|source| ConfigError::Parse { path: shown.to_owned(), source: Box::new(source) })?;
        let invalid = |field: String, problem: &str| {
            Err(ConfigError::Invalid { path: shown.to_owned(), field, problem: problem.to_owned() })
        };
        for (field, path) in
            [("state_dir", &config.state_dir), ("mount_root", &config.mount_root), ("btrfs", &config.btrfs)]
        {
            if !path.is_absolute() {
                return invalid(field.to_owned(), "must be an absolute path");
            }
        }
        for (name, root) in &config.roots {
            if !root.path.is_absolute() {
                return invalid(format!("roots.{name}.path"), "must be an absolute path");
            }
        }
        for (kind, client) in &config.clients {
            if !client.program.is_absolute() {
                return invalid(format!("clients.{kind}.program"), "must be an absolute path, such as /usr/bin/mount");
            }
            let listed = client.allowed_options.iter().chain(client.options.keys());
            if let Some(option) = listed.into_iter().find(|option| NEVER.contains(&option.as_str())) {
                return invalid(format!("clients.{kind}"), &format!("must not list the option `{option}`"));
            }
        }
        Ok(config)
    }
}

fn default_state_dir() -> PathBuf {
    PathBuf::from("/var/lib/stowage-node")
}

fn default_mount_root() -> PathBuf {
    PathBuf::from("/run/stowage/mounts")
}

fn default_btrfs() -> PathBuf {
    PathBuf::from("/usr/bin/btrfs")
}

const fn default_mount_timeout_s() -> u64 {
    60
}

const fn default_work_at_once() -> usize {
    8
}

const fn default_report_every_s() -> u64 {
    10
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        name = "node-a"
        server = "http://127.0.0.1:7443"
        [clients.wekafs]
        program = "/usr/bin/mount"
        arguments = ["-t", "wekafs"]
        source_with_servers = "{servers}/{filesystem}"
        source = "{filesystem}"
        allowed_options = ["readcache"]
    "#;

    #[test]
    fn a_good_file_gets_the_documented_defaults() {
        let config = NodeConfig::parse(GOOD, "node.toml").unwrap();
        assert_eq!(config.state_dir, PathBuf::from("/var/lib/stowage-node"));
        assert_eq!(config.mount_root, PathBuf::from("/run/stowage/mounts"));
        assert_eq!((config.mount_timeout_s, config.report_every_s), (60, 10));
    }

    #[test]
    fn an_error_names_the_field() {
        for (from, to, field) in [
            ("/usr/bin/mount", "mount", "clients.wekafs.program"),
            ("\"readcache\"", "\"suid\"", "clients.wekafs"),
            ("name =", "state_dir = \"x\"\nname =", "state_dir"),
            ("name =", "colour = \"x\"\nname =", "colour"),
        ] {
            let error = NodeConfig::parse(&GOOD.replace(from, to), "node.toml").unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
    }
}
