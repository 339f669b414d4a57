//! Work that only a node can do, because the API has no mkdir, chown or rmdir.
//!
//! A namespace's directory is made in two rounds. First it is made bare, so that its quota is put on an empty directory: a
//! quota on a directory with content needs a data-services container, which many clusters lack. Then it gets its mark, its
//! owner and its prefixes. A round that is repeated changes nothing.
//!
//! A step's id ends with the attempt that asked for it. What a node did counts in every later attempt; what it failed at
//! counts in its own attempt only, and is asked for again in the next one. Without that, one failed write on a node would
//! come back with every retry and fail the change for good.

use stowage_provider_sdk::prelude::{
    Call, ClientSource, Error, Extensions, MountSource, NodeResult, NodeStep, PosixIdentity, Progress, error,
};

use crate::config::{ClientForm, Mount};
use crate::rest::Rest;

/// The client kind that nodes map to their wekafs client.
pub(crate) const CLIENT_KIND: &str = "wekafs";

const LOOK: &str = "look";
const BARE: &str = "directory";
const OWN: &str = "own";
const PREFIX: &str = "prefix ";
const REMOVE: &str = "remove";

/// The filesystem as nodes mount it: always its root, since a mount source cannot name a directory within.
pub(crate) fn source(rest: &Rest, filesystem: &str) -> MountSource {
    source_of(&rest.config.mount, filesystem)
}

/// As [`source`], from the configuration alone.
pub(crate) fn source_of(mount: &Mount, filesystem: &str) -> MountSource {
    let servers = match mount.client {
        ClientForm::Stateful => Vec::new(),
        ClientForm::Stateless => mount.backends.clone(),
    };
    MountSource::Client(ClientSource {
        client_kind: CLIENT_KIND.to_owned(),
        servers,
        filesystem: filesystem.to_owned(),
        path: String::new(),
    })
}

/// First round: look at the directory, and make it bare.
pub(crate) fn make_bare(call: &Call, source: MountSource, path: &str) -> Progress {
    let look = step(call, LOOK, "stat", path);
    let bare = step(call, BARE, "make-directory", path).arg("parents", "true");
    Progress::needs_node(source, vec![look, bare])
}

/// Whether the first round is done, and found nothing of somebody else's.
pub(crate) fn made_bare(call: &Call, path: &str, mark: &str) -> Result<bool, Error> {
    let (Some(look), Some(_)) = (done(call, LOOK, path)?, done(call, BARE, path)?) else { return Ok(false) };
    match look.value("mark") {
        Some(found) if !found.is_empty() && found != mark => {
            Err(error::foreign_owner(format_args!("directory {path}"), found))
        }
        _ => Ok(true),
    }
}

/// Second round: mark the directory and hand it over with its prefixes.
pub(crate) fn hand_over(
    call: &Call,
    source: MountSource,
    path: &str,
    mark: &str,
    posix: Option<&PosixIdentity>,
    prefixes: &[String],
) -> Progress {
    hand_over_with(call, source, path, mark, posix, prefixes, &Extensions::new())
}

/// As [`hand_over`], on a source that the node can mount only with these arguments: `source.secret.<option>` holds a
/// sealed handle, `source.option.<option>` a value.
pub(crate) fn hand_over_with(
    call: &Call,
    source: MountSource,
    path: &str,
    mark: &str,
    posix: Option<&PosixIdentity>,
    prefixes: &[String],
    access: &Extensions,
) -> Progress {
    let owned = |step: NodeStep| match posix {
        Some(posix) => step.arg("uid", posix.uid).arg("gid", posix.gid).arg("mode", format_args!("{:04o}", posix.mode)),
        None => step,
    };
    let mut steps = vec![owned(step(call, OWN, "make-directory", path).arg("mark", mark))];
    for prefix in prefixes {
        let within = if path.is_empty() { prefix.clone() } else { format!("{path}/{prefix}") };
        let made = step(call, &format!("{PREFIX}{prefix}"), "make-directory", &within);
        steps.push(owned(made.arg("parents", "true")));
    }
    if let Some(first) = steps.first_mut() {
        first.args.extend(access.iter().cloned());
    }
    Progress::needs_node(source, steps)
}

/// Whether the second round is done.
pub(crate) fn handed_over(call: &Call, path: &str, prefixes: &[String]) -> Result<bool, Error> {
    let mut all = done(call, OWN, path)?.is_some();
    for prefix in prefixes {
        all &= done(call, &format!("{PREFIX}{prefix}"), path)?.is_some();
    }
    Ok(all)
}

/// Removal through the trash. `ours` says that the backend showed our mark on it: then a directory whose file was never
/// written, or was deleted by a tenant, is marked once more before it goes. Otherwise only one that bears the file goes.
pub(crate) fn remove(call: &Call, source: MountSource, path: &str, mark: &str, ours: bool) -> Progress {
    let mut steps = Vec::new();
    if ours {
        steps.push(step(call, OWN, "make-directory", path).arg("mark", mark));
    }
    steps.push(step(call, REMOVE, "remove-directory", path).arg("recursive", "true").arg("mark", mark));
    Progress::needs_node(source, steps)
}

/// Whether the removal is done.
pub(crate) fn removed(call: &Call, path: &str) -> Result<bool, Error> {
    done(call, OWN, path)?;
    Ok(done(call, REMOVE, path)?.is_some())
}

fn step(call: &Call, name: &str, verb: &str, path: &str) -> NodeStep {
    NodeStep::new(&format!("{name}@{}", call.attempt), verb, path)
}

/// The result of a step that was done in any attempt; the error of one that failed in this attempt.
fn done<'a>(call: &'a Call, name: &str, path: &str) -> Result<Option<&'a NodeResult>, Error> {
    let mut failed = None;
    for result in &call.node_results {
        match (result.id.rsplit_once('@'), &result.error) {
            (Some((found, _)), None) if found == name => return Ok(Some(result)),
            (Some((found, attempt)), Some(text)) if found == name && attempt == call.attempt.to_string() => {
                failed = Some(failure(result, text, path));
            }
            _ => {}
        }
    }
    failed.map_or(Ok(None), Err)
}

fn failure(result: &NodeResult, text: &str, path: &str) -> Error {
    match result.error_word().unwrap_or_default() {
        "foreign-mark" => {
            let found = result.value("mark").unwrap_or("another owner");
            error::foreign_owner(format_args!("directory {path}"), found)
        }
        "no-space" => error::quota_exceeded(format_args!("the node found no space for {path}")),
        "permission" => error::permission_denied(format_args!("the node may not change {path}: {text}")),
        "not-a-directory" => error::already_exists(format_args!("something that is no directory at {path}")),
        word => error::other("node-work-failed", format_args!("the node could not work on {path}: {text}"))
            .with_native_code(word),
    }
}
