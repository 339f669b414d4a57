//! Mount tokens: what a mount proves itself with, where the filesystem or the organization asks for it.
//!
//! Every release in use hands a token out by GET, though no document before 5.1 lists the call; 5.1 has a POST that can
//! ask for a read-only token and for its life [REST description 5.1]. Neither is relied on: a release without the one is
//! asked for the other, and one without both needs a token file that the nodes' owner keeps.

use serde_json::json;
use stowage_provider_sdk::prelude::{Error, ErrorKind, Extensions, Response, Result, error, host};

use crate::api::{Filesystem, MountToken, envelope};
use crate::config::TokenUse;
use crate::exchanges::{MOUNT_TOKEN, MOUNT_TOKEN_ASK};
use crate::rest::Rest;

/// How a mount proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// Not at all.
    None,
    /// By a mount token, of which this is the sealed handle.
    Sealed(Sealed),
    /// By a token file that the node's owner keeps.
    File(String),
}

/// A mount token that the host has sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// The handle.
    pub(crate) handle: String,
    /// The server refuses writes through it.
    pub(crate) read_only: bool,
    /// Unix milliseconds of its end, where the adapter could choose it.
    pub(crate) until: Option<u64>,
}

/// The proof that a mount of this filesystem needs. `read_only` asks for a token that cannot write, where there are such.
pub(crate) fn for_mount(rest: &Rest, filesystem: &Filesystem, read_only: bool) -> Result<Token> {
    let wanted = match rest.config.mount.token {
        TokenUse::Never => false,
        TokenUse::Always => true,
        TokenUse::Auto => filesystem.auth_required || !rest.in_root(),
    };
    if wanted { any(rest, filesystem, read_only) } else { Ok(Token::None) }
}

/// The arguments of node work on a filesystem that cannot be mounted without a token.
pub(crate) fn for_node_work(rest: &Rest, filesystem: &Filesystem) -> Result<Extensions> {
    Ok(match any(rest, filesystem, false)? {
        Token::Sealed(sealed) => vec![("source.secret.token".to_owned(), sealed.handle)],
        Token::File(path) => vec![("source.option.auth_token_path".to_owned(), path)],
        Token::None => Vec::new(),
    })
}

/// One of the calls that hand out a token.
type Way = fn(&Rest, &Filesystem, bool) -> Result<Sealed>;

fn any(rest: &Rest, filesystem: &Filesystem, read_only: bool) -> Result<Token> {
    let ways: [Way; 2] = if read_only { [ask, get] } else { [get, ask] };
    for way in ways {
        match way(rest, filesystem, read_only) {
            Err(Error { kind: ErrorKind::Unsupported(_) | ErrorKind::NotFound, .. }) => {}
            answer => return answer.map(Token::Sealed),
        }
    }
    match &rest.config.mount.token_file {
        Some(path) => Ok(Token::File(path.replace("{organization}", rest.organization()))),
        None => {
            let remedy = "this release hands out no mount tokens: keep a token file on the nodes and name it in \
                          `mount.token_file`";
            Err(error::not_ready("mounts.token", "MOUNT_TOKEN_UNAVAILABLE", remedy))
        }
    }
}

const DOING: &str = "asking for a mount token";

fn get(rest: &Rest, filesystem: &Filesystem, _read_only: bool) -> Result<Sealed> {
    let response = rest.send(&MOUNT_TOKEN, rest.request().param("uid", &filesystem.uid), DOING)?;
    Ok(Sealed { handle: sealed(&response, filesystem)?, read_only: false, until: None })
}

fn ask(rest: &Rest, filesystem: &Filesystem, read_only: bool) -> Result<Sealed> {
    let life = rest.config.mount.token_ttl_s.0;
    let body = json!({ "read_only": read_only, "expires": life });
    // The life is counted from before the question, so that the plan never promises more than the token holds.
    let until = host::now_ms().saturating_add(u64::from(life).saturating_mul(1_000));
    let request = rest.request().param("uid", &filesystem.uid).json(&body);
    let response = rest.send(&MOUNT_TOKEN_ASK, request, DOING)?;
    Ok(Sealed { handle: sealed(&response, filesystem)?, read_only, until: Some(until) })
}

fn sealed(response: &Response, filesystem: &Filesystem) -> Result<String> {
    let unreadable = |text: &str| error::internal(format_args!("{DOING}: {text}")).with_native_code("UnreadableAnswer");
    let answer: MountToken = envelope::one(response.body()).map_err(|junk| unreadable(&junk.0))?;
    if answer.filesystem_name.is_some_and(|name| name != filesystem.name) {
        return Err(unreadable("the token is for another filesystem"));
    }
    response.captured(0).map(str::to_owned).ok_or_else(|| unreadable("the answer has no token"))
}
