//! What anonymous callers may do with a bucket: three presets, or a document of one's own.
//!
//! The presets' actions are documented. The field is `policy` when a bucket is made and `bucket_policy` when it is
//! changed; both take any case, because the documents write `Download` and clients in production `download`.

use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::s3::bucket_routes::known;
use crate::s3::documents::Document;
use crate::s3::gate::ready;
use crate::state::State;

const PRESETS: [&str; 3] = ["download", "upload", "public"];

/// The document of a preset for a bucket.
fn preset(name: &str, bucket: &str) -> Option<Document> {
    let (on_bucket, on_objects) = match name {
        "download" => (json!(["s3:GetBucketLocation", "s3:ListBucket"]), json!(["s3:GetObject"])),
        "upload" => (
            json!(["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]),
            json!(["s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:PutObject", "s3:AbortMultipartUpload"]),
        ),
        "public" => (
            json!(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]),
            json!([
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
                "s3:AbortMultipartUpload",
                "s3:DeleteObject",
                "s3:GetObject",
            ]),
        ),
        _ => return None,
    };
    let statement = |actions: Value, resource: String| json!({ "Effect": "Allow", "Principal": { "AWS": ["*"] }, "Action": actions, "Resource": [resource] });
    let statements = [
        statement(on_bucket, format!("arn:aws:s3:::{bucket}")),
        statement(on_objects, format!("arn:aws:s3:::{bucket}/*")),
    ];
    Some(Document::own(json!({ "Version": "2012-10-17", "Statement": statements })))
}

/// The document that a preset's name in any case stands for; `none` is no document.
fn named(field: &str, given: &str, bucket: &str) -> Result<Option<Document>, Refusal> {
    let name = given.to_ascii_lowercase();
    if name == "none" {
        return Ok(None);
    }
    let found = preset(&name, bucket);
    found.map(Some).ok_or_else(|| Refusal::bad(field, "is not one of none, download, upload, public"))
}

fn document_in(state: &State, call: &Call, bucket: &str) -> Result<Option<Document>, Refusal> {
    let Some(given) = call.field("policy_file_content") else { return Ok(None) };
    let document = Document::bucket(given, bucket, &state.switches);
    document.map(Some).map_err(|malformed| Refusal::bad("policy_file_content", &malformed.to_string()))
}

/// The policy in the body of a bucket's creation.
pub(crate) fn given_at_creation(state: &State, call: &Call, bucket: &str) -> Result<Option<Document>, Refusal> {
    let named = call.text("policy").map(|given| named("policy", &given, bucket)).transpose()?.flatten();
    let own = document_in(state, call, bucket)?;
    match (named, own) {
        (Some(_), Some(_)) => Err(Refusal::bad("policy_file_content", "cannot go with a named policy")),
        (named, own) => Ok(named.or(own)),
    }
}

fn set(state: &mut State, bucket: &str, policy: Option<Document>) -> Answer {
    if let Some(bucket) = state.s3.buckets.get_mut(bucket) {
        bucket.policy = policy;
    }
    nothing()
}

/// `GET /s3/buckets/{bucket}/policy`: the preset's name, or `custom`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = known(state, call)?;
    let policy = state.s3.bucket(&name).and_then(|bucket| bucket.policy.as_ref());
    let shown = match policy {
        None => "none",
        Some(policy) => {
            PRESETS.into_iter().find(|wanted| preset(wanted, &name).as_ref() == Some(policy)).unwrap_or("custom")
        }
    };
    data(json!({ "policy": shown }))
}

/// `PUT /s3/buckets/{bucket}/policy`
pub(crate) fn put(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = known(state, call)?;
    let policy = named("bucket_policy", &call.required_text("bucket_policy")?, &name)?;
    set(state, &name, policy)
}

/// `GET /s3/buckets/{bucket}/policyJson`
pub(crate) fn get_json(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = known(state, call)?;
    let policy = state.s3.bucket(&name).and_then(|bucket| bucket.policy.as_ref());
    let document = policy.map_or_else(|| json!({}), |policy| policy.shown().clone());
    if state.switches.bucket_policy_json_is_string {
        let text = policy.map_or_else(String::new, |_| document.to_string());
        return data(json!({ "policy": text }));
    }
    data(json!({ "policy": document }))
}

/// `PUT /s3/buckets/{bucket}/policyJson`
pub(crate) fn put_json(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = known(state, call)?;
    let policy = document_in(state, call, &name)?.ok_or_else(|| Refusal::missing(&["policy_file_content"]))?;
    set(state, &name, Some(policy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::switches::Switches;

    #[test]
    fn the_presets_are_documents_that_would_be_accepted() {
        for name in PRESETS {
            let document = preset(name, "photos").unwrap();
            assert_eq!(Document::bucket(document.shown(), "photos", &Switches::default()).unwrap(), document, "{name}");
        }
    }
}
