//! Namespaces, by the isolation that the provider is configured with.

mod directory;
mod filesystem;
mod serving;
mod usage;
mod wanted;

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::{
    Call, DataPolicy, Extensions, Limit, NamespaceSpec, NamespaceState, Namespaces, NativeRef, NodeResult, PageRequest,
    Progress, Protocol, Result, Usages, error, namespaces::Page, page,
};

pub(crate) use directory::bound;

use crate::Weka;
use crate::api::{Cluster, Filesystem, Quota};
use crate::config::Isolation;
use crate::exchanges::{CLUSTER, QUOTAS};
use crate::home::Home;
use crate::reference::{Directory, Reference, Whole};
use crate::rest::Rest;
use crate::{filesystems, mark, quotas, s3, tenants};

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

/// The bucket of a namespace.
pub(crate) fn bucket(bytes: &[u8]) -> Result<String> {
    match native(bytes)? {
        Native::Directory(Directory { bucket: Some(bucket), .. }) => Ok(bucket),
        _ => Err(error::invalid("ref", "is a namespace without `s3`; set its protocols first")),
    }
}

/// Where a tenant's namespaces are made.
fn home_of(rest: &Rest, spec: &NamespaceSpec) -> Result<Home> {
    if spec.tenant.is_empty() {
        return Err(error::invalid("tenant", "is needed under isolation `organization`: ensure the tenant first"));
    }
    Ok(Home::of(rest, Some(&tenants::place(&spec.tenant)?)))
}

/// Under `organization` a namespace has no S3: until 5.1 the protocol serves organization Root alone, and from then on each
/// organization has its own S3 set-up, which this adapter does not make.
fn posix_alone(rest: &Rest, protocols: &[Protocol]) -> Result<()> {
    if !protocols.contains(&Protocol::S3) {
        return Ok(());
    }
    let cluster: Cluster = rest.one(&CLUSTER, rest.request(), "reading the cluster")?;
    let why = if cluster.version() < (5, 1) {
        "namespaces.s3 under isolation organization before release 5.1, where S3 serves organization Root alone"
    } else {
        "namespaces.s3 under isolation organization"
    };
    Err(error::unsupported(why))
}

impl Namespaces for Weka {
    fn create(call: Call, spec: NamespaceSpec) -> Result<Progress> {
        let rest = Rest::connect()?;
        match rest.config.isolation {
            Isolation::Directory => directory::create(&rest, &call, &spec),
            Isolation::Filesystem => filesystem::create(&Home::of(&rest, None), &call, &spec),
            Isolation::Organization => {
                posix_alone(&rest, &spec.protocols)?;
                filesystem::create(&home_of(&rest, &spec)?, &call, &spec)
            }
        }
    }

    fn adopt(call: Call, location: String, spec: NamespaceSpec, dry_run: bool) -> Result<Progress> {
        let rest = Rest::connect()?;
        match rest.config.isolation {
            Isolation::Directory => directory::adopt(&rest, &call, &location, &spec, dry_run),
            Isolation::Filesystem => Err(error::unsupported("namespaces.adopt under isolation filesystem")),
            Isolation::Organization => Err(error::unsupported("namespaces.adopt under isolation organization")),
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
        let serve = wanted::protocols(&protocols)?;
        match native(&reference)? {
            Native::Directory(directory) => directory::set_protocols(&Rest::connect()?, &directory, serve),
            Native::Filesystem(_) => {
                serve.without_s3("namespaces.s3 of a filesystem")?;
                Ok(Progress::Done(reference))
            }
        }
    }

    fn set_lifecycle(_call: Call, reference: NativeRef, rules: Vec<Extensions>) -> Result<Progress> {
        let bucket = bucket(&reference)?;
        s3::lifecycle::set(&Rest::connect()?, &bucket, &rules)?;
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
                let Some(found) = listed.iter().find(|quota| quota.owner() == Some(mark.as_str())) else {
                    return Ok(None);
                };
                let buckets = s3::buckets::if_any(&rest)?;
                Ok(directory::listed_reference(&shared, found, &buckets).map(|listed| listed.native))
            }
            Isolation::Filesystem => filesystem::find(&Home::of(&rest, None), &owner),
            Isolation::Organization => find_in_organizations(&rest, &owner),
        }
    }

    fn list_page(page: PageRequest) -> Result<Page> {
        let rest = Rest::connect()?;
        match rest.config.isolation {
            Isolation::Directory => list_directories(&rest, &page),
            Isolation::Filesystem => {
                let (items, next) = page::cut(filesystem::list(&Home::of(&rest, None))?, &page)?;
                Ok(Page { items, next })
            }
            Isolation::Organization => list_an_organization(&rest, &page),
        }
    }

    fn read_usage(references: Vec<NativeRef>, _node_results: Vec<NodeResult>) -> Result<Usages> {
        usage::read(&Rest::connect()?, &references)
    }
}

/// Places that are read from the host's state at once.
const PLACES_AT_ONCE: u32 = 64;

/// Looks through every organization of Stowage's: only its own administrator sees what is in one.
fn find_in_organizations(rest: &Rest, owner: &str) -> Result<Option<NativeRef>> {
    let mut after: Option<String> = None;
    loop {
        let places = tenants::places(after.as_deref(), PLACES_AT_ONCE)?;
        for place in &places {
            if let Some(found) = filesystem::find(&Home::of(rest, Some(place)), owner)? {
                return Ok(Some(found));
            }
        }
        match places.last() {
            Some(last) => after = Some(last.organization.clone()),
            None => return Ok(None),
        }
    }
}

/// One page: of one organization, so that a page costs one list however many organizations there are.
fn list_an_organization(rest: &Rest, page: &PageRequest) -> Result<Page> {
    let (done, name) = match page.after()?.map(|cursor| cursor.split_once('/')) {
        None => (None, None),
        // `<organization>/`: that one is done. `<organization>/<name>`: it goes on after the name.
        Some(Some((organization, ""))) => (Some(organization), None),
        Some(Some((organization, name))) => (None, Some((organization, name))),
        Some(None) => return Err(error::invalid("page.cursor", "is not one that this adapter gave")),
    };
    let place = match name {
        Some((organization, _)) => tenants::place_of(organization)?,
        None => tenants::places(done, 1)?.pop(),
    };
    let Some(place) = place else {
        // An organization that went meanwhile has nothing left to list.
        let next = name.map(|(organization, _)| format!("{organization}/").into_bytes());
        return Ok(Page { items: Vec::new(), next });
    };
    let within = PageRequest { cursor: name.map(|(_, name)| name.as_bytes().to_vec()), limit: page.limit };
    let (items, more) = page::cut(filesystem::list(&Home::of(rest, Some(&place)))?, &within)?;
    let next = match more.as_deref().map(String::from_utf8_lossy) {
        Some(name) => Some(format!("{}/{name}", place.organization)),
        None if tenants::places(Some(&place.organization), 1)?.is_empty() => None,
        None => Some(format!("{}/", place.organization)),
    };
    Ok(Page { items, next: next.map(String::into_bytes) })
}

/// Where the next page begins: the backend's own page, and how many of its rows were given out.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(rename = "n", default)]
    given: usize,
    /// The filesystem's uid and name, looked up for the first page alone.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    filesystem: Option<(String, String)>,
    /// The first page found no bucket at all, so the others need not ask.
    #[serde(rename = "b", default, skip_serializing_if = "std::ops::Not::not")]
    no_buckets: bool,
}

/// One page of directories: every quota with our mark, and every one right beneath our root whoever made it.
fn list_directories(rest: &Rest, page: &PageRequest) -> Result<Page> {
    let cursor: Cursor = match page.after()? {
        None => Cursor::default(),
        Some(text) => serde_json::from_str(text)
            .map_err(|_| error::invalid("page.cursor", "is not one that this adapter gave"))?,
    };
    let shared = match cursor.filesystem {
        Some((uid, name)) if filesystems::is_uuid(&uid) => Filesystem { uid, name, ..Filesystem::default() },
        _ => filesystems::shared(rest)?,
    };
    let filesystem = Some((shared.uid.clone(), shared.name.clone()));
    let buckets = if cursor.no_buckets { Vec::new() } else { s3::buckets::if_any(rest)? };
    let no_buckets = buckets.is_empty();
    let request = quotas::list_request(rest, &shared.uid);
    let listed = rest.page::<Quota>(&QUOTAS, request, cursor.token.as_deref(), "listing quotas")?;
    let end = cursor.given.saturating_add(page.size());
    let next = if listed.rows.len() > end {
        Some(Cursor { token: cursor.token, given: end, filesystem, no_buckets })
    } else {
        listed.next.map(|token| Cursor { token: Some(token), given: 0, filesystem, no_buckets })
    };
    let beneath = format!("/{}/", rest.config.root);
    let is_ours = |quota: &Quota, path: &str| {
        quota.owner().is_some_and(mark::is_ours) || path.strip_prefix(&beneath).is_some_and(|name| !name.contains('/'))
    };
    let rows = listed.rows.iter().skip(cursor.given).take(page.size());
    let items = rows.filter_map(|quota| {
        let listed = directory::listed_reference(&shared, quota, &buckets)?;
        let location = format!("{}:{}", shared.name, listed.path);
        is_ours(quota, &listed.path).then(|| directory::state(listed.native, location, quota, &listed.served))
    });
    Ok(Page { items: items.collect(), next: next.and_then(|cursor| serde_json::to_vec(&cursor).ok()) })
}
