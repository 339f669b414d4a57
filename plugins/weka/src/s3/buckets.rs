//! Buckets over the directories of namespaces.
//!
//! A bucket is made over the directory that a namespace has already, so both sides see the same files, and its quota is
//! the directory's own. Its name is the namespace's physical id; what proves that it is ours is the directory that it
//! stands over. It is made without any access for callers without a key. Taking S3 away unlinks the bucket; data stays.

use serde::Deserialize;
use serde_json::{Value, json};
use stowage_provider_sdk::prelude::{Error, ErrorKind, Result, error};

use super::document::Document;
use crate::exchanges::{
    S3_BUCKET_ACCESS, S3_BUCKET_ACCESS_PUT, S3_BUCKET_CREATE, S3_BUCKET_POLICY, S3_BUCKET_POLICY_PUT, S3_BUCKET_UNLINK,
    S3_BUCKETS,
};
use crate::rest::{Rest, absent};

/// Buckets that a cluster holds [WEKA user guide, S3 limitations].
pub(crate) const MAX_BUCKETS: u64 = 10_000;
/// No access without a key.
const NONE: &str = "none";

/// A row of `GET /s3/buckets`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) fs: String,
}

/// The directory that a bucket stands over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Over<'a> {
    pub(crate) filesystem_uid: &'a str,
    pub(crate) filesystem: &'a str,
    /// From the filesystem's root, beginning with a slash.
    pub(crate) path: &'a str,
}

impl Bucket {
    /// Whether it stands over this directory.
    pub(crate) fn is_over(&self, filesystem: &str, path: &str) -> bool {
        // A release that does not name the filesystem leaves the path alone to tell.
        (self.fs.is_empty() || self.fs == filesystem) && self.path.trim_matches('/') == path.trim_matches('/')
    }
}

/// Every bucket.
pub(crate) fn all(rest: &Rest) -> Result<Vec<Bucket>> {
    super::rows(rest, &S3_BUCKETS, rest.request(), "buckets", "listing buckets")
}

/// As [`all`], where S3 may be missing: then there are none.
pub(crate) fn if_any(rest: &Rest) -> Result<Vec<Bucket>> {
    if super::reason_against(rest).is_some() {
        return Ok(Vec::new());
    }
    match all(rest) {
        Err(Error {
            kind: ErrorKind::NotReady(_) | ErrorKind::Unsupported(_) | ErrorKind::PermissionDenied, ..
        }) => Ok(Vec::new()),
        answer => answer,
    }
}

/// Makes the bucket, or finds it over the same directory. Whether S3 serves was asked before.
pub(crate) fn ensure(rest: &Rest, name: &str, over: Over<'_>) -> Result<()> {
    let listed = all(rest)?;
    if let Some(found) = listed.iter().find(|bucket| bucket.name == name) {
        return own(found, over);
    }
    if listed.len() as u64 >= MAX_BUCKETS {
        return Err(error::capacity_exhausted("s3.buckets", listed.len() as u64, MAX_BUCKETS));
    }
    let body = json!({
        "bucket_name": name,
        "policy": NONE,
        "existing_path": over.path,
        "fs_uid": over.filesystem_uid,
    });
    let made = rest.done(&S3_BUCKET_CREATE, rest.request().json(&body), "making a bucket");
    if !matches!(&made, Ok(()) | Err(Error { kind: ErrorKind::AlreadyExists, .. })) {
        return made;
    }
    // Another try of the same change may have been first, or somebody else.
    match all(rest)?.iter().find(|bucket| bucket.name == name) {
        Some(found) => own(found, over),
        None => Err(error::conflict_retry(format_args!("bucket {name} exists and is not listed yet"))),
    }
}

/// Takes the bucket from its directory, whose data stays. Absent is done; one over another directory is not touched.
pub(crate) fn unlink(rest: &Rest, name: &str, over: Over<'_>) -> Result<()> {
    let Some(found) = all(rest)?.into_iter().find(|bucket| bucket.name == name) else { return Ok(()) };
    own(&found, over)?;
    let request = rest.request().param("bucket", name).query("unlink", "true");
    absent(rest.done(&S3_BUCKET_UNLINK, request, "unlinking a bucket"))?;
    if all(rest)?.iter().any(|bucket| bucket.name == name) {
        let text = format!("the backend reported bucket {name} as unlinked and still shows it");
        return Err(error::conflict_retry(text).with_native_code("DeleteNotApplied"));
    }
    Ok(())
}

/// Sets who may use the bucket without a key: nobody, or whom a document names.
pub(crate) fn set_policy(rest: &Rest, name: &str, document: Option<&Document>) -> Result<()> {
    let request = rest.request().param("bucket", name);
    match document {
        None => {
            let body = json!({ "bucket_policy": NONE });
            rest.done(&S3_BUCKET_ACCESS_PUT, request.json(&body), "closing a bucket to callers without a key")
        }
        Some(document) if document.has_patterns() => {
            Err(error::invalid("policy", "holds an action with `*`, which a bucket's own policy may not"))
        }
        Some(document) => {
            let body = json!({ "policy_file_content": document.json() });
            rest.done(&S3_BUCKET_POLICY_PUT, request.json(&body), "putting a bucket's policy")
        }
    }
}

/// The bucket's own policy; `None` when it has none.
pub(crate) fn policy(rest: &Rest, name: &str) -> Result<Option<Document>> {
    #[derive(Deserialize)]
    struct Access {
        #[serde(default)]
        policy: String,
    }
    #[derive(Deserialize)]
    struct Row {
        #[serde(default)]
        policy: Value,
    }
    let request = || rest.request().param("bucket", name);
    let access: Access = rest.one(&S3_BUCKET_ACCESS, request(), "reading who may use a bucket without a key")?;
    if access.policy.eq_ignore_ascii_case(NONE) {
        return Ok(None);
    }
    let row: Option<Row> = absent(rest.one(&S3_BUCKET_POLICY, request(), "reading a bucket's policy"))?;
    Ok(row.and_then(|row| Document::answered(row.policy)))
}

fn own(found: &Bucket, over: Over<'_>) -> Result<()> {
    if found.is_over(over.filesystem, over.path) {
        Ok(())
    } else {
        let what = format!("bucket {} over {}:{}", found.name, found.fs, found.path);
        Err(error::foreign_owner(what, "whoever made it"))
    }
}

/// Bucket names are stricter than physical ids: 3 to 63 of `a-z0-9.-`, letters or digits at both ends.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = name.bytes().next().is_some_and(inner) && name.bytes().last().is_some_and(inner);
    if (3..=63).contains(&name.len()) && ends && name.bytes().all(|b| inner(b) || b == b'-' || b == b'.') {
        return Ok(());
    }
    Err(error::invalid("physical-id", "is no bucket's name: 3 to 63 of a-z, 0-9, `-` and `.`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_known_by_the_directory_that_it_stands_over() {
        let bucket = |fs: &str, path: &str| Bucket { name: "b".into(), path: path.into(), fs: fs.into() };
        assert!(bucket("fs", "/stowage/b").is_over("fs", "/stowage/b"));
        assert!(bucket("", "stowage/b/").is_over("fs", "/stowage/b"));
        assert!(!bucket("other", "/stowage/b").is_over("fs", "/stowage/b"));
        assert!(!bucket("fs", "/stowage/bb").is_over("fs", "/stowage/b"));
    }

    #[test]
    fn names_are_those_that_a_bucket_may_have() {
        for name in ["ab12cd34-ef56gh78ij", "abc", "a.b"] {
            check_name(name).unwrap();
        }
        for name in ["ab", "-abc", "abc-", "Abc", "a_b", ""] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
