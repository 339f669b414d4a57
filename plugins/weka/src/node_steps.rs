//! Work that only a node can do, because the API has no mkdir, chown or rmdir.
//!
//! A namespace's directory is made in two rounds. First it is made bare, so that its quota is put on an empty directory: a
//! quota on a directory with content needs a data-services container, which many clusters lack. Then it gets its mark, its
//! owner and its prefixes. A round that is repeated changes nothing.

use stowage_provider_sdk::prelude::{
    Call, ClientSource, Error, MountSource, NodeResult, NodeStep, PosixIdentity, Progress, error,
};

use crate::config::{ClientForm, Mount};
use crate::rest::Rest;

/// The client kind that nodes map to their wekafs client.
pub(crate) const CLIENT_KIND: &str = "wekafs";

const LOOK: &str = "look";
const BARE: &str = "directory";
const OWN: &str = "own";
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
pub(crate) fn make_bare(source: MountSource, path: &str) -> Progress {
    let steps =
        vec![NodeStep::new(LOOK, "stat", path), NodeStep::new(BARE, "make-directory", path).arg("parents", "true")];
    Progress::needs_node(source, steps)
}

/// Whether the first round is done, and found nothing of somebody else's.
pub(crate) fn made_bare(call: &Call, path: &str, mark: &str) -> Result<bool, Error> {
    let (Some(look), Some(made)) = (call.node_result(LOOK), call.node_result(BARE)) else {
        return failed_first(call, &[LOOK, BARE], path).map_or(Ok(false), Err);
    };
    for result in [look, made] {
        if let Some(error) = failure(result, path) {
            return Err(error);
        }
    }
    match look.value("mark") {
        Some(found) if !found.is_empty() && found != mark => {
            Err(error::foreign_owner(format_args!("directory {path}"), found))
        }
        _ => Ok(true),
    }
}

/// Second round: mark the directory and hand it over with its prefixes.
pub(crate) fn hand_over(
    source: MountSource,
    path: &str,
    mark: &str,
    posix: Option<&PosixIdentity>,
    prefixes: &[String],
) -> Progress {
    let owned = |step: NodeStep| match posix {
        Some(posix) => step
            .arg("uid", posix.uid)
            .arg("gid", posix.gid)
            .arg("mode", format_args!("{:04o}", posix.mode)),
        None => step,
    };
    let mut steps = vec![owned(NodeStep::new(OWN, "make-directory", path).arg("mark", mark))];
    for prefix in prefixes {
        let id = format!("prefix-{prefix}");
        let within = if path.is_empty() { prefix.clone() } else { format!("{path}/{prefix}") };
        steps.push(owned(NodeStep::new(&id, "make-directory", &within).arg("parents", "true")));
    }
    Progress::needs_node(source, steps)
}

/// Whether the second round is done.
pub(crate) fn handed_over(call: &Call, path: &str, prefixes: &[String]) -> Result<bool, Error> {
    let ids: Vec<String> =
        std::iter::once(OWN.to_owned()).chain(prefixes.iter().map(|prefix| format!("prefix-{prefix}"))).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    if let Some(error) = failed_first(call, &ids, path) {
        return Err(error);
    }
    Ok(ids.iter().all(|id| call.node_result(id).is_some()))
}

/// Removal through the trash. `ours` says that the backend showed our mark on it: then a directory whose file was never
/// written, or was deleted by a tenant, is marked once more before it goes. Otherwise only one that bears the file goes.
pub(crate) fn remove(source: MountSource, path: &str, mark: &str, ours: bool) -> Progress {
    let mut steps = Vec::new();
    if ours {
        steps.push(NodeStep::new(OWN, "make-directory", path).arg("mark", mark));
    }
    steps.push(NodeStep::new(REMOVE, "remove-directory", path).arg("recursive", "true").arg("mark", mark));
    Progress::needs_node(source, steps)
}

/// Whether the removal is done.
pub(crate) fn removed(call: &Call, path: &str) -> Result<bool, Error> {
    if let Some(error) = failed_first(call, &[OWN, REMOVE], path) {
        return Err(error);
    }
    Ok(call.node_result(REMOVE).is_some())
}

/// The error of the first of these steps that failed.
fn failed_first(call: &Call, ids: &[&str], path: &str) -> Option<Error> {
    ids.iter().filter_map(|id| call.node_result(id)).find_map(|result| failure(result, path))
}

fn failure(result: &NodeResult, path: &str) -> Option<Error> {
    let text = result.error.as_deref()?;
    let error = match result.error_word().unwrap_or_default() {
        "foreign-mark" => {
            let found = result.value("mark").unwrap_or("another owner");
            error::foreign_owner(format_args!("directory {path}"), found)
        }
        "no-space" => error::quota_exceeded(format_args!("the node found no space for {path}")),
        "permission" => error::permission_denied(format_args!("the node may not change {path}: {text}")),
        "not-a-directory" => error::already_exists(format_args!("something that is no directory at {path}")),
        word => error::other("node-work-failed", format_args!("the node could not work on {path}: {text}"))
            .with_native_code(word),
    };
    Some(error)
}
