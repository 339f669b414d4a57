//! What a namespace shall be, checked before anything is sent.

use stowage_provider_sdk::prelude::{NamespaceSpec, PosixIdentity, Protocol, Result, error};

use crate::limits::{Numbers, numbers};
use crate::paths::{is_plain, is_relative};

/// A checked specification.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) physical_id: String,
    pub(crate) prefixes: Vec<String>,
    pub(crate) posix: Option<PosixIdentity>,
    pub(crate) numbers: Numbers,
}

/// Longest physical id: `sw-`, the id, `-` and eight characters make a filesystem's name of 32.
const MAX_PHYSICAL_ID: usize = 20;

impl Wanted {
    /// Reads a specification; an error names the field.
    pub(crate) fn read(spec: &NamespaceSpec) -> Result<Self> {
        protocols(&spec.protocols)?;
        let id = &spec.physical_id;
        if id.len() > MAX_PHYSICAL_ID || id.contains('/') || id.starts_with('.') || !is_plain(id) {
            return Err(error::invalid("physical-id", "must be at most 20 letters, digits and `-`"));
        }
        let mut prefixes = Vec::new();
        for (index, prefix) in spec.prefixes.iter().enumerate() {
            let prefix = prefix.trim_end_matches('/');
            if !is_relative(prefix) {
                let problem = "must be a relative directory without `.`, `..`, control characters and `\\`";
                return Err(error::invalid(&format!("prefixes.{index}"), problem));
            }
            prefixes.push(prefix.to_owned());
        }
        if spec.posix.is_some_and(|posix| posix.mode > 0o1777) {
            return Err(error::invalid("posix.mode", "must be at most 01777: no set-user-id or set-group-id bit"));
        }
        Ok(Self { physical_id: id.clone(), prefixes, posix: spec.posix, numbers: numbers(&spec.limits)? })
    }
}

/// Whether these can be had: POSIX only.
pub(crate) fn protocols(wanted: &[Protocol]) -> Result<()> {
    for protocol in wanted {
        match protocol {
            Protocol::Posix => {}
            Protocol::S3 => return Err(error::unsupported("namespaces.s3")),
            Protocol::Other(word) => return Err(error::unsupported(word)),
        }
    }
    Ok(())
}
