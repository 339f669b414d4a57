//! Projects: they own namespaces and workloads.

use stowage_audit::Outcome;
use stowage_domain::{
    Bytes, Labels, Ledger, Namespace, PosixIdentity, Project, ProjectId, ProjectName, Tenant, TenantName, Workload,
    WorkloadState,
};
use stowage_store::{Segments, Transaction};

use super::check_display_name;
use crate::{
    Caller, Control, ControlError, Listed, PageRequest, Result, Stored, Update, WriteOptions,
    credentials::{Credential, Parent},
    ids,
    rows::{LedgerAt, Reads, Request, Row, Writes},
};

/// A new project.
#[derive(Debug, Clone)]
pub struct CreateProject {
    /// Whose.
    pub tenant: TenantName,
    /// Its id.
    pub id: ProjectId,
    /// For people.
    pub display_name: String,
    /// Owner of its files.
    pub posix: PosixIdentity,
    /// Most bytes of its namespaces.
    pub byte_quota: Option<Bytes>,
    /// Labels.
    pub labels: Labels,
}

/// Changes of a project.
#[derive(Debug, Clone, Default)]
pub struct ProjectChanges {
    /// For people.
    pub display_name: Update<String>,
    /// Owner of its files; fixed once it has a namespace.
    pub posix: Update<PosixIdentity>,
    /// Most bytes of its namespaces.
    pub byte_quota: Update<Option<Bytes>>,
    /// Labels.
    pub labels: Update<Labels>,
}

impl Control {
    /// Makes a project of a tenant.
    ///
    /// # Errors
    /// `NOT_FOUND` for its tenant, `ALREADY_EXISTS`, wrong fields.
    pub async fn create_project(
        &self,
        caller: &Caller,
        command: CreateProject,
        options: WriteOptions,
    ) -> Result<Stored<Project>> {
        let name = ProjectName::new(command.tenant.tenant.clone(), command.id.clone());
        caller.may_touch(&name)?;
        command.posix.check().map_err(|error| error.within("project"))?;
        check_display_name("project.display_name", &command.display_name)?;
        let now = self.now();
        let request = Request::new(caller, &options, "create-project", &command, now)?;
        loop {
            if request.answered(&self.tables).await?.is_some() {
                return self.tables.read::<Project>(&name).await;
            }
            let tenant = self.tables.read::<Tenant>(&command.tenant).await?;
            if self.tables.find::<Project>(&name).await?.is_some() {
                return Err(ControlError::exists(name));
            }
            let project = Project {
                name: name.clone(),
                uid: ids::uid(),
                display_name: command.display_name.clone(),
                posix: command.posix,
                byte_quota: command.byte_quota,
                labels: command.labels.clone(),
                created_at: now,
                updated_at: now,
            };
            if options.validate_only {
                return Ok(Stored { value: project, version: Default::default() });
            }
            let mut change = Transaction::new();
            change.insert(&project);
            change.unchanged(&tenant);
            request.claim(&mut change, &name);
            self.audit(&mut change, caller, "storage.project.create", &name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(version) => return Ok(Stored { value: project, version }),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// One project.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn get_project(&self, caller: &Caller, name: &ProjectName) -> Result<Stored<Project>> {
        caller.may_touch(name)?;
        self.tables.read::<Project>(name).await
    }

    /// What a project's namespaces have reserved.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`.
    pub async fn project_ledger(&self, caller: &Caller, name: &ProjectName) -> Result<Ledger> {
        caller.may_touch(name)?;
        Ok(LedgerAt::read(&self.tables, name).await?.row.ledger)
    }

    /// Projects of a tenant by name; a caller that is bound to one sees that one.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`, a wrong page token.
    pub async fn list_projects(
        &self,
        caller: &Caller,
        tenant: &TenantName,
        page: PageRequest,
    ) -> Result<Listed<Stored<Project>>> {
        caller.may_touch_tenant(tenant)?;
        let prefix = match &caller.identity.project {
            Some(project) => Segments::of([tenant.tenant.as_str(), project]),
            None => Segments::of([tenant.tenant.as_str()]),
        };
        self.tables.list::<Project>(&prefix, &page).await
    }

    /// Changes a project.
    ///
    /// # Errors
    /// `PROJECT_NOT_EMPTY` for a new POSIX identity, `NOT_FOUND`, `ETAG_MISMATCH`, wrong fields.
    pub async fn update_project(
        &self,
        caller: &Caller,
        name: &ProjectName,
        changes: ProjectChanges,
        options: WriteOptions,
    ) -> Result<Stored<Project>> {
        let request = Request::new(caller, &options, "update-project", &(name, &changes), self.now())?;
        loop {
            let stored = self.get_project(caller, name).await?;
            if request.answered(&self.tables).await?.is_some() {
                return Ok(stored);
            }
            stored.check_etag(options.etag.as_deref(), name)?;
            let mut project = stored.value.clone();
            changes.display_name.clone().apply(&mut project.display_name);
            changes.posix.clone().apply(&mut project.posix);
            changes.byte_quota.clone().apply(&mut project.byte_quota);
            changes.labels.clone().apply(&mut project.labels);
            check_display_name("project.display_name", &project.display_name)?;
            project.posix.check().map_err(|error| error.within("project"))?;
            project.updated_at = self.now();
            let mut change = Transaction::new();
            if project.posix != stored.value.posix {
                self.refuse_owning(name, "its POSIX identity is fixed while it has namespaces").await?;
                change.require_empty::<Row<Namespace>>(&project_prefix(name));
            }
            if options.validate_only {
                return Ok(Stored { value: project, version: stored.version });
            }
            change.update(&project, stored.version);
            request.claim(&mut change, name);
            self.audit(&mut change, caller, "storage.project.update", name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(version) => return Ok(Stored { value: project, version }),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn refuse_owning(&self, name: &ProjectName, what: &str) -> Result<()> {
        let page = PageRequest { size: 1, token: String::new() };
        let found = self.tables.list::<Namespace>(&project_prefix(name), &page).await?.items;
        match found.first() {
            Some(one) => {
                let what = format!("{what}, such as {}", one.value.name);
                Err(ControlError::precondition("PROJECT_NOT_EMPTY", name, what))
            }
            None => Ok(()),
        }
    }

    /// Forgets a project without namespaces, with no workload that may still use storage and no live credential. Records
    /// of released workloads go with it, and its parents at the providers are ended.
    ///
    /// # Errors
    /// `PROJECT_NOT_EMPTY`, `NOT_FOUND`, `ETAG_MISMATCH`.
    pub async fn delete_project(&self, caller: &Caller, name: &ProjectName, options: WriteOptions) -> Result<()> {
        let request = Request::new(caller, &options, "delete-project", name, self.now())?;
        if request.answered(&self.tables).await?.is_some() {
            return Ok(());
        }
        let stored = self.get_project(caller, name).await?;
        stored.check_etag(options.etag.as_deref(), name)?;
        self.refuse_owning(name, "it has namespaces").await?;
        let prefix = project_prefix(name);
        loop {
            let page = PageRequest { size: 20, token: String::new() };
            let workloads = self.tables.list::<Workload>(&prefix, &page).await?.items;
            if let Some(alive) = workloads.iter().find(|w| w.value.state != WorkloadState::Released) {
                let what = format!("{} has not been released", alive.value.name);
                return Err(ControlError::precondition("PROJECT_NOT_EMPTY", name, what));
            }
            if options.validate_only {
                return Ok(());
            }
            if workloads.is_empty() {
                break;
            }
            self.forget_workloads(&workloads).await?;
        }
        self.retire_parents_of(caller, name).await?;
        self.forget_credentials(name).await?;
        let mut change = Transaction::new();
        change.remove::<Project>(name, stored.version);
        change.require_empty::<Row<Namespace>>(&prefix);
        change.require_empty::<Row<Credential>>(&prefix);
        change.require_empty::<Row<Parent>>(&prefix);
        change.require_empty::<Row<Workload>>(&prefix);
        request.claim(&mut change, name);
        self.audit(&mut change, caller, "storage.project.delete", name, Outcome::Done, "");
        change.commit(&self.tables).await?;
        Ok(())
    }
}

fn project_prefix(name: &ProjectName) -> Segments {
    Segments::of([name.tenant.as_str(), name.project.as_str()])
}
