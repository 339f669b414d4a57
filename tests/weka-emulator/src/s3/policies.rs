//! IAM policies: three predefined ones and up to 1024 of one's own.

use serde_json::json;

use crate::s3::S3;
use crate::s3::documents::Document;
use crate::uid::Uid;

/// IAM policies that a cluster can hold (documented).
pub(crate) const MOST_POLICIES: usize = 1024;

/// Names of the predefined policies.
pub(crate) const PREDEFINED: [&str; 3] = ["readonly", "readwrite", "writeonly"];

fn predefined(name: &str) -> Option<Document> {
    let actions = match name {
        "readonly" => json!([
            "s3:ListAllMyBuckets",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
            "s3:ListMultipartUploadParts",
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
            "s3:GetBucketTagging",
            "s3:GetObject",
        ]),
        "writeonly" => json!(["s3:PutObject"]),
        "readwrite" => json!(["s3:*"]),
        _ => return None,
    };
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": ["arn:aws:s3:::*"] });
    Some(Document::own(json!({ "Version": "2012-10-17", "Statement": [statement] })))
}

impl S3 {
    /// A policy by name, predefined or made.
    pub(crate) fn policy(&self, name: &str) -> Option<Document> {
        predefined(name).or_else(|| self.policies.get(name).cloned())
    }

    /// The policy of a user; `None` if none is attached or the attached one is gone.
    pub(crate) fn policy_of(&self, user: Uid) -> Option<Document> {
        self.policy(self.attached.get(&user)?)
    }
}
