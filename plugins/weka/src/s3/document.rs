//! Policy documents as this backend takes them: IAM's JSON, in 2048 bytes, of the actions that it knows.
//!
//! The document comes finished from the host and is only written small here. A key of long life bears its owner's mark in
//! the `Sid` of its first statement, because a service account has no other field that could hold one; the mark is counted.

use serde_json::Value;
use stowage_provider_sdk::prelude::{Policy, Result, error};

use crate::mark;

/// Longest policy of a user, a session or a key, in bytes [WEKA user guide, S3 limitations].
pub(crate) const MAX_BYTES: u64 = 2048;

/// Actions that the backend knows [WEKA user guide, S3 IAM policies]. `s3:*` is one of them, parts of a name with `*` are
/// not.
const ACTIONS: [&str; 19] = [
    "*",
    "AbortMultipartUpload",
    "CreateBucket",
    "DeleteBucket",
    "DeleteBucketPolicy",
    "DeleteObject",
    "GetBucketLocation",
    "GetBucketPolicy",
    "GetBucketTagging",
    "GetLifecycleConfiguration",
    "GetObject",
    "ListAllMyBuckets",
    "ListBucket",
    "ListBucketMultipartUploads",
    "ListMultipartUploadParts",
    "PutBucketPolicy",
    "PutBucketTagging",
    "PutLifecycleConfiguration",
    "PutObject",
];

const SID_PREFIX: &str = "sw";
const SID_DIGITS: usize = 20;

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document(Value);

impl Document {
    /// The document of a policy; anything that is no JSON object is refused.
    pub(crate) fn read(policy: &Policy) -> Result<Self> {
        let bytes = match policy {
            Policy::IamJson(bytes) => bytes,
            Policy::Native(_) => return Err(error::unsupported("policies other than iam-json")),
            Policy::Other(word) => return Err(error::unsupported(word)),
        };
        match serde_json::from_slice(bytes) {
            Ok(document @ Value::Object(_)) => Ok(Self(document)),
            _ => Err(error::invalid("policy", "is no JSON object")),
        }
    }

    /// As the backend answers it: an object, or one in a string.
    pub(crate) fn answered(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(document @ Value::Object(_)) => Some(Self(document)),
                _ => None,
            },
            document @ Value::Object(_) => Some(Self(document)),
            _ => None,
        }
    }

    /// With the owner's mark.
    #[must_use]
    pub(crate) fn marked(mut self, owner: &str) -> Self {
        if let Some(first) = first_statement(&mut self.0) {
            first.insert("Sid".to_owned(), sid(owner).into());
        }
        self
    }

    /// Whether it bears the owner's mark.
    pub(crate) fn bears(&self, owner: &str) -> bool {
        self.sid().is_some_and(|found| found == sid(owner))
    }

    /// Whether it bears a mark of Stowage's.
    pub(crate) fn is_marked(&self) -> bool {
        self.sid().is_some_and(is_mark)
    }

    /// Whether both say the same. A backend may answer a document in another form than it took: a list for a single
    /// text, another order, an empty `Sid`.
    pub(crate) fn says(&self, other: &Self) -> bool {
        canonical(&self.0) == canonical(&other.0)
    }

    /// Without the mark: what was asked for.
    #[must_use]
    pub(crate) fn unmarked(mut self) -> Self {
        if self.is_marked()
            && let Some(first) = first_statement(&mut self.0)
        {
            first.remove("Sid");
        }
        self
    }

    /// Bytes of its smallest form.
    pub(crate) fn size(&self) -> u64 {
        self.bytes().len() as u64
    }

    /// Its smallest form.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }

    /// The JSON that is sent.
    pub(crate) const fn json(&self) -> &Value {
        &self.0
    }

    /// What the backend could not say of it, each in an operator's words.
    pub(crate) fn losses(&self) -> Vec<String> {
        let mut losses: Vec<String> = self
            .actions()
            .filter(|action| !action.strip_prefix("s3:").is_some_and(|name| ACTIONS.contains(&name)))
            .map(|action| format!("action {action} is not known to the backend"))
            .collect();
        losses.sort_unstable();
        losses.dedup();
        losses
    }

    /// It, if the backend takes it whole.
    pub(crate) fn fitting(self) -> Result<Self> {
        if let Some(loss) = self.losses().first() {
            return Err(error::invalid("policy", loss));
        }
        match self.size() {
            0..=MAX_BYTES => Ok(self),
            size => Err(error::too_large("policy.bytes", size, MAX_BYTES)),
        }
    }

    /// Whether some action is a pattern, which a bucket's own policy may not hold.
    pub(crate) fn has_patterns(&self) -> bool {
        self.actions().any(|action| action.contains('*'))
    }

    fn actions(&self) -> impl Iterator<Item = &str> {
        statements(&self.0).filter_map(|statement| statement.get("Action")).flat_map(|action| match action {
            Value::Array(actions) => actions.iter().filter_map(Value::as_str).collect(),
            Value::String(action) => vec![action.as_str()],
            _ => Vec::new(),
        })
    }

    fn sid(&self) -> Option<&str> {
        statements(&self.0).next()?.get("Sid")?.as_str()
    }
}

fn sid(owner: &str) -> String {
    format!("{SID_PREFIX}{}", mark::digest(owner, SID_DIGITS))
}

fn is_mark(sid: &str) -> bool {
    sid.strip_prefix(SID_PREFIX)
        .is_some_and(|digits| digits.len() == SID_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Fields whose single text means a list of one, and whose order means nothing.
const SETS: [&str; 6] = ["Action", "NotAction", "Resource", "NotResource", "AWS", "Statement"];

fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, value)| name.as_str() != "Sid" || value.as_str() != Some(""));
            let read = |(name, value): (&String, &Value)| {
                let read = match canonical(value) {
                    one @ (Value::String(_) | Value::Object(_)) if SETS.contains(&name.as_str()) => {
                        Value::Array(vec![one])
                    }
                    // The values of a condition's key are a set too.
                    one @ Value::String(_) if name.contains(':') => Value::Array(vec![one]),
                    other => other,
                };
                (name.clone(), read)
            };
            Value::Object(kept.map(read).collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(canonical).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

fn statements(document: &Value) -> impl Iterator<Item = &Value> {
    let all = match document.get("Statement") {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    all.iter()
}

fn first_statement(document: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    match document.get_mut("Statement")? {
        Value::Array(all) => all.first_mut()?.as_object_mut(),
        one => one.as_object_mut(),
    }
}

#[cfg(test)]
mod tests {
    use stowage_provider_sdk::prelude::ErrorKind;

    use super::*;

    fn document(text: &str) -> Document {
        Document::read(&Policy::IamJson(text.as_bytes().to_vec())).unwrap()
    }

    const READ: &str = r#"{ "Version": "2012-10-17",
        "Statement": [ { "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/p/*" } ] }"#;

    #[test]
    fn a_document_is_written_small_and_comes_back_the_same() {
        let read = document(READ);
        assert!(read.size() < READ.len() as u64);
        let text = String::from_utf8(read.bytes()).unwrap();
        assert_eq!(Document::answered(Value::String(text)).unwrap(), read);
    }

    #[test]
    fn a_mark_is_found_counted_and_taken_off_again() {
        for text in [READ.to_owned(), READ.replace(['[', ']'], "")] {
            let plain = document(&text);
            let marked = plain.clone().marked("op-1");
            assert!(marked.bears("op-1") && !marked.bears("op-2") && marked.is_marked() && !plain.is_marked());
            assert!(marked.size() > plain.size());
            assert_eq!(marked.unmarked(), plain);
        }
        let named = document(&READ.replace("\"Effect\"", "\"Sid\": \"swimmers\", \"Effect\""));
        assert_eq!(named.clone().unmarked(), named, "a name of its own is no mark");
    }

    #[test]
    fn the_size_is_bounded_to_the_byte() {
        let padding = |bytes: usize| {
            let text = READ.replace("b/p/", &format!("b/{}/", "x".repeat(bytes)));
            document(&text)
        };
        let room = usize::try_from(MAX_BYTES - padding(0).size()).unwrap();
        assert_eq!(padding(room).fitting().unwrap().size(), MAX_BYTES);
        let error = padding(room + 1).fitting().unwrap_err();
        let ErrorKind::TooLarge(hit) = error.kind else { panic!("{error:?}") };
        assert_eq!((hit.counter.as_str(), hit.used, hit.limit), ("policy.bytes", MAX_BYTES + 1, MAX_BYTES));
    }

    #[test]
    fn actions_that_the_backend_does_not_know_are_losses() {
        for (action, known) in
            [("s3:*", true), ("s3:PutObject", true), ("s3:Get*", false), ("s3:GetObjectVersion", false), ("*", false)]
        {
            let text = READ.replace("s3:GetObject", action);
            assert_eq!(document(&text).losses().is_empty(), known, "{action}");
            assert_eq!(document(&text).has_patterns(), action.contains('*'));
        }
    }

    #[test]
    fn a_document_in_another_form_says_the_same() {
        let one = document(READ);
        let other = READ
            .replace("\"arn:aws:s3:::b/p/*\"", "[\"arn:aws:s3:::b/p/*\"]")
            .replace("\"Effect\"", "\"Sid\":\"\",\"Effect\"");
        assert!(one.says(&document(&other)) && one != document(&other));
        assert!(!one.says(&document(&READ.replace("b/p/", "b/q/"))));
        assert!(!one.says(&document(&READ.replace("Allow", "Deny"))));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for bytes in [&b""[..], b"[]", b"\"x\"", b"{"] {
            assert!(Document::read(&Policy::IamJson(bytes.to_vec())).is_err());
        }
        assert!(Document::read(&Policy::Native(Vec::new())).is_err());
    }
}
