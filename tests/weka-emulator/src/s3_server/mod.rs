//! The S3 port: the S3 protocol over the same trees that POSIX clients mount.
//!
//! An object is a file at the bucket's directory and the key, owned by the uid and gid of the S3 user; a file that was
//! written through a mount is an object. Quotas stop both. The protocol itself (routes, SigV4, XML) is the library
//! `s3s`; who may do what is asked of [`crate::s3::authorize`] before every operation, and only the operations in
//! [`access`]'s table exist: everything else answers `NotImplemented`, as on the real server (versioning, ACLs, CORS,
//! encryption, object lock, UploadPartCopy and lists of uploads are documented as missing).
//!
//! On the same port: AssumeRole ([`sts`]) and `GET /wekas3api/health/ready`. Every call but the health check is an event
//! for the audit webhook ([`audit`]). While S3 is not ready the port resets connections: nobody is behind it.
//!
//! Signatures must be fresh by the machine's clock; sessions expire by the emulator's, so that a test can age one.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod buckets;
pub(crate) mod door;
pub(crate) mod event;
pub(crate) mod facts;
pub(crate) mod intake;
pub(crate) mod keys;
pub(crate) mod lifecycle;
pub(crate) mod listing;
pub(crate) mod lists;
pub(crate) mod multipart;
pub(crate) mod objects;
pub(crate) mod operations;
pub(crate) mod reads;
pub(crate) mod refusals;
pub(crate) mod signers;
pub(crate) mod sts;
pub(crate) mod tags;
pub(crate) mod uploads;
pub(crate) mod writes;

#[cfg(test)]
mod listing_tests;

use std::sync::Arc;

use parking_lot::Mutex;
use rustix::io::Errno;
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::s3::buckets::Bucket;
use crate::state::State;
use crate::tree::node::Ino;
use crate::tree::volume::Volume;
use objects::Writer;
use uploads::Uploads;

/// What the port works on; clones work on the same.
#[derive(Clone)]
pub(crate) struct Plane {
    pub(crate) state: Arc<Mutex<State>>,
    uploads: Arc<Mutex<Uploads>>,
}

/// A bucket and its directory.
struct Place {
    bucket: Bucket,
    volume: Arc<Volume>,
    dir: Ino,
}

impl Plane {
    pub(crate) fn new(state: Arc<Mutex<State>>) -> Self {
        Self { state, uploads: Arc::default() }
    }

    /// A bucket whose directory is there.
    fn place(&self, bucket: &str) -> S3Result<Place> {
        let state = self.state.lock();
        let bucket = state.s3.bucket(bucket).ok_or_else(|| S3Error::new(S3ErrorCode::NoSuchBucket))?;
        let (volume, dir) = state.bucket_dir(bucket).ok_or_else(|| S3Error::new(S3ErrorCode::NoSuchBucket))?;
        Ok(Place { bucket: bucket.clone(), volume, dir })
    }

    /// A refusal of the tree, as this cluster words it.
    fn refused(&self, errno: Errno) -> S3Error {
        refusals::refused(errno, &self.state.lock().switches)
    }

    /// Who owns what an anonymous caller writes.
    fn anonymous(&self) -> Writer {
        let state = self.state.lock();
        let service = state.s3.service.clone().unwrap_or_default();
        let id = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Writer { uid: id(service.anonymous_uid), gid: id(service.anonymous_gid) }
    }
}
