//! Multipart uploads that are under way. Their parts are in no directory and in no quota until the upload is completed
//! (where the real server keeps them, and whether they count, is not documented).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use s3s::{S3Error, S3ErrorCode, S3Result};

use super::facts::Facts;
use super::objects::Writer;
use crate::clock::Millis;
use crate::tree::blocks::Content;
use crate::tree::volume::Volume;

/// An upload under way.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) writer: Writer,
    pub(crate) facts: Facts,
    /// Where the parts' bytes lie.
    pub(crate) volume: Arc<Volume>,
    pub(crate) parts: BTreeMap<i32, UploadedPart>,
}

/// A part that arrived.
#[derive(Clone, Debug)]
pub(crate) struct UploadedPart {
    pub(crate) content: Content,
    pub(crate) md5: [u8; 16],
    pub(crate) at: Millis,
}

impl UploadedPart {
    pub(crate) fn etag(&self) -> String {
        hex::encode(self.md5)
    }
}

impl Upload {
    /// Bytes of all parts but the one with this number.
    pub(crate) fn len_without(&self, number: i32) -> u64 {
        self.parts.iter().filter(|(other, _)| **other != number).map(|(_, part)| part.content.len()).sum()
    }
}

/// Every upload under way, by its id.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    by_id: HashMap<String, Upload>,
}

impl Uploads {
    pub(crate) fn insert(&mut self, id: String, upload: Upload) {
        self.by_id.insert(id, upload);
    }

    /// An upload of exactly this key.
    pub(crate) fn of(&self, id: &str, bucket: &str, key: &str) -> S3Result<&Upload> {
        let found = self.by_id.get(id).filter(|upload| upload.bucket == bucket && upload.key == key);
        found.ok_or_else(|| S3Error::new(S3ErrorCode::NoSuchUpload))
    }

    pub(crate) fn add_part(&mut self, id: &str, number: i32, part: UploadedPart) -> S3Result<()> {
        let upload = self.by_id.get_mut(id).ok_or_else(|| S3Error::new(S3ErrorCode::NoSuchUpload))?;
        upload.parts.insert(number, part);
        Ok(())
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    /// Those of a bucket that is gone.
    pub(crate) fn forget_bucket(&mut self, bucket: &str) {
        self.by_id.retain(|_, upload| upload.bucket != bucket);
    }
}
