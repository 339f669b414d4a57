//! Being sure of what seems to have come or gone.
//!
//! A list takes a while. A namespace that is deleted between two pages may push its neighbour over the edge of the next,
//! and one that was deleted after its page was read looks unknown. So what seems to be missing or unknown is looked at once
//! more by itself, up to a bound; what is beyond it was shown or not shown by a whole list, and says so.

use stowage_domain::{
    Bytes, Namespace, NamespaceName, UnixMillis,
    drift::{Believed, compare},
};
use stowage_ports::provider::{ErrorKind, NativeRef};

use super::{
    CONFIRMATIONS, Found, Look,
    listing::{Listing, sight},
};
use crate::{Control, Result, rows::Reads};

/// What is looked at once more.
#[derive(Debug)]
pub(super) enum Doubtful {
    /// It was listed, and no row is known for it.
    Unknown { native: NativeRef, found: Found },
    /// A row says that it is there, and the list did not show it.
    Missing { name: NamespaceName },
}

impl Control {
    /// Settles every doubt of a listing; answers how many single looks that took.
    pub(super) async fn confirm(&self, look: &Look<'_>, listing: &mut Listing) -> Result<u64> {
        let mut looks = 0usize;
        for doubtful in std::mem::take(&mut listing.doubtful) {
            let found = match doubtful {
                Doubtful::Unknown { native, found } => {
                    let allowed = looks < CONFIRMATIONS;
                    looks = looks.saturating_add(usize::from(allowed));
                    let gone = allowed && is_gone(look, &native).await;
                    if gone { Vec::new() } else { vec![found] }
                }
                Doubtful::Missing { name } => {
                    // It may have been changed while the list was read.
                    let Some(row) = self.tables.find::<Namespace>(&name).await? else { continue };
                    let native = row.value.native.as_ref().filter(|_| looks < CONFIRMATIONS);
                    looks = looks.saturating_add(usize::from(native.is_some()));
                    let native = native.map(|native| NativeRef(native.reference.clone()));
                    look_for(look, &row.value, native).await
                }
            };
            listing.found.extend(found);
        }
        Ok(u64::try_from(looks).unwrap_or(u64::MAX))
    }
}

async fn is_gone(look: &Look<'_>, native: &NativeRef) -> bool {
    match look.provider.inspect_namespace(look.cx, native).await {
        Ok(called) => compare(None, Some(&sight(&called.value)), Bytes(1), UnixMillis(0)).is_empty(),
        Err(failure) => failure.error.kind == ErrorKind::NotFound,
    }
}

async fn look_for(look: &Look<'_>, namespace: &Namespace, native: Option<NativeRef>) -> Vec<Found> {
    let (rounding, began) = (look.rounding, look.began);
    let believed = Believed::of(namespace);
    let differences = match native {
        None => compare(Some(&believed), None, rounding, began),
        Some(native) => match look.provider.inspect_namespace(look.cx, &native).await {
            Ok(called) => {
                let mut seen = sight(&called.value);
                // A single look may not show the mark; only a list that shows another one says that it is lost.
                seen.owner = Some(seen.owner.unwrap_or_else(|| believed.owner.clone()));
                compare(Some(&believed), Some(&seen), rounding, began)
            }
            Err(failure) if failure.error.kind == ErrorKind::NotFound => {
                compare(Some(&believed), None, rounding, began)
            }
            // Nobody can say: the next scan looks again.
            Err(_) => Vec::new(),
        },
    };
    let subject = namespace.native.as_ref().map(|native| native.location.clone()).unwrap_or_default();
    let found = |difference| Found { difference, resource: namespace.name.to_string(), subject: subject.clone() };
    differences.into_iter().map(found).collect()
}
