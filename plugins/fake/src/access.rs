//! The interface `access`, on [`crate::principals`] and [`crate::credentials`].

use stowage_provider_sdk::prelude::*;

use crate::{
    Fake, audit, config::Config, credentials, credentials::Record, gate::Gate, principals, principals::Principal, state,
};

impl Access for Fake {
    fn ensure_principal(call: Call, spec: PrincipalSpec) -> Result<Progress> {
        let config = Config::read()?;
        if spec.name.is_empty() || spec.name.contains('/') {
            return Err(error::invalid("name", "must be a name without `/`"));
        }
        if let Some(found) = host::kv::load::<Principal>(&principals::key(&spec.name))? {
            return if found.value.owner == call.owner {
                Ok(Progress::Done(spec.name.into_bytes()))
            } else {
                Err(error::foreign_owner(format_args!("principal {}", spec.name), found.value.owner))
            };
        }
        if let Some(parent) = &spec.parent {
            principals::of(parent)?;
        }
        let after = match Self::gate(&config, "access.ensure-principal", &call, &spec.extensions)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        state::mark("principal", &call.owner, &spec.name)?;
        let record = Principal { name: spec.name.clone(), owner: call.owner, parent: spec.parent, closed: false };
        host::kv::store(&principals::key(&spec.name), &record, Some(host::kv::ABSENT))?;
        audit::note(&config, "principal.ensure", None)?;
        after.finish(spec.name.into_bytes())
    }

    fn delete_principal(call: Call, native: NativeRef) -> Result<Progress> {
        let config = Config::read()?;
        let name = state::text(&native, "ref")?.to_owned();
        if host::kv::get(&principals::key(&name))?.is_none() {
            return Ok(Progress::Done(native));
        }
        let after = match Self::gate(&config, "access.delete-principal", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let children = state::all::<Principal>("principal/")?;
        if let Some(child) = children.into_iter().find(|p| p.parent.as_ref() == Some(&native)) {
            return Err(error::in_use(format_args!("principal {name}"), format_args!("principal {}", child.name)));
        }
        principals::remove(&name)?;
        audit::note(&config, "principal.delete", None)?;
        after.finish(native)
    }

    fn find_principal(owner: OwnerToken) -> Result<Option<NativeRef>> {
        Self::ask(&Config::read()?, "access.find-principal", &[])?;
        let Some(name) = state::marked("principal", &owner)? else { return Ok(None) };
        let found = host::kv::load::<Principal>(&principals::key(&name))?;
        Ok(found.filter(|f| f.value.owner == owner).map(|f| f.value.name.into_bytes()))
    }

    fn list_principals(page: PageRequest) -> Result<Principals> {
        Self::ask(&Config::read()?, "access.list-principals", &[])?;
        let (found, next) = state::list::<Principal>("principal/", &page)?;
        let items = found
            .into_iter()
            .map(|p| PrincipalInfo {
                ref_: p.name.clone().into_bytes(),
                name: p.name,
                owner: Some(p.owner),
                extensions: vec![],
            })
            .collect();
        Ok(Principals { items, next })
    }

    fn plan_policy(policy: Policy, _at: AttachPoint) -> Result<PolicyPlan> {
        let config = Config::read()?;
        Self::ask(&config, "access.plan-policy", &[])?;
        principals::plan(&config, &policy)
    }

    fn apply_policy(call: Call, policy: Option<Policy>, at: AttachPoint) -> Result<Progress> {
        let config = Config::read()?;
        let key = principals::policy_key(&at)?;
        match &at {
            AttachPoint::Principal(native) => drop(principals::of(native)?),
            AttachPoint::Namespace(native) => drop(state::Namespace::of(native)?),
            _ => {}
        }
        let after = match Self::gate(&config, "access.apply-policy", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        match &policy {
            Some(policy) => {
                principals::check(&config, policy)?;
                host::kv::store(&key, policy, None)?;
            }
            None => host::kv::delete(&key, None)?,
        }
        audit::note(&config, "policy.apply", None)?;
        after.finish(key.into_bytes())
    }

    fn read_policy(at: AttachPoint) -> Result<Option<Policy>> {
        Self::ask(&Config::read()?, "access.read-policy", &[])?;
        Ok(host::kv::load(&principals::policy_key(&at)?)?.map(|v| v.value))
    }

    fn issue_credential(call: Call, request: CredentialRequest) -> Result<Issue> {
        let config = Config::read()?;
        let id = credentials::id(&call.owner);
        if let Some(found) = host::kv::load::<Record>(&credentials::key(&id))? {
            return Ok(Issue::Issued(credentials::issued(found.value)));
        }
        let after = match Self::gate(&config, "access.issue-credential", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let record = credentials::make(&config, &call.owner, request)?;
        host::kv::store(&credentials::key(&id), &record, Some(host::kv::ABSENT))?;
        audit::note(&config, "credential.issue", None)?;
        after.finish_with(Issue::Issued(credentials::issued(record)))
    }

    fn find_credential(owner: OwnerToken) -> Result<Option<CredentialInfo>> {
        Self::ask(&Config::read()?, "access.find-credential", &[])?;
        let found = host::kv::load::<Record>(&credentials::key(&credentials::id(&owner)))?;
        Ok(found.map(|f| credentials::info(f.value)))
    }

    fn list_credentials(principal: Option<NativeRef>, page: PageRequest) -> Result<Credentials> {
        Self::ask(&Config::read()?, "access.list-credentials", &[])?;
        let found = state::all::<Record>("credential/")?;
        let wanted = |r: &Record| principal.as_ref().is_none_or(|p| *p == r.principal);
        let keyed = found.into_iter().filter(wanted).map(|r| (r.id.clone(), credentials::info(r))).collect();
        let (items, next) = page::cut(keyed, &page)?;
        Ok(Credentials { items, next })
    }

    fn rotate(call: Call, native: NativeRef) -> Result<Issue> {
        let config = Config::read()?;
        let old = host::kv::load::<Record>(&credentials::key(state::text(&native, "ref")?))?;
        let new = credentials::key(&credentials::id(&call.owner));
        if let Some(found) = host::kv::load::<Record>(&new)? {
            return Ok(Issue::Issued(credentials::issued(found.value)));
        }
        let old = old.ok_or_else(|| error::not_found("the credential"))?.value;
        let after = match Self::gate(&config, "access.rotate", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let key = KeyRequest {
            principal: old.principal.clone(),
            parent_secret: None,
            policy: None,
            expires_at: credentials::expires_at(&old.credential),
        };
        let request = match old.credential {
            Credential::AccessKey(_) => CredentialRequest::AccessKey(key),
            Credential::FilesystemKey(_) => CredentialRequest::FilesystemKey(key),
            Credential::ClientAllow(_) | Credential::Other(_) => return Err(error::unsupported("access.rotate")),
        };
        let record = credentials::make(&config, &call.owner, request)?;
        host::kv::store(&new, &record, Some(host::kv::ABSENT))?;
        host::kv::delete(&credentials::key(&old.id), None)?;
        after.finish_with(Issue::Issued(credentials::issued(record)))
    }

    fn revoke(call: Call, native: NativeRef, scope: RevokeScope) -> Result<Revocation> {
        let config = Config::read()?;
        let after = match Self::gate(&config, "access.revoke", &call, &[])? {
            Gate::Stop(stop) => return stop.revocation(),
            Gate::Go(after) => after,
        };
        let ended = match &scope {
            RevokeScope::Session | RevokeScope::Credential => credentials::end(|c| c.id.as_bytes() == native)?,
            RevokeScope::PrincipalAll => credentials::end(|c| c.principal == native)?,
            RevokeScope::PrincipalBefore(time) => credentials::end(|c| c.principal == native && c.issued_at < *time)?,
            RevokeScope::FutureOnly => {
                let found = principals::of(&native)?;
                let closed = Principal { closed: true, ..found.value };
                host::kv::store(&principals::key(&closed.name), &closed, Some(found.version))?;
                0
            }
            RevokeScope::Attachment => return Err(error::unsupported("access.revoke.attachment")),
            RevokeScope::Other(word) => return Err(error::unsupported(&format!("access.revoke.{word}"))),
        };
        audit::note(&config, "credential.revoke", None)?;
        let also_ended = match scope {
            RevokeScope::PrincipalAll | RevokeScope::PrincipalBefore(_) => Some(ended),
            _ => None,
        };
        after.finish_with(Revocation::Revoked(Revoked { scope, effective_by: Some(host::now_ms()), also_ended }))
    }
}
