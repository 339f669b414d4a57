//! Isolation `filesystem` and `organization`: a namespace is a filesystem of its own, under `organization` in the
//! tenant's.
//!
//! A filesystem has no field for an owner, so its name ends with eight characters that follow from the owner token:
//! `sw-<physical-id>-<owner>`. The token itself is a note in the host's state, so that a list can tell it. Its capacity is the hard limit. It is made without authentication, so that a node can make
//! its prefixes, and requires a token from then on; until then it is empty. In a tenant's organization every mount needs a
//! token whatever the filesystem says, so the node gets one with its work.

use stowage_provider_sdk::prelude::{
    Call, DataPolicy, Enforcement, Error, ErrorKind, Lifecycle, Limit, NamespaceSpec, NamespaceState, NativeRef,
    Progress, Protocol, Result, error, host, short_name,
};

use super::wanted::Wanted;
use crate::api::{Filesystem, FilesystemPhase};
use crate::filesystems::{self, MAX_FILESYSTEMS, MIN_CAPACITY};
use crate::home::Home;
use crate::jobs::{Awaited, Handle};
use crate::limits::{Numbers, bytes, numbers, rounded};
use crate::reference::{Reference, Whole};
use crate::rest::Rest;
use crate::{mark, mount_tokens, node_steps, snapshots};

const PREFIX: &str = "sw-";
const OWNER_LENGTH: usize = 8;

/// Makes the filesystem, its mark and its prefixes (by a node), and turns authentication on.
pub(crate) fn create(home: &Home, call: &Call, spec: &NamespaceSpec) -> Result<Progress> {
    let rest = &home.rest;
    let wanted = Wanted::read(spec)?;
    wanted.serve.without_s3("namespaces.s3 under isolation filesystem")?;
    let capacity = capacity(wanted.numbers)?;
    let mark = mark::of(&call.owner);
    let name = name(&wanted.physical_id, &call.owner);
    let found = match find_named(rest, &wanted.physical_id, &name)? {
        Some(found) => found,
        None => make(home, &name, capacity)?,
    };
    let filesystem = match found.phase() {
        FilesystemPhase::Creating => return Ok(pending(home, &found.uid, Awaited::Ready)),
        FilesystemPhase::Ready if rounded(found.total_budget, capacity) => found,
        FilesystemPhase::Ready => filesystems::resize(rest, &found, capacity)?,
        FilesystemPhase::Removing | FilesystemPhase::Unknown => {
            return Err(error::conflict_retry(format_args!("filesystem {name} is {}", found.status)));
        }
    };
    let native = reference(home, &filesystem);
    note_owner(&filesystem.uid, &call.owner)?;
    if filesystem.auth_required && home.is_authenticated() {
        return Ok(Progress::Done(native));
    }
    if !node_steps::handed_over(call, "", &wanted.prefixes)? {
        let source = node_steps::source(rest, &name);
        let access = if home.place.is_some() { mount_tokens::for_node_work(rest, &filesystem)? } else { Vec::new() };
        let posix = wanted.posix.as_ref();
        return Ok(node_steps::hand_over_with(call, source, "", &mark, posix, &wanted.prefixes, &access));
    }
    if home.is_authenticated() {
        filesystems::require_authentication(rest, &filesystem.uid)?;
    }
    Ok(Progress::Done(native))
}

/// Changes the capacity.
pub(crate) fn set_limits(cluster: &Rest, whole: &Whole, limits: &[Limit]) -> Result<Progress> {
    let home = &Home::of(cluster, whole.place.as_ref());
    let rest = &home.rest;
    let wanted = capacity(numbers(limits)?)?;
    let filesystem = filesystems::ready(current(rest, whole)?)?;
    if rounded(filesystem.total_budget, wanted) {
        return Ok(Progress::Done(reference(home, &filesystem)));
    }
    home.has_room_for(wanted.saturating_sub(filesystem.total_budget))?;
    let resized = filesystems::resize(rest, &filesystem, wanted)?;
    if rounded(resized.total_budget, wanted) {
        Ok(Progress::Done(reference(home, &resized)))
    } else {
        Err(error::conflict_retry(format_args!("filesystem {} does not show its new capacity yet", resized.name)))
    }
}

/// Removes the filesystem with `purge`, and first its snapshots where they hold it; with `keep` it stays as it is. Absent
/// is done.
pub(crate) fn delete(cluster: &Rest, whole: &Whole, data: &DataPolicy) -> Result<Progress> {
    let home = &Home::of(cluster, whole.place.as_ref());
    let rest = &home.rest;
    let native = Reference::Filesystem(whole.clone()).bytes();
    match data {
        DataPolicy::Keep => return Ok(Progress::Done(native)),
        DataPolicy::Purge => {}
        DataPolicy::Recoverable => return Err(error::unsupported("delete with recovery under isolation filesystem")),
        DataPolicy::Other(word) => return Err(error::unsupported(word)),
    }
    let Some(found) = filesystems::get(rest, &whole.uid)? else {
        forget_owner(&whole.uid)?;
        return Ok(Progress::Done(native));
    };
    if found.name != whole.name {
        let text = format!("filesystem {} was renamed from {}", found.name, whole.name);
        return Err(error::foreign_owner(text, "whoever renamed it"));
    }
    let left = match found.phase() {
        FilesystemPhase::Removing => Some(found),
        _ => match filesystems::remove(rest, &whole.uid) {
            Err(error) if snapshots::hold(&error) => {
                return match snapshots::clear(rest, &whole.uid)? {
                    Some(removed) => Ok(snapshots::pending(rest, &removed, home.place.as_ref())),
                    None => Err(error),
                };
            }
            left => left?,
        },
    };
    match left {
        None => {
            forget_owner(&whole.uid)?;
            Ok(Progress::Done(native))
        }
        Some(left) if left.phase() == FilesystemPhase::Removing => Ok(pending(home, &left.uid, Awaited::Gone)),
        Some(left) => {
            let text = format!("the backend reported filesystem {} as removed and still shows it", left.name);
            Err(error::conflict_retry(text).with_native_code("DeleteNotApplied"))
        }
    }
}

/// What it is now.
pub(crate) fn inspect(cluster: &Rest, whole: &Whole) -> Result<NamespaceState> {
    let home = Home::of(cluster, whole.place.as_ref());
    Ok(match filesystems::get(&home.rest, &whole.uid)? {
        Some(found) => state(&home, &found)?,
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
pub(crate) fn find(home: &Home, owner: &str) -> Result<Option<NativeRef>> {
    let ending = format!("-{}", short_name(owner, OWNER_LENGTH));
    let listed = filesystems::all(&home.rest)?;
    let found = listed.into_iter().find(|f| f.name.starts_with(PREFIX) && f.name.ends_with(&ending));
    Ok(found.map(|filesystem| reference(home, &filesystem)))
}

/// Every filesystem with a name of Stowage's.
pub(crate) fn list(home: &Home) -> Result<Vec<(String, NamespaceState)>> {
    let ours = filesystems::all(&home.rest)?.into_iter().filter(|filesystem| filesystem.name.starts_with(PREFIX));
    ours.map(|filesystem| Ok((filesystem.name.clone(), state(home, &filesystem)?))).collect()
}

fn state(home: &Home, filesystem: &Filesystem) -> Result<NamespaceState> {
    Ok(NamespaceState {
        ref_: reference(home, filesystem),
        lifecycle: match filesystem.phase() {
            FilesystemPhase::Creating => Lifecycle::Creating,
            FilesystemPhase::Ready => Lifecycle::Ready,
            FilesystemPhase::Removing => Lifecycle::Deleting,
            FilesystemPhase::Unknown => Lifecycle::Unknown,
        },
        protocols: vec![Protocol::Posix],
        effective_limits: vec![bytes(filesystem.total_budget, Enforcement::Block)],
        owner: owner_of(filesystem)?,
        location: match &home.place {
            Some(place) => format!("{}/{}", place.organization, filesystem.name),
            None => filesystem.name.clone(),
        },
        revision: None,
        extensions: Vec::new(),
    })
}

/// Where the host's state keeps the owner of each filesystem: its name holds a digest only.
const OWNERS: &str = "owner/";

fn note_owner(uid: &str, owner: &str) -> Result<()> {
    let key = format!("{OWNERS}{uid}");
    if host::kv::load::<String>(&key)?.is_some_and(|kept| kept.value == owner) {
        return Ok(());
    }
    host::kv::store(&key, &owner, None).map(drop)
}

/// The owner that was noted, if the filesystem's name follows from it.
fn owner_of(filesystem: &Filesystem) -> Result<Option<String>> {
    let kept = host::kv::load::<String>(&format!("{OWNERS}{}", filesystem.uid))?;
    let follows = |owner: &String| filesystem.name.ends_with(&format!("-{}", short_name(owner, OWNER_LENGTH)));
    Ok(kept.map(|kept| kept.value).filter(follows))
}

fn forget_owner(uid: &str) -> Result<()> {
    Ok(host::kv::delete(&format!("{OWNERS}{uid}"), None)?)
}

fn reference(home: &Home, filesystem: &Filesystem) -> NativeRef {
    Reference::Filesystem(Whole {
        uid: filesystem.uid.clone(),
        name: filesystem.name.clone(),
        place: home.place.clone(),
    })
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
fn make(home: &Home, name: &str, capacity: u64) -> Result<Filesystem> {
    home.has_room_for(capacity)?;
    match filesystems::create(&home.rest, name, capacity) {
        Err(Error { kind: ErrorKind::AlreadyExists, .. }) => filesystems::named(&home.rest, name)?
            .ok_or_else(|| error::conflict_retry(format_args!("filesystem {name} exists and is not listed yet"))),
        made => made,
    }
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

fn pending(home: &Home, uid: &str, awaited: Awaited) -> Progress {
    let handle = Handle::Filesystem { uid: uid.to_owned(), awaited, place: home.place.clone() };
    Progress::pending(handle.bytes(), home.rest.config.poll.filesystem_ms)
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
