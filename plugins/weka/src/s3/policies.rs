//! IAM policies of S3 users. A user has one policy, and attaching another replaces it.
//!
//! A policy cannot be changed, only made and removed, and a policy that is removed and made anew leaves its user for a
//! moment without one. So each document has a name of its own, `<user>-<digest of the document>`: the new one is made,
//! attached in place of the old one, and only then the old one goes. At every moment the user has either policy whole. A
//! repeated call finds what is done already by the same names.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use stowage_provider_sdk::prelude::{Error, ErrorKind, Result, error};

use super::document::Document;
use super::users;
use crate::api::{Junk, envelope};
use crate::exchanges::{
    S3_POLICIES, S3_POLICY, S3_POLICY_ATTACH, S3_POLICY_CREATE, S3_POLICY_DELETE, S3_POLICY_DETACH, S3_USER_POLICIES,
};
use crate::mark;
use crate::rest::{Rest, absent, unreadable};

/// IAM policies that a cluster holds [WEKA user guide, S3 limitations].
pub(crate) const MAX_POLICIES: u64 = 1024;

const DIGEST: usize = 12;
/// Names that are tried for one document, when another hand has put other content under the first.
const TRIES: u32 = 4;

/// Makes the user's policy this document, or none.
pub(crate) fn apply(rest: &Rest, user: &str, wanted: Option<&Document>) -> Result<()> {
    let attached = attached(rest, user)?;
    let listed = names(rest)?;
    let keep = match wanted {
        Some(document) => Some(replace(rest, user, document, attached.as_deref(), &listed)?),
        None => {
            if attached.is_some() {
                detach(rest, user)?;
            }
            None
        }
    };
    remove_all_but(rest, user, keep.as_deref(), &listed)
}

/// The user's policy, whoever wrote it.
pub(crate) fn read(rest: &Rest, user: &str) -> Result<Option<Document>> {
    match attached(rest, user)? {
        Some(name) => content(rest, &name),
        None => Ok(None),
    }
}

/// Removes what the user leaves behind, once it is gone.
pub(crate) fn remove_of(rest: &Rest, user: &str) -> Result<()> {
    let listed = names(rest)?;
    remove_all_but(rest, user, None, &listed)
}

fn replace(rest: &Rest, user: &str, document: &Document, attached: Option<&str>, listed: &[String]) -> Result<String> {
    for turn in 0..TRIES {
        let name = name(user, document, turn);
        if listed.contains(&name) {
            // A lost answer has left it, or another hand has changed it: then it is not overwritten but passed by.
            if content(rest, &name)?.is_some_and(|found| !found.says(document)) {
                continue;
            }
        } else {
            let count = listed.len() as u64;
            if count >= MAX_POLICIES {
                return Err(error::capacity_exhausted("s3.policies", count, MAX_POLICIES));
            }
            create(rest, &name, document)?;
        }
        if attached != Some(name.as_str()) {
            attach(rest, user, &name)?;
        }
        return Ok(name);
    }
    Err(error::foreign_owner(format_args!("the policy of S3 user {user}"), "whoever changed it"))
}

/// Removes the policies that were made for the user, but for one, and never one that somebody has.
fn remove_all_but(rest: &Rest, user: &str, keep: Option<&str>, listed: &[String]) -> Result<()> {
    let stale: Vec<_> = listed.iter().filter(|name| is_of(name, user) && keep != Some(name.as_str())).collect();
    if stale.is_empty() {
        return Ok(());
    }
    let in_use = map(rest)?;
    for name in stale {
        if !in_use.values().any(|used| used == name) {
            let request = rest.request().param("policy", name);
            absent(rest.done(&S3_POLICY_DELETE, request, "removing an IAM policy"))?;
        }
    }
    Ok(())
}

fn name(user: &str, document: &Document, turn: u32) -> String {
    let mut text = String::from_utf8_lossy(&document.bytes()).into_owned();
    if turn > 0 {
        text.push_str(&turn.to_string());
    }
    format!("{user}-{}", mark::digest(&text, DIGEST))
}

fn is_of(name: &str, user: &str) -> bool {
    name.strip_prefix(user)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|digest| digest.len() == DIGEST && digest.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn create(rest: &Rest, name: &str, document: &Document) -> Result<()> {
    let body = json!({ "policy_name": name, "policy_file_content": document.json() });
    match rest.done(&S3_POLICY_CREATE, rest.request().json(&body), "making an IAM policy") {
        // The name follows from the content, so another try of the same change has made it.
        Err(Error { kind: ErrorKind::AlreadyExists, .. }) => Ok(()),
        made => made,
    }
}

fn attach(rest: &Rest, user: &str, name: &str) -> Result<()> {
    let body = json!({ "policy_name": name, "user_name": user });
    rest.done(&S3_POLICY_ATTACH, rest.request().json(&body), "attaching an IAM policy")?;
    match attached(rest, user)? {
        Some(found) if found == name => Ok(()),
        _ => Err(error::conflict_retry(format_args!("S3 user {user} does not show its new policy yet"))),
    }
}

fn detach(rest: &Rest, user: &str) -> Result<()> {
    rest.done(&S3_POLICY_DETACH, rest.request().json(&json!({ "user_name": user })), "detaching an IAM policy")
}

/// The host masks the value of a field that is named like a secret, and here users' names are the fields: the policy of a
/// user called `sw-p2k4tpem` comes as this. Then the user's own row tells it.
const MASKED: &str = "[masked]";

fn attached(rest: &Rest, user: &str) -> Result<Option<String>> {
    let told = map(rest)?.remove(user);
    let told =
        if told.as_deref() == Some(MASKED) { users::named(rest, user)?.and_then(|row| row.policy) } else { told };
    Ok(told.filter(|name| !name.is_empty()))
}

/// Every S3 user's policy; an empty name is none.
fn map(rest: &Rest) -> Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Users {
        users: BTreeMap<String, Option<String>>,
    }
    let users: Users = rest.one(&S3_USER_POLICIES, rest.request(), "listing the policies of S3 users")?;
    Ok(users.users.into_iter().map(|(user, policy)| (user, policy.unwrap_or_default())).collect())
}

fn names(rest: &Rest) -> Result<Vec<String>> {
    let doing = "listing IAM policies";
    let response = rest.send(&S3_POLICIES, rest.request(), doing)?;
    names_in(response.body()).map_err(|cause| unreadable(&S3_POLICIES, doing, &cause))
}

/// No source shows the list's shape: names, objects with a name, or a map from name to document.
fn names_in(body: &[u8]) -> Result<Vec<String>, Junk> {
    let junk = || Junk("the answer holds no list of policies".to_owned());
    let list = match envelope::data(body)? {
        Value::Object(mut fields) if fields.contains_key("policies") => fields.remove("policies").unwrap_or_default(),
        other => other,
    };
    match list {
        Value::Array(rows) => {
            let name = |row: Value| match row {
                Value::String(name) => Some(name),
                Value::Object(fields) => {
                    ["name", "policy_name"].iter().find_map(|key| fields.get(*key)?.as_str().map(str::to_owned))
                }
                _ => None,
            };
            rows.into_iter().map(|row| name(row).ok_or_else(junk)).collect()
        }
        Value::Object(map) if !map.is_empty() && map.values().all(Value::is_object) => {
            Ok(map.into_iter().map(|(name, _)| name).collect())
        }
        _ => Err(junk()),
    }
}

fn content(rest: &Rest, name: &str) -> Result<Option<Document>> {
    #[derive(Deserialize)]
    struct Row {
        policy: Value,
    }
    let request = rest.request().param("policy", name);
    let row: Option<Row> = absent(rest.one(&S3_POLICY, request, "reading an IAM policy"))?;
    Ok(row.and_then(|row| match row.policy {
        Value::Object(mut fields) if fields.contains_key("content") => {
            Document::answered(fields.remove("content").unwrap_or_default())
        }
        other => Document::answered(other),
    }))
}

#[cfg(test)]
mod tests {
    use stowage_provider_sdk::prelude::Policy;

    use super::*;

    #[test]
    fn a_name_follows_from_user_and_document() {
        let document = |text: &str| Document::read(&Policy::IamJson(text.as_bytes().to_vec())).unwrap();
        let (one, two) = (document(r#"{"Statement":[]}"#), document(r#"{"Statement":[1]}"#));
        let first = name("sw-ab12cd34", &one, 0);
        assert_eq!(first, name("sw-ab12cd34", &one, 0));
        assert_ne!(first, name("sw-ab12cd34", &two, 0));
        assert_ne!(first, name("sw-ab12cd34", &one, 1));
        assert!(is_of(&first, "sw-ab12cd34"));
        for other in ["readwrite", "sw-ab12cd34", "sw-ab12cd34-x", "sw-ab12cd34x-0123456789ab"] {
            assert!(!is_of(other, "sw-ab12cd34"), "{other}");
        }
        assert!(!is_of(&name("sw-ab12cd34-0123456789ab", &one, 0), "sw-ab12cd34"));
    }

    #[test]
    fn the_list_of_policies_is_read_in_every_shape() {
        for body in [
            r#"{"data":{"session_id":"s","policies":["a","b"]}}"#,
            r#"{"data":["a","b"]}"#,
            r#"{"data":[{"name":"a"},{"policy_name":"b"}]}"#,
            r#"{"data":{"policies":{"a":{},"b":{}}}}"#,
        ] {
            assert_eq!(names_in(body.as_bytes()).unwrap(), ["a", "b"], "{body}");
        }
        for body in ["", "{}", r#"{"data":7}"#, r#"{"data":[7]}"#, r#"{"data":null}"#, r#"{"data":{"session_id":"s"}}"#]
        {
            assert!(names_in(body.as_bytes()).is_err(), "{body}");
        }
    }
}
