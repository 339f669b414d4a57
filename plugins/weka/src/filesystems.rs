//! Filesystems: found by name, checked, made and removed.

use serde_json::{Map, Value, json};
use stowage_provider_sdk::prelude::{Error, Result, error};

use crate::api::{Filesystem, FilesystemPhase};
use crate::exchanges::{FILESYSTEM, FILESYSTEM_CREATE, FILESYSTEM_DELETE, FILESYSTEM_UPDATE, FILESYSTEMS};
use crate::rest::{Rest, absent};

/// Filesystems that a cluster can hold [WEKA user guide, filesystems].
pub(crate) const MAX_FILESYSTEMS: u64 = 1024;
/// Least capacity of one, in bytes.
pub(crate) const MIN_CAPACITY: u64 = 1 << 30;

/// Every filesystem that the identity sees, past the server's cache: a stale list has shown filesystems that were gone.
pub(crate) fn all(rest: &Rest) -> Result<Vec<Filesystem>> {
    let rows: Vec<Filesystem> =
        rest.all(&FILESYSTEMS, &rest.request().query("force_fresh", "true"), "listing filesystems")?;
    rows.into_iter().map(checked).collect()
}

/// The one of this name. The list has no filter that can be relied on.
pub(crate) fn named(rest: &Rest, name: &str) -> Result<Option<Filesystem>> {
    Ok(all(rest)?.into_iter().find(|filesystem| filesystem.name == name))
}

/// The one of this uid.
pub(crate) fn get(rest: &Rest, uid: &str) -> Result<Option<Filesystem>> {
    let request = rest.request().param("uid", uid).query("force_fresh", "true");
    absent(rest.one(&FILESYSTEM, request, "reading a filesystem"))?.map(checked).transpose()
}

/// The shared filesystem of isolation `directory`, ready for use.
pub(crate) fn shared(rest: &Rest) -> Result<Filesystem> {
    let name = rest.config.filesystem.as_deref().unwrap_or_default();
    let found = named(rest, name)?.ok_or_else(|| {
        let remedy = format!("make the filesystem `{name}`, or name another in `filesystem`");
        error::not_ready("namespaces.posix", "FILESYSTEM_MISSING", remedy)
    })?;
    ready(found)
}

/// It, if it can be used.
pub(crate) fn ready(filesystem: Filesystem) -> Result<Filesystem> {
    match filesystem.phase() {
        FilesystemPhase::Ready => Ok(filesystem),
        FilesystemPhase::Creating => {
            Err(error::conflict_retry(format_args!("filesystem {} is still being made", filesystem.name)))
        }
        FilesystemPhase::Removing | FilesystemPhase::Unknown => Err(unusable(&filesystem)),
    }
}

fn unusable(filesystem: &Filesystem) -> Error {
    let remedy = format!("filesystem {} is {}; bring it to READY", filesystem.name, filesystem.status);
    error::not_ready("namespaces.posix", "FILESYSTEM_NOT_READY", remedy)
}

/// Makes one, without authentication: it is turned on once the node has made its directories.
pub(crate) fn create(rest: &Rest, name: &str, capacity: u64) -> Result<Filesystem> {
    let body = json!({
        "name": name,
        "group_name": rest.config.filesystem_group,
        "total_capacity": capacity,
        "auth_required": false,
    });
    checked(rest.one(&FILESYSTEM_CREATE, rest.request().json(&body), "making a filesystem")?)
}

/// Changes its capacity. The thin bounds are sent again, because a resize without them makes it thick.
pub(crate) fn resize(rest: &Rest, filesystem: &Filesystem, capacity: u64) -> Result<Filesystem> {
    let mut body = Map::from_iter([("total_capacity".to_owned(), Value::from(capacity))]);
    if filesystem.is_thinly_provisioned {
        body.insert("thin_provision_min_ssd".to_owned(), filesystem.thin_provisioning_min_ssd.into());
        body.insert("thin_provision_max_ssd".to_owned(), filesystem.thin_provisioning_max_ssd.into());
    }
    update(rest, &filesystem.uid, &Value::Object(body), "resizing a filesystem")
}

/// Makes it require a token of everyone who mounts it.
pub(crate) fn require_authentication(rest: &Rest, uid: &str) -> Result<Filesystem> {
    update(rest, uid, &json!({ "auth_required": true }), "making a filesystem require authentication")
}

fn update(rest: &Rest, uid: &str, body: &Value, doing: &str) -> Result<Filesystem> {
    checked(rest.one(&FILESYSTEM_UPDATE, rest.request().param("uid", uid).json(body), doing)?)
}

/// Asks for its removal, and answers what a GET shows then: success has been reported for removals that were refused.
pub(crate) fn remove(rest: &Rest, uid: &str) -> Result<Option<Filesystem>> {
    absent(rest.done(&FILESYSTEM_DELETE, rest.request().param("uid", uid), "removing a filesystem"))?;
    get(rest, uid)
}

/// A uid goes into paths, so it must be one.
fn checked(filesystem: Filesystem) -> Result<Filesystem> {
    if is_uuid(&filesystem.uid) {
        Ok(filesystem)
    } else {
        Err(error::internal("a filesystem has a uid that is no UUID").with_native_code("UnreadableAnswer"))
    }
}

/// Whether a text is a UUID, and so can stand in a path.
pub(crate) fn is_uuid(text: &str) -> bool {
    let at = |index: usize| matches!(index, 8 | 13 | 18 | 23);
    text.len() == 36 && text.bytes().enumerate().all(|(i, b)| if at(i) { b == b'-' } else { b.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::is_uuid;

    #[test]
    fn only_a_uuid_is_a_uid() {
        assert!(is_uuid("7a6bfe5e-9944-4bf4-b799-527e9b5c2a13"));
        for text in ["245", "", "../../etc/passwd-aaaaaaaaaaaaaaaaaaaaa", "7a6bfe5e-9944-4bf4-b799-527e9b5c2a1g"] {
            assert!(!is_uuid(text), "{text}");
        }
    }
}
