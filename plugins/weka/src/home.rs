//! Where a namespace's filesystem is: in the configured organization, or in a tenant's.
//!
//! What touches the filesystem speaks there; what is the whole cluster's (capacity, organizations) is asked as the
//! configured account, which in an organization of a tenant would see nothing.

use stowage_provider_sdk::prelude::{Result, error};

use crate::api::Cluster;
use crate::exchanges::CLUSTER;
use crate::organizations;
use crate::reference::Place;
use crate::rest::Rest;

/// Where, and who speaks.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// Speaks where the filesystem is.
    pub(crate) rest: Rest,
    /// Speaks as the configured account.
    cluster: Rest,
    /// The tenant's organization.
    pub(crate) place: Option<Place>,
}

impl Home {
    /// The place, or the configured organization.
    pub(crate) fn of(cluster: &Rest, place: Option<&Place>) -> Self {
        let rest = place.map_or_else(|| cluster.clone(), |place| cluster.as_user(&place.secret, &place.organization));
        Self { rest, cluster: cluster.clone(), place: place.cloned() }
    }

    /// Whether every mount of its filesystems needs a token: always so outside organization Root.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.place.is_some() || self.rest.config.filesystem_auth_required
    }

    /// Refuses what the cluster, or the tenant's organization, has no room for.
    pub(crate) fn has_room_for(&self, more: u64) -> Result<()> {
        if more == 0 {
            return Ok(());
        }
        let cluster: Cluster = self.cluster.one(&CLUSTER, self.cluster.request(), "reading the cluster")?;
        let (total, free) = (cluster.capacity.total_bytes, cluster.capacity.unprovisioned_bytes);
        if more > free {
            let used = total.saturating_sub(free).saturating_add(more);
            return Err(error::capacity_exhausted("capacity.bytes", used, total));
        }
        let Some(place) = &self.place else { return Ok(()) };
        let Some(organization) = organizations::get(&self.cluster, &place.uid)? else {
            return Err(error::not_found(format_args!("organization {}", place.organization)));
        };
        let wanted = organization.total_allocated.saturating_add(more);
        if organization.total_quota != 0 && wanted > organization.total_quota {
            return Err(error::capacity_exhausted("tenant.bytes", wanted, organization.total_quota));
        }
        Ok(())
    }
}
