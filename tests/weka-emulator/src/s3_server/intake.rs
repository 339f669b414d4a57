//! From the bytes of a request to the bytes of a file.
//!
//! Bytes go to slots of the filesystem's block file as they arrive, beside the tree: a reader sees nothing of them and a
//! quota does not count them until the object is put in one step.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::refusals::custom;
use crate::tree::blocks::{BlockFile, Content};

/// Longest single upload (5 GiB, as documented for a part).
const LONGEST_UPLOAD: u64 = 5 << 30;

/// Bytes that arrived whole.
pub(crate) struct Received {
    pub(crate) content: Content,
    pub(crate) md5: [u8; 16],
}

impl Received {
    /// The entity tag of an object with these bytes.
    pub(crate) fn etag(&self) -> String {
        hex::encode(self.md5)
    }
}

/// Takes a body in. `content_md5` is the header's value; the digest must fit.
pub(crate) async fn receive(
    body: Option<StreamingBlob>,
    store: &Arc<BlockFile>,
    content_md5: Option<&str>,
) -> S3Result<Received> {
    let mut content = Content::default();
    let mut md5 = Md5::new();
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|broken| broken_body(broken.as_ref()))?;
            if content.len().saturating_add(chunk.len() as u64) > LONGEST_UPLOAD {
                return Err(S3Error::new(S3ErrorCode::EntityTooLarge));
            }
            md5.update(&chunk);
            content.write(store, content.len(), &chunk).map_err(S3Error::internal_error)?;
        }
    }
    let md5 = md5.finalize();
    if let Some(wanted) = content_md5 {
        let wanted = STANDARD.decode(wanted).map_err(|_| S3Error::new(S3ErrorCode::InvalidDigest))?;
        if wanted != md5 {
            return Err(S3Error::new(S3ErrorCode::BadDigest));
        }
    }
    Ok(Received { content, md5 })
}

/// The library checks payload digests and chunk signatures while the body is read. Its error types are private, so
/// their text tells them apart.
fn broken_body(broken: &(dyn std::error::Error + Send + Sync)) -> S3Error {
    let text = broken.to_string();
    if text.contains("Sha256Mismatch") {
        custom(
            "XAmzContentSHA256Mismatch",
            400,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    } else if text.contains("SignatureMismatch") {
        S3Error::new(S3ErrorCode::SignatureDoesNotMatch)
    } else {
        S3Error::new(S3ErrorCode::IncompleteBody)
    }
}

/// A copy of bytes that lies in `store`: what lies there already is shared, what lies elsewhere is read and written.
pub(crate) fn copied(content: &Content, is_same_store: bool, store: &Arc<BlockFile>) -> S3Result<Content> {
    if is_same_store {
        return Ok(content.clone());
    }
    let mut copy = Content::default();
    append(&mut copy, content, store)?;
    Ok(copy)
}

/// Puts bytes behind others.
pub(crate) fn append(to: &mut Content, from: &Content, store: &Arc<BlockFile>) -> S3Result<()> {
    let mut at = 0;
    while at < from.len() {
        let piece = from.read(at, PIECE).map_err(S3Error::internal_error)?;
        to.write(store, to.len(), &piece).map_err(S3Error::internal_error)?;
        at = at.saturating_add(piece.len() as u64);
    }
    Ok(())
}

/// Bytes read at a time.
pub(crate) const PIECE: usize = 256 * 1024;
