//! What a refusal means: from the status and the whole body to the contract's error.
//!
//! The backend's exceptions come as 400 with class names in `data.exceptionClass`, but the same words also stand in
//! `message`, `data.error` or `data.reason`, and come with 403, 404 or 500. So a rule looks for its words anywhere in the
//! body, and the status decides only where no word does. A rule that looked at 404 alone would take a missing *route* for
//! a missing object, and delete records of namespaces that are still there.

use serde_json::Value;
use stowage_provider_sdk::prelude::{Error, FieldFault, error};

/// A refusal.
pub(crate) struct Refusal<'a> {
    /// HTTP status.
    pub(crate) status: u16,
    /// The whole body.
    pub(crate) body: &'a [u8],
    /// Whether the exchange changes nothing.
    pub(crate) safe: bool,
    /// What was being done, for the message.
    pub(crate) doing: &'a str,
}

/// Words that decide.
pub(crate) struct Rule {
    /// Native code of the error when the body names no exception.
    pub(crate) code: &'static str,
    /// Statuses that it may come with; empty for any.
    statuses: &'static [u16],
    /// Each must stand in the body, without regard to case; of one entry, any of the words.
    words: &'static [&'static [&'static str]],
    /// What it means.
    means: fn(&Told) -> Error,
}

/// What a refusal tells.
pub(crate) struct Told {
    /// For a person.
    text: String,
    /// The whole body in lower case.
    body: String,
    fields: Vec<FieldFault>,
}

/// Milliseconds after which a full task table is asked again: quota colouring of a small tree takes seconds.
const TASKS_RETRY_MS: u32 = 5_000;

/// What the S3 side needs first.
pub(crate) const S3_REMEDY: &str =
    "add an S3 protocol container to the cluster and configure S3 with a data and a configuration filesystem";

/// What a quota on a directory with content needs.
pub(crate) const DATA_SERVICES_REMEDY: &str =
    "start a data-services container on the cluster, or empty the directory, so that its quota can be applied";

/// The rules, most specific first.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        code: "LockedOut",
        statuses: &[403],
        words: &[&["locked out"]],
        means: |told| error::locked_out(seconds(&told.body)),
    },
    Rule {
        code: "CannotStartOperationTooManyTasks",
        statuses: &[],
        words: &[&["cannotstartoperationtoomanytasks"]],
        means: |told| error::throttled(Some(TASKS_RETRY_MS)).with_message(&told.text),
    },
    Rule {
        code: "NoValidProtocolContainerToRunIn",
        statuses: &[],
        words: &[&["novalidprotocolcontainertorunin"]],
        means: |_| error::not_ready("namespaces.s3", "S3_NOT_ENABLED", S3_REMEDY),
    },
    Rule {
        code: "S3ClusterNotConfigured",
        statuses: &[],
        words: &[&["s3 cluster is not configured"]],
        means: |_| error::not_ready("namespaces.s3", "S3_NOT_ENABLED", S3_REMEDY),
    },
    Rule {
        code: "S3RoleOnlyOperation",
        statuses: &[],
        words: &[&["s3roleonlyoperation"]],
        means: |told| error::unsupported("s3 operation as this role").with_message(&told.text),
    },
    Rule {
        code: "RouteDoesNotExist",
        statuses: &[],
        words: &[&["route "], &[" does not exist"]],
        means: |told| error::unsupported("a call that this release does not have").with_message(&told.text),
    },
    Rule {
        code: "FilesystemInUseByNFSException",
        statuses: &[],
        words: &[&["filesysteminusebynfsexception"]],
        means: |told| error::in_use("the filesystem", "an NFS export").with_message(&told.text),
    },
    Rule {
        code: "FilesystemHasSnapshots",
        statuses: &[],
        words: &[&["filesystemhassnapshots", "filesystem has snapshots"]],
        means: |told| error::in_use("the filesystem", crate::snapshots::HOLDERS).with_message(&told.text),
    },
    Rule {
        code: "SnapshotsBeingDeleted",
        statuses: &[],
        words: &[&["operation not allowed to start in filesystem"]],
        means: |told| error::conflict_retry(&told.text),
    },
    Rule { code: "PATH_NOT_FOUND", statuses: &[], words: &[&["path_not_found"]], means: |told| gone("the path", told) },
    Rule {
        code: "DirectoryHasNoQuota",
        statuses: &[],
        words: &[&["directory has no quota"]],
        means: |told| gone("the quota", told),
    },
    Rule {
        code: "DoesNotExistException",
        statuses: &[],
        words: &[&["doesnotexistexception"]],
        means: |told| gone("the object", told),
    },
    Rule {
        code: "UnknownUid",
        statuses: &[404],
        words: &[&["uid:"], &["not found"]],
        means: |told| gone("the object", told),
    },
    Rule {
        code: "TableFull",
        statuses: &[],
        words: &[&["table is full"]],
        means: |told| error::capacity_exhausted(full_table(&told.body), 0, 0).with_message(&told.text),
    },
    Rule {
        code: "OrganizationQuotaExceeded",
        statuses: &[],
        words: &[&["organizationquotaexceeded"]],
        means: |told| error::capacity_exhausted("tenant.bytes", 0, 0).with_message(&told.text),
    },
    Rule {
        code: "NotEnoughCapacity",
        statuses: &[],
        words: &[&["capacity"], &["not enough", "insufficient", "no space"]],
        means: |told| error::capacity_exhausted("capacity.bytes", 0, 0).with_message(&told.text),
    },
    Rule {
        code: "NonEmptyDirectory",
        statuses: &[],
        words: &[&["non-empty", "not empty", "nonempty", "data service"]],
        means: |_| error::not_ready("quota.non-empty", "DATA_SERVICES_NOT_RUNNING", DATA_SERVICES_REMEDY),
    },
    Rule {
        code: "StsTableFull",
        statuses: &[],
        words: &[&["sts credentials"], &["too many", "limit"]],
        means: |told| error::capacity_exhausted("session.max-live", 5000, 5000).with_message(&told.text),
    },
    Rule {
        code: "ServiceAccountTableFull",
        statuses: &[],
        words: &[&["service accounts"], &["too many", "limit"]],
        means: |told| error::capacity_exhausted("key.max", 5000, 5000).with_message(&told.text),
    },
    Rule {
        code: "S3TableFull",
        statuses: &[],
        words: &[&["buckets", "policies", "lifecycle rules"], &["which is the limit", "rules already"]],
        means: |told| error::capacity_exhausted("s3.objects", 0, 0).with_message(&told.text),
    },
    Rule {
        code: "NoAttachedPolicy",
        statuses: &[],
        words: &[&["no attached policy", "with an s3 policy attached"]],
        means: |_| error::not_ready("policy", "PARENT_HAS_NO_POLICY", "apply the parent's policy first"),
    },
    Rule {
        code: "ParentKeysRefused",
        statuses: &[],
        words: &[&["access key or the secret key"], &["wrong", "invalid"]],
        means: |told| gone("the parent S3 user with these keys", told),
    },
    Rule {
        code: "PathUsed",
        statuses: &[],
        words: &[&["already used by bucket"]],
        means: |told| error::in_use("the directory", "another bucket").with_message(&told.text),
    },
    Rule {
        code: "AlreadyExists",
        statuses: &[],
        words: &[&["already exist", "already in use", "already present in the list"]],
        means: |told| error::already_exists("an object of that name").with_message(&told.text),
    },
    Rule {
        code: "MissingParameters",
        statuses: &[400],
        words: &[&["missing_params"]],
        means: |told| error::invalid_fields(told.fields.clone()),
    },
];

/// Which table is full.
fn full_table(body: &str) -> &'static str {
    match body {
        body if body.contains("tenant") || body.contains("organization") => "organizations",
        body if body.contains("user") => "users",
        body if body.contains("security policy") => "fences",
        body if body.contains("filesystem") => "filesystems",
        _ => "objects",
    }
}

/// The error of a refusal.
pub(crate) fn classify(refusal: &Refusal<'_>) -> Error {
    let parsed: Option<Value> = serde_json::from_slice(refusal.body).ok();
    let told = Told {
        text: format!("{}: {}", refusal.doing, text(parsed.as_ref())),
        body: String::from_utf8_lossy(refusal.body).to_lowercase(),
        fields: missing(parsed.as_ref()),
    };
    let (error, code) = match rule(refusal.status, &told.body) {
        Some(rule) => ((rule.means)(&told), Some(rule.code)),
        None => by_status(refusal, &told),
    };
    match exception(parsed.as_ref()).or_else(|| code.map(str::to_owned)) {
        Some(code) => error.with_native_code(code),
        None => error,
    }
}

/// The first rule whose words all stand in the body (in lower case).
pub(crate) fn rule(status: u16, body: &str) -> Option<&'static Rule> {
    let stands = |any: &&[&str]| any.iter().any(|word| body.contains(word));
    RULES
        .iter()
        .find(|rule| (rule.statuses.is_empty() || rule.statuses.contains(&status)) && rule.words.iter().all(stands))
}

fn by_status(refusal: &Refusal<'_>, told: &Told) -> (Error, Option<&'static str>) {
    let text = &told.text;
    match refusal.status {
        401 => (error::auth_expired(text), Some("Unauthorized")),
        403 => (error::permission_denied(text), Some("Forbidden")),
        404 => (gone("the object", told), Some("NotFound")),
        409 => (error::conflict_retry(text), Some("Conflict")),
        429 => (error::throttled(None).with_message(text), Some("TooManyRequests")),
        400..=499 => (error::invalid_fields(told.fields.clone()).with_message(text), Some("BadRequest")),
        // The server refuses work before it begins it.
        503 => (error::unreachable(text), Some("ServiceUnavailable")),
        // A gateway's word says nothing of what the server did; a server's crash neither.
        _ if refusal.safe => (error::unreachable(text), Some("ServerError")),
        _ => (error::ambiguous(text), Some("ServerError")),
    }
}

fn gone(what: &str, told: &Told) -> Error {
    error::not_found(what).with_message(&told.text)
}

/// The backend's own words, cut to a length that fits a log line.
fn text(parsed: Option<&Value>) -> String {
    let place =
        |pointer| parsed.and_then(|body| body.pointer(pointer)).and_then(Value::as_str).filter(|t| !t.is_empty());
    let words = ["/message", "/data/error", "/data/reason", "/data"].into_iter().find_map(place);
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    words.unwrap_or("the backend refused without a reason").chars().map(clean).take(300).collect()
}

/// The most specific exception; the last of the list says nothing.
fn exception(parsed: Option<&Value>) -> Option<String> {
    let classes = parsed?.pointer("/data/exceptionClass")?.as_array()?;
    let named = classes.iter().filter_map(Value::as_str).find(|class| *class != "OperationFailedException")?;
    Some(named.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(80).collect())
}

fn missing(parsed: Option<&Value>) -> Vec<FieldFault> {
    let data = parsed.and_then(|body| body.get("data"));
    let listed = data.and_then(|data| data.get("missing_params")).and_then(Value::as_array);
    let names = listed.into_iter().flatten().filter_map(Value::as_str);
    let mut faults: Vec<_> = names
        .map(|name| FieldFault { field: name.to_owned(), problem: "the backend asks for it".to_owned() })
        .collect();
    if let Some(name) = data.and_then(|data| data.get("param")).and_then(Value::as_str) {
        let problem =
            data.and_then(|data| data.get("error")).and_then(Value::as_str).unwrap_or("the backend refuses it");
        faults.push(FieldFault { field: name.to_owned(), problem: problem.chars().take(200).collect() });
    }
    faults
}

/// Longest lock-out that the backend's policy allows, in seconds.
const LONGEST_LOCKOUT_S: u32 = 3_600;
/// The policy's default, for a text without a time.
const DEFAULT_LOCKOUT_S: u32 = 120;

/// Seconds in a text such as `locked out for 2 minutes` or `locked out for another 1m55s`.
fn seconds(body: &str) -> u32 {
    let Some((_, after)) = body.split_once("locked out for") else { return DEFAULT_LOCKOUT_S };
    let mut total = 0_u32;
    let mut number: Option<u32> = None;
    for c in after.chars().take(40) {
        match (c.to_digit(10), number) {
            (Some(digit), _) => number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit)),
            (None, Some(count)) if c == 'h' || c == 'm' || c == 's' => {
                let unit = match c {
                    'h' => 3_600,
                    'm' => 60,
                    _ => 1,
                };
                total = total.saturating_add(count.saturating_mul(unit));
                number = None;
            }
            (None, _) => {}
        }
    }
    if total == 0 { DEFAULT_LOCKOUT_S } else { total.min(LONGEST_LOCKOUT_S) }
}

trait WithMessage {
    fn with_message(self, text: &str) -> Self;
}

impl WithMessage for Error {
    fn with_message(mut self, text: &str) -> Self {
        text.clone_into(&mut self.message);
        self
    }
}

#[cfg(test)]
mod tests {
    use stowage_provider_sdk::prelude::ErrorKind;

    use super::*;

    fn told(status: u16, body: &str, safe: bool) -> Error {
        classify(&Refusal { status, body: body.as_bytes(), safe, doing: "test" })
    }

    fn exceptions(classes: &str) -> String {
        format!(r#"{{"message":"no","data":{{"exceptionClass":[{classes},"OperationFailedException"]}}}}"#)
    }

    /// One real or documented body for each rule, with the kind's name.
    fn examples() -> Vec<(&'static str, u16, String, &'static str)> {
        vec![
            ("LockedOut", 403, r#"{"data":"Authentication Failed. User has been locked out for another 1m55s"}"#.into(), "LockedOut(115)"),
            ("CannotStartOperationTooManyTasks", 400, r#"{"message":"Operation cannot start because there are already 32 tasks running","data":{"tasks_num":32,"exceptionClass":["CannotStartOperationTooManyTasks","BadStateException","OperationFailedException"]}}"#.into(), "Throttled(Some(5000))"),
            ("NoValidProtocolContainerToRunIn", 400, exceptions(r#""NoValidProtocolContainerToRunIn""#), "NotReady"),
            ("S3ClusterNotConfigured", 400, r#"{"message":"S3 cluster is not configured"}"#.into(), "NotReady"),
            ("S3RoleOnlyOperation", 403, r#"{"message":"S3RoleOnlyOperation"}"#.into(), "Unsupported"),
            ("RouteDoesNotExist", 404, r#"{"message":"Route GET - /api/v2/x does not exist"}"#.into(), "Unsupported"),
            ("FilesystemInUseByNFSException", 400, exceptions(r#""FilesystemInUseByNFSException""#), "InUse"),
            ("FilesystemHasSnapshots", 400, r#"{"message":"Filesystem has snapshots"}"#.into(), "InUse"),
            ("SnapshotsBeingDeleted", 400, r#"{"message":"Operation not allowed to start in filesystem fs01 because snapshots are being deleted in it"}"#.into(), "ConflictRetry"),
            ("PATH_NOT_FOUND", 400, r#"{"message":"PATH_NOT_FOUND /x"}"#.into(), "NotFound"),
            ("DirectoryHasNoQuota", 500, r#"{"message":"Directory has no quota"}"#.into(), "NotFound"),
            ("DoesNotExistException", 400, exceptions(r#""FilesystemDoesNotExistException""#), "NotFound"),
            ("UnknownUid", 404, r#"{"message":"uid: 'x' not found"}"#.into(), "NotFound"),
            ("TableFull", 400, r#"{"message":"Could not create tenant: Tenant table is full"}"#.into(), "CapacityExhausted"),
            ("OrganizationQuotaExceeded", 400, exceptions(r#""OrganizationQuotaExceededException""#), "CapacityExhausted"),
            ("NotEnoughCapacity", 400, r#"{"message":"Not enough SSD capacity"}"#.into(), "CapacityExhausted"),
            ("NonEmptyDirectory", 400, r#"{"message":"setting quota is not supported on non-empty volume"}"#.into(), "NotReady"),
            ("StsTableFull", 400, r#"{"message":"Too many STS credentials: 5000 are live"}"#.into(), "CapacityExhausted"),
            ("ServiceAccountTableFull", 400, r#"{"message":"The cluster has 5000 service accounts, which is the limit"}"#.into(), "CapacityExhausted"),
            ("S3TableFull", 400, r#"{"message":"The cluster has 10000 buckets, which is the limit"}"#.into(), "CapacityExhausted"),
            ("NoAttachedPolicy", 400, r#"{"message":"The user has no attached policy"}"#.into(), "NotReady"),
            ("ParentKeysRefused", 400, r#"{"message":"The access key or the secret key of the S3 user is wrong"}"#.into(), "NotFound"),
            ("PathUsed", 400, r#"{"message":"Path /a is already used by bucket b"}"#.into(), "InUse"),
            ("AlreadyExists", 409, r#"{"message":"filesystem fs1 already exists"}"#.into(), "AlreadyExists"),
            ("MissingParameters", 400, r#"{"message":"error","data":{"missing_params":["hard_limit_bytes"]}}"#.into(), "Invalid"),
        ]
    }

    #[test]
    fn every_rule_has_an_example_that_it_decides() {
        let covered: Vec<_> = examples().iter().map(|(code, ..)| *code).collect();
        let rules: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(covered, rules);
        for (code, status, body, kind) in examples() {
            assert_eq!(rule(status, &body.to_lowercase()).unwrap().code, code);
            let error = told(status, &body, true);
            assert!(format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{kind}")), "{code}: {:?}", error.kind);
            assert!(error.native_code.is_some());
        }
    }

    #[test]
    fn a_code_is_found_wherever_it_stands_and_whatever_the_status() {
        for status in [400, 403, 500] {
            for body in [
                r#"{"message":"NoValidProtocolContainerToRunIn"}"#,
                r#"{"data":{"error":"NoValidProtocolContainerToRunIn"}}"#,
                r#"{"data":{"reason":"NoValidProtocolContainerToRunIn"}}"#,
                r#"{"data":{"exceptionClass":["A","NoValidProtocolContainerToRunIn"]}}"#,
            ] {
                assert!(matches!(told(status, body, true).kind, ErrorKind::NotReady(_)), "{status} {body}");
            }
        }
    }

    #[test]
    fn the_most_specific_exception_is_the_native_code() {
        let error = told(400, &exceptions(r#""NewException","BadStateException""#), true);
        assert_eq!(error.native_code.as_deref(), Some("NewException"));
        assert!(!error.message.contains("400"), "an error tells no HTTP status: {}", error.message);
    }

    #[test]
    fn a_status_decides_only_without_words() {
        for (status, safe, kind) in [
            (401, true, "AuthExpired"),
            (403, true, "PermissionDenied"),
            (404, true, "NotFound"),
            (409, true, "ConflictRetry"),
            (418, true, "Invalid"),
            (429, true, "Throttled(None)"),
            (500, true, "Unreachable"),
            (500, false, "Ambiguous"),
            (502, false, "Ambiguous"),
            (503, false, "Unreachable"),
        ] {
            let error = told(status, r#"{"message":"x"}"#, safe);
            assert!(
                format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{kind}")),
                "{status}: {:?}",
                error.kind
            );
        }
    }

    #[test]
    fn lock_out_texts_give_their_seconds() {
        for (text, expected) in [
            ("locked out for 2 minutes", 120),
            ("locked out for another 1m55s", 115),
            ("locked out for 30 seconds", 30),
            ("locked out for ever", DEFAULT_LOCKOUT_S),
            ("locked out for 99999999999 hours", LONGEST_LOCKOUT_S),
            ("locked out", DEFAULT_LOCKOUT_S),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn control_characters_and_length_of_the_backends_words_are_bounded() {
        let error = told(400, &format!("{{\"message\":\"{}\\u0007\"}}", "x".repeat(5000)), true);
        assert!(error.message.len() < 400 && !error.message.contains('\u{7}'));
    }
}
