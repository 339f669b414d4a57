//! Service accounts: keys of long life beneath a parent S3 user, made, listed and removed under that user's own login.
//!
//! A cluster's administrator may do none of this (`S3RoleOnlyOperation`). The secret of a new account is answered once; an
//! account whose answer was lost is found by the mark in its policy, removed and made anew.

use serde::Deserialize;
use serde_json::{Value, json};
use stowage_provider_sdk::prelude::{Result, error};

use super::document::Document;
use super::sts::Keys;
use crate::exchanges::{S3_SERVICE_ACCOUNT, S3_SERVICE_ACCOUNT_CREATE, S3_SERVICE_ACCOUNT_DELETE, S3_SERVICE_ACCOUNTS};
use crate::rest::{Rest, absent, unreadable};

/// Service accounts of one S3 user, and of a cluster [WEKA user guide, S3 limitations].
pub(crate) const MAX_PER_USER: u64 = 100;
pub(crate) const MAX_ACCOUNTS: u64 = 5000;

/// The backend as the parent S3 user.
pub(crate) fn login(rest: &Rest, secret: &str) -> Rest {
    rest.as_user(secret, rest.organization())
}

/// Access keys of the user's accounts.
pub(crate) fn keys(user: &Rest) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        access_key: String,
    }
    let doing = "listing service accounts";
    let rows: Vec<Row> = super::rows(user, &S3_SERVICE_ACCOUNTS, user.request(), "service_accounts", doing)?;
    Ok(rows.into_iter().map(|row| row.access_key).collect())
}

/// The policy of an account, if it has one of its own; `None` in the outer place when the account is not there.
pub(crate) fn policy(user: &Rest, key: &str) -> Result<Option<Option<Document>>> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(default)]
        implied_policy: bool,
        #[serde(default)]
        policy: Value,
    }
    let request = user.request().param("key", key);
    let row: Option<Row> = absent(user.one(&S3_SERVICE_ACCOUNT, request, "reading a service account"))?;
    Ok(row.map(|row| if row.implied_policy { None } else { Document::answered(row.policy) }))
}

/// The account that bears the owner's mark, with its policy.
pub(crate) fn find(user: &Rest, listed: &[String], owner: &str) -> Result<Option<(String, Document)>> {
    for key in listed {
        if let Some(Some(document)) = policy(user, key)?
            && document.bears(owner)
        {
            return Ok(Some((key.clone(), document)));
        }
    }
    Ok(None)
}

/// Makes an account with a policy of its own.
pub(crate) fn create(user: &Rest, document: &Document) -> Result<Keys> {
    #[derive(Deserialize)]
    struct Row {
        access_key: String,
    }
    let doing = "making a service account";
    let body = json!({ "policy_file_content": document.json() });
    let response = user.send(&S3_SERVICE_ACCOUNT_CREATE, user.request().json(&body), doing)?;
    let row: Row = crate::api::envelope::one(response.body())
        .map_err(|cause| unreadable(&S3_SERVICE_ACCOUNT_CREATE, doing, &cause))?;
    // In the order of the declaration: with the envelope, without it.
    let secret = response.captured(0).or_else(|| response.captured(1));
    let secret =
        secret.ok_or_else(|| error::ambiguous("a service account was made and its secret was not answered"))?;
    Ok(Keys { id: row.access_key, secret: secret.to_owned(), token: None })
}

/// Removes an account, and looks whether it is gone. Absent is done.
pub(crate) fn delete(user: &Rest, key: &str) -> Result<()> {
    let request = user.request().param("key", key);
    absent(user.done(&S3_SERVICE_ACCOUNT_DELETE, request, "removing a service account"))?;
    if keys(user)?.iter().any(|left| left == key) {
        let text = format!("the backend reported service account {key} as removed and still shows it");
        return Err(error::conflict_retry(text).with_native_code("DeleteNotApplied"));
    }
    Ok(())
}
