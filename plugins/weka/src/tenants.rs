//! Isolation `organization`: a tenant's place is an organization of the cluster, with an administrator of its own.
//!
//! The password is the host's: it makes a secret for the tenant, names it in the call (`tenant.secret`), and puts its two
//! fields into the exchange that makes the organization and into every login there. An organization has no field for an
//! owner, so its name ends with eight characters that follow from the owner token: `sw-<tenant>-<owner>`, 32 at most.
//!
//! Which secret opens which organization is kept in the host's state as well, because a list of namespaces has no tenant
//! to start from, and the cluster's administrator cannot see into an organization.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::{
    Basis, Call, Dimension, Enforcement, Error, ErrorKind, Limit, LimitScope, LimitState, NativeRef, Progress, Result,
    TenantState, Tenants, Usage, error, host, lookup, short_name,
};

use crate::Weka;
use crate::api::{Organization, Whoami};
use crate::config::{Isolation, ROOT_ORGANIZATION};
use crate::exchanges::WHOAMI;
use crate::limits::{UNLIMITED_BYTES, rounded};
use crate::organizations;
use crate::reference::{Place, Reference, Tenant};
use crate::rest::Rest;

/// The registered key of a call's extensions that names the secret which the host has made for the tenant.
pub(crate) const SECRET: &str = "tenant.secret";
/// Where the host's state keeps the secrets of organizations.
const KEPT: &str = "tenant/";

const PREFIX: &str = "sw-";
const OWNER_LENGTH: usize = 8;
/// Most characters of the tenant's part: with prefix, hyphen and owner the name has 30.
const TENANT_LENGTH: usize = 18;

impl Tenants for Weka {
    fn ensure(call: Call, tenant: String, limits: Vec<Limit>) -> Result<Progress> {
        let rest = Rest::connect()?;
        offered(&rest)?;
        let wanted = quota(&limits)?;
        let Some(secret) = lookup(&call.extensions, SECRET).filter(|secret| !secret.is_empty()) else {
            let remedy = "use a host that makes a secret for each tenant: the call names none";
            return Err(error::not_ready("tenants", "NO_TENANT_SECRET", remedy));
        };
        let stem = stem(&tenant)?;
        let name = format!("{stem}{}", short_name(&call.owner, OWNER_LENGTH));
        let organization = match find(&rest, &stem, &name)? {
            Some(found) => found,
            None => make(&rest, &name, secret, wanted)?,
        };
        let place = Place { uid: organization.uid, organization: name, secret: secret.to_owned() };
        opens(&rest, &place)?;
        keep(&place)?;
        Ok(Progress::Done(Reference::Tenant(Tenant { place }).bytes()))
    }

    fn inspect(reference: NativeRef) -> Result<TenantState> {
        let rest = Rest::connect()?;
        let place = place(&reference)?;
        let found = current(&rest, &place)?.ok_or_else(|| gone(&place))?;
        let full = found.total_quota != 0 && found.total_allocated >= found.total_quota;
        let usage = Usage {
            dimension: Dimension::Bytes,
            used: found.total_allocated,
            uncertainty: None,
            // What its filesystems may hold together, whatever is in them.
            basis: Basis::Other("allocated".to_owned()),
            state: if full { LimitState::Hard } else { LimitState::Ok },
            observed_at: host::now_ms(),
        };
        Ok(TenantState {
            ref_: reference,
            // The name holds a digest of the owner only.
            owner: None,
            limits: limit(found.total_quota).into_iter().collect(),
            usage: vec![usage],
            extensions: vec![("organization".to_owned(), found.name)],
        })
    }

    fn set_limits(_call: Call, reference: NativeRef, limits: Vec<Limit>) -> Result<Progress> {
        let rest = Rest::connect()?;
        let place = place(&reference)?;
        let wanted = quota(&limits)?;
        let found = current(&rest, &place)?.ok_or_else(|| gone(&place))?;
        if wanted != 0 && wanted < found.total_allocated {
            return Err(error::too_large("tenant.bytes", found.total_allocated, wanted));
        }
        if !rounded(found.total_quota, wanted) {
            let set = organizations::set_quota(&rest, &place.uid, wanted)?;
            if !rounded(set.total_quota, wanted) {
                let text = format!("organization {} does not show its new quota yet", place.organization);
                return Err(error::conflict_retry(text));
            }
        }
        Ok(Progress::Done(reference))
    }

    fn revoke_tokens(_call: Call, reference: NativeRef) -> Result<Progress> {
        let rest = Rest::connect()?;
        let place = place(&reference)?;
        current(&rest, &place)?.ok_or_else(|| gone(&place))?;
        organizations::revoke(&rest, &place.uid)?;
        Ok(Progress::Done(reference))
    }

    fn delete_empty(_call: Call, reference: NativeRef) -> Result<Progress> {
        let rest = Rest::connect()?;
        let place = place(&reference)?;
        if let Some(found) = current(&rest, &place)? {
            // Removing an organization removes its filesystems too, whoever made them.
            if found.total_allocated != 0 {
                let what = format!("organization {}", place.organization);
                return Err(error::in_use(what, format_args!("filesystems of {} bytes", found.total_allocated)));
            }
            if organizations::remove(&rest, &place.uid)?.is_some() {
                let text =
                    format!("the backend reported organization {} as removed and still shows it", place.organization);
                return Err(error::conflict_retry(text).with_native_code("DeleteNotApplied"));
            }
        }
        host::kv::delete(&format!("{KEPT}{}", place.organization), None)?;
        Ok(Progress::Done(reference))
    }
}

/// What is kept of an organization.
#[derive(Serialize, Deserialize)]
struct Kept {
    uid: String,
    secret: String,
}

fn keep(place: &Place) -> Result<()> {
    let key = format!("{KEPT}{}", place.organization);
    let kept = host::kv::load::<Kept>(&key)?;
    if kept.is_some_and(|kept| kept.value.uid == place.uid && kept.value.secret == place.secret) {
        return Ok(());
    }
    host::kv::store(&key, &Kept { uid: place.uid.clone(), secret: place.secret.clone() }, None).map(drop)
}

/// Up to `count` places, in the order of their names, after the organization `after`.
pub(crate) fn places(after: Option<&str>, count: u32) -> Result<Vec<Place>> {
    let after = after.map(|name| format!("{KEPT}{name}"));
    let mut places = Vec::new();
    for key in host::kv::keys(KEPT, after.as_deref(), count)? {
        let (Some(name), Some(kept)) = (key.strip_prefix(KEPT), host::kv::load::<Kept>(&key)?) else { continue };
        places.push(Place { uid: kept.value.uid, organization: name.to_owned(), secret: kept.value.secret });
    }
    Ok(places)
}

/// The place of this organization, if it is one of Stowage's.
pub(crate) fn place_of(organization: &str) -> Result<Option<Place>> {
    let kept = host::kv::load::<Kept>(&format!("{KEPT}{organization}"))?;
    Ok(kept.map(|kept| Place { uid: kept.value.uid, organization: organization.to_owned(), secret: kept.value.secret }))
}

/// The place of a tenant's reference.
pub(crate) fn place(reference: &[u8]) -> Result<Place> {
    match Reference::read(reference) {
        Ok(Reference::Tenant(tenant)) => Ok(tenant.place),
        _ => Err(error::invalid("tenant", "is no reference to a tenant of this adapter")),
    }
}

fn offered(rest: &Rest) -> Result<()> {
    if rest.config.isolation != Isolation::Organization {
        return Err(error::unsupported("tenants under isolation directory and filesystem"));
    }
    if rest.config.organization != ROOT_ORGANIZATION {
        return Err(error::invalid("organization", "must be Root under isolation `organization`"));
    }
    Ok(())
}

/// The organization of this place; one that was renamed is nobody's to change here.
fn current(rest: &Rest, place: &Place) -> Result<Option<Organization>> {
    match organizations::get(rest, &place.uid)? {
        Some(found) if found.name != place.organization => {
            let text = format!("organization {} was renamed from {}", found.name, place.organization);
            Err(error::foreign_owner(text, "whoever renamed it"))
        }
        found => Ok(found),
    }
}

fn gone(place: &Place) -> Error {
    error::not_found(format_args!("organization {}", place.organization))
}

/// The one of this name; the same tenant under another owner is somebody else's.
fn find(rest: &Rest, stem: &str, name: &str) -> Result<Option<Organization>> {
    let listed = organizations::all(rest)?;
    let (used, limit) = (listed.len() as u64, rest.config.organization_limit);
    let same = |o: &Organization| o.name.strip_prefix(stem).is_some_and(|end| end.len() == OWNER_LENGTH);
    let mut ours: Vec<_> = listed.into_iter().filter(same).collect();
    if let Some(at) = ours.iter().position(|found| found.name == name) {
        return Ok(Some(ours.swap_remove(at)));
    }
    if let Some(other) = ours.first() {
        return Err(error::foreign_owner(format_args!("organization {}", other.name), "another host"));
    }
    if used >= limit { Err(error::capacity_exhausted("organizations", used, limit)) } else { Ok(None) }
}

/// Makes it; one that a parallel try of the same owner has made meanwhile is taken.
fn make(rest: &Rest, name: &str, secret: &str, quota: u64) -> Result<Organization> {
    match organizations::create(rest, name, secret, quota) {
        Err(Error { kind: ErrorKind::AlreadyExists, .. }) => {
            let listed = organizations::all(rest)?;
            listed
                .into_iter()
                .find(|found| found.name == name)
                .ok_or_else(|| error::conflict_retry(format_args!("organization {name} exists and is not listed yet")))
        }
        // The cluster's own table is smaller than the configuration says: what is in it now is its size.
        Err(error @ Error { kind: ErrorKind::CapacityExhausted(_), .. }) if is_full_table(&error) => {
            let size = organizations::all(rest)?.len() as u64;
            let message = error.message;
            Err(Error { message, ..error::capacity_exhausted("organizations", size, size) })
        }
        made => made,
    }
}

fn is_full_table(error: &Error) -> bool {
    matches!(&error.kind, ErrorKind::CapacityExhausted(hit) if hit.counter == "organizations")
}

/// Whether the host's secret opens it: else it could be made and never be used.
fn opens(rest: &Rest, place: &Place) -> Result<()> {
    let within = rest.as_user(&place.secret, &place.organization);
    let who: Whoami = match within.one(&WHOAMI, within.request(), "logging in to a tenant's organization") {
        Err(Error { kind: ErrorKind::AuthExpired, .. }) => {
            let remedy = format!(
                "organization {} is there and its administrator has another password than the host's secret {}: \
                 remove the organization if it is empty, or put the administrator's name and password into the secret",
                place.organization, place.secret
            );
            return Err(error::not_ready("tenants", "TENANT_LOGIN_REFUSED", remedy));
        }
        answer => answer?,
    };
    if who.org_name == place.organization {
        Ok(())
    } else {
        Err(error::internal("the login of a tenant ended in another organization").with_native_code("UnreadableAnswer"))
    }
}

/// The part of the name that the tenant alone decides.
fn stem(tenant: &str) -> Result<String> {
    if tenant.is_empty() {
        return Err(error::invalid("tenant", "must not be empty"));
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if tenant.len() <= TENANT_LENGTH && tenant.chars().all(plain) {
        return Ok(format!("{PREFIX}{tenant}-"));
    }
    // Longer or other names keep their beginning and get a digest of the whole.
    let shown: String = tenant.chars().map(|c| c.to_ascii_lowercase()).filter(|c| plain(*c)).take(9).collect();
    Ok(format!("{PREFIX}{shown}-{}-", short_name(tenant, 8)))
}

/// The capacity that limits say; 0 for none.
fn quota(limits: &[Limit]) -> Result<u64> {
    let mut quota = 0;
    for (index, limit) in limits.iter().enumerate() {
        let field = format!("limits.{index}");
        if limit.dimension != Dimension::Bytes || limit.enforcement != Enforcement::Block {
            return Err(error::unsupported("tenant limits other than a hard one in bytes"));
        }
        if limit.value == 0 || quota != 0 {
            return Err(error::invalid(&field, "must be one hard limit above 0; leave it out for none"));
        }
        if limit.value >= UNLIMITED_BYTES {
            return Err(error::too_large("tenant.bytes", limit.value, UNLIMITED_BYTES));
        }
        quota = limit.value;
    }
    Ok(quota)
}

fn limit(quota: u64) -> Option<Limit> {
    (quota != 0 && quota < UNLIMITED_BYTES).then(|| Limit {
        dimension: Dimension::Bytes,
        scope: LimitScope::Tenant,
        enforcement: Enforcement::Block,
        value: quota,
        extensions: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_fits_and_tells_tenants_apart(a in ".{1,40}", b in ".{1,40}") {
            let name = format!("{}{}", stem(&a).unwrap(), short_name("owner", OWNER_LENGTH));
            prop_assert!(name.len() <= crate::config::MAX_FILESYSTEM_NAME, "{}", name);
            prop_assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'));
            prop_assert_eq!(stem(&a).unwrap() == stem(&b).unwrap(), a == b);
        }
    }

    #[test]
    fn a_short_tenant_reads_in_the_name() {
        assert_eq!(stem("acme-ai").unwrap(), "sw-acme-ai-");
        assert!(stem("").is_err());
    }
}
