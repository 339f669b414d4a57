//! The provider's list, page by page, each item set against the row that its mark or its place leads to.

use std::collections::HashSet;

use stowage_domain::{
    Bytes, Namespace, NamespaceName, Protocol, Provider as ProviderRecord, ProviderName,
    capability::ConstraintValue,
    drift::{Believed, Presence, Sight, compare},
};
use stowage_ports::provider::{self as port, PageRequest};
use stowage_store::Segments;

use super::{Found, LIST_PAGE, Look, confirm::Doubtful};
use crate::{
    Control, Result, convert,
    providers::value,
    rows::{NAMESPACE_LOCATIONS, NAMESPACE_OWNERS, Reads},
};

/// The constraint, of whichever capability, that tells in what blocks a provider counts.
const ROUNDING: &str = "quota.rounding-bytes";

/// What a list has shown so far.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Uids of the namespaces that were shown.
    pub(super) seen: HashSet<u128>,
    /// What differs for sure.
    pub(super) found: Vec<Found>,
    /// What nobody here knows: it may just have been deleted.
    pub(super) doubtful: Vec<Doubtful>,
    /// Pages so far.
    pub(super) pages: u64,
    /// Items so far.
    pub(super) listed: u64,
}

/// In what blocks the provider counts bytes.
pub(super) fn rounding(record: &ProviderRecord) -> Bytes {
    let constraint = record.capabilities.iter().flat_map(|capability| &capability.constraints);
    let found = constraint.filter(|(key, _)| key == ROUNDING).find_map(|(_, value)| match value {
        ConstraintValue::Number(number) => Some(*number),
        _ => None,
    });
    Bytes(found.unwrap_or(1))
}

/// The provider's view of an item, in the words of the comparison.
pub(super) fn sight(state: &port::NamespaceState) -> Sight {
    let presence = match &state.lifecycle {
        port::Lifecycle::Ready | port::Lifecycle::Unknown => Presence::There,
        port::Lifecycle::Creating | port::Lifecycle::Deleting => Presence::Moving,
        port::Lifecycle::Hidden => Presence::Unusable("that it is hidden".to_owned()),
        port::Lifecycle::Other(word) => Presence::Unusable(word.clone()),
        port::Lifecycle::Recoverable(_) | port::Lifecycle::Gone => Presence::Gone,
    };
    let protocol = |protocol: &port::Protocol| match protocol {
        port::Protocol::Posix => Some(Protocol::Posix),
        port::Protocol::S3 => Some(Protocol::S3),
        port::Protocol::Other(_) => None,
    };
    Sight {
        location: state.location.clone(),
        owner: state.owner.clone(),
        presence,
        limits: convert::effective(&state.effective_limits),
        protocols: state.protocols.iter().filter_map(protocol).collect(),
    }
}

/// The uid as a number: it is 128 random bits in hexadecimal.
pub(super) fn uid(namespace: &Namespace) -> u128 {
    u128::from_str_radix(&namespace.uid, 16).unwrap_or_default()
}

impl Control {
    /// Walks the whole list. What was found before a page failed is kept in `listing`, and is true.
    pub(super) async fn walk_list(&self, look: &Look<'_>, listing: &mut Listing) -> Result<()> {
        let mut cursor = None;
        loop {
            let page = PageRequest { cursor, limit: LIST_PAGE };
            let answer = value(look.name, look.provider.list_namespaces(look.cx, &page).await)?;
            listing.pages = listing.pages.saturating_add(1);
            for state in &answer.items {
                listing.listed = listing.listed.saturating_add(1);
                self.compare_listed(look, state, listing).await?;
            }
            if answer.next.is_none() || answer.next == page.cursor {
                return Ok(());
            }
            cursor = answer.next;
        }
    }

    async fn compare_listed(&self, look: &Look<'_>, state: &port::NamespaceState, listing: &mut Listing) -> Result<()> {
        let seen = sight(state);
        let Some(namespace) = self.namespace_at(look.name, &seen).await? else {
            for difference in compare(None, Some(&seen), look.rounding, look.began) {
                let found = Found { difference, resource: String::new(), subject: seen.location.clone() };
                listing.doubtful.push(Doubtful::Unknown { native: state.native.clone(), found });
            }
            return Ok(());
        };
        // Something to be had back is listed and not there: the row of the namespace decides what that means.
        listing.seen.insert(uid(&namespace));
        for difference in compare(Some(&Believed::of(&namespace)), Some(&seen), look.rounding, look.began) {
            let resource = namespace.name.to_string();
            listing.found.push(Found { difference, resource, subject: seen.location.clone() });
        }
        Ok(())
    }

    /// The namespace that an item is, by its mark or else by its place.
    pub(super) async fn namespace_at(&self, provider: &ProviderName, seen: &Sight) -> Result<Option<Namespace>> {
        let id = provider.provider.as_str();
        let marks = seen.owner.iter().map(|owner| (NAMESPACE_OWNERS, owner));
        let places = std::iter::once((NAMESPACE_LOCATIONS, &seen.location));
        for (index, key) in marks.chain(places).filter(|(_, key)| !key.is_empty()) {
            if let Some((text, _)) = self.tables.lookup(index, &Segments::of([id, key.as_str()])).await? {
                let found = self.tables.find::<Namespace>(&NamespaceName::parse(&text)?).await?;
                if let Some(namespace) = found.map(|row| row.value).filter(|one| one.provider == *provider) {
                    return Ok(Some(namespace));
                }
            }
        }
        Ok(None)
    }
}
