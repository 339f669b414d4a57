//! Policy documents: what is accepted, and what the evaluator gets to see of it.
//!
//! The documents list nineteen actions, no partial wildcards, 2048 bytes for an IAM policy, and for bucket policies no
//! `s3:*` either. What is accepted is kept as it came and shown again so. The evaluator wants one form of many:
//! lists instead of single values, its own names of the lifecycle actions, `{"AWS": [...]}` as principal.
//!
//! Counter-example: `StringNotEquals` never reaches the evaluator, because its release 0.0.3 negates it twice; it goes as
//! `StringNotLike`, and values with wildcards are refused. Operators on numbers and dates are refused for like reasons.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use rustfs_policy::policy::resource::Resource;
use rustfs_policy::policy::{BucketPolicy, Policy, Validator};

use crate::switches::{Conditions, Switches};

/// Bytes of an IAM policy as JSON without spaces (documented: 2 KB; whether spaces count is not).
pub(crate) const LONGEST: usize = 2048;

/// What a statement may name, beside `s3:*` in IAM policies (documented).
pub(crate) const ACTIONS: [&str; 18] = [
    "s3:AbortMultipartUpload",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject",
    "s3:GetBucketLocation",
    "s3:GetBucketPolicy",
    "s3:GetBucketTagging",
    "s3:GetLifecycleConfiguration",
    "s3:GetObject",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:PutBucketPolicy",
    "s3:PutBucketTagging",
    "s3:PutLifecycleConfiguration",
    "s3:PutObject",
];

const OPERATORS: [&str; 9] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "IpAddress",
    "NotIpAddress",
    "Bool",
    "Null",
];

/// Why a document is refused; each reads on after the name of the field.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("is not a JSON object")]
    NotAnObject,
    #[error("is {0} bytes long; {LONGEST} are allowed")]
    TooLong(usize),
    #[error("has the version {0}; only \"2012-10-17\" is known")]
    Version(String),
    #[error("has no {0}")]
    Lacks(&'static str),
    #[error("has the element {0}, which is not supported")]
    Element(String),
    #[error("names the action {0}, which is not supported")]
    Action(String),
    #[error("names the resource {0}, which is not of this bucket")]
    Resource(String),
    #[error("has the condition {0}, which is not supported")]
    Condition(String),
    #[error("cannot be used: {0}")]
    Unusable(String),
}

/// An accepted document, as it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Document(Value);

impl Document {
    /// Accepts an IAM, service account or session policy.
    pub(crate) fn iam(given: &Value, switches: &Switches) -> Result<Self, Malformed> {
        let given = object_in(given)?;
        let length = given.to_string().len();
        if length > LONGEST {
            return Err(Malformed::TooLong(length));
        }
        let document = Self(given);
        let canonical = document.canonical(Form::Iam, switches.s3_conditions)?;
        Policy::parse_config(canonical.to_string().as_bytes()).map_err(unusable)?;
        Ok(document)
    }

    /// Accepts the policy of a bucket.
    pub(crate) fn bucket(given: &Value, bucket: &str, switches: &Switches) -> Result<Self, Malformed> {
        let document = Self(object_in(given)?);
        let canonical = document.canonical(Form::Bucket, switches.s3_conditions)?;
        let policy: BucketPolicy = serde_json::from_str(&canonical.to_string()).map_err(unusable)?;
        policy.is_valid().map_err(unusable)?;
        for resource in policy.statements.iter().flat_map(|statement| statement.resources.iter()) {
            if let Resource::S3(pattern) = resource {
                let of = pattern.split('/').next().unwrap_or_default();
                if !Resource::S3(of.to_owned()).match_resource(bucket) {
                    return Err(Malformed::Resource(pattern.clone()));
                }
            }
        }
        Ok(document)
    }

    /// One of this code's own making.
    pub(crate) fn own(document: Value) -> Self {
        Self(document)
    }

    pub(crate) fn shown(&self) -> &Value {
        &self.0
    }

    /// What the evaluator decides a user's call by.
    pub(crate) fn as_iam(&self, conditions: Conditions) -> Option<Policy> {
        let canonical = self.canonical(Form::Iam, conditions).ok()?;
        serde_json::from_str(&canonical.to_string()).ok()
    }

    /// What the evaluator decides an anonymous call by.
    pub(crate) fn as_bucket(&self, conditions: Conditions) -> Option<BucketPolicy> {
        let canonical = self.canonical(Form::Bucket, conditions).ok()?;
        serde_json::from_str(&canonical.to_string()).ok()
    }

    fn canonical(&self, form: Form, conditions: Conditions) -> Result<Value, Malformed> {
        let whole = self.0.as_object().ok_or(Malformed::NotAnObject)?;
        match whole.get("Version") {
            None => {}
            Some(Value::String(version)) if version == "2012-10-17" => {}
            Some(other) => return Err(Malformed::Version(other.to_string())),
        }
        if let Some(other) = whole.keys().find(|key| !["Version", "Id", "ID", "Statement"].contains(&key.as_str())) {
            return Err(Malformed::Element(other.clone()));
        }
        let statements = several(whole.get("Statement"));
        if statements.is_empty() {
            return Err(Malformed::Lacks("Statement"));
        }
        let mut out = Vec::new();
        for statement in statements {
            let statement = statement.as_object().ok_or(Malformed::NotAnObject)?;
            out.extend(canonical_statement(statement, form, conditions)?);
        }
        Ok(json!({ "Version": "2012-10-17", "Statement": out }))
    }
}

/// Whose policy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Iam,
    Bucket,
}

fn unusable(problem: impl std::fmt::Display) -> Malformed {
    Malformed::Unusable(problem.to_string())
}

/// The object itself, or the one in a string.
fn object_in(given: &Value) -> Result<Value, Malformed> {
    let given = match given {
        Value::String(text) => serde_json::from_str(text).map_err(|_| Malformed::NotAnObject)?,
        other => other.clone(),
    };
    if given.is_object() { Ok(given) } else { Err(Malformed::NotAnObject) }
}

/// One or many, as many.
fn several(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}

/// `None` for a statement that the switches take out of play.
fn canonical_statement(
    statement: &Map<String, Value>,
    form: Form,
    conditions: Conditions,
) -> Result<Option<Value>, Malformed> {
    let known = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];
    let principal_fits = form == Form::Bucket || !statement.contains_key("Principal");
    if let Some(other) = statement.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Malformed::Element(other.clone()));
    }
    if !principal_fits {
        return Err(Malformed::Element("Principal".to_owned()));
    }
    let mut out = Map::new();
    out.insert("Effect".to_owned(), statement.get("Effect").cloned().ok_or(Malformed::Lacks("Effect"))?);
    let actions = several(statement.get("Action"));
    if actions.is_empty() {
        return Err(Malformed::Lacks("Action"));
    }
    let actions: Vec<Value> =
        actions.into_iter().map(|action| canonical_action(action, form).map(Value::from)).collect::<Result<_, _>>()?;
    out.insert("Action".to_owned(), Value::Array(actions));
    let resources = several(statement.get("Resource"));
    if resources.is_empty() {
        return Err(Malformed::Lacks("Resource"));
    }
    out.insert("Resource".to_owned(), resources.into_iter().cloned().collect());
    if form == Form::Bucket {
        let principal = statement.get("Principal").ok_or(Malformed::Lacks("Principal"))?;
        let aws = principal.get("AWS").unwrap_or(principal);
        out.insert("Principal".to_owned(), json!({ "AWS": several(Some(aws)) }));
    }
    let given = statement.get("Condition").and_then(Value::as_object).filter(|given| !given.is_empty());
    if let Some(given) = given {
        match conditions {
            Conditions::Enforced => {
                out.insert("Condition".to_owned(), canonical_condition(given)?);
            }
            Conditions::Ignored => {}
            Conditions::NeverMatch => return Ok(None),
            Conditions::Refused => return Err(Malformed::Element("Condition".to_owned())),
        }
    }
    Ok(Some(Value::Object(out)))
}

fn canonical_action(action: &Value, form: Form) -> Result<&str, Malformed> {
    let name = action.as_str().ok_or_else(|| Malformed::Action(action.to_string()))?;
    match name {
        "s3:*" if form == Form::Iam => Ok(name),
        name if ACTIONS.contains(&name) => Ok(evaluators_name(name)),
        other => Err(Malformed::Action(other.to_owned())),
    }
}

/// The evaluator calls the lifecycle actions differently.
pub(crate) fn evaluators_name(action: &str) -> &str {
    match action {
        "s3:GetLifecycleConfiguration" => "s3:GetBucketLifecycle",
        "s3:PutLifecycleConfiguration" => "s3:PutBucketLifecycle",
        other => other,
    }
}

fn canonical_condition(given: &Map<String, Value>) -> Result<Value, Malformed> {
    let mut out = Map::new();
    for (operator, keys) in given {
        let (qualifier, name) = match operator.split_once(':') {
            Some((qualifier, name)) => (format!("{qualifier}:"), name),
            None => (String::new(), operator.as_str()),
        };
        if !OPERATORS.contains(&name) {
            return Err(Malformed::Condition(operator.clone()));
        }
        let keys = keys.as_object().ok_or_else(|| Malformed::Condition(operator.clone()))?;
        let name = if name == "StringNotEquals" {
            let has_wildcard = |value: &&Value| value.as_str().is_none_or(|text| text.contains(['*', '?']));
            if keys.values().flat_map(|values| several(Some(values))).any(|value| has_wildcard(&value)) {
                return Err(Malformed::Condition(format!("{operator} with a wildcard")));
            }
            "StringNotLike"
        } else {
            name
        };
        let place = out.entry(format!("{qualifier}{name}")).or_insert_with(|| json!({}));
        let Some(place) = place.as_object_mut() else { continue };
        for (key, values) in keys {
            if place.insert(key.clone(), values.clone()).is_some() {
                return Err(Malformed::Condition(format!("{operator} twice on {key}")));
            }
        }
    }
    Ok(Value::Object(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(action: &str, more: Value) -> Value {
        let mut statement = json!({ "Effect": "Allow", "Action": [action], "Resource": ["arn:aws:s3:::b/*"] });
        statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    }

    #[test]
    fn only_the_documented_actions_are_accepted() {
        let switches = Switches::default();
        for action in ACTIONS.into_iter().chain(["s3:*"]) {
            Document::iam(&with(action, json!({})), &switches).unwrap();
        }
        for action in ["s3:Get*", "s3:GetObjectTagging", "s3:PutBucketAcl", "*", "admin:*", "sts:AssumeRole"] {
            let refused = Document::iam(&with(action, json!({})), &switches).unwrap_err();
            assert_eq!(refused, Malformed::Action(action.to_owned()));
        }
        let mut open = with("s3:*", json!({ "Principal": "*" }));
        assert!(Document::bucket(&open, "b", &switches).is_err());
        open["Statement"][0]["Action"] = json!("s3:GetObject");
        Document::bucket(&open, "b", &switches).unwrap();
        assert_eq!(Document::bucket(&open, "c", &switches), Err(Malformed::Resource("b/*".to_owned())));
    }

    #[test]
    fn the_limit_is_2048_bytes_without_spaces() {
        let switches = Switches::default();
        let base = with("s3:GetObject", json!({ "Sid": "" })).to_string().len();
        let exactly = with("s3:GetObject", json!({ "Sid": "x".repeat(LONGEST - base) }));
        assert_eq!(exactly.to_string().len(), LONGEST);
        Document::iam(&json!(serde_json::to_string_pretty(&exactly).unwrap()), &switches).unwrap();
        let over = with("s3:GetObject", json!({ "Sid": "x".repeat(LONGEST - base + 1) }));
        assert_eq!(Document::iam(&over, &switches), Err(Malformed::TooLong(LONGEST + 1)));
    }

    #[test]
    fn what_the_evaluator_would_misread_is_refused() {
        let switches = Switches::default();
        for condition in [
            json!({ "DateLessThan": { "aws:CurrentTime": "2026-01-01T00:00:00Z" } }),
            json!({ "NumericLessThanEquals": { "s3:max-keys": "10" } }),
            json!({ "StringNotEquals": { "s3:prefix": "a/*" } }),
            json!({ "StringLike": { "s3:nonsense": "a" } }),
        ] {
            assert!(Document::iam(&with("s3:ListBucket", json!({ "Condition": condition })), &switches).is_err());
        }
        for element in ["NotAction", "NotResource", "Principal"] {
            assert!(Document::iam(&with("s3:ListBucket", json!({ element: "x" })), &switches).is_err(), "{element}");
        }
        let refusing = Switches { s3_conditions: Conditions::Refused, ..Switches::default() };
        let like = with("s3:ListBucket", json!({ "Condition": { "StringLike": { "s3:prefix": "a/*" } } }));
        Document::iam(&like, &switches).unwrap();
        assert!(Document::iam(&like, &refusing).is_err());
    }
}
