//! IAM documents: what an S3 provider is told that a credential may do, as exact bytes.
//!
//! A document names one bucket and one prefix, which ends in `/`: `a/` opens `a/x` and not `ab`. Objects and listing are
//! two statements, since `s3:ListBucket` works on the bucket and is bounded by the condition key `s3:prefix` instead of by
//! the resource. The listing condition wants the slash too: who may list `a/` may not list with the prefix `a`, which
//! would show `ab`. Actions are spelled out, never `s3:Get*`, and a text that a provider would read as a pattern (`*`, `?`,
//! `${`) never comes from a name.
//!
//! The same input gives the same bytes: keys and actions stand in one fixed order, and nothing is white space. Providers
//! count bytes and refuse beyond a limit (2048 with every S3 vendor known here); a document beyond it is refused here with
//! both numbers and never cut.

use serde::Serialize;
use stowage_domain::{Action, Actions, Prefix};

/// The version of the language that every S3 vendor takes.
const VERSION: &str = "2012-10-17";
/// The limit where a provider names none, in bytes.
pub const USUAL_LIMIT: u64 = 2048;

/// A finished document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document(Vec<u8>);

impl Document {
    /// Its exact bytes, as the provider gets them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same, given away.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IamError {
    /// It is beyond the provider's limit.
    #[error("the policy has {bytes} bytes and the provider takes {limit}: ask for a shorter prefix")]
    TooLarge {
        /// Its exact size.
        bytes: u64,
        /// What the provider takes.
        limit: u64,
    },
    /// Not a bucket's name, or one that a provider would read as a pattern.
    #[error("{0:?} is not a bucket name: 3 to 63 of a-z, 0-9, '.' and '-'")]
    Bucket(String),
    /// A prefix that a provider would read as a pattern.
    #[error("prefix {0:?} has characters that a policy reads as a pattern")]
    Prefix(String),
    /// No action on objects.
    #[error("a policy must allow at least one of read, write, list and delete, and nothing else")]
    Actions,
    /// It could not be written as JSON.
    #[error("the policy could not be written")]
    Unwritable,
}

#[derive(Serialize)]
struct Policy<'a> {
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "Statement")]
    statement: Vec<Statement<'a>>,
}

#[derive(Serialize)]
struct Statement<'a> {
    #[serde(rename = "Effect")]
    effect: &'static str,
    #[serde(rename = "Action")]
    action: Vec<&'static str>,
    #[serde(rename = "Resource")]
    resource: [&'a str; 1],
    #[serde(rename = "Condition", skip_serializing_if = "Option::is_none")]
    condition: Option<Condition<'a>>,
}

#[derive(Serialize)]
struct Condition<'a> {
    #[serde(rename = "StringLike")]
    string_like: ListedPrefix<'a>,
}

#[derive(Serialize)]
struct ListedPrefix<'a> {
    #[serde(rename = "s3:prefix")]
    prefix: [&'a str; 1],
}

/// What an action of a grant is to S3, on objects. A write includes what a multipart upload needs.
const fn on_objects(action: Action) -> &'static [&'static str] {
    match action {
        Action::Read => &["s3:GetObject"],
        Action::Write => &["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        Action::Delete => &["s3:DeleteObject"],
        Action::List | Action::Admin => &[],
    }
}

/// The document of one credential: `actions` on the objects below `prefix` in `bucket`, and nothing else.
///
/// # Errors
/// [`IamError`]; `limit` is the provider's, in bytes.
pub fn credential(bucket: &str, prefix: &Prefix, actions: &Actions, limit: u64) -> Result<Document, IamError> {
    check_bucket(bucket)?;
    check_prefix(prefix.as_str())?;
    if actions.is_empty() || actions.contains(&Action::Admin) {
        return Err(IamError::Actions);
    }
    let objects = format!("arn:aws:s3:::{bucket}/{prefix}*");
    let whole = format!("arn:aws:s3:::{bucket}");
    let below = format!("{prefix}*");
    write(actions, &objects, &whole, (!prefix.as_str().is_empty()).then_some(&below), limit)
}

/// The document of a project's parent principal: everything on objects of every bucket whose name begins with
/// `<project>-`, and nothing on the buckets themselves but listing them. A credential is the intersection of its own
/// document with this, so no session reaches beyond its project whatever its own document says.
///
/// # Errors
/// [`IamError`]; `limit` is the provider's, in bytes.
pub fn envelope(project: &str, limit: u64) -> Result<Document, IamError> {
    check_bucket(&format!("{project}-0"))?;
    let objects = format!("arn:aws:s3:::{project}-*/*");
    let whole = format!("arn:aws:s3:::{project}-*");
    let all = [Action::Read, Action::Write, Action::List, Action::Delete].into();
    write(&all, &objects, &whole, None, limit)
}

fn write(
    actions: &Actions,
    objects: &str,
    bucket: &str,
    listed: Option<&String>,
    limit: u64,
) -> Result<Document, IamError> {
    let mut statement = Vec::with_capacity(2);
    let action: Vec<&'static str> = actions.iter().flat_map(|action| on_objects(*action)).copied().collect();
    if !action.is_empty() {
        statement.push(Statement { effect: "Allow", action, resource: [objects], condition: None });
    }
    if actions.contains(&Action::List) {
        let condition = listed.map(|prefix| Condition { string_like: ListedPrefix { prefix: [prefix] } });
        statement.push(Statement { effect: "Allow", action: vec!["s3:ListBucket"], resource: [bucket], condition });
    }
    let policy = Policy { version: VERSION, statement };
    let bytes = serde_json::to_vec(&policy).map_err(|_| IamError::Unwritable)?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > limit {
        return Err(IamError::TooLarge { bytes: size, limit });
    }
    Ok(Document(bytes))
}

fn check_bucket(bucket: &str) -> Result<(), IamError> {
    let edge = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    let bytes = bucket.as_bytes();
    let fits = (3..=63).contains(&bytes.len())
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| inner(*byte));
    if fits { Ok(()) } else { Err(IamError::Bucket(bucket.to_owned())) }
}

/// The domain refuses these in every prefix; a document is the last place where one would do harm.
fn check_prefix(prefix: &str) -> Result<(), IamError> {
    let pattern = |c: char| c.is_control() || matches!(c, '*' | '?' | '$' | '{' | '}' | '\\');
    let fits = !prefix.contains(pattern) && (prefix.is_empty() || prefix.ends_with('/')) && !prefix.starts_with('/');
    if fits { Ok(()) } else { Err(IamError::Prefix(prefix.to_owned())) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    use Action::{Admin, Delete, List, Read, Write};

    fn prefix(text: &str) -> Prefix {
        Prefix::parse("prefix", text).unwrap()
    }

    fn text(document: &Document) -> &str {
        std::str::from_utf8(document.bytes()).unwrap()
    }

    /// A text against a pattern in which `*` alone is special.
    fn like(pattern: &str, text: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == text,
            Some((head, tail)) => text
                .strip_prefix(head)
                .is_some_and(|rest| (0..=rest.len()).any(|at| rest.is_char_boundary(at) && like(tail, &rest[at..]))),
        }
    }

    /// What a provider decides: some statement allows it, and every condition holds.
    fn allows(document: &Document, action: &str, resource: &str, listed: Option<&str>) -> bool {
        let policy: Value = serde_json::from_slice(document.bytes()).unwrap();
        let any = |list: &Value, holds: &dyn Fn(&str) -> bool| {
            list.as_array().unwrap().iter().any(|one| holds(one.as_str().unwrap()))
        };
        policy["Statement"].as_array().unwrap().iter().any(|statement| {
            assert_eq!(statement["Effect"], "Allow");
            any(&statement["Action"], &|one| one == action)
                && any(&statement["Resource"], &|one| like(one, resource))
                && statement.get("Condition").is_none_or(|condition| {
                    any(&condition["StringLike"]["s3:prefix"], &|one| listed.is_some_and(|text| like(one, text)))
                })
        })
    }

    #[test]
    fn a_document_is_exactly_these_bytes() {
        let document =
            credential("p1234567-0123456789", &prefix("datasets/v1"), &[Read, Write, List, Delete].into(), 2048);
        assert_eq!(
            text(&document.unwrap()),
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:AbortMultipartUpload","s3:ListMultipartUploadParts","s3:DeleteObject"],"Resource":["arn:aws:s3:::p1234567-0123456789/datasets/v1/*"]},{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::p1234567-0123456789"],"Condition":{"StringLike":{"s3:prefix":["datasets/v1/*"]}}}]}"#
        );
        let whole = credential("p1234567-0123456789", &prefix(""), &[List].into(), 2048).unwrap();
        assert_eq!(
            text(&whole),
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::p1234567-0123456789"]}]}"#
        );
        assert_eq!(
            text(&envelope("p1234567", 2048).unwrap()),
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:AbortMultipartUpload","s3:ListMultipartUploadParts","s3:DeleteObject"],"Resource":["arn:aws:s3:::p1234567-*/*"]},{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::p1234567-*"]}]}"#
        );
    }

    #[test]
    fn a_document_beyond_the_limit_is_refused_with_both_numbers() {
        let long = prefix(&vec!["x".repeat(200); 4].join("/"));
        let actions = [Read, Write, List, Delete].into();
        let size = credential("bucket", &long, &actions, u64::MAX).unwrap().bytes().len() as u64;
        assert!(credential("bucket", &long, &actions, size).is_ok());
        assert_eq!(
            credential("bucket", &long, &actions, size - 1),
            Err(IamError::TooLarge { bytes: size, limit: size - 1 })
        );
    }

    #[test]
    fn a_name_that_reads_as_a_pattern_and_admin_are_refused() {
        for bad in ["a*b", "ab", "Bucket", "a/b", "-ab", "ab-", "a?b", "${aws}"] {
            assert_eq!(credential(bad, &prefix(""), &[Read].into(), 2048), Err(IamError::Bucket(bad.to_owned())));
        }
        for bad in ["a*/", "${aws:username}/", "a?/", "/a/", "a", "a\\b/", "a\n/"] {
            assert_eq!(check_prefix(bad), Err(IamError::Prefix(bad.to_owned())));
        }
        assert!(matches!(envelope("*", 2048), Err(IamError::Bucket(_))));
        assert_eq!(credential("bucket", &prefix(""), &[Admin].into(), 2048), Err(IamError::Actions));
        assert_eq!(credential("bucket", &prefix(""), &Actions::new(), 2048), Err(IamError::Actions));
    }

    const ALL: [(Action, &str); 4] =
        [(Read, "s3:GetObject"), (Write, "s3:PutObject"), (Delete, "s3:DeleteObject"), (List, "s3:ListBucket")];

    fn some_prefix() -> impl Strategy<Value = Prefix> {
        prop::collection::vec("[ab.\" é<&]{1,3}", 0..4)
            .prop_filter("a way out", |parts| parts.iter().all(|part| part != "." && part != ".."))
            .prop_map(|parts| prefix(&parts.join("/")))
    }

    fn some_actions() -> impl Strategy<Value = Actions> {
        prop::collection::btree_set(prop_oneof![Just(Read), Just(Write), Just(List), Just(Delete)], 1..5)
            .prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        /// An object is opened by exactly the asked actions, if it lies below the prefix, and by none else.
        #[test]
        fn a_document_opens_its_prefix_and_never_a_neighbour(
            at in some_prefix(), key in "[ab/]{0,8}", actions in some_actions(), other in "[ab]{3}",
        ) {
            let document = credential("aaa", &at, &actions, u64::MAX).unwrap();
            for (action, word) in ALL.iter().take(3) {
                let allowed = |bucket: &str, key: &str| allows(&document, word, &format!("arn:aws:s3:::{bucket}/{key}"), None);
                let inside = key.starts_with(at.as_str());
                prop_assert_eq!(allowed("aaa", &key), inside && actions.contains(action));
                prop_assert_eq!(allowed("aaa", &format!("{at}{key}")), actions.contains(action));
                let below = format!("{at}{key}");
                prop_assert!(!allowed("aaab", &below));
                if other != "aaa" {
                    prop_assert!(!allowed(&other, &below));
                }
            }
        }

        /// A listing shows nothing but what lies below the prefix.
        #[test]
        fn a_listing_is_bound_to_the_prefix(at in some_prefix(), asked in "[ab/]{0,8}", actions in some_actions()) {
            let document = credential("aaa", &at, &actions, u64::MAX).unwrap();
            let lists = |prefix: &str| allows(&document, "s3:ListBucket", "arn:aws:s3:::aaa", Some(prefix));
            let may = actions.contains(&List);
            prop_assert_eq!(lists(&asked), may && asked.starts_with(at.as_str()));
            prop_assert_eq!(lists(at.as_str()), may);
            if !at.as_str().is_empty() {
                prop_assert!(!lists("") && !lists(at.as_str().trim_end_matches('/')));
                prop_assert!(!allows(&document, "s3:ListBucket", "arn:aws:s3:::aaa", None));
            }
        }

        /// Nothing is allowed but these six actions, and a session lies within its parent's envelope.
        #[test]
        fn actions_are_spelled_out_and_lie_within_the_envelope(at in some_prefix(), key in "[ab/]{1,8}", actions in some_actions()) {
            let document = credential("p1-ab", &at, &actions, u64::MAX).unwrap();
            let envelope = envelope("p1", u64::MAX).unwrap();
            for word in ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"] {
                let resource = format!("arn:aws:s3:::p1-ab/{at}{key}");
                prop_assert!(!allows(&document, word, &resource, None) || allows(&envelope, word, &resource, None));
            }
            for word in ["s3:CreateBucket", "s3:DeleteBucket", "s3:PutBucketPolicy", "s3:ListAllMyBuckets", "s3:GetBucketPolicy"] {
                for one in [&document, &envelope] {
                    prop_assert!(!allows(one, word, "arn:aws:s3:::p1-ab", Some(at.as_str())));
                }
            }
            prop_assert!(!text(&document).contains("s3:*") && !text(&envelope).contains("s3:*"));
        }
    }
}
