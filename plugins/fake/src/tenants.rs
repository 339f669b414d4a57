//! Tenants: a name, limits, and a number that ends its tokens.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::*;

use crate::{Fake, audit, config::Config, gate::Gate, state};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tenant {
    name: String,
    owner: String,
    limits: Vec<Limit>,
    /// Tokens that are older than this number are ended.
    token_epoch: u64,
}

fn key(name: &str) -> String {
    format!("tenant/{name}")
}

fn of(native: &[u8]) -> Result<host::kv::Versioned<Tenant>> {
    let name = state::text(native, "ref")?;
    host::kv::load(&key(name))?.ok_or_else(|| error::not_found(format_args!("tenant {name}")))
}

/// Whether the tenant is there. What it uses is not counted, which reads every namespace.
pub(crate) fn check(native: &[u8]) -> Result<()> {
    of(native).map(drop)
}

impl Tenants for Fake {
    fn ensure(call: Call, tenant: String, limits: Vec<Limit>) -> Result<Progress> {
        let config = Config::read()?;
        if tenant.is_empty() || tenant.contains('/') {
            return Err(error::invalid("tenant", "must be a name without `/`"));
        }
        let found = host::kv::load::<Tenant>(&key(&tenant))?;
        if let Some(found) = found {
            return if found.value.owner == call.owner {
                Ok(Progress::Done(tenant.into_bytes()))
            } else {
                Err(error::foreign_owner(format_args!("tenant {tenant}"), found.value.owner))
            };
        }
        let after = match Self::gate(&config, "tenants.ensure", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let record = Tenant { name: tenant.clone(), owner: call.owner, limits, token_epoch: 0 };
        host::kv::store(&key(&tenant), &record, Some(host::kv::ABSENT))?;
        audit::note(&config, "tenant.ensure", None)?;
        after.finish(tenant.into_bytes())
    }

    fn inspect(native: NativeRef) -> Result<TenantState> {
        Self::ask(&Config::read()?, "tenants.inspect", &[])?;
        let tenant = of(&native)?.value;
        let mut used = 0;
        for namespace in state::all::<state::Namespace>("ns/")?.into_iter().filter(|n| n.tenant == native) {
            used += namespace.used_bytes;
        }
        let usage = Usage {
            dimension: Dimension::Bytes,
            used,
            uncertainty: None,
            basis: Basis::Logical,
            state: LimitState::Unknown,
            observed_at: host::now_ms(),
        };
        let extensions = vec![("fake.token-epoch".to_owned(), tenant.token_epoch.to_string())];
        Ok(TenantState {
            ref_: native,
            owner: Some(tenant.owner),
            limits: tenant.limits,
            usage: vec![usage],
            extensions,
        })
    }

    fn set_limits(call: Call, native: NativeRef, limits: Vec<Limit>) -> Result<Progress> {
        let config = Config::read()?;
        let found = of(&native)?;
        let after = match Self::gate(&config, "tenants.set-limits", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        host::kv::store(&key(&found.value.name), &Tenant { limits, ..found.value.clone() }, Some(found.version))?;
        after.finish(native)
    }

    fn revoke_tokens(call: Call, native: NativeRef) -> Result<Progress> {
        let config = Config::read()?;
        let found = of(&native)?;
        let after = match Self::gate(&config, "tenants.revoke-tokens", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let next = Tenant { token_epoch: found.value.token_epoch + 1, ..found.value.clone() };
        host::kv::store(&key(&found.value.name), &next, Some(found.version))?;
        audit::note(&config, "tenant.revoke-tokens", None)?;
        after.finish(native)
    }

    fn delete_empty(call: Call, native: NativeRef) -> Result<Progress> {
        let config = Config::read()?;
        let name = state::text(&native, "ref")?.to_owned();
        if host::kv::get(&key(&name))?.is_none() {
            return Ok(Progress::Done(native));
        }
        let after = match Self::gate(&config, "tenants.delete-empty", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        if let Some(user) = state::all::<state::Namespace>("ns/")?.into_iter().find(|n| n.tenant == native) {
            return Err(error::in_use(format_args!("tenant {name}"), format_args!("namespace {}", user.id)));
        }
        host::kv::delete(&key(&name), None)?;
        audit::note(&config, "tenant.delete", None)?;
        after.finish(native)
    }
}
