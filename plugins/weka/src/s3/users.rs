//! Parent S3 users: made with a password that only the host knows, and known again by it.
//!
//! A user has no field that could hold a mark. What proves that one of the right name is Stowage's is its password, which
//! the host made and nobody else knows: a login with it succeeds. Such a proof is needed only where the adapter's own
//! note of the user is missing or names another uid, because a refused login counts towards the lock-out.

use serde::{Deserialize, Serialize};
use serde_json::json;
use stowage_provider_sdk::prelude::{Error, ErrorKind, PosixIdentity, Result, error, host};

use crate::api::{Whoami, envelope, number};
use crate::exchanges::{PARENT_PASSWORD, USER_CREATE, USER_DELETE, USER_KEYS_RESET, USER_UPDATE, USERS, WHOAMI};
use crate::filesystems::is_uuid;
use crate::rest::{Rest, absent, unreadable};

/// The role that may do S3 and nothing else.
pub(crate) const ROLE: &str = "S3";
/// Longest name of a principal: it is an access key, a policy's beginning and a name in audits.
pub(crate) const MAX_NAME: usize = 32;
/// S3 users that a cluster holds [WEKA user guide, S3 limitations].
pub(crate) const MAX_USERS: u64 = 1024;

const NOTES: &str = "s3/principal/";

/// A row of `GET /users`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct User {
    pub(crate) uid: String,
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) role: String,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) posix_uid: u64,
    #[serde(default, deserialize_with = "number::whole")]
    pub(crate) posix_gid: u64,
    /// The IAM policy that it has.
    #[serde(default)]
    pub(crate) policy: Option<String>,
}

/// What the adapter notes of a user that it makes. It is written before the user is, so that a lost answer is found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// Its uid, once it is known.
    #[serde(rename = "u")]
    pub(crate) uid: Option<String>,
    /// The host's name of its secret; never its value.
    #[serde(rename = "s")]
    pub(crate) secret: String,
    /// The owner token of who made it first.
    #[serde(rename = "o")]
    pub(crate) owner: String,
    /// Its generated keys, where the cluster takes no others.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<Generated>,
}

/// Keys that the cluster has made for a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Generated {
    /// The access key.
    #[serde(rename = "a")]
    pub(crate) id: String,
    /// The handle of the secret.
    #[serde(rename = "h")]
    pub(crate) secret: String,
}

/// The user of this name.
pub(crate) fn named(rest: &Rest, name: &str) -> Result<Option<User>> {
    Ok(all(rest)?.into_iter().find(|user| user.username == name))
}

/// Every user that the identity sees.
pub(crate) fn all(rest: &Rest) -> Result<Vec<User>> {
    let users: Vec<User> = rest.all(&USERS, &rest.request(), "listing users")?;
    // A uid goes into paths, so it must be one.
    if users.iter().any(|user| !is_uuid(&user.uid)) {
        return Err(error::internal("a user has a uid that is no UUID").with_native_code("UnreadableAnswer"));
    }
    Ok(users)
}

/// The note of a user.
pub(crate) fn note(name: &str) -> Result<Option<Note>> {
    Ok(host::kv::load::<Note>(&format!("{NOTES}{name}"))?.map(|found| found.value))
}

/// Writes the note of a user.
pub(crate) fn write_note(name: &str, note: &Note) -> Result<()> {
    host::kv::store(&format!("{NOTES}{name}"), note, None).map(drop)
}

/// Forgets a user.
pub(crate) fn forget(name: &str) -> Result<()> {
    Ok(host::kv::delete(&format!("{NOTES}{name}"), None)?)
}

/// Up to `limit` noted names after this one, in order.
pub(crate) fn noted(after: Option<&str>, limit: u32) -> Result<Vec<String>> {
    let after = after.map(|name| format!("{NOTES}{name}"));
    let keys = host::kv::keys(NOTES, after.as_deref(), limit)?;
    Ok(keys.iter().filter_map(|key| key.strip_prefix(NOTES)).map(str::to_owned).collect())
}

/// Makes the user, or takes the one that is there and is ours, and sets its POSIX ids.
pub(crate) fn ensure(
    rest: &Rest,
    name: &str,
    secret: &str,
    owner: &str,
    posix: Option<PosixIdentity>,
) -> Result<(User, Note)> {
    let before = note(name)?;
    let found = match named(rest, name)? {
        Some(found) => ours(rest, found, secret, before.as_ref())?,
        None => make(rest, name, secret, before.as_ref().map_or(owner, |note| &note.owner), posix)?,
    };
    let note = Note {
        uid: Some(found.uid.clone()),
        secret: secret.to_owned(),
        owner: before.as_ref().map_or_else(|| owner.to_owned(), |note| note.owner.clone()),
        // A user made anew has none of the old one's.
        keys: before.as_ref().filter(|note| note.uid.as_ref() == Some(&found.uid)).and_then(|note| note.keys.clone()),
    };
    if before.as_ref() != Some(&note) {
        write_note(name, &note)?;
    }
    let found = match posix {
        Some(posix) if (found.posix_uid, found.posix_gid) != (posix.uid.into(), posix.gid.into()) => {
            let body = json!({ "posix_uid": posix.uid, "posix_gid": posix.gid });
            let request = rest.request().param("uid", &found.uid).json(&body);
            rest.done(&USER_UPDATE, request, "setting the POSIX ids of an S3 user")?;
            found
        }
        _ => found,
    };
    Ok((found, note))
}

/// Makes the user's generated keys, in place of those that it has, and notes them.
pub(crate) fn generate_keys(rest: &Rest, uid: &str, name: &str, secret: &str) -> Result<Generated> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(rename = "accessKey", alias = "access_key")]
        id: String,
    }
    let doing = "making the keys of an S3 user";
    let response = rest.send(&USER_KEYS_RESET, rest.request().param("uid", uid), doing)?;
    let row: Row = envelope::one(response.body()).map_err(|cause| unreadable(&USER_KEYS_RESET, doing, &cause))?;
    let handle = response.captured(0).or_else(|| response.captured(1));
    let handle = handle.ok_or_else(|| error::ambiguous(format_args!("{doing}: they were made and not answered")))?;
    let keys = Generated { id: row.id, secret: handle.to_owned() };
    let note = note(name)?.filter(|note| note.uid.as_deref() == Some(uid));
    let note = note.unwrap_or_else(|| Note {
        uid: Some(uid.to_owned()),
        secret: secret.to_owned(),
        owner: String::new(),
        keys: None,
    });
    write_note(name, &Note { keys: Some(keys.clone()), ..note })?;
    Ok(keys)
}

/// Removes the user of this uid and name. Absent is done; a user of that name and another uid is somebody else's.
pub(crate) fn remove(rest: &Rest, uid: &str, name: &str) -> Result<()> {
    let listed = all(rest)?;
    match listed.iter().find(|user| user.uid == uid) {
        None => return Ok(()),
        Some(found) if found.username != name || found.role != ROLE => {
            return Err(error::foreign_owner(format_args!("user {}", found.username), "whoever changed it"));
        }
        Some(_) => {}
    }
    absent(rest.done(&USER_DELETE, rest.request().param("uid", uid), "removing an S3 user"))?;
    if all(rest)?.iter().any(|user| user.uid == uid) {
        let text = format!("the backend reported S3 user {name} as removed and still shows it");
        return Err(error::conflict_retry(text).with_native_code("DeleteNotApplied"));
    }
    Ok(())
}

fn make(rest: &Rest, name: &str, secret: &str, owner: &str, posix: Option<PosixIdentity>) -> Result<User> {
    write_note(name, &Note { uid: None, secret: secret.to_owned(), owner: owner.to_owned(), keys: None })?;
    let ids = posix.map_or((0, 0), |posix| (posix.uid, posix.gid));
    let body = json!({ "username": name, "password": "", "role": ROLE, "posix_uid": ids.0, "posix_gid": ids.1 });
    let request = rest.request().json(&body).slot(PARENT_PASSWORD, secret, "password");
    let made = rest.done(&USER_CREATE, request, "making an S3 user");
    let there = match made {
        // Another try of this change was first, or somebody else.
        Err(Error { kind: ErrorKind::AlreadyExists, .. }) => {
            named(rest, name)?.map(|found| ours(rest, found, secret, None)).transpose()?
        }
        Err(error) => return Err(error),
        Ok(()) => named(rest, name)?,
    };
    there.ok_or_else(|| error::conflict_retry(format_args!("S3 user {name} exists and is not listed yet")))
}

/// It, if it is ours: by our note of its uid, or else by a login with its password.
fn ours(rest: &Rest, found: User, secret: &str, note: Option<&Note>) -> Result<User> {
    let foreign = || error::foreign_owner(format_args!("user {}", found.username), "somebody else");
    if found.role != ROLE {
        return Err(foreign());
    }
    let noted = note.is_some_and(|note| note.secret == secret && note.uid.as_deref() == Some(found.uid.as_str()));
    if noted {
        return Ok(found);
    }
    let user = rest.as_user(secret, rest.organization());
    match user.one::<Whoami>(&WHOAMI, user.request(), "logging in as an S3 user") {
        Ok(who) if who.username == found.username => Ok(found),
        Ok(_) | Err(Error { kind: ErrorKind::AuthExpired, .. }) => Err(foreign()),
        Err(error) => Err(error),
    }
}
