//! Buckets over the S3 protocol: make, remove, and their policy.

use s3s::{S3Error, S3ErrorCode, S3Result};
use serde_json::Value;

use super::Plane;
use super::access::Caller;
use crate::s3::buckets::{BucketRefused, NewBucket};
use crate::s3::documents::Document;

fn refused(problem: &BucketRefused) -> S3Error {
    let code = match problem {
        BucketRefused::Name(_) => S3ErrorCode::InvalidBucketName,
        BucketRefused::Exists(_) | BucketRefused::PathTaken(_) | BucketRefused::PathUsed { .. } => {
            S3ErrorCode::BucketAlreadyExists
        }
        BucketRefused::Unknown(_) | BucketRefused::NoPath(_) => S3ErrorCode::NoSuchBucket,
        BucketRefused::TooMany => S3ErrorCode::TooManyBuckets,
        BucketRefused::NotEmpty(_) => S3ErrorCode::BucketNotEmpty,
        _ => S3ErrorCode::InternalError,
    };
    S3Error::with_message(code, problem.to_string())
}

impl Plane {
    /// Makes `/<name>` in the service's filesystem, owned by the caller.
    pub(crate) fn make_bucket(&self, caller: &Caller, name: &str) -> S3Result<()> {
        let creator = caller.key.as_ref().map(|key| key.user);
        let mut state = self.state.lock();
        if state.s3.bucket(name).is_some_and(|there| there.creator.is_some() && there.creator == creator) {
            return Err(S3Error::new(S3ErrorCode::BucketAlreadyOwnedByYou));
        }
        let new = NewBucket { name: name.to_owned(), creator, ..NewBucket::default() };
        state.add_bucket(new).map(drop).map_err(|problem| refused(&problem))?;
        if let Some(user) = creator {
            state.note_by_user("S3CreateBucketEvent", user, [("bucket_name", name)]);
        }
        Ok(())
    }

    /// Removes an empty bucket with its directory.
    pub(crate) fn drop_bucket(&self, name: &str) -> S3Result<()> {
        self.state.lock().remove_bucket(name, false).map_err(|problem| refused(&problem))?;
        self.uploads.lock().forget_bucket(name);
        Ok(())
    }

    /// The policy's text; an error if there is none.
    pub(crate) fn bucket_policy(&self, name: &str) -> S3Result<String> {
        let policy = self.place(name)?.bucket.policy;
        let policy = policy.ok_or_else(|| S3Error::new(S3ErrorCode::NoSuchBucketPolicy))?;
        Ok(policy.shown().to_string())
    }

    /// Sets the policy (`Some`) or takes it away.
    pub(crate) fn set_bucket_policy(&self, name: &str, policy: Option<String>) -> S3Result<()> {
        let mut state = self.state.lock();
        let document = policy.map(|text| Document::bucket(&Value::String(text), name, &state.switches));
        let document = document.transpose().map_err(|malformed| {
            S3Error::with_message(S3ErrorCode::MalformedPolicy, format!("The policy {malformed}"))
        })?;
        let bucket = state.s3.buckets.get_mut(name).ok_or_else(|| S3Error::new(S3ErrorCode::NoSuchBucket))?;
        bucket.policy = document;
        Ok(())
    }
}
