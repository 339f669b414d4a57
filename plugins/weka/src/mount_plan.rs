//! The mount plan compiler: from a namespace and a request to what a node or a CSI driver needs. Pure; no exchange.
//!
//! A wekafs mount source names a filesystem and never a directory in it. So a plan mounts the filesystem's root and names
//! the one subpath that the workload may see; the node binds that and nothing else. What follows from this is said in the
//! plan: under isolation `directory` the node is trusted with the whole filesystem, and read-only is the client's promise.
//! Where the filesystem is the namespace, a fence (4.4) or a read-only token (5.1) makes the server keep it.

use std::collections::BTreeMap;

use stowage_provider_sdk::prelude::{
    AccessMode, Delivery, EnforcedBy, Extensions, MountPlan, MountRequest, MountSecret, OneMount, PlanForm,
    Prerequisite, Result, error, error::FieldFault,
};

use crate::config::Config;
use crate::mount_options;
use crate::mount_tokens::Token;
use crate::node_steps::{self, CLIENT_KIND};
use crate::paths::is_relative;
use crate::reference::{Fence, Plan, Reference};

/// What is mounted.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The filesystem's name now.
    pub(crate) filesystem: String,
    /// The namespace's path in it, without slashes around; empty when the filesystem is the namespace.
    pub(crate) path: String,
    /// The tenant's organization, if the filesystem is in one.
    pub(crate) organization: Option<String>,
}

impl Target {
    /// Whether the filesystem holds other namespaces too. Asked of the namespace and not of the configuration, which may
    /// have changed since it was made.
    pub(crate) const fn is_shared(&self) -> bool {
        !self.path.is_empty()
    }
}

/// What the server holds of a plan.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// How the mount proves itself.
    pub(crate) token: Token,
    /// The fence that was raised for it.
    pub(crate) fence: Option<Raised>,
}

impl Default for Held {
    fn default() -> Self {
        Self { token: Token::None, fence: None }
    }
}

/// A fence, and whether it keeps the node to reading.
#[derive(Debug, Clone)]
pub(crate) struct Raised {
    pub(crate) fence: Fence,
    pub(crate) reads_only: bool,
}

impl Held {
    /// Who keeps a read-only mount from writing.
    fn reads_only(&self) -> EnforcedBy {
        match (&self.token, &self.fence) {
            (Token::Sealed(sealed), _) if sealed.read_only => EnforcedBy::Credential,
            (_, Some(raised)) if raised.reads_only => EnforcedBy::ServerPolicy,
            _ => EnforcedBy::MountOptionOnly,
        }
    }
}

/// The registered prefix of a class's mount options among a request's extensions.
const CLASS_OPTION: &str = "mount.option.";
/// What a class writes among its mount options to ask for a fence.
const FENCE_OPTION: &str = "fence";
/// The CSI driver that volume handles are for.
const CSI_DRIVER: &str = "csi.weka.io";
/// Longest volume handle that it takes.
const MAX_VOLUME_HANDLE: usize = 1920;
/// Node addresses that a plan's reference keeps.
const MAX_ADDRESSES: usize = 8;

/// Compiles the plan.
pub(crate) fn compile(config: &Config, target: &Target, request: &MountRequest, held: &Held) -> Result<MountPlan> {
    let parts = parts(request)?;
    let class = class_options(&request.extensions);
    let chosen = mount_options::merge(&config.mount.options, &class).map_err(|problems| {
        let fault = |(key, problem)| FieldFault { field: format!("{CLASS_OPTION}{key}"), problem };
        error::invalid_fields(problems.into_iter().map(fault).collect())
    })?;
    let token = &held.token;
    let mut extensions = trust(target, request, held);
    let mut mounts = Vec::new();
    match request.form {
        PlanForm::NodeMount | PlanForm::AppController => {
            let options = options(config, &chosen, token);
            for (prefix, mode) in &parts {
                mounts.push(one(config, target, prefix, mode, held, options.clone()));
            }
        }
        PlanForm::CsiVolume => {
            extensions.extend(csi(target, &parts, &chosen)?);
            for (prefix, mode) in &parts {
                mounts.push(one(config, target, prefix, mode, held, pairs(&chosen)));
            }
        }
        PlanForm::HostPrepared => return Err(error::unsupported("mount plans that the host prepares")),
        PlanForm::Other(ref word) => return Err(error::unsupported(word)),
    }
    let secrets = match token {
        Token::Sealed(sealed) => {
            let deliver = Delivery::OptionKey("token".to_owned());
            vec![MountSecret { handle: sealed.handle.clone(), deliver }]
        }
        Token::None | Token::File(_) => Vec::new(),
    };
    Ok(MountPlan {
        ref_: reference(target, request, held),
        mounts,
        secrets,
        prerequisites: vec![Prerequisite { kind: CLIENT_KIND.to_owned(), min_version: None }],
        valid_until: match token {
            Token::Sealed(sealed) => sealed.until,
            Token::None | Token::File(_) => None,
        },
        extensions,
    })
}

/// The prefixes and modes that were asked for; an empty prefix is the whole namespace.
fn parts(request: &MountRequest) -> Result<Vec<(String, AccessMode)>> {
    if request.prefixes.is_empty() {
        return Err(error::invalid("prefixes", "is empty: name a prefix, or the empty one for the whole namespace"));
    }
    let mut parts = Vec::new();
    for (index, (prefix, mode)) in request.prefixes.iter().enumerate() {
        let prefix = prefix.trim_end_matches('/');
        if !prefix.is_empty() && !is_relative(prefix) {
            let problem = "must be a relative directory without `.`, `..`, control characters and `\\`";
            return Err(error::invalid(&format!("prefixes.{index}"), problem));
        }
        if let AccessMode::Other(word) = mode {
            return Err(error::unsupported(word));
        }
        parts.push((prefix.to_owned(), mode.clone()));
    }
    Ok(parts)
}

fn one(
    config: &Config,
    target: &Target,
    prefix: &str,
    mode: &AccessMode,
    held: &Held,
    options: Extensions,
) -> OneMount {
    // A token and a fence are for one filesystem, so they keep others out only where the filesystem is the namespace, and
    // never hold a prefix.
    let whole = !target.is_shared() && prefix.is_empty();
    let enforced_by = match mode {
        AccessMode::ReadOnly if whole => held.reads_only(),
        AccessMode::ReadWrite if whole && held.token != Token::None => EnforcedBy::Credential,
        _ => EnforcedBy::MountOptionOnly,
    };
    OneMount {
        source: node_steps::source_of(&config.mount, &target.filesystem),
        subpath: join(&target.path, prefix),
        mode: mode.clone(),
        enforced_by,
        options,
    }
}

/// The client's options. `ro`, `nosuid` and `nodev` are the node's to add, by the plan's mode and always.
fn options(config: &Config, chosen: &BTreeMap<String, String>, token: &Token) -> Extensions {
    let mount = &config.mount;
    let mut options: Extensions = mount.net.iter().map(|net| ("net".to_owned(), net.clone())).collect();
    options.extend(mount.num_cores.map(|cores| ("num_cores".to_owned(), cores.to_string())));
    options.extend(mount.container_name.clone().map(|name| ("container_name".to_owned(), name)));
    options.extend(pairs(chosen));
    if let Token::File(path) = token {
        options.push(("auth_token_path".to_owned(), path.clone()));
    }
    options
}

fn pairs(options: &BTreeMap<String, String>) -> Extensions {
    options.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn class_options(extensions: &Extensions) -> BTreeMap<String, String> {
    let option = |(key, value): &(String, String)| Some((key.strip_prefix(CLASS_OPTION)?.to_owned(), value.clone()));
    // A fence is put up at the cluster; no client knows such an option.
    extensions.iter().filter_map(option).filter(|(key, _)| key != FENCE_OPTION).collect()
}

/// What is enforced by the server and what only by the client, in registered keys.
fn trust(target: &Target, request: &MountRequest, held: &Held) -> Extensions {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let directory = target.is_shared();
    // Outside organization Root nothing is mounted without a token of that organization.
    let server = !directory && (held.token != Token::None || target.organization.is_some());
    let isolation = match (directory, &target.organization) {
        (true, _) => "directory",
        (false, None) => "filesystem",
        (false, Some(_)) => "organization",
    };
    let mut told =
        vec![pair("isolation", isolation), pair("isolation.server-enforced", if server { "true" } else { "false" })];
    if directory {
        let note = format!(
            "a node that mounts this can reach all of filesystem {}; only its agent keeps a workload within its subpath",
            target.filesystem
        );
        told.push(pair("trust.node", "filesystem"));
        told.push(("trust.note".to_owned(), note));
        told.push(pair("server-read-only", "unsupported: it is for a whole filesystem, which namespaces share"));
        told.push(pair("fence", "unsupported: it is for a whole filesystem, which namespaces share"));
    }
    if let Some(organization) = &target.organization {
        told.push(pair("organization", organization));
    }
    if request.prefixes.iter().any(|(_, mode)| *mode == AccessMode::ReadOnly) {
        let by = if !directory && held.reads_only() != EnforcedBy::MountOptionOnly { "server" } else { "client" };
        told.push(pair("read-only.enforced-by", by));
    }
    if held.fence.is_some() {
        told.push(pair("fence", "clients"));
    }
    if request.multi_writer {
        told.push(pair("multi-writer", "true"));
    }
    told
}

/// What a PersistentVolume needs. The driver mounts with a secret of its own, so the plan carries none.
fn csi(target: &Target, parts: &[(String, AccessMode)], chosen: &BTreeMap<String, String>) -> Result<Extensions> {
    let mut told = vec![("csi.driver".to_owned(), CSI_DRIVER.to_owned())];
    if let Some(organization) = &target.organization {
        // The driver's secret must log in there: its filesystems are seen from nowhere else.
        told.push(("csi.organization".to_owned(), organization.clone()));
    }
    for (index, (prefix, mode)) in parts.iter().enumerate() {
        let path = join(&target.path, prefix);
        let handle = match (target.path.is_empty(), path.is_empty()) {
            (true, true) => format!("weka/v2/{}", target.filesystem),
            (true, false) => format!("weka/v2/{}/{path}", target.filesystem),
            (false, _) => format!("dir/v1/{}/{path}", target.filesystem),
        };
        if handle.len() > MAX_VOLUME_HANDLE {
            return Err(error::too_large("csi.volume-handle", handle.len() as u64, MAX_VOLUME_HANDLE as u64));
        }
        let key = |name: &str| if index == 0 { format!("csi.{name}") } else { format!("csi.{index}.{name}") };
        let read_only = *mode == AccessMode::ReadOnly;
        told.push((key("volume-handle"), handle));
        told.push((key("access-mode"), if read_only { "ReadOnlyMany" } else { "ReadWriteMany" }.to_owned()));
        told.push((key("read-only"), read_only.to_string()));
    }
    if !chosen.is_empty() {
        let flat =
            |(key, value): (&String, &String)| if value.is_empty() { key.clone() } else { format!("{key}={value}") };
        told.push(("csi.mount-options".to_owned(), chosen.iter().map(flat).collect::<Vec<_>>().join(",")));
    }
    Ok(told)
}

fn reference(target: &Target, request: &MountRequest, held: &Held) -> Vec<u8> {
    let addresses = request.node_addresses.iter().filter(|a| a.len() <= 45).take(MAX_ADDRESSES).cloned().collect();
    let fence = held.fence.as_ref().map(|raised| raised.fence.clone());
    let plan = Plan { filesystem: target.filesystem.clone(), node: request.node.clone(), addresses, fence };
    Reference::Plan(plan).bytes()
}

fn join(path: &str, prefix: &str) -> String {
    [path, prefix].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod golden;
