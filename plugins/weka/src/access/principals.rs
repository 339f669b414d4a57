//! Parent S3 users as principals.

use stowage_provider_sdk::prelude::{
    Call, NativeRef, PageRequest, PrincipalInfo, PrincipalKind, PrincipalSpec, Principals, Progress, Result, error,
};

use super::native::Parent;
use crate::rest::Rest;
use crate::s3::users::{self, MAX_NAME, Note};
use crate::s3::{self, policies};

/// Makes the user, or finds the one that is ours.
pub(crate) fn ensure(rest: &Rest, call: &Call, spec: &PrincipalSpec) -> Result<Progress> {
    let secret = wanted(spec)?;
    s3::ready(rest)?;
    let (user, _) = users::ensure(rest, &spec.name, secret, &call.owner, spec.posix)?;
    Ok(Progress::Done(Parent { uid: user.uid, name: user.username, secret: secret.to_owned() }.bytes()))
}

/// Removes the user with all that it has issued, and its policies. Absent is done.
pub(crate) fn remove(rest: &Rest, parent: &Parent) -> Result<()> {
    users::remove(rest, &parent.uid, &parent.name)?;
    policies::remove_of(rest, &parent.name)?;
    // A user made anew under the same name has another note.
    match users::note(&parent.name)? {
        Some(Note { uid: Some(uid), .. }) if uid != parent.uid => Ok(()),
        _ => users::forget(&parent.name),
    }
}

/// The user that this owner has made.
pub(crate) fn find(rest: &Rest, owner: &str) -> Result<Option<NativeRef>> {
    let listed = users::all(rest)?;
    let mut after: Option<String> = None;
    loop {
        let names = users::noted(after.as_deref(), PAGE)?;
        for name in &names {
            if let Some(note) = users::note(name)?.filter(|note| note.owner == owner)
                && let Some(user) = listed.iter().find(|user| user.username == *name)
                && is_noted(&note, &user.uid)
            {
                let parent = Parent { uid: user.uid.clone(), name: name.clone(), secret: note.secret };
                return Ok(Some(parent.bytes()));
            }
        }
        match names.into_iter().next_back() {
            Some(last) => after = Some(last),
            None => return Ok(None),
        }
    }
}

/// Every user that is noted and there.
pub(crate) fn list(rest: &Rest, page: &PageRequest) -> Result<Principals> {
    let listed = users::all(rest)?;
    let size = u32::try_from(page.size()).unwrap_or(u32::MAX);
    let names = users::noted(page.after()?, size)?;
    let mut items = Vec::new();
    for name in &names {
        let Some(note) = users::note(name)? else { continue };
        let Some(user) = listed.iter().find(|user| user.username == *name && is_noted(&note, &user.uid)) else {
            continue;
        };
        let parent = Parent { uid: user.uid.clone(), name: name.clone(), secret: note.secret };
        items.push(PrincipalInfo {
            ref_: parent.bytes(),
            name: name.clone(),
            owner: Some(note.owner),
            extensions: vec![
                ("posix.uid".to_owned(), user.posix_uid.to_string()),
                ("posix.gid".to_owned(), user.posix_gid.to_string()),
            ],
        });
    }
    let next = names.last().filter(|_| names.len() >= page.size()).map(|last| last.clone().into_bytes());
    Ok(Principals { items, next })
}

/// Names that are asked for at once.
const PAGE: u32 = 200;

fn is_noted(note: &Note, uid: &str) -> bool {
    note.uid.as_deref().is_none_or(|noted| noted == uid)
}

/// The secret of a principal that can be made; an error names the field.
fn wanted(spec: &PrincipalSpec) -> Result<&str> {
    match &spec.kind {
        PrincipalKind::Parent => {}
        PrincipalKind::Service => {
            return Err(super::unsupported("principals of kind service", "issue an access key beneath a parent"));
        }
        PrincipalKind::Other(word) => return Err(error::unsupported(word)),
    }
    let plain = spec.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !(3..=MAX_NAME).contains(&spec.name.len()) || !plain {
        return Err(error::invalid("name", "must be 3 to 32 of a-z, 0-9 and `-`: it becomes an access key"));
    }
    if spec.parent.is_some() {
        return Err(error::invalid("parent", "must be left out: a parent has none"));
    }
    spec.secret.as_deref().ok_or_else(|| error::invalid("secret", "must name the host-made secret of the principal"))
}
