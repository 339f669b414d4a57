//! Isolation `directory`: a namespace is a directory with a quota, in one filesystem that all of them share.
//!
//! A cluster holds 1024 filesystems, so a filesystem for each namespace does not scale. The price: a node that mounts the
//! filesystem can reach all of it, and nothing that acts on a whole filesystem (snapshot, fence, token) can be offered.

use stowage_provider_sdk::prelude::{
    Call, DataPolicy, Lifecycle, Limit, NamespaceSpec, NamespaceState, NativeRef, Progress, Result, error,
};

use super::serving::{self, Served};
use super::wanted::{Serve, Wanted};
use crate::api::{Filesystem, Quota};
use crate::jobs::Handle;
use crate::limits::{Numbers, effective, numbers, says};
use crate::mark;
use crate::paths::is_relative;
use crate::quotas::{self, ADDING, DELETING, FAILED};
use crate::reference::{Directory, Reference};
use crate::rest::Rest;
use crate::s3::buckets::{Bucket, Over};
use crate::{filesystems, node_steps, s3};

/// Makes the directory (by a node), its quota, its mark and its prefixes (by a node).
pub(crate) fn create(rest: &Rest, call: &Call, spec: &NamespaceSpec) -> Result<Progress> {
    let wanted = Wanted::read(spec)?;
    can_serve(rest, wanted.serve, &wanted.physical_id)?;
    let filesystem = filesystems::shared(rest)?;
    let mark = mark::of(&call.owner);
    let relative = format!("{}/{}", rest.config.root, wanted.physical_id);
    let path = format!("/{relative}");
    let source = || node_steps::source(rest, &filesystem.name);

    let listed = quotas::all(rest, &filesystem.uid)?;
    let quota = match own(&listed, &path, &mark)? {
        Some(found) if says(found, wanted.numbers) => found.clone(),
        Some(found) => put(rest, &filesystem, &listed, found.inode_id, &path, wanted.numbers, &mark)?,
        None => {
            if !node_steps::made_bare(call, &relative, &mark)? {
                return Ok(node_steps::make_bare(call, source(), &relative));
            }
            let Some(inode) = quotas::resolve(rest, &filesystem.uid, &path)? else {
                let text = format!("a node has made {path} and the cluster does not see it yet");
                return Err(error::conflict_retry(text));
            };
            put(rest, &filesystem, &listed, inode, &path, wanted.numbers, &mark)?
        }
    };
    if let Some(progress) = unsettled(rest, &filesystem.uid, &quota, &path)? {
        return Ok(progress);
    }
    if !node_steps::handed_over(call, &relative, &wanted.prefixes)? {
        return Ok(node_steps::hand_over(call, source(), &relative, &mark, wanted.posix.as_ref(), &wanted.prefixes));
    }
    let id = &wanted.physical_id;
    let served = serve(rest, &filesystem, &path, id, wanted.serve)?;
    Ok(Progress::Done(reference(&filesystem, &path, id, quota.inode_id, &mark, served)))
}

/// Takes over a directory that is there already. Its data, owner and permissions stay as they are.
pub(crate) fn adopt(rest: &Rest, call: &Call, location: &str, spec: &NamespaceSpec, dry_run: bool) -> Result<Progress> {
    let wanted = Wanted::read(spec)?;
    let filesystem = filesystems::shared(rest)?;
    let path = located(rest, &filesystem, location)?;
    let id = &wanted.physical_id;
    can_serve(rest, wanted.serve, id)?;
    let relative = path.trim_start_matches('/').to_owned();
    let mark = mark::of(&call.owner);
    let Some(inode) = quotas::resolve(rest, &filesystem.uid, &path)? else {
        return Err(error::not_found(format_args!("directory {path} of filesystem {}", filesystem.name)));
    };
    let listed = quotas::all(rest, &filesystem.uid)?;
    let found = match own(&listed, &path, &mark) {
        Ok(found) => found,
        // A quota that nobody has signed may be taken over; that is what adoption is for.
        Err(_) if listed.iter().any(|quota| at(quota, &path) && quota.owner().is_none()) => None,
        Err(error) => return Err(error),
    };
    if let Some(other) = overlapping(&listed, &path) {
        return Err(error::in_use(format_args!("directory {path}"), format_args!("the namespace at {other}")));
    }
    if dry_run {
        let bucket = wanted.serve.s3.then(|| id.clone());
        let served = Served { bucket, s3_alone: !wanted.serve.posix };
        return Ok(Progress::Done(reference(&filesystem, &path, id, inode, &mark, served)));
    }
    let quota = match found {
        Some(found) if says(found, wanted.numbers) => found.clone(),
        _ => put(rest, &filesystem, &listed, inode, &path, wanted.numbers, &mark)?,
    };
    if let Some(progress) = unsettled(rest, &filesystem.uid, &quota, &path)? {
        return Ok(progress);
    }
    if !node_steps::handed_over(call, &relative, &[])? {
        let source = node_steps::source(rest, &filesystem.name);
        return Ok(node_steps::hand_over(call, source, &relative, &mark, None, &[]));
    }
    let served = serve(rest, &filesystem, &path, id, wanted.serve)?;
    Ok(Progress::Done(reference(&filesystem, &path, id, inode, &mark, served)))
}

/// Replaces the quota's numbers and keeps its mark.
pub(crate) fn set_limits(rest: &Rest, directory: &Directory, limits: &[Limit]) -> Result<Progress> {
    let wanted = numbers(limits)?;
    let filesystem = of(rest, directory)?;
    let listed = quotas::all(rest, &filesystem.uid)?;
    let inode = match own(&listed, &directory.path, &directory.mark)? {
        Some(found) if says(found, wanted) => {
            let settled = unsettled(rest, &filesystem.uid, found, &directory.path)?;
            let native = again(directory, found.inode_id);
            return Ok(settled.unwrap_or(Progress::Done(native)));
        }
        Some(found) => found.inode_id,
        // The quota is gone, and perhaps the directory was made anew: its inode is looked up again.
        None => quotas::resolve(rest, &filesystem.uid, &directory.path)?
            .ok_or_else(|| error::not_found(format_args!("directory {}", directory.path)))?,
    };
    let quota = put(rest, &filesystem, &listed, inode, &directory.path, wanted, &directory.mark)?;
    let settled = unsettled(rest, &filesystem.uid, &quota, &directory.path)?;
    Ok(settled.unwrap_or_else(|| Progress::Done(again(directory, inode))))
}

/// Makes the bucket over the directory, or takes it away; its data stays where it is.
pub(crate) fn set_protocols(rest: &Rest, directory: &Directory, wanted: Serve) -> Result<Progress> {
    let bucket = serving::bucket_name(directory);
    can_serve(rest, wanted, bucket)?;
    let filesystem = of(rest, directory)?;
    // What is taken away is taken away even where the directory's quota was changed by hand.
    if wanted.s3 {
        own(&quotas::all(rest, &filesystem.uid)?, &directory.path, &directory.mark)?;
    } else {
        serving::remove_bucket(rest, directory)?;
    }
    let served = serve(rest, &filesystem, &directory.path, bucket, wanted)?;
    let native = Directory { bucket: served.bucket, s3_alone: served.s3_alone, ..directory.clone() };
    Ok(Progress::Done(Reference::Directory(native).bytes()))
}

/// Removes the quota, and with `purge` first the data. Absent is done.
pub(crate) fn delete(rest: &Rest, call: &Call, directory: &Directory, data: &DataPolicy) -> Result<Progress> {
    let native = Reference::Directory(directory.clone()).bytes();
    let Some(filesystem) = filesystems::get(rest, &directory.filesystem_uid)? else {
        return Ok(Progress::Done(native));
    };
    let listed = quotas::all(rest, &filesystem.uid)?;
    // By inode: a directory in a node's trash keeps it and has another path.
    let found = listed.iter().find(|quota| quota.inode_id == directory.inode || at(quota, &directory.path));
    if let Some(owner) = found.and_then(Quota::owner)
        && owner != directory.mark
    {
        return Err(error::foreign_owner(format_args!("directory {}", directory.path), owner));
    }
    if matches!(data, DataPolicy::Keep | DataPolicy::Purge) {
        serving::remove_bucket(rest, directory)?;
    }
    match data {
        DataPolicy::Keep => {}
        DataPolicy::Purge => {
            let relative = directory.path.trim_start_matches('/');
            if !node_steps::removed(call, relative)? {
                let ours = found.and_then(Quota::owner) == Some(directory.mark.as_str());
                let source = node_steps::source(rest, &filesystem.name);
                return Ok(node_steps::remove(call, source, relative, &directory.mark, ours));
            }
        }
        DataPolicy::Recoverable => return Err(error::unsupported("delete with recovery under isolation directory")),
        DataPolicy::Other(word) => return Err(error::unsupported(word)),
    }
    let Some(found) = found else { return Ok(Progress::Done(native)) };
    match quotas::remove(rest, &filesystem.uid, found.inode_id)? {
        None => Ok(Progress::Done(native)),
        Some(left) if left.status == DELETING => {
            let handle = Handle::Quota { filesystem: filesystem.uid.clone(), inode: found.inode_id };
            Ok(Progress::pending(handle.bytes(), rest.config.poll.quota_ms))
        }
        Some(_) => {
            let text = format!("the backend reported the quota of {} as removed and still shows it", directory.path);
            Err(error::conflict_retry(text).with_native_code("DeleteNotApplied"))
        }
    }
}

/// What it is now. One GET shows no owner, so none is told.
pub(crate) fn inspect(rest: &Rest, directory: &Directory) -> Result<NamespaceState> {
    let Some(filesystem) = filesystems::get(rest, &directory.filesystem_uid)? else {
        return Ok(gone(directory));
    };
    let mut inode = directory.inode;
    let mut quota = quotas::get(rest, &filesystem.uid, inode)?;
    if quota.is_none() {
        match quotas::resolve(rest, &filesystem.uid, &directory.path)? {
            None => return Ok(gone(directory)),
            Some(now) => {
                inode = now;
                quota = quotas::get(rest, &filesystem.uid, now)?;
            }
        }
    }
    let (served, trouble) = serving::look(rest, directory)?;
    let native = again(directory, inode);
    let location = format!("{}:{}", filesystem.name, directory.path);
    let mut seen = state(native, location, quota.as_ref().unwrap_or(&Quota::default()), &served);
    if quota.is_none() {
        seen.extensions.push(("quota".to_owned(), "missing".to_owned()));
    }
    seen.extensions.extend(trouble.map(|trouble| ("bucket".to_owned(), trouble.to_owned())));
    Ok(seen)
}

/// The state of a directory with this quota.
pub(crate) fn state(native: NativeRef, location: String, quota: &Quota, served: &Served) -> NamespaceState {
    NamespaceState {
        ref_: native,
        lifecycle: match quota.status.as_str() {
            "" | "ACTIVE" => Lifecycle::Ready,
            ADDING => Lifecycle::Creating,
            DELETING => Lifecycle::Deleting,
            FAILED => Lifecycle::Other("quota-error".to_owned()),
            _ => Lifecycle::Unknown,
        },
        protocols: served.protocols(),
        effective_limits: effective(quota),
        owner: quota.owner().and_then(mark::owner).map(str::to_owned),
        location,
        revision: None,
        extensions: Vec::new(),
    }
}

fn gone(directory: &Directory) -> NamespaceState {
    NamespaceState {
        ref_: Reference::Directory(directory.clone()).bytes(),
        lifecycle: Lifecycle::Gone,
        protocols: Vec::new(),
        effective_limits: Vec::new(),
        owner: None,
        location: format!("{}:{}", directory.filesystem, directory.path),
        revision: None,
        extensions: Vec::new(),
    }
}

/// The reference to a directory.
fn reference(
    filesystem: &Filesystem,
    path: &str,
    physical_id: &str,
    inode: u64,
    mark: &str,
    served: Served,
) -> NativeRef {
    Reference::Directory(Directory {
        filesystem_uid: filesystem.uid.clone(),
        filesystem: filesystem.name.clone(),
        path: path.to_owned(),
        inode,
        mark: mark.to_owned(),
        physical_id: (physical_id != serving::last_part(path)).then(|| physical_id.to_owned()),
        bucket: served.bucket,
        s3_alone: served.s3_alone,
    })
    .bytes()
}

/// The same directory, perhaps made anew under another inode.
fn again(directory: &Directory, inode: u64) -> NativeRef {
    Reference::Directory(Directory { inode, ..directory.clone() }).bytes()
}

/// What a listed quota marks.
pub(crate) struct ListedDirectory {
    pub(crate) native: NativeRef,
    pub(crate) path: String,
    pub(crate) served: Served,
}

/// What a listed quota marks, with the bucket over it; `None` for one without a path.
pub(crate) fn listed_reference(filesystem: &Filesystem, quota: &Quota, buckets: &[Bucket]) -> Option<ListedDirectory> {
    let path = quota.path()?;
    let served = Served::seen(buckets, &filesystem.name, &path);
    let mark = quota.owner().unwrap_or_default();
    // An adopted directory's own id is told by its bucket alone.
    let id = served.bucket.as_deref().unwrap_or_else(|| serving::last_part(&path));
    let native = reference(filesystem, &path, id, quota.inode_id, mark, served.clone());
    Some(ListedDirectory { native, path, served })
}

/// Whether it can be served so, asked before anything is made.
fn can_serve(rest: &Rest, wanted: Serve, bucket: &str) -> Result<()> {
    if wanted.s3 {
        s3::buckets::check_name(bucket)?;
        s3::ready(rest)?;
    }
    Ok(())
}

/// Serves the directory as asked for, by a bucket over it too.
fn serve(rest: &Rest, filesystem: &Filesystem, path: &str, bucket: &str, wanted: Serve) -> Result<Served> {
    if !wanted.s3 {
        return Ok(Served::default());
    }
    s3::buckets::ensure(rest, bucket, Over { filesystem_uid: &filesystem.uid, filesystem: &filesystem.name, path })?;
    Ok(Served { bucket: Some(bucket.to_owned()), s3_alone: !wanted.posix })
}

fn of(rest: &Rest, directory: &Directory) -> Result<Filesystem> {
    filesystems::get(rest, &directory.filesystem_uid)?
        .ok_or_else(|| error::not_found(format_args!("filesystem {}", directory.filesystem)))
}

fn at(quota: &Quota, path: &str) -> bool {
    quota.path().as_deref() == Some(path)
}

/// The quota at the path, if it bears our mark; one with another mark, or none, is somebody else's.
fn own<'a>(listed: &'a [Quota], path: &str, mark: &str) -> Result<Option<&'a Quota>> {
    match listed.iter().find(|quota| at(quota, path)) {
        None => Ok(None),
        Some(found) if found.owner() == Some(mark) => Ok(Some(found)),
        Some(found) => {
            Err(error::foreign_owner(format_args!("the quota of {path}"), found.owner().unwrap_or("nobody named")))
        }
    }
}

/// Puts the quota, unless that would promise more than the filesystem has.
fn put(
    rest: &Rest,
    filesystem: &Filesystem,
    listed: &[Quota],
    inode: u64,
    path: &str,
    wanted: Numbers,
    mark: &str,
) -> Result<Quota> {
    let before = listed.iter().find(|quota| quota.inode_id == inode).map_or(0, |quota| quota.hard_limit_bytes);
    let bound = bound(filesystem.total_budget, rest.config.overcommit_percent);
    let promised = quotas::promised(listed, Some(inode)).saturating_add(wanted.hard);
    if wanted.hard > before && promised > bound {
        return Err(error::capacity_exhausted("capacity.bytes", promised, bound));
    }
    let quota = quotas::put(rest, &filesystem.uid, inode, path, wanted, mark)?;
    if says(&quota, wanted) {
        return Ok(quota);
    }
    // An answer without the numbers is looked at once more before it is believed.
    quotas::get(rest, &filesystem.uid, inode)?
        .filter(|quota| says(quota, wanted))
        .ok_or_else(|| error::conflict_retry(format_args!("the quota of {path} does not show what was put")))
}

/// Bytes that hard limits may promise: `percent` of the capacity, or everything.
pub(crate) fn bound(capacity: u64, percent: u32) -> u64 {
    match percent {
        0 => u64::MAX,
        percent => u64::try_from(u128::from(capacity) * u128::from(percent) / 100).unwrap_or(u64::MAX),
    }
}

/// What to answer while the quota is not in force; `None` once it is.
fn unsettled(rest: &Rest, filesystem: &str, quota: &Quota, path: &str) -> Result<Option<Progress>> {
    match quota.status.as_str() {
        ADDING => {
            let handle = Handle::Quota { filesystem: filesystem.to_owned(), inode: quota.inode_id };
            Ok(Some(Progress::pending(handle.bytes(), rest.config.poll.quota_ms)))
        }
        DELETING => Err(error::conflict_retry(format_args!("an older quota of {path} is still being removed"))),
        FAILED => Err(quotas::failed(path)),
        _ => Ok(None),
    }
}

/// The path that a location names: `/path` or `filesystem:/path`.
fn located(rest: &Rest, filesystem: &Filesystem, location: &str) -> Result<String> {
    // A path may hold a colon; a filesystem's name begins with no slash.
    let named = if location.starts_with('/') { None } else { location.split_once(':') };
    let path = match named {
        Some((name, path)) if name == filesystem.name => path,
        Some((name, _)) => {
            let problem = format!("names filesystem {name}, and this provider's is {}", filesystem.name);
            return Err(error::invalid("location", problem));
        }
        None => location,
    };
    let path = path.trim_matches('/');
    if !is_relative(path) {
        return Err(error::invalid("location", "must be `/path` or `<filesystem>:/path`, without `.` and `..`"));
    }
    if rest.config.root == path || rest.config.root.starts_with(&format!("{path}/")) {
        return Err(error::invalid("location", "holds every namespace of this provider; name a directory of its own"));
    }
    Ok(format!("/{path}"))
}

/// A marked quota above or below the path: two namespaces must not share data.
fn overlapping(listed: &[Quota], path: &str) -> Option<String> {
    let within = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    let marked = listed.iter().filter(|quota| quota.owner().is_some_and(mark::is_ours));
    marked.filter_map(Quota::path).find(|other| within(other, path) || within(path, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_a_share_of_the_capacity_and_zero_is_none() {
        assert_eq!(bound(1000, 100), 1000);
        assert_eq!(bound(1000, 250), 2500);
        assert_eq!(bound(u64::MAX, 100), u64::MAX);
        assert_eq!(bound(1000, 0), u64::MAX);
    }

    #[test]
    fn only_paths_above_or_below_overlap() {
        let marked = |path: &str| {
            serde_json::from_value::<Quota>(serde_json::json!({ "path": path, "owner": mark::of("o") })).unwrap()
        };
        let listed = [marked("/stowage/a")];
        assert!(overlapping(&listed, "/stowage/a/b").is_some());
        assert!(overlapping(&listed, "/stowage").is_some());
        assert!(overlapping(&listed, "/stowage/ab").is_none());
        assert!(overlapping(&listed, "/stowage/a").is_none());
    }
}
