//! Tags of objects and buckets: up to ten of an object, fifty of a bucket, as Amazon limits them.

use std::collections::BTreeMap;

use s3s::dto::Tag;
use s3s::{S3Error, S3ErrorCode, S3Result};
use url::form_urlencoded;

use super::Plane;
use super::facts::Facts;
use super::keys::Key;
use crate::tree::node::{Ino, Node};

/// Tags of one object.
const MOST_OF_OBJECT: usize = 10;

/// Tags of one bucket.
const MOST_OF_BUCKET: usize = 50;

const LONGEST_NAME: usize = 128;
const LONGEST_VALUE: usize = 256;

fn checked(pairs: impl IntoIterator<Item = (String, String)>, most: usize) -> S3Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for (name, value) in pairs {
        let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME && value.chars().count() <= LONGEST_VALUE;
        if !fits || tags.insert(name, value).is_some() {
            return Err(S3Error::new(S3ErrorCode::InvalidTag));
        }
    }
    if tags.len() > most {
        return Err(S3Error::with_message(S3ErrorCode::InvalidTag, format!("More than {most} tags.")));
    }
    Ok(tags)
}

/// Tags in the header `x-amz-tagging`: `a=1&b=2`.
pub(crate) fn tags_in_header(header: &str) -> S3Result<BTreeMap<String, String>> {
    checked(form_urlencoded::parse(header.as_bytes()).into_owned(), MOST_OF_OBJECT)
}

fn pairs(set: Vec<Tag>) -> impl Iterator<Item = (String, String)> {
    set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
}

fn shown(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(name, value)| Tag { key: Some(name.clone()), value: Some(value.clone()) }).collect()
}

impl Plane {
    fn with_object<T>(&self, bucket: &str, key: &str, work: impl FnOnce(Ino, &mut Node) -> T) -> S3Result<T> {
        let place = self.place(bucket)?;
        let parsed = Key::parse(key)?;
        let mut tree = place.volume.lock();
        let ino = tree.object(place.dir, &parsed).map_err(|_| S3Error::new(S3ErrorCode::NoSuchKey))?;
        let node = tree.node_mut(ino).map_err(|_| S3Error::new(S3ErrorCode::NoSuchKey))?;
        Ok(work(ino, node))
    }

    pub(crate) fn object_tags(&self, bucket: &str, key: &str) -> S3Result<Vec<Tag>> {
        self.with_object(bucket, key, |ino, node| shown(&Facts::of(ino, node).tags))
    }

    pub(crate) fn set_object_tags(&self, bucket: &str, key: &str, set: Vec<Tag>) -> S3Result<()> {
        let tags = checked(pairs(set), MOST_OF_OBJECT)?;
        self.with_object(bucket, key, |ino, node| Facts::set_tags(ino, node, tags))
    }

    pub(crate) fn bucket_tags(&self, bucket: &str) -> S3Result<Vec<Tag>> {
        let tags = self.place(bucket)?.bucket.tags;
        if tags.is_empty() { Err(S3Error::new(S3ErrorCode::NoSuchTagSet)) } else { Ok(shown(&tags)) }
    }

    pub(crate) fn set_bucket_tags(&self, bucket: &str, set: Vec<Tag>) -> S3Result<()> {
        let tags = checked(pairs(set), MOST_OF_BUCKET)?;
        let mut state = self.state.lock();
        let known = state.s3.buckets.get_mut(bucket).ok_or_else(|| S3Error::new(S3ErrorCode::NoSuchBucket))?;
        known.tags = tags;
        Ok(())
    }
}
