//! From the wire to what this node understands, refusing what it doesn't.

use std::collections::BTreeMap;

use stowage_proto::v1;

use crate::client::ClientMount;
use crate::verbs::{Step, StepResult};

/// Where an order works, in this node's own terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file system that a client program mounts, and a directory in it.
    Client {
        /// What to mount.
        mount: ClientMount,
        /// Directory in it.
        path: String,
    },
    /// A directory beneath a configured root.
    HostPath {
        /// Name of the root.
        root: String,
        /// Directory beneath it.
        path: String,
    },
}

/// One mount of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountOrder {
    /// What.
    pub source: Source,
    /// Directory of the source that the workload sees.
    pub subpath: String,
    /// Read-only.
    pub read_only: bool,
}

/// Why an order is not one for this node.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OrderRefusal {
    /// It lacks a part.
    #[error("the order has no {0}")]
    Lacks(&'static str),
    /// A kind of source that a node cannot mount.
    #[error("sources of the kind {0} cannot be mounted by a node agent")]
    SourceKind(&'static str),
    /// An access mode that is neither of the two.
    #[error("access mode {0} is neither READ_ONLY nor READ_WRITE")]
    Mode(i32),
    /// The order's id cannot be the name of a directory.
    #[error("id {0:?} cannot be the name of a directory")]
    Id(String),
}

/// Reads a source; `options` are the plan's for a client mount.
pub fn source(
    wire: Option<&v1::MountSource>,
    read_only: bool,
    options: &[v1::MountOption],
) -> Result<Source, OrderRefusal> {
    use v1::mount_source::Kind;
    match wire.and_then(|source| source.kind.as_ref()).ok_or(OrderRefusal::Lacks("source"))? {
        Kind::Client(client) => Ok(Source::Client {
            mount: ClientMount {
                kind: client.client_kind.clone(),
                servers: client.servers.clone(),
                filesystem: client.filesystem.clone(),
                read_only,
                options: options.iter().map(|o| (o.key.clone(), o.value.clone())).collect(),
            },
            path: client.path.trim_start_matches('/').to_owned(),
        }),
        Kind::HostPath(host) => {
            Ok(Source::HostPath { root: host.root.clone(), path: host.path.trim_start_matches('/').to_owned() })
        }
        Kind::Nfs(_) => Err(OrderRefusal::SourceKind("nfs")),
        Kind::Object(_) => Err(OrderRefusal::SourceKind("object")),
        Kind::Block(_) => Err(OrderRefusal::SourceKind("block")),
    }
}

/// Reads one mount of a plan.
pub fn mount(wire: &v1::Mount) -> Result<MountOrder, OrderRefusal> {
    let read_only = match wire.mode() {
        v1::AccessMode::ReadOnly => true,
        v1::AccessMode::ReadWrite => false,
        v1::AccessMode::Unspecified => return Err(OrderRefusal::Mode(wire.mode)),
    };
    Ok(MountOrder {
        source: source(wire.source.as_ref(), read_only, &wire.options)?,
        subpath: wire.subpath.clone(),
        read_only,
    })
}

/// The steps of an order.
#[must_use]
pub fn steps(wire: &[v1::NodeStep]) -> Vec<Step> {
    let args = |args: &BTreeMap<String, String>| args.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    wire.iter()
        .map(|step| Step {
            id: step.id.clone(),
            verb: step.verb.clone(),
            path: step.path.clone(),
            args: args(&step.args),
        })
        .collect()
}

/// Step results for the wire; the reason is the error's code in the contract's spelling.
#[must_use]
pub fn results(results: Vec<StepResult>) -> Vec<v1::NodeStepResult> {
    let reason = |error: &Option<String>| {
        let code = error.as_deref().and_then(|text| text.split_once(':')).map(|(code, _)| code);
        match code {
            None if error.is_none() => String::new(),
            Some("unsupported-verb") => "VERB_REFUSED".to_owned(),
            Some("path-refused") => "PATH_ESCAPES".to_owned(),
            Some(code) => code.to_uppercase().replace('-', "_"),
            None => "STEP_FAILED".to_owned(),
        }
    };
    results
        .into_iter()
        .map(|result| v1::NodeStepResult {
            reason: reason(&result.error),
            id: result.id,
            values: result.values.into_iter().collect(),
            error: result.error.unwrap_or_default(),
        })
        .collect()
}

/// Checks that an id can be the name of a directory.
pub fn directory_name(id: &str) -> Result<&str, OrderRefusal> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !id.is_empty() && id.len() <= 128 && id.bytes().all(good) {
        Ok(id)
    } else {
        Err(OrderRefusal::Id(id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_no_directory_name_is_refused() {
        for id in ["", "..", "a/b", "a b", &"x".repeat(129)] {
            assert!(directory_name(id).is_err(), "{id}");
        }
        assert_eq!(directory_name("m-01_a"), Ok("m-01_a"));
    }

    #[test]
    fn a_mount_without_a_mode_or_source_is_refused() {
        assert_eq!(mount(&v1::Mount::default()), Err(OrderRefusal::Mode(0)));
        let wire = v1::Mount { mode: v1::AccessMode::ReadOnly.into(), ..Default::default() };
        assert_eq!(mount(&wire), Err(OrderRefusal::Lacks("source")));
    }

    #[test]
    fn step_errors_carry_the_contract_s_reasons() {
        let failed = |error: &str| StepResult { id: "1".into(), values: vec![], error: Some(error.to_owned()) };
        let wire = results(vec![failed("path-refused: x"), failed("foreign-mark: x"), failed("odd")]);
        let reasons: Vec<_> = wire.iter().map(|result| result.reason.as_str()).collect();
        assert_eq!(reasons, ["PATH_ESCAPES", "FOREIGN_MARK", "STEP_FAILED"]);
    }
}
