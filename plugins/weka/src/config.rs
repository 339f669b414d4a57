//! The configuration of one provider: which filesystem, how isolated, and how its clients mount.
//!
//! The JSON Schema (`config/schema.json`) says what the fields are, and the host checks it when the provider is added.
//! What a schema cannot say well is checked here, with an answer that names the field: reserved filesystems are refused
//! because a directory of ours in `s3-config` would stand in the S3 protocol's own state.

use std::collections::BTreeMap;

use serde::Deserialize;
use stowage_provider_sdk::prelude::{FieldFault, Result, error, host};

use crate::mount_options;
use crate::paths::is_plain;

/// The schema, as `describe` hands it out.
pub(crate) const SCHEMA: &str = include_str!("config/schema.json");

/// Filesystems that belong to the infrastructure or to the S3 protocol, and are never touched.
pub(crate) const RESERVED_FILESYSTEMS: [&str; 4] = ["default", "s3-data", "s3-config", ".config_fs"];

/// Longest name of a filesystem.
pub(crate) const MAX_FILESYSTEM_NAME: usize = 32;

/// How namespaces are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Isolation {
    /// Each is a directory with a quota in one shared filesystem.
    #[default]
    Directory,
    /// Each is a filesystem.
    Filesystem,
    /// Each tenant is an organization.
    Organization,
}

/// The client on the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClientForm {
    /// The node has joined the cluster already: the source is the filesystem's name.
    #[default]
    Stateful,
    /// The first mount joins: the source names the backends.
    Stateless,
}

/// Whether mounts carry a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenUse {
    /// When the filesystem requires authentication or the organization is not Root.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether plans put a fence on the namespace's filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FenceUse {
    /// No: whoever has a token may mount.
    #[default]
    Off,
    /// The nodes of plans alone may mount, and read-only plans read only (release 4.4).
    Clients,
}

/// How clients mount.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mount {
    pub(crate) client: ClientForm,
    pub(crate) backends: Vec<String>,
    pub(crate) net: Vec<String>,
    pub(crate) num_cores: Option<u32>,
    pub(crate) container_name: Option<String>,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) token: TokenUse,
    pub(crate) token_file: Option<String>,
    pub(crate) token_ttl_s: TokenLife,
    pub(crate) fence: FenceUse,
}

/// Seconds that a mount token shall live, where the release lets its life be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct TokenLife(pub(crate) u32);

impl Default for TokenLife {
    fn default() -> Self {
        Self(3_600)
    }
}

/// How temporary credentials are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StsWay {
    /// Over REST as the provider's own identity; refused, as the S3 user; refused again, over the S3 protocol.
    #[default]
    Auto,
    /// Over REST as the provider's own identity.
    Admin,
    /// Over REST as the S3 user.
    User,
    /// Over the S3 protocol.
    Protocol,
}

/// The S3 side.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct S3 {
    pub(crate) enabled: bool,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    pub(crate) sts: StsWay,
}

impl Default for S3 {
    fn default() -> Self {
        Self { enabled: true, endpoint: None, region: "us-east-1".to_owned(), sts: StsWay::Auto }
    }
}

/// How often the host asks again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Poll {
    pub(crate) quota_ms: u32,
    pub(crate) filesystem_ms: u32,
}

impl Default for Poll {
    fn default() -> Self {
        Self { quota_ms: 1_000, filesystem_ms: 1_000 }
    }
}

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) isolation: Isolation,
    #[serde(default)]
    pub(crate) filesystem: Option<String>,
    #[serde(default = "default_root")]
    pub(crate) root: String,
    #[serde(default = "default_group")]
    pub(crate) filesystem_group: String,
    #[serde(default = "yes")]
    pub(crate) filesystem_auth_required: bool,
    #[serde(default = "root_organization")]
    pub(crate) organization: String,
    #[serde(default = "whole")]
    pub(crate) overcommit_percent: u32,
    #[serde(default = "organizations")]
    pub(crate) organization_limit: u64,
    #[serde(default)]
    pub(crate) mount: Mount,
    #[serde(default)]
    pub(crate) s3: S3,
    #[serde(default)]
    pub(crate) poll: Poll,
}

/// The organization that every cluster has.
pub(crate) const ROOT_ORGANIZATION: &str = "Root";

fn default_root() -> String {
    "stowage".to_owned()
}

fn default_group() -> String {
    "default".to_owned()
}

fn root_organization() -> String {
    ROOT_ORGANIZATION.to_owned()
}

const fn yes() -> bool {
    true
}

const fn whole() -> u32 {
    100
}

/// Organizations that a cluster holds; older documents say 64 [WEKA user guide, organizations].
const fn organizations() -> u64 {
    256
}

impl Config {
    /// The configuration of this call, checked.
    pub(crate) fn load() -> Result<Self> {
        host::config::<Self>()?.checked()
    }

    fn checked(mut self) -> Result<Self> {
        for backend in &mut self.mount.backends {
            *backend = backend.trim().to_owned();
        }
        let faults = self.faults();
        if faults.is_empty() { Ok(self) } else { Err(error::invalid_fields(faults)) }
    }

    /// Whether mounts and logins are in the organization that every cluster has.
    pub(crate) fn in_root(&self) -> bool {
        self.organization == ROOT_ORGANIZATION
    }

    fn faults(&self) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        match (self.isolation, self.filesystem.as_deref()) {
            (Isolation::Directory, None) => faults.push(fault(
                "filesystem",
                "is needed: isolation `directory` puts every namespace into one filesystem; name it, such as gpuaas-fs",
            )),
            (Isolation::Directory, Some(name)) => faults.extend(filesystem_fault(name)),
            (_, Some(_)) => faults.push(fault("filesystem", "belongs to isolation `directory`; take it out")),
            (_, None) => {}
        }
        if !is_plain(&self.root) {
            faults.push(fault("root", "must be a relative path of letters, digits, `-`, `_` and `.`, without `..`"));
        }
        if self.organization.is_empty() {
            faults.push(fault("organization", "must not be empty; the organization of every cluster is Root"));
        }
        if self.isolation == Isolation::Organization && !self.in_root() {
            let text = "must be Root under isolation `organization`: only its administrator makes organizations";
            faults.push(fault("organization", text));
        }
        let in_root = self.in_root() && self.isolation != Isolation::Organization;
        faults.extend(self.mount.faults(in_root));
        if self.isolation == Isolation::Directory && self.mount.fence == FenceUse::Clients {
            let text =
                "must be `off` under isolation `directory`: a fence is for a whole filesystem, which namespaces share";
            faults.push(fault("mount.fence", text));
        }
        faults
    }
}

impl Mount {
    fn faults(&self, in_root: bool) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        if self.client == ClientForm::Stateless && self.backends.is_empty() {
            faults.push(fault("mount.backends", "is needed by a stateless client: name at least one backend address"));
        }
        if self.client == ClientForm::Stateful && !in_root {
            faults
                .push(fault("mount.client", "must be `stateless`: only that client mounts outside organization Root"));
        }
        for (index, backend) in self.backends.iter().enumerate() {
            if backend.is_empty() || backend.contains(|c: char| c.is_whitespace() || "/,=".contains(c)) {
                faults.push(fault(&format!("mount.backends.{index}"), "must be a host name or an address"));
            }
        }
        for (index, net) in self.net.iter().enumerate() {
            if net.is_empty() || net.contains(|c: char| c.is_whitespace() || ",=".contains(c)) {
                let form = "must be `udp` or `<device>[/<ip>/<bits>[/<gateway>]]`";
                faults.push(fault(&format!("mount.net.{index}"), form));
            }
        }
        let udp = self.net.iter().any(|net| net == "udp");
        if udp && self.net.len() > 1 {
            faults.push(fault("mount.net", "must not name a device beside `udp`"));
        }
        if self.num_cores == Some(0) && !udp {
            faults.push(fault("mount.num_cores", "may be 0 only with net `udp`"));
        }
        if let Some(path) = &self.token_file
            && (!path.starts_with('/') || path.contains(|c: char| c.is_whitespace() || c == ','))
        {
            faults.push(fault("mount.token_file", "must be an absolute path on the node, without blanks and commas"));
        }
        for (key, problem) in mount_options::problems(&self.options) {
            faults.push(fault(&format!("mount.options.{key}"), &problem));
        }
        faults
    }
}

fn filesystem_fault(name: &str) -> Option<FieldFault> {
    if RESERVED_FILESYSTEMS.contains(&name) {
        let owner = if name == "default" { "the infrastructure" } else { "the S3 protocol" };
        let text = format!(
            "must not be `{name}`: it belongs to {owner} and is never touched; name a filesystem made for Stowage"
        );
        return Some(fault("filesystem", &text));
    }
    if name.is_empty()
        || name.len() > MAX_FILESYSTEM_NAME
        || name.contains(|c: char| "/\\,".contains(c) || c.is_whitespace())
    {
        return Some(fault(
            "filesystem",
            "must be a filesystem's name: at most 32 characters, no slash, comma or blank",
        ));
    }
    None
}

fn fault(field: &str, problem: &str) -> FieldFault {
    FieldFault { field: field.to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use stowage_provider_sdk::prelude::{Error, ErrorKind};

    use super::*;

    fn read(text: &str) -> Result<Config> {
        serde_json::from_str::<Config>(text).unwrap().checked()
    }

    fn faults(text: &str) -> Vec<String> {
        match read(text) {
            Ok(_) => Vec::new(),
            Err(Error { kind: ErrorKind::Invalid(faults), .. }) => {
                faults.into_iter().map(|fault| fault.field).collect()
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    #[test]
    fn the_smallest_configuration_names_a_filesystem() {
        let config = read(r#"{"filesystem":"gpuaas-fs"}"#).unwrap();
        assert_eq!((config.isolation, config.root.as_str(), config.in_root()), (Isolation::Directory, "stowage", true));
        assert_eq!(faults("{}"), ["filesystem"]);
    }

    #[test]
    fn reserved_filesystems_are_refused_with_their_owner() {
        for name in RESERVED_FILESYSTEMS {
            let error = read(&format!(r#"{{"filesystem":"{name}"}}"#)).unwrap_err();
            assert!(error.message.contains(name) && error.message.contains("never touched"), "{}", error.message);
        }
    }

    #[test]
    fn every_fault_names_its_field() {
        for (text, field) in [
            (r#"{"filesystem":"a/b"}"#, "filesystem"),
            (r#"{"filesystem":"abcdefghijklmnopqrstuvwxyz0123456789"}"#, "filesystem"),
            (r#"{"isolation":"filesystem","filesystem":"x"}"#, "filesystem"),
            (r#"{"isolation":"organization"}"#, "mount.client"),
            (
                r#"{"isolation":"organization","organization":"a","mount":{"client":"stateless","backends":["b"]}}"#,
                "organization",
            ),
            (r#"{"filesystem":"x","mount":{"fence":"clients"}}"#, "mount.fence"),
            (r#"{"filesystem":"x","root":"../up"}"#, "root"),
            (r#"{"filesystem":"x","root":"/abs"}"#, "root"),
            (r#"{"filesystem":"x","mount":{"client":"stateless"}}"#, "mount.backends"),
            (r#"{"filesystem":"x","organization":"a"}"#, "mount.client"),
            (r#"{"filesystem":"x","mount":{"net":["udp","ib0"]}}"#, "mount.net"),
            (r#"{"filesystem":"x","mount":{"num_cores":0}}"#, "mount.num_cores"),
            (r#"{"filesystem":"x","mount":{"token_file":"t"}}"#, "mount.token_file"),
            (r#"{"filesystem":"x","mount":{"options":{"suid":""}}}"#, "mount.options.suid"),
            (r#"{"filesystem":"x","mount":{"backends":["a/b"]}}"#, "mount.backends.0"),
        ] {
            assert_eq!(faults(text), [field], "{text}");
        }
    }

    #[test]
    fn blanks_around_a_backend_are_cut() {
        let config = read(r#"{"filesystem":"x","mount":{"client":"stateless","backends":[" b0 "]}}"#).unwrap();
        assert_eq!(config.mount.backends, ["b0"]);
    }
}
