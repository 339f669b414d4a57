//! Lists of buckets and objects as the protocol wants them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    Bucket, CommonPrefix, ETag, EncodingType, ListBucketsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass, Owner, Timestamp,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::Plane;
use super::facts::Facts;
use super::listing::{Ask, Entry};
use crate::clock::Millis;

/// Keys on a page at most, and unless fewer are asked for.
const MOST_KEYS: i32 = 1000;

/// What stays as it is under `encoding-type=url`.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// One page, as both versions of the call show it.
struct Sheet {
    objects: Vec<Object>,
    prefixes: Vec<CommonPrefix>,
    /// The last entry, if more follows; not encoded.
    next: Option<String>,
}

/// What both versions ask for.
struct Question<'a> {
    bucket: &'a str,
    prefix: Option<&'a str>,
    delimiter: Option<&'a str>,
    after: &'a str,
    most: i32,
    writing: Writing,
    with_owner: bool,
}

/// How keys are written.
#[derive(Clone, Copy)]
struct Writing {
    is_url: bool,
}

impl Writing {
    fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self { is_url: false }),
            Some(EncodingType::URL) => Ok(Self { is_url: true }),
            Some(_) => {
                Err(S3Error::with_message(S3ErrorCode::InvalidArgument, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    fn write(self, key: &str) -> String {
        if self.is_url { utf8_percent_encode(key, &PLAIN).to_string() } else { key.to_owned() }
    }

    fn shown(self) -> Option<EncodingType> {
        self.is_url.then(|| EncodingType::from_static(EncodingType::URL))
    }
}

fn most_in(asked: Option<i32>) -> S3Result<i32> {
    match asked.unwrap_or(MOST_KEYS) {
        negative if negative < 0 => {
            Err(S3Error::with_message(S3ErrorCode::InvalidArgument, "Argument maxKeys must be an integer from 0 on"))
        }
        most => Ok(most.min(MOST_KEYS)),
    }
}

pub(crate) fn time_of(at: Millis) -> Timestamp {
    let moment = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_millis(at));
    Timestamp::from(moment.unwrap_or(std::time::UNIX_EPOCH))
}

/// The one owner that every list names; it says nothing of who wrote what.
fn owner() -> Owner {
    Owner { display_name: Some(String::new()), id: Some("weka".to_owned()) }
}

impl Plane {
    pub(crate) fn list_of_buckets(&self) -> ListBucketsOutput {
        let state = self.state.lock();
        let buckets = state.s3.buckets.values().map(|bucket| Bucket {
            name: Some(bucket.name.clone()),
            creation_date: Some(time_of(bucket.created)),
            ..Bucket::default()
        });
        ListBucketsOutput { buckets: Some(buckets.collect()), owner: Some(owner()), ..ListBucketsOutput::default() }
    }

    fn sheet(&self, question: &Question<'_>) -> S3Result<Sheet> {
        let place = self.place(question.bucket)?;
        let tree = place.volume.lock();
        let page = tree.list_objects(
            place.dir,
            &Ask {
                prefix: question.prefix.unwrap_or_default(),
                delimiter: question.delimiter.unwrap_or_default(),
                after: question.after,
                limit: usize::try_from(question.most).unwrap_or(0),
            },
        );
        let next = page.entries.last().filter(|_| page.more).map(|last| last.text().to_owned());
        let mut sheet = Sheet { objects: Vec::new(), prefixes: Vec::new(), next };
        for entry in page.entries {
            match entry {
                Entry::Prefix(prefix) => {
                    sheet.prefixes.push(CommonPrefix { prefix: Some(question.writing.write(&prefix)) });
                }
                Entry::Object(key, ino) => {
                    let Ok(node) = tree.node(ino) else { continue };
                    let size = if node.is_dir() { 0 } else { node.len() };
                    sheet.objects.push(Object {
                        key: Some(question.writing.write(&key)),
                        e_tag: Some(ETag::Strong(Facts::of(ino, node).etag)),
                        last_modified: Some(Timestamp::from(node.mtime)),
                        size: i64::try_from(size).ok(),
                        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                        owner: question.with_owner.then(owner),
                        ..Object::default()
                    });
                }
            }
        }
        Ok(sheet)
    }

    pub(crate) fn list_v1(&self, input: &ListObjectsInput) -> S3Result<ListObjectsOutput> {
        let writing = Writing::of(input.encoding_type.as_ref())?;
        let most = most_in(input.max_keys)?;
        let sheet = self.sheet(&Question {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref(),
            delimiter: input.delimiter.as_deref(),
            after: input.marker.as_deref().unwrap_or_default(),
            most,
            writing,
            with_owner: true,
        })?;
        let write = |text: &Option<String>| text.as_deref().map(|text| writing.write(text));
        Ok(ListObjectsOutput {
            name: Some(input.bucket.clone()),
            prefix: Some(write(&input.prefix).unwrap_or_default()),
            marker: Some(write(&input.marker).unwrap_or_default()),
            delimiter: write(&input.delimiter),
            max_keys: Some(most),
            is_truncated: Some(sheet.next.is_some()),
            next_marker: write(&sheet.next),
            contents: Some(sheet.objects),
            common_prefixes: Some(sheet.prefixes),
            encoding_type: writing.shown(),
            request_charged: None,
        })
    }

    pub(crate) fn list_v2(&self, input: &ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let writing = Writing::of(input.encoding_type.as_ref())?;
        let most = most_in(input.max_keys)?;
        let bad_token =
            || S3Error::with_message(S3ErrorCode::InvalidArgument, "The continuation token provided is incorrect");
        let token = input.continuation_token.as_ref().map(|token| {
            let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad_token())?;
            String::from_utf8(bytes).map_err(|_| bad_token())
        });
        let token = token.transpose()?;
        let sheet = self.sheet(&Question {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref(),
            delimiter: input.delimiter.as_deref(),
            after: token.as_deref().or(input.start_after.as_deref()).unwrap_or_default(),
            most,
            writing,
            with_owner: input.fetch_owner == Some(true),
        })?;
        let write = |text: &Option<String>| text.as_deref().map(|text| writing.write(text));
        let count = sheet.objects.len().saturating_add(sheet.prefixes.len());
        Ok(ListObjectsV2Output {
            name: Some(input.bucket.clone()),
            prefix: Some(write(&input.prefix).unwrap_or_default()),
            delimiter: write(&input.delimiter),
            start_after: write(&input.start_after),
            max_keys: Some(most),
            key_count: i32::try_from(count).ok(),
            continuation_token: input.continuation_token.clone(),
            is_truncated: Some(sheet.next.is_some()),
            next_continuation_token: sheet.next.map(|next| URL_SAFE_NO_PAD.encode(next)),
            contents: Some(sheet.objects),
            common_prefixes: Some(sheet.prefixes),
            encoding_type: writing.shown(),
            request_charged: None,
        })
    }
}
