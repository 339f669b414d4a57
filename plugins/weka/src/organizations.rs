//! Organizations, as the cluster's administrator sees them: listed, made with their own administrator, limited, removed.
//!
//! What is *in* an organization its administrator alone can see: the cluster's administrator cannot list, mount or remove
//! another organization's filesystems [WEKA user guide, organizations]. So whatever is done within one logs in to it.

use serde_json::json;
use stowage_provider_sdk::prelude::{Result, error};

use crate::api::Organization;
use crate::exchanges::{
    ORGANIZATION, ORGANIZATION_CREATE, ORGANIZATION_DELETE, ORGANIZATION_LIMITS, ORGANIZATION_REVOKE, ORGANIZATIONS,
};
use crate::filesystems::is_uuid;
use crate::rest::{Rest, absent};

/// Every organization.
pub(crate) fn all(rest: &Rest) -> Result<Vec<Organization>> {
    let rows: Vec<Organization> = rest.all(&ORGANIZATIONS, &rest.request(), "listing organizations")?;
    rows.into_iter().map(checked).collect()
}

/// The one of this uid.
pub(crate) fn get(rest: &Rest, uid: &str) -> Result<Option<Organization>> {
    absent(rest.one(&ORGANIZATION, rest.request().param("uid", uid), "reading an organization"))?
        .map(checked)
        .transpose()
}

/// Makes one with its administrator. The host puts the name and the password of `secret` in.
pub(crate) fn create(rest: &Rest, name: &str, secret: &str, total_quota: u64) -> Result<Organization> {
    let body = json!({ "name": name, "username": "", "password": "", "ssd_quota": 0, "total_quota": total_quota });
    let [username, password] = crate::exchanges::ADMINISTRATOR;
    let request = rest.request().json(&body).slot(username, secret, "username").slot(password, secret, "password");
    checked(rest.one(&ORGANIZATION_CREATE, request, "making an organization")?)
}

/// Sets the capacity that it may use; 0 is no limit.
pub(crate) fn set_quota(rest: &Rest, uid: &str, total_quota: u64) -> Result<Organization> {
    let body = json!({ "ssd_quota": 0, "total_quota": total_quota });
    let request = rest.request().param("uid", uid).json(&body);
    checked(rest.one(&ORGANIZATION_LIMITS, request, "limiting an organization")?)
}

/// Ends all its logins and mount tokens.
pub(crate) fn revoke(rest: &Rest, uid: &str) -> Result<()> {
    rest.done(&ORGANIZATION_REVOKE, rest.request().param("uid", uid), "revoking an organization's tokens")
}

/// Removes it, and answers what a GET shows then.
pub(crate) fn remove(rest: &Rest, uid: &str) -> Result<Option<Organization>> {
    absent(rest.done(&ORGANIZATION_DELETE, rest.request().param("uid", uid), "removing an organization"))?;
    get(rest, uid)
}

/// A uid goes into paths, so it must be one.
fn checked(organization: Organization) -> Result<Organization> {
    if is_uuid(&organization.uid) {
        Ok(organization)
    } else {
        Err(error::internal("an organization has a uid that is no UUID").with_native_code("UnreadableAnswer"))
    }
}
