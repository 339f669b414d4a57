//! GET and HEAD of an object.

use std::time::SystemTime;

use bytes::Bytes;
use s3s::dto::{
    ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Range, StreamingBlob,
    Timestamp,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::Plane;
use super::facts::Facts;
use super::intake::PIECE;
use super::keys::Key;
use super::objects::content_of;
use crate::tree::blocks::Content;

/// An object as it was at one moment: a writer that comes later does not change what is read of it.
pub(crate) struct Found {
    pub(crate) facts: Facts,
    pub(crate) content: Content,
    pub(crate) modified: SystemTime,
}

/// What a client makes a read depend on.
struct Demands<'a> {
    matches: Option<&'a ETagCondition>,
    none_match: Option<&'a ETagCondition>,
    modified_since: Option<&'a Timestamp>,
    unmodified_since: Option<&'a Timestamp>,
}

impl Found {
    pub(crate) fn etag(&self) -> ETag {
        ETag::Strong(self.facts.etag.clone())
    }

    /// HTTP dates have whole seconds.
    pub(crate) fn last_modified(&self) -> Timestamp {
        Timestamp::from(self.modified)
    }

    fn header(&self, name: &str) -> Option<String> {
        self.facts.headers.get(name).cloned()
    }

    fn content_type(&self) -> Option<String> {
        Some(self.header("content-type").unwrap_or_else(|| "application/octet-stream".to_owned()))
    }

    fn metadata(&self) -> Option<s3s::dto::Metadata> {
        let metadata = &self.facts.metadata;
        (!metadata.is_empty()).then(|| metadata.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    fn check(&self, demands: &Demands<'_>) -> S3Result<()> {
        let fits = |wanted: &ETagCondition| wanted.as_etag().is_none_or(|etag| etag.value() == self.facts.etag);
        let seconds = |time: &Timestamp| {
            let mut text = Vec::new();
            time.format(s3s::dto::TimestampFormat::EpochSeconds, &mut text).ok();
            String::from_utf8_lossy(&text).split('.').next().and_then(|whole| whole.parse::<i64>().ok())
        };
        let modified = seconds(&self.last_modified());
        let is_newer = |than: &Timestamp| modified > seconds(than);
        if demands.matches.is_some_and(|wanted| !fits(wanted)) {
            return Err(S3Error::new(S3ErrorCode::PreconditionFailed));
        }
        if demands.matches.is_none() && demands.unmodified_since.is_some_and(is_newer) {
            return Err(S3Error::new(S3ErrorCode::PreconditionFailed));
        }
        let is_known = match demands.none_match {
            Some(wanted) => fits(wanted),
            None => demands.modified_since.is_some_and(|since| !is_newer(since)),
        };
        if is_known { Err(S3Error::new(S3ErrorCode::NotModified)) } else { Ok(()) }
    }

    /// The bytes asked for: where they start, how many, and the header that says so.
    fn range(&self, asked: Option<Range>) -> S3Result<(u64, u64, Option<String>)> {
        let whole = self.content.len();
        let Some(asked) = asked else { return Ok((0, whole, None)) };
        let range = asked.check(whole).map_err(|_| S3Error::new(S3ErrorCode::InvalidRange))?;
        let header = format!("bytes {}-{}/{whole}", range.start, range.end.saturating_sub(1));
        Ok((range.start, range.end.saturating_sub(range.start), Some(header)))
    }
}

/// The bytes as they are sent: in pieces, read when the connection can take them.
fn stream(content: Content, start: u64, len: u64) -> StreamingBlob {
    let mut at = start;
    let end = start.saturating_add(len);
    let pieces = std::iter::from_fn(move || {
        let left = end.saturating_sub(at);
        if left == 0 {
            return None;
        }
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
        let piece = content.read(at, want).map(Bytes::from);
        // An error ends the stream, and with it the connection.
        at = piece.as_ref().map_or(end, |piece| at.saturating_add(piece.len() as u64));
        Some(piece)
    });
    StreamingBlob::wrap(futures_util::stream::iter(pieces))
}

fn length(len: u64) -> Option<i64> {
    i64::try_from(len).ok()
}

impl Plane {
    pub(crate) fn find(&self, bucket: &str, key: &str) -> S3Result<Found> {
        let place = self.place(bucket)?;
        let parsed = Key::parse(key)?;
        let tree = place.volume.lock();
        let found = tree.object(place.dir, &parsed).and_then(|ino| Ok((ino, tree.node(ino)?)));
        let (ino, node) = found.map_err(|_| S3Error::new(S3ErrorCode::NoSuchKey))?;
        Ok(Found { facts: Facts::of(ino, node), content: content_of(node), modified: node.mtime })
    }

    pub(crate) fn read_object(&self, input: &GetObjectInput) -> S3Result<GetObjectOutput> {
        let found = self.find(&input.bucket, &input.key)?;
        found.check(&Demands {
            matches: input.if_match.as_ref(),
            none_match: input.if_none_match.as_ref(),
            modified_since: input.if_modified_since.as_ref(),
            unmodified_since: input.if_unmodified_since.as_ref(),
        })?;
        let (start, len, content_range) = found.range(input.range)?;
        Ok(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: found.header("cache-control"),
            content_disposition: found.header("content-disposition"),
            content_encoding: found.header("content-encoding"),
            content_language: found.header("content-language"),
            content_type: found.content_type(),
            content_length: length(len),
            content_range,
            e_tag: Some(found.etag()),
            last_modified: Some(found.last_modified()),
            metadata: found.metadata(),
            tag_count: i32::try_from(found.facts.tags.len()).ok().filter(|count| *count > 0),
            body: Some(stream(found.content, start, len)),
            ..GetObjectOutput::default()
        })
    }

    pub(crate) fn look_at_object(&self, input: &HeadObjectInput) -> S3Result<HeadObjectOutput> {
        let found = self.find(&input.bucket, &input.key)?;
        found.check(&Demands {
            matches: input.if_match.as_ref(),
            none_match: input.if_none_match.as_ref(),
            modified_since: input.if_modified_since.as_ref(),
            unmodified_since: input.if_unmodified_since.as_ref(),
        })?;
        let (_, len, content_range) = found.range(input.range)?;
        Ok(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: found.header("cache-control"),
            content_disposition: found.header("content-disposition"),
            content_encoding: found.header("content-encoding"),
            content_language: found.header("content-language"),
            content_type: found.content_type(),
            content_length: length(len),
            content_range,
            e_tag: Some(found.etag()),
            last_modified: Some(found.last_modified()),
            metadata: found.metadata(),
            ..HeadObjectOutput::default()
        })
    }
}
