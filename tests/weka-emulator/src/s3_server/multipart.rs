//! Multipart uploads: begin, send parts, list them, and complete or abort.

use std::sync::Arc;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListPartsInput, ListPartsOutput, Part,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::Plane;
use super::access::Caller;
use super::intake::{append, receive};
use super::keys::Key;
use super::lists::time_of;
use super::uploads::{Upload, UploadedPart};
use super::writes::Said;
use crate::tree::blocks::Content;
use crate::uid::Uid;

/// Parts of one upload (documented).
const MOST_PARTS: i32 = 10_000;

/// Bytes of every part but the last (documented).
const LEAST_PART: u64 = 5 << 20;

/// Parts on one page (documented).
const PARTS_ON_A_PAGE: i32 = 1000;

impl Plane {
    pub(crate) fn begin_upload(
        &self,
        caller: &Caller,
        input: &CreateMultipartUploadInput,
    ) -> S3Result<CreateMultipartUploadOutput> {
        let place = self.place(&input.bucket)?;
        if Key::parse(&input.key)?.is_dir {
            return Err(S3Error::with_message(
                S3ErrorCode::InvalidArgument,
                "A key that ends in a slash has no bytes.",
            ));
        }
        let said = Said {
            content_type: input.content_type.as_ref(),
            cache_control: input.cache_control.as_ref(),
            content_disposition: input.content_disposition.as_ref(),
            content_encoding: input.content_encoding.as_ref(),
            content_language: input.content_language.as_ref(),
            metadata: input.metadata.as_ref(),
            tagging: input.tagging.as_ref(),
        };
        let upload = Upload {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            writer: caller.writer(self),
            facts: said.facts()?,
            volume: place.volume,
            parts: Default::default(),
        };
        let id = Uid::fresh().to_string();
        self.uploads.lock().insert(id.clone(), upload);
        Ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(input.key.clone()),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        })
    }

    pub(crate) async fn take_part(&self, input: UploadPartInput) -> S3Result<UploadPartOutput> {
        let number = input.part_number;
        if !(1..=MOST_PARTS).contains(&number) {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            return Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message));
        }
        self.place(&input.bucket)?;
        let upload = self.uploads.lock().of(&input.upload_id, &input.bucket, &input.key)?.clone();
        let announced = input.content_length.and_then(|len| u64::try_from(len).ok()).unwrap_or(0);
        self.need_room(&input.bucket, &input.key, upload.len_without(number).saturating_add(announced))?;
        let store = Arc::clone(&upload.volume.lock().store);
        let received = receive(input.body, &store, input.content_md5.as_deref()).await?;
        let etag = received.etag();
        let at = self.state.lock().now();
        let part = UploadedPart { content: received.content, md5: received.md5, at };
        self.uploads.lock().add_part(&input.upload_id, number, part)?;
        Ok(UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..UploadPartOutput::default() })
    }

    pub(crate) fn parts_of(&self, input: &ListPartsInput) -> S3Result<ListPartsOutput> {
        self.place(&input.bucket)?;
        let uploads = self.uploads.lock();
        let upload = uploads.of(&input.upload_id, &input.bucket, &input.key)?;
        let after = input.part_number_marker.unwrap_or(0);
        let most = input.max_parts.unwrap_or(PARTS_ON_A_PAGE).clamp(0, PARTS_ON_A_PAGE);
        let later = upload.parts.range(after.saturating_add(1)..);
        let parts: Vec<Part> = later
            .take(usize::try_from(most).unwrap_or(0))
            .map(|(number, part)| Part {
                e_tag: Some(ETag::Strong(part.etag())),
                last_modified: Some(time_of(part.at)),
                part_number: Some(*number),
                size: i64::try_from(part.content.len()).ok(),
                ..Part::default()
            })
            .collect();
        let last = parts.last().and_then(|part| part.part_number).unwrap_or(after);
        let is_truncated = most > 0 && upload.parts.range(last.saturating_add(1)..).next().is_some();
        Ok(ListPartsOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(input.key.clone()),
            upload_id: Some(input.upload_id.clone()),
            max_parts: Some(most),
            part_number_marker: Some(after),
            next_part_number_marker: is_truncated.then_some(last),
            is_truncated: Some(is_truncated),
            parts: Some(parts),
            ..ListPartsOutput::default()
        })
    }

    /// Puts the parts together and the object in its place. If its place refuses it, the upload goes on.
    pub(crate) fn complete_upload(
        &self,
        input: &CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let place = self.place(&input.bucket)?;
        let upload = self.uploads.lock().of(&input.upload_id, &input.bucket, &input.key)?.clone();
        let named = input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default();
        let chosen = chosen_parts(&upload, named)?;
        let store = Arc::clone(&place.volume.lock().store);
        let mut content = Content::default();
        let mut digests = Md5::new();
        for part in &chosen {
            append(&mut content, &part.content, &store)?;
            digests.update(&part.md5);
        }
        let mut facts = upload.facts.clone();
        facts.etag = format!("{}-{}", hex::encode(digests.finalize()), chosen.len());
        let e_tag = Some(ETag::Strong(facts.etag.clone()));
        self.put(&input.bucket, &input.key, content, upload.writer, facts)?;
        self.uploads.lock().remove(&input.upload_id);
        Ok(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(input.key.clone()),
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            e_tag,
            ..CompleteMultipartUploadOutput::default()
        })
    }

    pub(crate) fn abort_upload(&self, input: &AbortMultipartUploadInput) -> S3Result<()> {
        self.place(&input.bucket)?;
        let mut uploads = self.uploads.lock();
        uploads.of(&input.upload_id, &input.bucket, &input.key)?;
        uploads.remove(&input.upload_id);
        Ok(())
    }
}

fn chosen_parts<'a>(upload: &'a Upload, named: &[CompletedPart]) -> S3Result<Vec<&'a UploadedPart>> {
    if named.is_empty() {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    }
    let mut chosen: Vec<&UploadedPart> = Vec::new();
    let mut before = 0;
    for wanted in named {
        let number = wanted.part_number.unwrap_or(0);
        if number <= before {
            return Err(S3Error::new(S3ErrorCode::InvalidPartOrder));
        }
        before = number;
        let part = upload.parts.get(&number);
        let part = part.filter(|part| wanted.e_tag.as_ref().is_none_or(|etag| etag.value() == part.etag()));
        chosen.push(part.ok_or_else(|| S3Error::new(S3ErrorCode::InvalidPart))?);
    }
    let without_last = chosen.split_last().map_or(&[][..], |(_, others)| others);
    if without_last.iter().any(|part| part.content.len() < LEAST_PART) {
        return Err(S3Error::new(S3ErrorCode::EntityTooSmall));
    }
    Ok(chosen)
}
