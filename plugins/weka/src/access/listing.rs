//! Credentials that can be found again: service accounts. Sessions are in no list of the backend's.
//!
//! A list is of one S3 user, seen by that user alone, and names keys only; whose a key is stands in its policy. So the
//! parents are those that the adapter has noted, and each listed key costs one read.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::{CredentialInfo, Credentials, PageRequest, Result, error, host};

use super::native::{Key, Native, Parent};
use crate::mark;
use crate::rest::Rest;
use crate::s3::{accounts, users};

const TRACES: &str = "s3/key/";
/// Characters of an owner's digest in a key of the state.
const DIGEST: usize = 32;

/// Beneath whom an owner's key was asked for. It is written before the key is made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trace {
    #[serde(rename = "p")]
    pub(crate) parent: Parent,
}

fn place(owner: &str) -> String {
    format!("{TRACES}{}", mark::digest(owner, DIGEST))
}

/// Whether a key was ever asked for under this owner, and beneath whom.
pub(crate) fn trace(owner: &str) -> Result<Option<Trace>> {
    Ok(host::kv::load::<Trace>(&place(owner))?.map(|found| found.value))
}

/// Notes it.
pub(crate) fn write_trace(owner: &str, trace: &Trace) -> Result<()> {
    host::kv::store(&place(owner), trace, None).map(drop)
}

/// The key that bears this owner's mark. A session is never found: no list has it.
pub(crate) fn find(rest: &Rest, owner: &str) -> Result<Option<CredentialInfo>> {
    let Some(Trace { parent }) = trace(owner)? else { return Ok(None) };
    let user = accounts::login(rest, &parent.secret);
    let found = accounts::find(&user, &accounts::keys(&user)?, owner)?;
    Ok(found.map(|(key, _)| CredentialInfo { owner: Some(owner.to_owned()), ..info(key, &parent) }))
}

/// Where the next page begins: behind a parent, or behind one of its keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "p")]
    parent: String,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// Exchanges that one page may cost; a call may make 256.
const BUDGET: usize = 200;
/// Parents that one page looks at.
const PARENTS: u32 = 50;

/// Keys of one parent, or of every parent, page by page.
pub(crate) fn list(rest: &Rest, principal: Option<&[u8]>, page: &PageRequest) -> Result<Credentials> {
    let cursor: Option<Cursor> = page
        .after()?
        .map(serde_json::from_str)
        .transpose()
        .map_err(|_| error::invalid("page.cursor", "is not one that this adapter gave"))?;
    let (parents, more) = match principal {
        Some(reference) => (vec![Parent::read(reference)?], false),
        None => noted(rest, cursor.as_ref())?,
    };
    let mut items = Vec::new();
    let mut budget = BUDGET;
    for parent in &parents {
        let mut last =
            cursor.as_ref().filter(|at| at.parent == parent.name).and_then(|at| at.key.clone()).unwrap_or_default();
        let user = accounts::login(rest, &parent.secret);
        budget = budget.saturating_sub(1);
        let mut keys = accounts::keys(&user)?;
        keys.retain(|key| *key > last);
        keys.sort_unstable();
        for key in keys {
            if items.len() >= page.size() || budget == 0 {
                return Ok(Credentials { items, next: cut(&parent.name, Some(last)) });
            }
            budget = budget.saturating_sub(1);
            // Removed since it was listed.
            let Some(policy) = accounts::policy(&user, &key)? else { continue };
            let state = if policy.is_some_and(|policy| policy.is_marked()) { LIVE } else { UNMARKED };
            last.clone_from(&key);
            items.push(CredentialInfo { state: state.to_owned(), ..info(key, parent) });
        }
        if budget == 0 {
            return Ok(Credentials { items, next: cut(&parent.name, None) });
        }
    }
    let next = parents.last().filter(|_| more).and_then(|parent| cut(&parent.name, None));
    Ok(Credentials { items, next })
}

/// A key that was issued by Stowage, and one that bears no mark of Stowage's.
const LIVE: &str = "live";
const UNMARKED: &str = "unmarked";

fn cut(parent: &str, key: Option<String>) -> Option<Vec<u8>> {
    serde_json::to_vec(&Cursor { parent: parent.to_owned(), key }).ok()
}

/// The noted parents of one page that are there, and whether there may be more.
fn noted(rest: &Rest, cursor: Option<&Cursor>) -> Result<(Vec<Parent>, bool)> {
    let listed = users::all(rest)?;
    let mut names = match cursor {
        Some(Cursor { parent, key: Some(_) }) => vec![parent.clone()],
        _ => Vec::new(),
    };
    let found = users::noted(cursor.map(|at| at.parent.as_str()), PARENTS)?;
    let more = found.len() as u64 >= u64::from(PARENTS);
    names.extend(found);
    let mut parents = Vec::new();
    for name in names {
        let Some(note) = users::note(&name)? else { continue };
        if let Some(user) = listed.iter().find(|user| user.username == name && user.role == users::ROLE) {
            parents.push(Parent { uid: user.uid.clone(), name, secret: note.secret });
        }
    }
    Ok((parents, more))
}

fn info(key: String, parent: &Parent) -> CredentialInfo {
    let native = Native::Key(Key { key: key.clone(), parent: parent.clone() });
    CredentialInfo {
        ref_: native.bytes(),
        principal: parent.bytes(),
        id: key,
        // A policy holds a digest of the owner only: `find` answers whose a key is.
        owner: None,
        session_name: None,
        expires_at: None,
        state: LIVE.to_owned(),
    }
}
