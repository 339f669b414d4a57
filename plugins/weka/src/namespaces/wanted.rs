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
    pub(crate) serve: Serve,
}

/// The protocols that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Serve {
    pub(crate) posix: bool,
    pub(crate) s3: bool,
}

impl Serve {
    /// Refuses S3, for this reason.
    pub(crate) fn without_s3(self, why: &str) -> Result<()> {
        if self.s3 { Err(error::unsupported(why)) } else { Ok(()) }
    }
}

/// Longest physical id: `sw-`, the id, `-` and eight characters make a filesystem's name of 32.
const MAX_PHYSICAL_ID: usize = 20;

impl Wanted {
    /// Reads a specification; an error names the field.
    pub(crate) fn read(spec: &NamespaceSpec) -> Result<Self> {
        let serve = protocols(&spec.protocols)?;
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
        Ok(Self { physical_id: id.clone(), prefixes, posix: spec.posix, numbers: numbers(&spec.limits)?, serve })
    }
}

/// What is asked for; whether S3 can be had depends on the isolation.
pub(crate) fn protocols(wanted: &[Protocol]) -> Result<Serve> {
    if let Some(Protocol::Other(word)) = wanted.iter().find(|protocol| matches!(protocol, Protocol::Other(_))) {
        return Err(error::unsupported(word));
    }
    let serve = Serve { posix: wanted.contains(&Protocol::Posix), s3: wanted.contains(&Protocol::S3) };
    if serve.posix || serve.s3 {
        Ok(serve)
    } else {
        Err(error::invalid("protocols", "is empty: name `posix`, `s3` or both"))
    }
}
