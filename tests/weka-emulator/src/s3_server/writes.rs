//! PUT, COPY and DELETE of objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectsInput, DeleteObjectsOutput,
    DeletedObject, ETag, ETagCondition, Error, Metadata, MetadataDirective, PutObjectInput, PutObjectOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::Plane;
use super::access::Caller;
use super::facts::Facts;
use super::intake::{copied, receive};
use super::keys::Key;
use super::objects::Writer;
use super::tags::tags_in_header;
use crate::tree::blocks::Content;

/// Bytes of user metadata of one object (documented).
const MOST_METADATA: usize = 2048;

/// Keys in one multi-delete.
const MOST_DELETED: usize = 1000;

/// What a request says of the object that it makes.
pub(crate) struct Said<'a> {
    pub(crate) content_type: Option<&'a String>,
    pub(crate) cache_control: Option<&'a String>,
    pub(crate) content_disposition: Option<&'a String>,
    pub(crate) content_encoding: Option<&'a String>,
    pub(crate) content_language: Option<&'a String>,
    pub(crate) metadata: Option<&'a Metadata>,
    pub(crate) tagging: Option<&'a String>,
}

impl Said<'_> {
    /// As facts, without an entity tag yet.
    pub(crate) fn facts(&self) -> S3Result<Facts> {
        let named = [
            ("content-type", self.content_type),
            ("cache-control", self.cache_control),
            ("content-disposition", self.content_disposition),
            ("content-encoding", self.content_encoding),
            ("content-language", self.content_language),
        ];
        let headers = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone())));
        let metadata: BTreeMap<String, String> = self.metadata.cloned().unwrap_or_default().into_iter().collect();
        let bytes: usize = metadata.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
        if bytes > MOST_METADATA {
            return Err(S3Error::new(S3ErrorCode::MetadataTooLarge));
        }
        let tags = self.tagging.map(|header| tags_in_header(header)).transpose()?.unwrap_or_default();
        Ok(Facts { headers: headers.collect(), metadata, tags, ..Facts::default() })
    }
}

impl Plane {
    /// Puts bytes that arrived under a key, if the bucket is still there.
    pub(crate) fn put(&self, bucket: &str, key: &str, content: Content, writer: Writer, facts: Facts) -> S3Result<()> {
        let place = self.place(bucket)?;
        let parsed = Key::parse(key)?;
        if parsed.is_dir && content.len() > 0 {
            return Err(S3Error::with_message(
                S3ErrorCode::InvalidArgument,
                "A key that ends in a slash has no bytes.",
            ));
        }
        let put = place.volume.lock().put_object(place.dir, &parsed, content, writer, facts);
        put.map(drop).map_err(|errno| self.refused(errno))
    }

    /// Refuses what a quota would refuse at the end, before the bytes are sent.
    pub(crate) fn need_room(&self, bucket: &str, key: &str, len: u64) -> S3Result<()> {
        let place = self.place(bucket)?;
        let parsed = Key::parse(key)?;
        let room = place.volume.lock().check_room(place.dir, &parsed, len);
        room.map_err(|errno| self.refused(errno))
    }

    fn check_replaceable(
        &self,
        bucket: &str,
        key: &str,
        matches: Option<&ETagCondition>,
        none_match: Option<&ETagCondition>,
    ) -> S3Result<()> {
        if matches.is_none() && none_match.is_none() {
            return Ok(());
        }
        let there = self.find(bucket, key).ok().map(|found| found.facts.etag);
        let fits = |wanted: &ETagCondition| match (&there, wanted.as_etag()) {
            (Some(there), Some(etag)) => etag.value() == there,
            (there, None) => there.is_some(),
            (None, Some(_)) => false,
        };
        if matches.is_some_and(|wanted| !fits(wanted)) || none_match.is_some_and(fits) {
            return Err(S3Error::new(S3ErrorCode::PreconditionFailed));
        }
        Ok(())
    }

    pub(crate) async fn write_object(&self, caller: &Caller, input: PutObjectInput) -> S3Result<PutObjectOutput> {
        let PutObjectInput { bucket, key, body, .. } = &input;
        let said = Said {
            content_type: input.content_type.as_ref(),
            cache_control: input.cache_control.as_ref(),
            content_disposition: input.content_disposition.as_ref(),
            content_encoding: input.content_encoding.as_ref(),
            content_language: input.content_language.as_ref(),
            metadata: input.metadata.as_ref(),
            tagging: input.tagging.as_ref(),
        };
        let mut facts = said.facts()?;
        self.check_replaceable(bucket, key, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let announced = input.content_length.and_then(|len| u64::try_from(len).ok()).unwrap_or(0);
        self.need_room(bucket, key, announced)?;
        let has_body = body.is_some();
        let store = Arc::clone(&self.place(bucket)?.volume.lock().store);
        let (bucket, key) = (bucket.clone(), key.clone());
        let md5 = input.content_md5.clone();
        let received = receive(input.body.filter(|_| has_body), &store, md5.as_deref()).await?;
        facts.etag = received.etag();
        let e_tag = Some(ETag::Strong(facts.etag.clone()));
        self.put(&bucket, &key, received.content, caller.writer(self), facts)?;
        Ok(PutObjectOutput { e_tag, ..PutObjectOutput::default() })
    }

    pub(crate) fn copy(&self, caller: &Caller, input: &CopyObjectInput) -> S3Result<CopyObjectOutput> {
        let CopySource::Bucket { bucket, key, version_id } = &input.copy_source else {
            return Err(S3Error::new(S3ErrorCode::NotImplemented));
        };
        if version_id.is_some() {
            return Err(S3Error::with_message(S3ErrorCode::NotImplemented, "There are no versions."));
        }
        let replaces =
            input.metadata_directive.as_ref().is_some_and(|given| given.as_str() == MetadataDirective::REPLACE);
        if !replaces && **bucket == *input.bucket && **key == *input.key {
            return Err(S3Error::with_message(
                S3ErrorCode::InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing it.",
            ));
        }
        let source = self.place(bucket)?;
        let target = self.place(&input.bucket)?;
        let found = self.find(bucket, key)?;
        let store = Arc::clone(&target.volume.lock().store);
        let content = copied(&found.content, Arc::ptr_eq(&source.volume, &target.volume), &store)?;
        let mut facts = found.facts;
        if replaces {
            let said = Said {
                content_type: input.content_type.as_ref(),
                cache_control: input.cache_control.as_ref(),
                content_disposition: input.content_disposition.as_ref(),
                content_encoding: input.content_encoding.as_ref(),
                content_language: input.content_language.as_ref(),
                metadata: input.metadata.as_ref(),
                tagging: None,
            };
            facts = Facts { etag: facts.etag, tags: facts.tags, ..said.facts()? };
        }
        let e_tag = Some(ETag::Strong(facts.etag.clone()));
        self.put(&input.bucket, &input.key, content, caller.writer(self), facts)?;
        let last_modified = Some(self.find(&input.bucket, &input.key)?.last_modified());
        let result = CopyObjectResult { e_tag, last_modified, ..CopyObjectResult::default() };
        Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
    }

    /// Removes an object; one that is not there is no error.
    pub(crate) fn remove(&self, bucket: &str, key: &str) -> S3Result<()> {
        let place = self.place(bucket)?;
        let parsed = Key::parse(key)?;
        let removed = place.volume.lock().remove_object(place.dir, &parsed);
        removed.map_err(|errno| self.refused(errno))
    }

    /// Removes many, each as the caller may.
    pub(crate) fn remove_many(&self, caller: &Caller, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
        self.place(&input.bucket)?;
        if input.delete.objects.len() > MOST_DELETED {
            return Err(S3Error::new(S3ErrorCode::MalformedXML));
        }
        let mut deleted = Vec::new();
        let mut errors = Vec::new();
        for object in input.delete.objects {
            let removed = caller
                .need(self, "s3:DeleteObject", &input.bucket, &object.key)
                .and_then(|()| self.remove(&input.bucket, &object.key));
            match removed {
                Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
                Err(refused) => errors.push(Error {
                    code: Some(refused.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: Some(refused.message().unwrap_or_default().to_owned()),
                    version_id: None,
                }),
            }
        }
        if input.delete.quiet == Some(true) {
            deleted.clear();
        }
        Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), request_charged: None })
    }
}
