//! The intent of a mount plan: what is asked, what is held, and the decision, in one transaction.

use stowage_domain::{
    Grant, MountId, MountName, Namespace, NamespaceName, Node, NodeName, Protocol, Provider, StorageClass, Workload,
    WorkloadName, WorkloadState, capability::satisfies,
};
use stowage_policy::{Ask, Refusal, mounts::decide};
use stowage_store::{Segments, Transaction};

use super::{Form, Mount, MountState, PrefixAccess};
use crate::{
    Caller, Control, ControlError, Listed, Operation, PageRequest, Purpose, Result, Status, Stored, WriteOptions, ids,
    rows::{Reads, Request, Writes, index_mount},
};

/// A new plan.
#[derive(Debug, Clone)]
pub struct CreateMount {
    /// For whom.
    pub workload: WorkloadName,
    /// Its id; `None` for one of the host's choice.
    pub id: Option<MountId>,
    /// What.
    pub namespace: NamespaceName,
    /// Where; required for [`Form::Node`].
    pub node: Option<NodeName>,
    /// Which parts and how.
    pub prefixes: Vec<PrefixAccess>,
    /// Who carries it out.
    pub form: Form,
    /// Whether several nodes write.
    pub multi_writer: bool,
}

impl Control {
    /// Decides on a plan and starts its making. It is never wider than the grants.
    ///
    /// # Errors
    /// `MOUNT_NOT_GRANTED` with the missing actions or the narrower prefixes, `NAMESPACE_NOT_READY`, `WORKLOAD_RELEASED`,
    /// `NODE_NOT_ALLOWED`, `PROTOCOL_NOT_ENABLED`, `MULTI_WRITER`, `ALREADY_EXISTS`, wrong fields.
    pub async fn create_mount(
        &self,
        caller: &Caller,
        command: CreateMount,
        options: WriteOptions,
    ) -> Result<(Option<Operation>, Mount)> {
        caller.may_touch(&command.workload.project_name())?;
        if command.form == Form::Node && command.node.is_none() {
            return Err(ControlError::field("mount_plan.node", "is required for the form NODE"));
        }
        let request = Request::new(caller, &options, "create-mount", &command, self.now())?;
        loop {
            if let Some(operation) = self.answered(&request).await? {
                let name = MountName::parse(&operation.purpose.resource())?;
                return Ok((Some(operation), self.tables.read::<Mount>(&name).await?.value));
            }
            let mut change = Transaction::new();
            let (operation, mount) = self.intend_mount(caller, &command, &mut change).await?;
            if options.validate_only {
                return Ok((None, mount));
            }
            self.write_intent(&mut change, caller, &operation, Some(&request));
            match change.commit(&self.tables).await {
                Ok(_) => {
                    self.queue.wake(&operation.name.operation);
                    return Ok((Some(operation), mount));
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn intend_mount(
        &self,
        caller: &Caller,
        command: &CreateMount,
        change: &mut Transaction,
    ) -> Result<(Operation, Mount)> {
        let now = self.now();
        let workload = self.tables.read::<Workload>(&command.workload).await?;
        if workload.value.state != WorkloadState::Active {
            let what = format!("it is {:?}", workload.value.state);
            return Err(ControlError::precondition("WORKLOAD_RELEASED", &command.workload, what));
        }
        if let Some(node) = &command.node {
            if !workload.value.nodes.is_empty() && !workload.value.nodes.contains(node) {
                let what = format!("{} may not run on {node}", command.workload);
                return Err(ControlError::precondition("NODE_NOT_ALLOWED", node, what));
            }
            self.tables.read::<Node>(node).await?;
        }
        // Who may not see the namespace learns as much as of one that is not there: what its grants give.
        let namespace = self.tables.read::<Namespace>(&command.namespace).await?;
        let held = self.held_by_workload(&workload.value, &command.namespace).await?;
        let asks: Vec<Ask> =
            command.prefixes.iter().map(|access| Ask { prefix: access.prefix.clone(), mode: access.mode }).collect();
        let access = decide(&asks, &held).map_err(|refusal| refused(command, &refusal))?;
        if !namespace.value.state.usable() {
            let what = format!("it is {:?}", namespace.value.state);
            return Err(ControlError::precondition("NAMESPACE_NOT_READY", &command.namespace, what));
        }
        if !namespace.value.protocols.contains(&Protocol::Posix) {
            let what = "it cannot be mounted: add the protocol posix to the namespace first";
            return Err(ControlError::precondition("PROTOCOL_NOT_ENABLED", &command.namespace, what));
        }
        if command.multi_writer {
            self.check_multi_writer(&namespace.value).await?;
        }
        let id = match &command.id {
            Some(id) => id.clone(),
            None => MountId::parse(&ids::chosen("m"))?,
        };
        let name = command.workload.mount(id);
        if self.tables.find::<Mount>(&name).await?.is_some() {
            return Err(ControlError::exists(name));
        }
        // The decision holds only while each grant is as it was read.
        for grant in &access.grants {
            change.unchanged(&self.tables.read::<Grant>(grant).await?);
        }
        let purpose = Purpose::CreateMount { mount: name.clone() };
        let provider = namespace.value.provider.clone();
        let operation = self.intend(caller, purpose, &command.workload.project_name(), Some(provider.clone()))?;
        let mount = Mount {
            name,
            uid: ids::uid(),
            namespace: command.namespace.clone(),
            provider,
            node: command.node.clone(),
            form: command.form,
            prefixes: command.prefixes.clone(),
            multi_writer: command.multi_writer,
            grants: access.grants,
            granted_until: access.until,
            state: MountState::Preparing,
            state_reason: String::new(),
            plan: None,
            secrets: Vec::new(),
            notices: Vec::new(),
            ordered: false,
            paths: Vec::new(),
            reported_at: None,
            operation: Some(operation.name.clone()),
            created_at: now,
            updated_at: now,
        };
        change.insert(&mount);
        change.unchanged(&workload);
        change.unchanged(&namespace);
        index_mount(change, &mount);
        Ok((operation, mount))
    }

    async fn check_multi_writer(&self, namespace: &Namespace) -> Result<()> {
        let allowed = match &namespace.class {
            Some(class) => self.tables.find::<StorageClass>(class).await?.is_some_and(|class| class.value.multi_writer),
            None => false,
        };
        if !allowed {
            let what = "its class does not allow several writers";
            return Err(ControlError::precondition("MULTI_WRITER", &namespace.name, what));
        }
        let provider = self.tables.read::<Provider>(&namespace.provider).await?;
        satisfies(&provider.value.capabilities, "mounts.multi-writer")
            .map_err(|why| ControlError::precondition("MULTI_WRITER", &namespace.name, why))
    }

    /// One plan. A mounted one whose node is not heard of is shown as stale.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn get_mount(&self, caller: &Caller, name: &MountName) -> Result<Stored<Mount>> {
        caller.may_touch(&name.workload_name().project_name())?;
        let stored = self.tables.read::<Mount>(name).await?;
        self.as_heard(stored).await
    }

    /// Plans of a workload by name.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`, a wrong page token.
    pub async fn list_mounts(
        &self,
        caller: &Caller,
        workload: &WorkloadName,
        page: PageRequest,
    ) -> Result<Listed<Stored<Mount>>> {
        caller.may_touch(&workload.project_name())?;
        let prefix = Segments::of([workload.tenant.as_str(), workload.project.as_str(), workload.workload.as_str()]);
        let listed = self.tables.list::<Mount>(&prefix, &page).await?;
        let mut items = Vec::with_capacity(listed.items.len());
        for stored in listed.items {
            items.push(self.as_heard(stored).await?);
        }
        Ok(Listed { items, next: listed.next })
    }

    async fn as_heard(&self, mut stored: Stored<Mount>) -> Result<Stored<Mount>> {
        if let (MountState::Mounted, Some(name)) = (stored.value.state, &stored.value.node) {
            let node = self.tables.find::<Node>(name).await?;
            let heard = node.is_some_and(|node| {
                node.value.presence(self.now(), self.config.report_interval) == stowage_domain::node::Presence::Online
            });
            if !heard {
                stored.value.state = MountState::Stale;
                stored.value.state_reason = format!("{name} has not been heard of");
            }
        }
        Ok(stored)
    }
}

/// A refusal with the field of the ask.
fn refused(command: &CreateMount, refusal: &Refusal) -> ControlError {
    match refusal {
        Refusal::NothingAsked | Refusal::Twice(_) => ControlError::field("mount_plan.prefixes", refusal.to_string()),
        Refusal::NoGrant { prefix, .. } | Refusal::Missing { prefix, .. } => {
            let message = format!("{} may not mount {}: {refusal}", command.workload, command.namespace);
            let at = command.prefixes.iter().position(|access| access.prefix == *prefix).unwrap_or(0);
            let mut error = ControlError::new(Status::PermissionDenied, "MOUNT_NOT_GRANTED", message)
                .with("remedy", "ask the namespace's project for a grant of what is missing, or for a narrower mount");
            error.0.fields.push(crate::FieldViolation {
                field: format!("mount_plan.prefixes[{at}]"),
                description: refusal.to_string(),
            });
            error
        }
    }
}
