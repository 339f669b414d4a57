//! Snapshots of namespaces that are filesystems of their own.
//!
//! A snapshot is of a whole filesystem and so is a restore, so under isolation `directory` both are refused: a restore for
//! one namespace would set every neighbour back. A snapshot has no field for an owner either; its name begins with eight
//! characters that follow from the owner token (`sw-<owner>-<name>`), and its access point is the same, so that it is seen
//! at `.snapshots/sw-<owner>-<name>` in the mount.
//!
//! A restore that is repeated would take away what was written after the first one. So the host's state keeps the owner of
//! the last restore of each snapshot, and the same owner's second call answers without asking the cluster.

use serde_json::json;
use stowage_provider_sdk::prelude::{
    Call, Error, ErrorKind, NativeRef, PageRequest, Progress, Result, Snapshot as Told, Snapshots, error, host, page,
    short_name, snapshots::Page,
};

use crate::Weka;
use crate::api::Snapshot;
use crate::exchanges::{SNAPSHOT, SNAPSHOT_CREATE, SNAPSHOT_DELETE, SNAPSHOT_RESTORE, SNAPSHOTS};
use crate::filesystems::{self, is_uuid};
use crate::home::Home;
use crate::jobs::Handle;
use crate::namespaces::{Native, native};
use crate::reference::{self, Place, Reference, Whole};
use crate::rest::{Rest, absent};

const PREFIX: &str = "sw-";
const OWNER_LENGTH: usize = 8;
/// Most characters of a snapshot's name: with prefix and owner it has 32, as names of filesystems may.
const MAX_NAME: usize = 20;
/// Read-only snapshots that a cluster holds [WEKA user guide, snapshots].
pub(crate) const MAX_READ_ONLY: u64 = 24_576;
/// Writable snapshots and live filesystems that a cluster holds [WEKA user guide, snapshots].
pub(crate) const MAX_WRITABLE: u64 = 14_336;
/// Where the host's state keeps the owner of each snapshot's last restore.
const RESTORED: &str = "restored/";

impl Snapshots for Weka {
    fn create(call: Call, namespace: NativeRef, name: String) -> Result<Progress> {
        let whole = whole(&namespace)?;
        let named = native_name(&call.owner, &name)?;
        let home = Home::of(&Rest::connect()?, whole.place.as_ref());
        let listed = of_filesystem(&home.rest, &whole)?;
        if let Some(found) = listed.iter().find(|snapshot| snapshot.name == named) {
            return Ok(Progress::Done(reference(&home, found, &whole)));
        }
        if let Some(other) = listed.iter().find(|snapshot| shown(&snapshot.name) == name) {
            return Err(error::foreign_owner(format_args!("snapshot {name}"), &other.name));
        }
        let filesystem = filesystems::get(&home.rest, &whole.uid)?
            .ok_or_else(|| error::not_found(format_args!("filesystem {}", whole.name)))
            .and_then(filesystems::ready)?;
        let body = json!({ "fs_uid": filesystem.uid, "name": named, "access_point": named, "is_writable": false });
        match home.rest.one::<Snapshot>(&SNAPSHOT_CREATE, home.rest.request().json(&body), "taking a snapshot") {
            // A parallel try of the same owner.
            Err(Error { kind: ErrorKind::AlreadyExists, .. }) => {
                let text = format!("snapshot {named} exists and is not listed yet");
                Err(error::conflict_retry(text))
            }
            made => Ok(Progress::Done(reference(&home, &checked(made?)?, &whole))),
        }
    }

    fn delete(_call: Call, reference: NativeRef) -> Result<Progress> {
        let snapshot = read(&reference)?;
        let home = Home::of(&Rest::connect()?, snapshot.place.as_ref());
        if let Some(found) = ours(&home.rest, &snapshot)?
            && let Some(left) = remove(&home.rest, &found)?
        {
            return Ok(pending(&home.rest, &left, home.place.as_ref()));
        }
        host::kv::delete(&format!("{RESTORED}{}", snapshot.uid), None)?;
        Ok(Progress::Done(reference))
    }

    fn restore(call: Call, reference: NativeRef) -> Result<Progress> {
        let snapshot = read(&reference)?;
        let key = format!("{RESTORED}{}", snapshot.uid);
        if host::kv::load::<String>(&key)?.is_some_and(|owner| owner.value == call.owner) {
            return Ok(Progress::Done(reference));
        }
        let home = Home::of(&Rest::connect()?, snapshot.place.as_ref());
        let Some(found) = ours(&home.rest, &snapshot)?.filter(|found| !found.is_removing) else {
            return Err(error::not_found(format_args!("snapshot {}", shown(&snapshot.name))));
        };
        let request = home.rest.request().param("filesystem", &snapshot.filesystem_uid).param("uid", &found.uid);
        home.rest.done(&SNAPSHOT_RESTORE, request, "restoring a snapshot")?;
        host::kv::store(&key, &call.owner, None)?;
        Ok(Progress::Done(reference))
    }

    fn list_page(namespace: NativeRef, page: PageRequest) -> Result<Page> {
        let whole = whole(&namespace)?;
        let home = Home::of(&Rest::connect()?, whole.place.as_ref());
        let told = |snapshot: Snapshot| {
            let by = if is_ours(&snapshot.name) { "stowage" } else { "others" };
            let told = Told {
                ref_: reference(&home, &snapshot, &whole),
                name: shown(&snapshot.name).to_owned(),
                created_at: created(&snapshot),
                path: Some(format!(".snapshots/{}", snapshot.access_point)),
                extensions: vec![("made-by".to_owned(), by.to_owned())],
            };
            (snapshot.name, told)
        };
        let listed = of_filesystem(&home.rest, &whole)?.into_iter().filter(|snapshot| !snapshot.is_removing);
        let (items, next) = page::cut(listed.map(told).collect(), &page)?;
        Ok(Page { items, next })
    }
}

fn created(snapshot: &Snapshot) -> Option<u64> {
    let at: jiff::Timestamp = snapshot.creation_time.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok()
}

/// Every snapshot that the identity sees.
pub(crate) fn all(rest: &Rest) -> Result<Vec<Snapshot>> {
    rest.all(&SNAPSHOTS, &rest.request(), "listing snapshots")
}

/// One of them.
pub(crate) fn get(rest: &Rest, uid: &str) -> Result<Option<Snapshot>> {
    absent(rest.one(&SNAPSHOT, rest.request().param("uid", uid), "reading a snapshot"))
}

/// Whether a filesystem was not removed because of its snapshots.
pub(crate) fn hold(error: &Error) -> bool {
    matches!(&error.kind, ErrorKind::InUse(by) if by == HOLDERS)
}

/// Who holds a filesystem then.
pub(crate) const HOLDERS: &str = "its snapshots";

/// Removes Stowage's snapshots of a filesystem, one at a call: the one that is being removed, or `None` when none of
/// Stowage's is left.
pub(crate) fn clear(rest: &Rest, filesystem: &str) -> Result<Option<Snapshot>> {
    let listed = all(rest)?.into_iter().filter(|s| s.filesystem_uid == filesystem && is_ours(&s.name));
    for snapshot in listed {
        if let Some(left) = remove(rest, &checked(snapshot)?)? {
            return Ok(Some(left));
        }
    }
    Ok(None)
}

/// What to answer while one is being removed.
pub(crate) fn pending(rest: &Rest, snapshot: &Snapshot, place: Option<&Place>) -> Progress {
    let handle = Handle::Snapshot { uid: snapshot.uid.clone(), place: place.cloned() };
    Progress::pending(handle.bytes(), rest.config.poll.filesystem_ms)
}

/// Asks for its removal, and answers what a GET shows then.
fn remove(rest: &Rest, snapshot: &Snapshot) -> Result<Option<Snapshot>> {
    if !snapshot.is_removing {
        let request = rest.request().param("uid", &snapshot.uid);
        absent(rest.done(&SNAPSHOT_DELETE, request, "removing a snapshot"))?;
    }
    match get(rest, &snapshot.uid)? {
        Some(left) if !left.is_removing => {
            let text = format!("the backend reported snapshot {} as removed and still shows it", left.name);
            Err(error::conflict_retry(text).with_native_code("DeleteNotApplied"))
        }
        left => Ok(left),
    }
}

/// The snapshot of a reference, if it is there and is the one that the reference was written for.
fn ours(rest: &Rest, snapshot: &reference::Snapshot) -> Result<Option<Snapshot>> {
    match get(rest, &snapshot.uid)? {
        Some(found) if !is_ours(&found.name) || found.name != snapshot.name => {
            Err(error::foreign_owner(format_args!("snapshot {}", found.name), "whoever made or renamed it"))
        }
        found => found.map(checked).transpose(),
    }
}

/// Those of a namespace. The list's own filter does not hold in every release, so the rows are filtered here too.
fn of_filesystem(rest: &Rest, whole: &Whole) -> Result<Vec<Snapshot>> {
    let request = rest.request().query("filesystem", &whole.name);
    let listed: Vec<Snapshot> = rest.all(&SNAPSHOTS, &request, "listing snapshots")?;
    listed.into_iter().filter(|snapshot| snapshot.filesystem_uid == whole.uid).map(checked).collect()
}

fn whole(namespace: &[u8]) -> Result<Whole> {
    match native(namespace)? {
        Native::Filesystem(whole) => Ok(whole),
        Native::Directory(_) => Err(error::unsupported("snapshots under isolation directory")),
    }
}

fn read(reference: &[u8]) -> Result<reference::Snapshot> {
    match Reference::read(reference) {
        Ok(Reference::Snapshot(snapshot)) => Ok(snapshot),
        _ => Err(error::invalid("ref", "is no reference to a snapshot of this adapter")),
    }
}

fn reference(home: &Home, snapshot: &Snapshot, whole: &Whole) -> NativeRef {
    Reference::Snapshot(reference::Snapshot {
        uid: snapshot.uid.clone(),
        name: snapshot.name.clone(),
        filesystem_uid: whole.uid.clone(),
        place: home.place.clone(),
    })
    .bytes()
}

fn native_name(owner: &str, name: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) || name.starts_with('.') {
        let problem = format!("must be 1 to {MAX_NAME} letters, digits, `-`, `_` and `.`, and not begin with `.`");
        return Err(error::invalid("name", problem));
    }
    Ok(format!("{PREFIX}{}-{name}", short_name(owner, OWNER_LENGTH)))
}

/// The name without the owner's part.
fn shown(native: &str) -> &str {
    let end = native.strip_prefix(PREFIX).filter(|rest| is_marked(rest));
    end.and_then(|rest| rest.get(OWNER_LENGTH + 1..)).unwrap_or(native)
}

fn is_ours(native: &str) -> bool {
    native.strip_prefix(PREFIX).is_some_and(is_marked)
}

fn is_marked(rest: &str) -> bool {
    let owner = rest.get(..OWNER_LENGTH);
    owner.is_some_and(|owner| owner.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        && rest.as_bytes().get(OWNER_LENGTH) == Some(&b'-')
}

/// A uid goes into paths, so it must be one.
fn checked(snapshot: Snapshot) -> Result<Snapshot> {
    if is_uuid(&snapshot.uid) {
        Ok(snapshot)
    } else {
        Err(error::internal("a snapshot has a uid that is no UUID").with_native_code("UnreadableAnswer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_and_shows_what_was_asked_for() {
        let native = native_name("operations/1", "before-epoch-17").unwrap();
        assert!(native.len() <= 32 && is_ours(&native));
        assert_eq!(shown(&native), "before-epoch-17");
        for foreign in ["daily", "sw-", "sw-short", "sw-ABCDEFGH-x", "@GMT-2022.07.27-10.41.09"] {
            assert!(!is_ours(foreign), "{foreign}");
            assert_eq!(shown(foreign), foreign);
        }
    }

    #[test]
    fn names_that_cannot_be_directories_are_refused() {
        for name in ["", "a/b", "..", ".hidden", "a b", "abcdefghijklmnopqrstu"] {
            assert!(native_name("o", name).is_err(), "{name}");
        }
    }
}
