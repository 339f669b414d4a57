//! Which operation needs which action, asked before it runs.
//!
//! The table is the list of what exists: an operation that is not in it is refused before anything of it is read.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use parking_lot::Mutex;
use s3s::access::{S3Access, S3AccessContext};
use s3s::dto::{CopyObjectInput, CopySource, ListObjectsInput, ListObjectsV2Input};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use super::Plane;
use super::objects::Writer;
use super::signers::check_token;
use crate::s3::authorize::{ConditionValues, authorize};
use crate::s3::identity::S3Key;

/// Operations with their action. `None`: asked once the request is read, because the answer depends on what is in it.
const ACTIONS: [(&str, Option<&str>); 30] = [
    ("ListBuckets", Some("s3:ListAllMyBuckets")),
    ("CreateBucket", Some("s3:CreateBucket")),
    ("DeleteBucket", Some("s3:DeleteBucket")),
    ("HeadBucket", Some("s3:ListBucket")),
    ("GetBucketLocation", Some("s3:GetBucketLocation")),
    ("GetBucketPolicy", Some("s3:GetBucketPolicy")),
    ("PutBucketPolicy", Some("s3:PutBucketPolicy")),
    ("DeleteBucketPolicy", Some("s3:DeleteBucketPolicy")),
    ("GetBucketTagging", Some("s3:GetBucketTagging")),
    ("PutBucketTagging", Some("s3:PutBucketTagging")),
    ("DeleteBucketTagging", Some("s3:PutBucketTagging")),
    ("GetBucketLifecycleConfiguration", Some("s3:GetLifecycleConfiguration")),
    ("PutBucketLifecycleConfiguration", Some("s3:PutLifecycleConfiguration")),
    ("DeleteBucketLifecycle", Some("s3:PutLifecycleConfiguration")),
    ("ListObjects", None),
    ("ListObjectsV2", None),
    ("HeadObject", Some("s3:GetObject")),
    ("GetObject", Some("s3:GetObject")),
    ("PutObject", Some("s3:PutObject")),
    ("CopyObject", Some("s3:PutObject")),
    ("DeleteObject", Some("s3:DeleteObject")),
    ("DeleteObjects", None),
    ("CreateMultipartUpload", Some("s3:PutObject")),
    ("UploadPart", Some("s3:PutObject")),
    ("CompleteMultipartUpload", Some("s3:PutObject")),
    ("AbortMultipartUpload", Some("s3:AbortMultipartUpload")),
    ("ListParts", Some("s3:ListMultipartUploadParts")),
    // No policy can name these three: only `s3:*` covers them.
    ("GetObjectTagging", Some("s3:GetObjectTagging")),
    ("PutObjectTagging", Some("s3:PutObjectTagging")),
    ("DeleteObjectTagging", Some("s3:DeleteObjectTagging")),
];

/// Operations that the documents list only since this release.
const LISTED_LATE: [&str; 4] = ["ListBuckets", "HeadObject", "DeleteObjects", "CopyObject"];
const LISTED_SINCE: [u32; 3] = [5, 0, 0];

/// Where a request came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) peer: SocketAddr,
    pub(crate) is_tls: bool,
}

/// What a request turned out to be, for the audit event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(pub(crate) Arc<Mutex<Option<SeenCall>>>);

/// The operation of a request and what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeenCall {
    pub(crate) name: String,
    pub(crate) bucket: String,
    pub(crate) object: String,
}

/// Who calls, and the values that conditions in policies look at.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) key: Option<S3Key>,
    conditions: ConditionValues,
}

impl Caller {
    /// The caller of a request that [`S3Access::check`] has let through.
    pub(crate) fn of<T>(request: &S3Request<T>) -> S3Result<Self> {
        let caller = request.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| S3Error::new(S3ErrorCode::AccessDenied))
    }

    /// Who owns what the caller writes.
    pub(crate) fn writer(&self, plane: &Plane) -> Writer {
        match &self.key {
            Some(key) => Writer { uid: key.posix_uid, gid: key.posix_gid },
            None => plane.anonymous(),
        }
    }

    /// Refuses unless the caller may do this.
    pub(crate) fn need(&self, plane: &Plane, action: &str, bucket: &str, object: &str) -> S3Result<()> {
        self.need_with(plane, action, (bucket, object), &[])
    }

    fn need_with(
        &self,
        plane: &Plane,
        action: &str,
        (bucket, object): (&str, &str),
        more: &[(&str, Option<String>)],
    ) -> S3Result<()> {
        let mut conditions = self.conditions.clone();
        for (name, value) in more {
            conditions.extend(value.iter().map(|value| ((*name).to_owned(), vec![value.clone()])));
        }
        let state = plane.state.lock();
        if authorize(&state, self.key.as_ref(), action, bucket, object, &conditions) {
            return Ok(());
        }
        Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied."))
    }
}

#[async_trait::async_trait]
impl S3Access for Plane {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let name = cx.s3_op().name().to_owned();
        let bucket = cx.s3_path().get_bucket_name().unwrap_or_default().to_owned();
        let object = cx.s3_path().get_object_key().unwrap_or_default().to_owned();
        if let Some(seen) = cx.extensions_mut().get::<Seen>().cloned() {
            *seen.0.lock() = Some(SeenCall { name: name.clone(), bucket: bucket.clone(), object: object.clone() });
        }
        let key = match cx.credentials() {
            None => None,
            Some(signed) => {
                let key = self.state.lock().s3_key(&signed.access_key);
                let key = key.ok_or_else(|| S3Error::new(S3ErrorCode::InvalidAccessKeyId))?;
                check_token(&key, cx.headers(), cx.uri())?;
                Some(key)
            }
        };
        let Some((_, action)) = ACTIONS.iter().find(|(known, _)| *known == name.as_str()) else {
            return Err(S3Error::new(S3ErrorCode::NotImplemented));
        };
        if LISTED_LATE.contains(&name.as_str()) {
            let state = self.state.lock();
            if !state.switches.s3_unlisted_calls && !state.release.has(LISTED_SINCE) {
                return Err(S3Error::new(S3ErrorCode::NotImplemented));
            }
        }
        let origin = cx.extensions_mut().get::<Origin>().copied();
        let conditions = condition_values(key.as_ref(), origin, cx.headers());
        let caller = Caller { key, conditions };
        if let Some(action) = action {
            caller.need(self, action, &bucket, &object)?;
        }
        cx.extensions_mut().insert(caller);
        Ok(())
    }

    async fn list_objects(&self, req: &mut S3Request<ListObjectsInput>) -> S3Result<()> {
        let input = &req.input;
        let more = [
            ("prefix", input.prefix.clone()),
            ("delimiter", input.delimiter.clone()),
            ("max-keys", input.max_keys.map(|most| most.to_string())),
        ];
        Caller::of(req)?.need_with(self, "s3:ListBucket", (&input.bucket, ""), &more)
    }

    async fn list_objects_v2(&self, req: &mut S3Request<ListObjectsV2Input>) -> S3Result<()> {
        let input = &req.input;
        let more = [
            ("prefix", input.prefix.clone()),
            ("delimiter", input.delimiter.clone()),
            ("max-keys", input.max_keys.map(|most| most.to_string())),
        ];
        Caller::of(req)?.need_with(self, "s3:ListBucket", (&input.bucket, ""), &more)
    }

    async fn copy_object(&self, req: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        match &req.input.copy_source {
            CopySource::Bucket { bucket, key, .. } => Caller::of(req)?.need(self, "s3:GetObject", bucket, key),
            _ => Err(S3Error::new(S3ErrorCode::NotImplemented)),
        }
    }
}

/// What conditions can look at beside the parameters of a list: the caller, the wire, and headers by name.
fn condition_values(key: Option<&S3Key>, origin: Option<Origin>, headers: &HeaderMap) -> ConditionValues {
    let mut values = ConditionValues::new();
    let mut set = |name: &str, value: &str| {
        values.insert(name.to_owned(), vec![value.to_owned()]);
    };
    if let Some(origin) = origin {
        set("SourceIp", &origin.peer.ip().to_string());
        set("SecureTransport", &origin.is_tls.to_string());
    }
    match key {
        Some(key) => {
            set("username", &key.username);
            set("userid", &key.username);
            set("principaltype", "User");
            set("signatureversion", "AWS4-HMAC-SHA256");
        }
        None => set("principaltype", "Anonymous"),
    }
    let copied = [
        ("UserAgent", "user-agent"),
        ("Referer", "referer"),
        ("x-amz-content-sha256", "x-amz-content-sha256"),
        ("x-amz-copy-source", "x-amz-copy-source"),
        ("x-amz-metadata-directive", "x-amz-metadata-directive"),
        ("x-amz-storage-class", "x-amz-storage-class"),
    ];
    for (name, header) in copied {
        if let Some(value) = headers.get(header).and_then(|value| value.to_str().ok()) {
            set(name, value);
        }
    }
    values
}
