//! Namespaces, by the isolation that the provider is configured with.

mod directory;
mod filesystem;
mod usage;
mod wanted;

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::{
    Call, DataPolicy, Limit, NamespaceSpec, NamespaceState, Namespaces, NativeRef, NodeResult, PageRequest, Progress,
    Protocol, Result, Usages, error, namespaces::Page, page,
};

pub(crate) use directory::bound;

use crate::Weka;
use crate::api::Quota;
use crate::config::Isolation;
use crate::exchanges::QUOTAS;
use crate::reference::{Directory, Reference, Whole};
use crate::rest::Rest;
use crate::{filesystems, mark, quotas};

/// A namespace's reference.
pub(crate) enum Native {
    Directory(Directory),
    Filesystem(Whole),
}

/// Reads the reference of a namespace.
pub(crate) fn native(bytes: &[u8]) -> Result<Native> {
    match Reference::read(bytes) {
        Ok(Reference::Directory(directory)) => Ok(Native::Directory(directory)),
        Ok(Reference::Filesystem(whole)) => Ok(Native::Filesystem(whole)),
        _ => Err(error::invalid("ref", "is no reference to a namespace of this adapter")),
    }
}

/// What this version answers under isolation `organization`.
pub(crate) fn no_organizations() -> stowage_provider_sdk::Error {
    error::unsupported("isolation organization")
}

impl Namespaces for Weka {
    fn create(call: Call, spec: NamespaceSpec) -> Result<Progress> {
        let rest = Rest::connect()?;
        match rest.config.isolation {
            Isolation::Directory => directory::create(&rest, &call, &spec),
            Isolation::Filesystem => filesystem::create(&rest, &call, &spec),
            Isolation::Organization => Err(no_organizations()),
        }
    }

    fn adopt(call: Call, location: String, spec: NamespaceSpec, dry_run: bool) -> Result<Progress> {
        let rest = Rest::connect()?;
        match rest.config.isolation {
            Isolation::Directory => directory::adopt(&rest, &call, &location, &spec, dry_run),
            Isolation::Filesystem => Err(error::unsupported("namespaces.adopt under isolation filesystem")),
            Isolation::Organization => Err(no_organizations()),
        }
    }

    fn set_limits(_call: Call, reference: NativeRef, limits: Vec<Limit>) -> Result<Progress> {
        let rest = Rest::connect()?;
        match native(&reference)? {
            Native::Directory(directory) => directory::set_limits(&rest, &directory, &limits),
            Native::Filesystem(whole) => filesystem::set_limits(&rest, &whole, &limits),
        }
    }

    fn set_protocols(_call: Call, reference: NativeRef, protocols: Vec<Protocol>) -> Result<Progress> {
        native(&reference)?;
        wanted::protocols(&protocols)?;
        if protocols.is_empty() {
            return Err(error::invalid("protocols", "is empty: this adapter always serves `posix`"));
        }
        Ok(Progress::Done(reference))
    }

    fn delete(call: Call, reference: NativeRef, data: DataPolicy) -> Result<Progress> {
        let rest = Rest::connect()?;
        match native(&reference)? {
            Native::Directory(directory) => directory::delete(&rest, &call, &directory, &data),
            Native::Filesystem(whole) => filesystem::delete(&rest, &whole, &data),
        }
    }

    fn inspect(reference: NativeRef) -> Result<NamespaceState> {
        let rest = Rest::connect()?;
        match native(&reference)? {
            Native::Directory(directory) => directory::inspect(&rest, &directory),
            Native::Filesystem(whole) => filesystem::inspect(&rest, &whole),
        }
    }

    fn find(owner: String) -> Result<Option<NativeRef>> {
        let rest = Rest::connect()?;
        match rest.config.isolation {
            Isolation::Directory => {
                let shared = filesystems::shared(&rest)?;
                let mark = mark::of(&owner);
                let listed = quotas::all(&rest, &shared.uid)?;
                let found = listed.iter().find(|quota| quota.owner() == Some(mark.as_str()));
                Ok(found.and_then(|quota| directory::listed_reference(&shared, quota)).map(|(native, _)| native))
            }
            Isolation::Filesystem => filesystem::find(&rest, &owner),
            Isolation::Organization => Err(no_organizations()),
        }
    }

    fn list_page(page: PageRequest) -> Result<Page> {
        let rest = Rest::connect()?;
        match rest.config.isolation {
            Isolation::Directory => list_directories(&rest, &page),
            Isolation::Filesystem => {
                let (items, next) = page::cut(filesystem::list(&rest)?, &page)?;
                Ok(Page { items, next })
            }
            Isolation::Organization => Err(no_organizations()),
        }
    }

    fn read_usage(references: Vec<NativeRef>, _node_results: Vec<NodeResult>) -> Result<Usages> {
        usage::read(&Rest::connect()?, &references)
    }
}

/// Where the next page begins: the backend's own page, and how many of its rows were given out.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(rename = "n", default)]
    given: usize,
}

/// One page of directories: every quota with our mark, and every one right beneath our root whoever made it.
fn list_directories(rest: &Rest, page: &PageRequest) -> Result<Page> {
    let cursor: Cursor = match page.after()? {
        None => Cursor::default(),
        Some(text) => serde_json::from_str(text)
            .map_err(|_| error::invalid("page.cursor", "is not one that this adapter gave"))?,
    };
    let shared = filesystems::shared(rest)?;
    let request = quotas::list_request(rest, &shared.uid);
    let listed = rest.page::<Quota>(&QUOTAS, request, cursor.token.as_deref(), "listing quotas")?;
    let end = cursor.given.saturating_add(page.size());
    let next = if listed.rows.len() > end {
        Some(Cursor { token: cursor.token, given: end })
    } else {
        listed.next.map(|token| Cursor { token: Some(token), given: 0 })
    };
    let beneath = format!("/{}/", rest.config.root);
    let is_ours = |quota: &Quota, path: &str| {
        quota.owner().is_some_and(mark::is_ours) || path.strip_prefix(&beneath).is_some_and(|name| !name.contains('/'))
    };
    let rows = listed.rows.iter().skip(cursor.given).take(page.size());
    let items = rows.filter_map(|quota| {
        let (native, path) = directory::listed_reference(&shared, quota)?;
        is_ours(quota, &path).then(|| directory::state(native, format!("{}:{path}", shared.name), quota))
    });
    Ok(Page { items: items.collect(), next: next.and_then(|cursor| serde_json::to_vec(&cursor).ok()) })
}
