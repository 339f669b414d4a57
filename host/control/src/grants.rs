//! Grants: made, read, and taken back with everything that rests on them.

use stowage_audit::Outcome;
use stowage_domain::{
    Actions, Grant, GrantId, GrantName, MountName, Namespace, NamespaceName, Prefix, Principal, Project, Tenant,
    TenantName, UnixMillis, Workload,
};
use stowage_ports::store::Version;
use stowage_store::{Segments, Transaction};

use crate::{
    Caller, Control, ControlError, Listed, Operation, PageRequest, Purpose, Response, Result, Status, Stored,
    WriteOptions, ids,
    operations::{Flow, Stepping},
    rows::{EXPIRIES, GRANT_MOUNTS, Reads, Request, Writes, expiry_key, index_grant},
};

/// A new grant.
#[derive(Debug, Clone)]
pub struct CreateGrant {
    /// On what.
    pub namespace: NamespaceName,
    /// Its id; `None` for one of the host's choice.
    pub id: Option<GrantId>,
    /// Who may.
    pub principal: Principal,
    /// Below which prefix.
    pub prefix: Prefix,
    /// What.
    pub actions: Actions,
    /// When it ends by itself.
    pub expires_at: Option<UnixMillis>,
}

impl Control {
    /// Makes a grant.
    ///
    /// # Errors
    /// `CROSS_TENANT` unless both tenants allow it, `NAMESPACE_DELETING`, `ALREADY_EXISTS`, wrong fields.
    pub async fn create_grant(
        &self,
        caller: &Caller,
        command: CreateGrant,
        options: WriteOptions,
    ) -> Result<Stored<Grant>> {
        caller.may_touch(&command.namespace.project_name())?;
        let now = self.now();
        if command.actions.is_empty() {
            return Err(ControlError::field("grant.actions", "must name at least one action"));
        }
        if command.expires_at.is_some_and(|end| end <= now) {
            return Err(ControlError::field("grant.expire_time", "must be in the future"));
        }
        let request = Request::new(caller, &options, "create-grant", &command, now)?;
        loop {
            if let Some(name) = request.answered(&self.tables).await? {
                return self.tables.read::<Grant>(&GrantName::parse(&name)?).await;
            }
            let namespace = self.tables.read::<Namespace>(&command.namespace).await?;
            if namespace.value.state == stowage_domain::NamespaceState::Deleting {
                let what = "it is being deleted";
                return Err(ControlError::precondition("NAMESPACE_DELETING", &command.namespace, what));
            }
            self.check_principal(&command).await?;
            let id = match &command.id {
                Some(id) => id.clone(),
                None => GrantId::parse(&ids::chosen("g"))?,
            };
            let name = command.namespace.grant(id);
            if self.tables.find::<Grant>(&name).await?.is_some() {
                return Err(ControlError::exists(name));
            }
            let grant = Grant {
                name: name.clone(),
                uid: ids::uid(),
                principal: command.principal.clone(),
                prefix: command.prefix.clone(),
                actions: command.actions.clone(),
                expires_at: command.expires_at,
                revoked_at: None,
                grantor: caller.identity.subject.clone(),
                created_at: now,
            };
            if options.validate_only {
                return Ok(Stored { value: grant, version: Version::default() });
            }
            let mut change = Transaction::new();
            change.insert(&grant);
            change.unchanged(&namespace);
            index_grant(&mut change, &grant);
            request.claim(&mut change, &name);
            self.audit(&mut change, caller, "storage.grant.create", &name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(version) => {
                    self.ends.notify_one();
                    return Ok(Stored { value: grant, version });
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A workload or project must be there, and of the same tenant unless both tenants allow sharing.
    async fn check_principal(&self, command: &CreateGrant) -> Result<()> {
        let missing = |what: String| ControlError::field("grant.grantee", format!("{what} is not there"));
        let tenant = match &command.principal {
            Principal::User(_) | Principal::Group(_) | Principal::Service(_) => return Ok(()),
            Principal::Workload(name) => {
                self.tables.find::<Workload>(name).await?.ok_or_else(|| missing(name.to_string()))?;
                &name.tenant
            }
            Principal::Project(name) => {
                self.tables.find::<Project>(name).await?.ok_or_else(|| missing(name.to_string()))?;
                &name.tenant
            }
        };
        if *tenant == command.namespace.tenant {
            return Ok(());
        }
        for side in [tenant, &command.namespace.tenant] {
            let name = TenantName::new(side.clone());
            if !self.tables.read::<Tenant>(&name).await?.value.cross_tenant_sharing {
                let message = format!("{name} does not allow sharing across tenants");
                return Err(ControlError::new(Status::PermissionDenied, "CROSS_TENANT", message));
            }
        }
        Ok(())
    }

    /// One grant.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn get_grant(&self, caller: &Caller, name: &GrantName) -> Result<Stored<Grant>> {
        caller.may_touch(&name.namespace_name().project_name())?;
        self.tables.read::<Grant>(name).await
    }

    /// Grants on a namespace by name.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`, a wrong page token.
    pub async fn list_grants(
        &self,
        caller: &Caller,
        namespace: &NamespaceName,
        page: PageRequest,
    ) -> Result<Listed<Stored<Grant>>> {
        caller.may_touch(&namespace.project_name())?;
        let prefix =
            Segments::of([namespace.tenant.as_str(), namespace.project.as_str(), namespace.namespace.as_str()]);
        self.tables.list::<Grant>(&prefix, &page).await
    }

    /// Takes a grant back: it counts no more from the commit on, and the operation takes the mounts away that rest on it.
    ///
    /// # Errors
    /// `GRANT_REVOKED`, `ETAG_MISMATCH`, `NOT_FOUND`.
    pub async fn revoke_grant(
        &self,
        caller: &Caller,
        name: &GrantName,
        options: WriteOptions,
    ) -> Result<(Option<Operation>, Grant)> {
        let request = Request::new(caller, &options, "revoke-grant", name, self.now())?;
        loop {
            let stored = self.get_grant(caller, name).await?;
            if let Some(operation) = self.answered(&request).await? {
                return Ok((Some(operation), stored.value));
            }
            stored.check_etag(options.etag.as_deref(), name)?;
            if stored.value.revoked_at.is_some() {
                return Err(ControlError::precondition("GRANT_REVOKED", name, "it was taken back before"));
            }
            let mut grant = stored.value;
            grant.revoked_at = Some(self.now());
            if options.validate_only {
                return Ok((None, grant));
            }
            let purpose = Purpose::RevokeGrant { grant: name.clone() };
            let operation = self.intend(caller, purpose, &name.namespace_name().project_name(), None)?;
            let mut change = Transaction::new();
            change.update(&grant, stored.version);
            if let Some(end) = grant.expires_at {
                change.unindex(EXPIRIES, &expiry_key(end, name));
            }
            self.write_intent(&mut change, caller, &operation, Some(&request));
            match change.commit(&self.tables).await {
                Ok(_) => {
                    self.queue.wake(&operation.name.operation);
                    return Ok((Some(operation), grant));
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) async fn step_revoke_grant(&self, operation: &mut Operation, name: &GrantName) -> Result<Stepping> {
        let mut open = Vec::new();
        let mut cursor = None;
        loop {
            let prefix = Segments::of([&name.to_string()]);
            let page = self.tables.entries(GRANT_MOUNTS, &prefix, cursor.as_ref(), 1000).await?;
            for (_, mount, _) in &page.items {
                open.push(MountName::parse(mount)?);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mounts = self.release_each(operation, open, true).await?;
        let ended = self.end_grant_credentials(operation, name).await?;
        if let Some(flow) = mounts.or_else(|| (!ended).then_some(Flow::Operations)) {
            return Ok(flow.alone());
        }
        let response = match self.tables.find::<Grant>(name).await? {
            Some(grant) => Some(Response::Grant(Box::new(grant.value))),
            // Its namespace was deleted meanwhile, and its grants with it.
            None => None,
        };
        Ok(Flow::End { state: crate::OperationState::Succeeded, response }.alone())
    }
}
