//! Tenants and projects.

mod projects;

use stowage_audit::Outcome;
use stowage_domain::{Bytes, FieldError, Labels, Ledger, Project, Tenant, TenantId, TenantName};
use stowage_store::{Segments, Transaction};

pub use projects::{CreateProject, ProjectChanges};

use crate::{
    Caller, Control, ControlError, Listed, PageRequest, Result, Stored, Update, WriteOptions, ids,
    rows::{LedgerAt, Reads, Request, Row, Writes},
};

/// A new tenant.
#[derive(Debug, Clone)]
pub struct CreateTenant {
    /// Its id.
    pub id: TenantId,
    /// For people.
    pub display_name: String,
    /// Most bytes of all its namespaces.
    pub byte_quota: Option<Bytes>,
    /// Whether it may share with tenants that allow it too.
    pub cross_tenant_sharing: bool,
    /// Labels.
    pub labels: Labels,
}

/// Changes of a tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantChanges {
    /// For people.
    pub display_name: Update<String>,
    /// Most bytes of all its namespaces; below what is reserved it stops growth only.
    pub byte_quota: Update<Option<Bytes>>,
    /// Sharing.
    pub cross_tenant_sharing: Update<bool>,
    /// Labels.
    pub labels: Update<Labels>,
}

fn check_display_name(field: &str, text: &str) -> Result<()> {
    if text.chars().count() > 128 || text.chars().any(char::is_control) {
        return Err(FieldError::new(field, "must be at most 128 characters without control characters").into());
    }
    Ok(())
}

impl Control {
    /// Makes a tenant.
    ///
    /// # Errors
    /// `ALREADY_EXISTS`, wrong fields.
    pub async fn create_tenant(
        &self,
        caller: &Caller,
        command: CreateTenant,
        options: WriteOptions,
    ) -> Result<Stored<Tenant>> {
        let name = TenantName::new(command.id.clone());
        caller.may_touch_tenant(&name)?;
        check_display_name("tenant.display_name", &command.display_name)?;
        let now = self.now();
        let request = Request::new(caller, &options, "create-tenant", &command, now)?;
        if request.answered(&self.tables).await?.is_some() {
            return self.tables.read::<Tenant>(&name).await;
        }
        if self.tables.find::<Tenant>(&name).await?.is_some() {
            return Err(ControlError::exists(name));
        }
        let tenant = Tenant {
            name: name.clone(),
            uid: ids::uid(),
            display_name: command.display_name,
            byte_quota: command.byte_quota,
            cross_tenant_sharing: command.cross_tenant_sharing,
            labels: command.labels,
            created_at: now,
            updated_at: now,
        };
        if options.validate_only {
            return Ok(Stored { value: tenant, version: Default::default() });
        }
        let mut change = Transaction::new();
        change.insert(&tenant);
        request.claim(&mut change, &name);
        self.audit(&mut change, caller, "storage.tenant.create", &name, Outcome::Done, "");
        let version = change.commit(&self.tables).await?;
        Ok(Stored { value: tenant, version })
    }

    /// One tenant.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn get_tenant(&self, caller: &Caller, name: &TenantName) -> Result<Stored<Tenant>> {
        caller.may_touch_tenant(name)?;
        self.tables.read::<Tenant>(name).await
    }

    /// What a tenant's namespaces have reserved.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`.
    pub async fn tenant_ledger(&self, caller: &Caller, name: &TenantName) -> Result<Ledger> {
        caller.may_touch_tenant(name)?;
        Ok(LedgerAt::read(&self.tables, name).await?.row.ledger)
    }

    /// Tenants by name; a caller that is bound to one sees that one.
    ///
    /// # Errors
    /// A wrong page token.
    pub async fn list_tenants(&self, caller: &Caller, page: PageRequest) -> Result<Listed<Stored<Tenant>>> {
        let prefix = match &caller.identity.tenant {
            Some(tenant) => Segments::of([tenant]),
            None => Segments::new(),
        };
        self.tables.list::<Tenant>(&prefix, &page).await
    }

    /// Changes a tenant.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ETAG_MISMATCH`, wrong fields.
    pub async fn update_tenant(
        &self,
        caller: &Caller,
        name: &TenantName,
        changes: TenantChanges,
        options: WriteOptions,
    ) -> Result<Stored<Tenant>> {
        let request = Request::new(caller, &options, "update-tenant", &(name, &changes), self.now())?;
        loop {
            let stored = self.get_tenant(caller, name).await?;
            if request.answered(&self.tables).await?.is_some() {
                return Ok(stored);
            }
            stored.check_etag(options.etag.as_deref(), name)?;
            let mut tenant = stored.value;
            changes.display_name.clone().apply(&mut tenant.display_name);
            changes.byte_quota.clone().apply(&mut tenant.byte_quota);
            changes.cross_tenant_sharing.clone().apply(&mut tenant.cross_tenant_sharing);
            changes.labels.clone().apply(&mut tenant.labels);
            check_display_name("tenant.display_name", &tenant.display_name)?;
            tenant.updated_at = self.now();
            if options.validate_only {
                return Ok(Stored { value: tenant, version: stored.version });
            }
            let mut change = Transaction::new();
            change.update(&tenant, stored.version);
            request.claim(&mut change, name);
            self.audit(&mut change, caller, "storage.tenant.update", name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(version) => return Ok(Stored { value: tenant, version }),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Forgets a tenant without projects.
    ///
    /// # Errors
    /// `TENANT_NOT_EMPTY`, `NOT_FOUND`, `ETAG_MISMATCH`.
    pub async fn delete_tenant(&self, caller: &Caller, name: &TenantName, options: WriteOptions) -> Result<()> {
        let request = Request::new(caller, &options, "delete-tenant", name, self.now())?;
        if request.answered(&self.tables).await?.is_some() {
            return Ok(());
        }
        let stored = self.get_tenant(caller, name).await?;
        stored.check_etag(options.etag.as_deref(), name)?;
        let prefix = Segments::of([name.tenant.as_str()]);
        let page = PageRequest { size: 1, token: String::new() };
        if !self.tables.list::<Project>(&prefix, &page).await?.items.is_empty() {
            return Err(ControlError::precondition("TENANT_NOT_EMPTY", name, "it has projects: delete them first"));
        }
        if options.validate_only {
            return Ok(());
        }
        let mut change = Transaction::new();
        change.remove::<Tenant>(name, stored.version);
        change.require_empty::<Row<Project>>(&prefix);
        request.claim(&mut change, name);
        self.audit(&mut change, caller, "storage.tenant.delete", name, Outcome::Done, "");
        change.commit(&self.tables).await?;
        Ok(())
    }
}
