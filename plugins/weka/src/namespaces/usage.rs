//! Usage of many namespaces in a bounded number of calls: one list of quotas for each filesystem, and one list of
//! filesystems for each organization.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use stowage_provider_sdk::prelude::{
    Basis, Dimension, Error, LimitState, NativeRef, Result, Usage, Usages, error, host,
};

use super::{Native, native};
use crate::api::{Filesystem, Quota};
use crate::home::Home;
use crate::reference::{Directory, Place, Whole};
use crate::rest::Rest;
use crate::{filesystems, quotas};

/// One entry for each reference, in order.
pub(crate) fn read(rest: &Rest, references: &[NativeRef]) -> Result<Usages> {
    let natives: Vec<Result<Native>> = references.iter().map(|reference| native(reference)).collect();
    // A single directory costs one GET instead of a list of all.
    if let [Ok(Native::Directory(directory))] = natives.as_slice() {
        // None there may mean that the directory was made anew: the list knows it by its path.
        if let Some(quota) = quotas::get(rest, &directory.filesystem_uid, directory.inode)? {
            return Ok(Usages::Done(vec![of_directory(directory, Some(&quota), host::now_ms())]));
        }
    }
    let mut listed: BTreeMap<&str, Listed> = BTreeMap::new();
    for native in natives.iter().flatten() {
        if let Native::Directory(directory) = native
            && !listed.contains_key(directory.filesystem_uid.as_str())
        {
            let uid = directory.filesystem_uid.as_str();
            listed.insert(uid, Listed::of(quotas::all(rest, uid)?));
        }
    }
    let homes: BTreeSet<Option<&Place>> =
        natives.iter().flatten().filter_map(whole).map(|w| w.place.as_ref()).collect();
    let mut wholes: BTreeMap<String, Filesystem> = BTreeMap::new();
    for place in homes {
        let listed = filesystems::all(&Home::of(rest, place).rest)?;
        wholes.extend(listed.into_iter().map(|filesystem| (filesystem.uid.clone(), filesystem)));
    }
    // Once: thousands of looks at the clock would be thousands of calls of the host.
    let now_ms = host::now_ms();
    let one = |native: &Result<Native>| match native {
        Ok(Native::Directory(directory)) => {
            let quota = listed.get(directory.filesystem_uid.as_str()).and_then(|listed| listed.quota(directory));
            of_directory(directory, quota, now_ms)
        }
        Ok(Native::Filesystem(whole)) => match wholes.get(&whole.uid) {
            Some(filesystem) => Ok(vec![of_filesystem(filesystem, now_ms)]),
            None => Err(error::not_found(format_args!("filesystem {}", whole.name))),
        },
        Err(error) => Err(error.clone()),
    };
    Ok(Usages::Done(natives.iter().map(one).collect()))
}

const fn whole(native: &Native) -> Option<&Whole> {
    match native {
        Native::Filesystem(whole) => Some(whole),
        Native::Directory(_) => None,
    }
}

/// Quotas of one filesystem, by inode and by path.
struct Listed {
    quotas: Vec<Quota>,
    by_inode: BTreeMap<u64, usize>,
    /// Made when it is first asked for.
    by_path: OnceCell<BTreeMap<String, usize>>,
}

impl Listed {
    fn of(quotas: Vec<Quota>) -> Self {
        let by_inode = quotas.iter().enumerate().map(|(index, quota)| (quota.inode_id, index)).collect();
        Self { quotas, by_inode, by_path: OnceCell::new() }
    }

    /// By inode, or by path when the directory was made anew.
    fn quota(&self, directory: &Directory) -> Option<&Quota> {
        let by_path = || {
            let paths = || self.quotas.iter().enumerate().filter_map(|(i, quota)| Some((quota.path()?, i))).collect();
            self.by_path.get_or_init(paths).get(&directory.path)
        };
        let index = self.by_inode.get(&directory.inode).or_else(by_path)?;
        self.quotas.get(*index)
    }
}

fn of_directory(directory: &Directory, quota: Option<&Quota>, now_ms: u64) -> Result<Vec<Usage>, Error> {
    let missing = || {
        let text = format!("directory {} has no quota, so nothing counts it; set its limits again", directory.path);
        Error { message: text, ..error::not_found("") }.with_native_code("DirectoryHasNoQuota")
    };
    quota.map(|quota| vec![quotas::usage(quota, now_ms)]).ok_or_else(missing)
}

fn of_filesystem(filesystem: &Filesystem, now_ms: u64) -> Usage {
    let full = filesystem.total_budget != 0 && filesystem.used_total >= filesystem.total_budget;
    Usage {
        dimension: Dimension::Bytes,
        used: filesystem.used_total,
        uncertainty: None,
        basis: Basis::Logical,
        state: if full { LimitState::Hard } else { LimitState::Ok },
        observed_at: now_ms,
    }
}
