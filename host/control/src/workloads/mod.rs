//! Workloads: registered by the platform, released in one operation.

mod release;

use stowage_audit::Outcome;
use stowage_domain::{
    Labels, Node, NodeName, Principal, Project, ProjectName, UnixMillis, Workload, WorkloadId, WorkloadName,
    WorkloadState,
};
use stowage_ports::store::Version;
use stowage_store::{Segments, Transaction};

use crate::{
    Caller, Control, ControlError, Listed, PageRequest, Result, Stored, WriteOptions, ids,
    rows::{EXPIRIES, Reads, Request, Writes, expiry_key},
};

/// A new workload.
#[derive(Debug, Clone)]
pub struct RegisterWorkload {
    /// Whose.
    pub project: ProjectName,
    /// Its id.
    pub id: WorkloadId,
    /// What it is to the platform.
    pub kind: String,
    /// Whom it acts for.
    pub principal: Option<Principal>,
    /// Nodes that it may run on; empty for any.
    pub nodes: Vec<NodeName>,
    /// When the platform expects it to be over.
    pub expires_at: Option<UnixMillis>,
    /// Labels.
    pub labels: Labels,
}

impl Control {
    /// Makes a workload known.
    ///
    /// # Errors
    /// `NOT_FOUND` for its project, `ALREADY_EXISTS`, wrong fields.
    pub async fn register_workload(
        &self,
        caller: &Caller,
        command: RegisterWorkload,
        options: WriteOptions,
    ) -> Result<Stored<Workload>> {
        caller.may_touch(&command.project)?;
        let now = self.now();
        let name = command.project.workload(command.id.clone());
        if command.kind.len() > 63 || command.kind.chars().any(char::is_control) {
            return Err(ControlError::field(
                "workload.kind",
                "must be at most 63 characters without control characters",
            ));
        }
        if command.expires_at.is_some_and(|end| end <= now) {
            return Err(ControlError::field("workload.expire_time", "must be in the future"));
        }
        for (index, node) in command.nodes.iter().enumerate() {
            if self.tables.find::<Node>(node).await?.is_none() {
                return Err(ControlError::field(format!("workload.nodes[{index}]"), format!("{node} is not there")));
            }
        }
        let request = Request::new(caller, &options, "register-workload", &command, now)?;
        loop {
            if request.answered(&self.tables).await?.is_some() {
                return self.tables.read::<Workload>(&name).await;
            }
            let project = self.tables.read::<Project>(&command.project).await?;
            if self.tables.find::<Workload>(&name).await?.is_some() {
                return Err(ControlError::exists(name));
            }
            let workload = Workload {
                name: name.clone(),
                uid: ids::uid(),
                kind: command.kind.clone(),
                principal: command.principal.clone(),
                nodes: command.nodes.clone(),
                expires_at: command.expires_at,
                labels: command.labels.clone(),
                state: WorkloadState::Active,
                created_at: now,
                updated_at: now,
                released_at: None,
            };
            if options.validate_only {
                return Ok(Stored { value: workload, version: Version::default() });
            }
            let mut change = Transaction::new();
            change.insert(&workload);
            change.unchanged(&project);
            if let Some(end) = workload.expires_at {
                change.index(EXPIRIES, &expiry_key(end, &name), "");
            }
            request.claim(&mut change, &name);
            self.audit(&mut change, caller, "storage.workload.register", &name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(version) => {
                    self.ends.notify_one();
                    return Ok(Stored { value: workload, version });
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// One workload.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn get_workload(&self, caller: &Caller, name: &WorkloadName) -> Result<Stored<Workload>> {
        caller.may_touch(&name.project_name())?;
        self.tables.read::<Workload>(name).await
    }

    /// Workloads of a project by name.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`, a wrong page token.
    pub async fn list_workloads(
        &self,
        caller: &Caller,
        project: &ProjectName,
        page: PageRequest,
    ) -> Result<Listed<Stored<Workload>>> {
        caller.may_touch(project)?;
        let prefix = Segments::of([project.tenant.as_str(), project.project.as_str()]);
        self.tables.list::<Workload>(&prefix, &page).await
    }

    /// Drops released workloads with the records of their mounts.
    pub(crate) async fn forget_workloads(&self, workloads: &[Stored<Workload>]) -> Result<()> {
        for workload in workloads {
            let name = &workload.value.name;
            let prefix = Segments::of([name.tenant.as_str(), name.project.as_str(), name.workload.as_str()]);
            loop {
                let page = PageRequest { size: 50, token: String::new() };
                let mounts = self.tables.list::<crate::Mount>(&prefix, &page).await?.items;
                let mut change = Transaction::new();
                for mount in &mounts {
                    change.remove::<crate::Mount>(&mount.value.name, mount.version);
                }
                if mounts.is_empty() {
                    change.remove::<Workload>(name, workload.version);
                }
                change.commit(&self.tables).await?;
                if mounts.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }
}
