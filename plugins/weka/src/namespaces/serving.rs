//! By which protocols a directory is served: always as files, and through a bucket over it where that is asked for.
//!
//! The bucket's name is the namespace's physical id. A directory that was made ends in it; one that was adopted has another
//! name, and its reference tells the id.

use stowage_provider_sdk::prelude::{Error, ErrorKind, Protocol, Result};

use crate::reference::Directory;
use crate::rest::Rest;
use crate::s3::buckets::{self, Bucket, Over};

/// How a directory is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Served {
    /// The bucket over it.
    pub(crate) bucket: Option<String>,
    /// Nodes do not mount it.
    pub(crate) s3_alone: bool,
}

impl Served {
    /// As a reference has it.
    pub(crate) fn of(directory: &Directory) -> Self {
        Self { bucket: directory.bucket.clone(), s3_alone: directory.s3_alone }
    }

    /// By files, and by the bucket that stands over it, if one does.
    pub(crate) fn seen(listed: &[Bucket], filesystem: &str, path: &str) -> Self {
        let over = listed.iter().find(|bucket| bucket.is_over(filesystem, path));
        Self { bucket: over.map(|bucket| bucket.name.clone()), s3_alone: false }
    }

    /// The contract's words.
    pub(crate) fn protocols(&self) -> Vec<Protocol> {
        match (&self.bucket, self.s3_alone) {
            (Some(_), true) => vec![Protocol::S3],
            (Some(_), false) => vec![Protocol::Posix, Protocol::S3],
            (None, _) => vec![Protocol::Posix],
        }
    }
}

/// The last part of a path: the physical id of a directory that was made.
pub(crate) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The name of the bucket over a directory.
pub(crate) fn bucket_name(directory: &Directory) -> &str {
    directory.physical_id.as_deref().unwrap_or_else(|| last_part(&directory.path))
}

/// Takes the bucket from the directory, if one stands over it; its data stays. A directory that was never given one is
/// looked at all the same, because the answer that told of it may have been lost.
pub(crate) fn remove_bucket(rest: &Rest, directory: &Directory) -> Result<()> {
    let listed = match &directory.bucket {
        Some(_) => buckets::all(rest)?,
        None => buckets::if_any(rest)?,
    };
    match Served::seen(&listed, &directory.filesystem, &directory.path).bucket {
        Some(name) => {
            let over = Over {
                filesystem_uid: &directory.filesystem_uid,
                filesystem: &directory.filesystem,
                path: &directory.path,
            };
            buckets::unlink(rest, &name, over)
        }
        None => Ok(()),
    }
}

/// How the directory is served now, and why that is not known where S3 cannot be asked.
pub(crate) fn look(rest: &Rest, directory: &Directory) -> Result<(Served, Option<&'static str>)> {
    if directory.bucket.is_none() {
        let listed = buckets::if_any(rest)?;
        return Ok((Served::seen(&listed, &directory.filesystem, &directory.path), None));
    }
    match buckets::all(rest) {
        Ok(listed) => {
            let seen = Served::seen(&listed, &directory.filesystem, &directory.path);
            let missing = seen.bucket.is_none().then_some("missing");
            Ok((Served { s3_alone: directory.s3_alone, ..seen }, missing))
        }
        Err(Error { kind: ErrorKind::NotReady(_), .. }) => Ok((Served::of(directory), Some("not-ready"))),
        Err(error) => Err(error),
    }
}
