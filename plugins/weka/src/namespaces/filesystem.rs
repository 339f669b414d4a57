//! Isolation `filesystem`: a namespace is a filesystem of its own.
//!
//! A filesystem has no field for an owner, so its name ends with eight characters that follow from the owner token:
//! `sw-<physical-id>-<owner>`. Its capacity is the hard limit. It is made without authentication, so that a node can make
//! its prefixes, and requires a token from then on; until then it is empty.

use stowage_provider_sdk::prelude::{
    Call, DataPolicy, Enforcement, Error, ErrorKind, Lifecycle, Limit, NamespaceSpec, NamespaceState, NativeRef,
    Progress, Protocol, Result, error, short_name,
};

use super::wanted::Wanted;
use crate::api::{Cluster, Filesystem, FilesystemPhase};
use crate::exchanges::CLUSTER;
use crate::filesystems::{self, MAX_FILESYSTEMS, MIN_CAPACITY};
use crate::jobs::{Awaited, Handle};
use crate::limits::{Numbers, bytes, numbers, rounded};
use crate::reference::{Reference, Whole};
use crate::rest::Rest;
use crate::{mark, node_steps};

const PREFIX: &str = "sw-";
const OWNER_LENGTH: usize = 8;

/// Makes the filesystem, its mark and its prefixes (by a node), and turns authentication on.
pub(crate) fn create(rest: &Rest, call: &Call, spec: &NamespaceSpec) -> Result<Progress> {
    let wanted = Wanted::read(spec)?;
    let capacity = capacity(wanted.numbers)?;
    let mark = mark::of(&call.owner);
    let name = name(&wanted.physical_id, &call.owner);
    let found = match find_named(rest, &wanted.physical_id, &name)? {
        Some(found) => found,
        None => make(rest, &name, capacity)?,
    };
    let filesystem = match found.phase() {
        FilesystemPhase::Creating => return Ok(pending(rest, &found.uid, Awaited::Ready)),
        FilesystemPhase::Ready if rounded(found.total_budget, capacity) => found,
        FilesystemPhase::Ready => filesystems::resize(rest, &found, capacity)?,
        FilesystemPhase::Removing | FilesystemPhase::Unknown => {
            return Err(error::conflict_retry(format_args!("filesystem {name} is {}", found.status)));
        }
    };
    let native = reference(&filesystem, &mark);
    if filesystem.auth_required && rest.config.filesystem_auth_required {
        return Ok(Progress::Done(native));
    }
    if !node_steps::handed_over(call, "", &wanted.prefixes)? {
        let source = node_steps::source(rest, &name);
        return Ok(node_steps::hand_over(call, source, "", &mark, wanted.posix.as_ref(), &wanted.prefixes));
    }
    if rest.config.filesystem_auth_required {
        filesystems::require_authentication(rest, &filesystem.uid)?;
    }
    Ok(Progress::Done(native))
}

/// Changes the capacity.
pub(crate) fn set_limits(rest: &Rest, whole: &Whole, limits: &[Limit]) -> Result<Progress> {
    let wanted = capacity(numbers(limits)?)?;
    let filesystem = filesystems::ready(current(rest, whole)?)?;
    if rounded(filesystem.total_budget, wanted) {
        return Ok(Progress::Done(reference(&filesystem, &whole.mark)));
    }
    check_capacity(rest, wanted.saturating_sub(filesystem.total_budget))?;
    let resized = filesystems::resize(rest, &filesystem, wanted)?;
    if rounded(resized.total_budget, wanted) {
        Ok(Progress::Done(reference(&resized, &whole.mark)))
    } else {
        Err(error::conflict_retry(format_args!("filesystem {} does not show its new capacity yet", resized.name)))
    }
}

/// Removes the filesystem with `purge`; with `keep` it stays as it is. Absent is done.
pub(crate) fn delete(rest: &Rest, whole: &Whole, data: &DataPolicy) -> Result<Progress> {
    let native = Reference::Filesystem(whole.clone()).bytes();
    match data {
        DataPolicy::Keep => return Ok(Progress::Done(native)),
        DataPolicy::Purge => {}
        DataPolicy::Recoverable => return Err(error::unsupported("delete with recovery under isolation filesystem")),
        DataPolicy::Other(word) => return Err(error::unsupported(word)),
    }
    let Some(found) = filesystems::get(rest, &whole.uid)? else { return Ok(Progress::Done(native)) };
    if found.name != whole.name {
        let text = format!("filesystem {} was renamed from {}", found.name, whole.name);
        return Err(error::foreign_owner(text, "whoever renamed it"));
    }
    let left = match found.phase() {
        FilesystemPhase::Removing => Some(found),
        _ => filesystems::remove(rest, &whole.uid)?,
    };
    match left {
        None => Ok(Progress::Done(native)),
        Some(left) if left.phase() == FilesystemPhase::Removing => Ok(pending(rest, &left.uid, Awaited::Gone)),
        Some(left) => {
            let text = format!("the backend reported filesystem {} as removed and still shows it", left.name);
            Err(error::conflict_retry(text).with_native_code("DeleteNotApplied"))
        }
    }
}

/// What it is now.
pub(crate) fn inspect(rest: &Rest, whole: &Whole) -> Result<NamespaceState> {
    Ok(match filesystems::get(rest, &whole.uid)? {
        Some(found) => state(&found, &whole.mark),
        None => NamespaceState {
            ref_: Reference::Filesystem(whole.clone()).bytes(),
            lifecycle: Lifecycle::Gone,
            protocols: Vec::new(),
            effective_limits: Vec::new(),
            owner: None,
            location: whole.name.clone(),
            revision: None,
            extensions: Vec::new(),
        },
    })
}

/// The filesystem that an owner's name ends in.
pub(crate) fn find(rest: &Rest, owner: &str) -> Result<Option<NativeRef>> {
    let ending = format!("-{}", short_name(owner, OWNER_LENGTH));
    let found = filesystems::all(rest)?.into_iter().find(|f| f.name.starts_with(PREFIX) && f.name.ends_with(&ending));
    Ok(found.map(|filesystem| reference(&filesystem, &mark::of(owner))))
}

/// Every filesystem with a name of Stowage's.
pub(crate) fn list(rest: &Rest) -> Result<Vec<(String, NamespaceState)>> {
    let ours = filesystems::all(rest)?.into_iter().filter(|filesystem| filesystem.name.starts_with(PREFIX));
    Ok(ours.map(|filesystem| (filesystem.name.clone(), state(&filesystem, ""))).collect())
}

fn state(filesystem: &Filesystem, mark: &str) -> NamespaceState {
    NamespaceState {
        ref_: reference(filesystem, mark),
        lifecycle: match filesystem.phase() {
            FilesystemPhase::Creating => Lifecycle::Creating,
            FilesystemPhase::Ready => Lifecycle::Ready,
            FilesystemPhase::Removing => Lifecycle::Deleting,
            FilesystemPhase::Unknown => Lifecycle::Unknown,
        },
        protocols: vec![Protocol::Posix],
        effective_limits: vec![bytes(filesystem.total_budget, Enforcement::Block)],
        // The name holds a digest of the owner only: `find` answers whose it is.
        owner: None,
        location: filesystem.name.clone(),
        revision: None,
        extensions: Vec::new(),
    }
}

fn reference(filesystem: &Filesystem, mark: &str) -> NativeRef {
    Reference::Filesystem(Whole { uid: filesystem.uid.clone(), name: filesystem.name.clone(), mark: mark.to_owned() })
        .bytes()
}

fn name(physical_id: &str, owner: &str) -> String {
    format!("{PREFIX}{physical_id}-{}", short_name(owner, OWNER_LENGTH))
}

/// The one of this name; the same physical id under another owner is somebody else's.
fn find_named(rest: &Rest, physical_id: &str, name: &str) -> Result<Option<Filesystem>> {
    let stem = format!("{PREFIX}{physical_id}-");
    let listed = filesystems::all(rest)?;
    if listed.len() as u64 >= MAX_FILESYSTEMS && !listed.iter().any(|filesystem| filesystem.name == name) {
        return Err(error::capacity_exhausted("filesystems", listed.len() as u64, MAX_FILESYSTEMS));
    }
    let same = |f: &Filesystem| f.name.strip_prefix(&stem).is_some_and(|end| end.len() == OWNER_LENGTH);
    match listed.into_iter().find(same) {
        Some(found) if found.name == name => Ok(Some(found)),
        Some(found) => Err(error::foreign_owner(format_args!("filesystem {}", found.name), "another operation")),
        None => Ok(None),
    }
}

/// Makes it; one that a parallel try of the same owner has made meanwhile is taken.
fn make(rest: &Rest, name: &str, capacity: u64) -> Result<Filesystem> {
    check_capacity(rest, capacity)?;
    match filesystems::create(rest, name, capacity) {
        Err(Error { kind: ErrorKind::AlreadyExists, .. }) => filesystems::named(rest, name)?
            .ok_or_else(|| error::conflict_retry(format_args!("filesystem {name} exists and is not listed yet"))),
        made => made,
    }
}

fn check_capacity(rest: &Rest, more: u64) -> Result<()> {
    if more == 0 {
        return Ok(());
    }
    let cluster: Cluster = rest.one(&CLUSTER, rest.request(), "reading the cluster")?;
    let (total, free) = (cluster.capacity.total_bytes, cluster.capacity.unprovisioned_bytes);
    if more > free {
        return Err(error::capacity_exhausted(
            "capacity.bytes",
            total.saturating_sub(free).saturating_add(more),
            total,
        ));
    }
    Ok(())
}

fn capacity(numbers: Numbers) -> Result<u64> {
    if numbers.soft != 0 {
        return Err(error::unsupported("quota.soft under isolation filesystem"));
    }
    if numbers.hard < MIN_CAPACITY {
        return Err(error::invalid("limits", "must hold a hard limit of at least 1 GiB: it becomes the capacity"));
    }
    Ok(numbers.hard)
}

fn current(rest: &Rest, whole: &Whole) -> Result<Filesystem> {
    filesystems::get(rest, &whole.uid)?.ok_or_else(|| error::not_found(format_args!("filesystem {}", whole.name)))
}

fn pending(rest: &Rest, uid: &str, awaited: Awaited) -> Progress {
    let handle = Handle::Filesystem { uid: uid.to_owned(), awaited };
    Progress::pending(handle.bytes(), rest.config.poll.filesystem_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_and_follows_from_owner_and_physical_id() {
        let name = name("ab12cd34-ef56gh78ij", "operations/1");
        assert!(name.len() <= crate::config::MAX_FILESYSTEM_NAME && name.starts_with("sw-ab12cd34-ef56gh78ij-"));
    }
}
