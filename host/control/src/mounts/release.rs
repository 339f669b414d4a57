//! Releasing a mount: unmounted by its node, then released at its provider, then told.
//!
//! A node that is not heard of in time does not hold the release up: what the server enforces ends at the provider, the
//! order stays for the node's return, and the record says that the unmount is not confirmed.

use stowage_domain::MountName;
use stowage_ports::SecretName;
use stowage_store::Transaction;

use super::{Mount, MountState};
use crate::{
    Caller, Control, ControlError, Operation, Purpose, Response, Result, Stored, WriteOptions,
    operations::{Flow, Stepping},
    rows::{Reads, Request, Writes, unindex_mount},
    work::Order,
};

/// How often a node is asked again that could not unmount.
const UNMOUNT_ATTEMPTS: u32 = 5;

impl Control {
    /// Unmounts and releases a plan.
    ///
    /// # Errors
    /// `MOUNT_ENDED`, `OPERATION_IN_PROGRESS`, `ETAG_MISMATCH`, `NOT_FOUND`.
    pub async fn release_mount(
        &self,
        caller: &Caller,
        name: &MountName,
        options: WriteOptions,
    ) -> Result<(Option<Operation>, Mount)> {
        caller.may_touch(&name.workload_name().project_name())?;
        let request = Request::new(caller, &options, "release-mount", name, self.now())?;
        loop {
            let stored = self.tables.read::<Mount>(name).await?;
            if let Some(operation) = self.answered(&request).await? {
                return Ok((Some(operation), stored.value));
            }
            stored.check_etag(options.etag.as_deref(), name)?;
            if stored.value.state.ended() {
                let what = format!("it is {:?} already", stored.value.state);
                return Err(ControlError::precondition("MOUNT_ENDED", name, what));
            }
            if let Some(operation) = &stored.value.operation {
                let what = format!("{operation} is changing it: wait for it, or cancel it");
                let error = ControlError::precondition("OPERATION_IN_PROGRESS", name, what);
                return Err(error.with("operation", operation));
            }
            if options.validate_only {
                return Ok((None, stored.value));
            }
            match self.start_release_as(caller, stored, false, None, Some(&request)).await {
                Ok((operation, mount)) => return Ok((Some(operation), mount)),
                Err(error) if error.reason() == "CONFLICT" => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The intent of a release on behalf of another operation.
    pub(crate) async fn start_release(
        &self,
        caller: &Caller,
        stored: Stored<Mount>,
        revoked: bool,
        parent: Option<stowage_domain::OperationName>,
    ) -> Result<(Operation, Mount)> {
        self.start_release_as(caller, stored, revoked, parent, None).await
    }

    async fn start_release_as(
        &self,
        caller: &Caller,
        stored: Stored<Mount>,
        revoked: bool,
        parent: Option<stowage_domain::OperationName>,
        request: Option<&Request>,
    ) -> Result<(Operation, Mount)> {
        let mut mount = stored.value;
        let project = mount.name.workload_name().project_name();
        let purpose = Purpose::ReleaseMount { mount: mount.name.clone(), revoked, parent };
        let operation = self.intend(caller, purpose, &project, Some(mount.provider.clone()))?;
        mount.state = MountState::Releasing;
        mount.state_reason.clear();
        mount.operation = Some(operation.name.clone());
        mount.updated_at = self.now();
        let mut change = Transaction::new();
        change.update(&mount, stored.version);
        self.write_intent(&mut change, caller, &operation, request);
        change.commit(&self.tables).await?;
        self.queue.wake(&operation.name.operation);
        Ok((operation, mount))
    }

    pub(crate) async fn step_node_unmount(
        &self,
        operation: &mut Operation,
        name: &MountName,
        revoked: bool,
    ) -> Result<Stepping> {
        let mount = self.mount_of(name).await?.value;
        let (true, Some(node), Some(plan)) = (mount.ordered, mount.node.clone(), mount.plan.clone()) else {
            return Ok(Flow::Next(crate::StepName::ProviderRelease).alone());
        };
        match operation.node_outcome.take().map(|outcome| outcome.failure()) {
            Some(None) => Ok(Flow::Next(crate::StepName::ProviderRelease).alone()),
            Some(Some((_, message))) if operation.attempts >= UNMOUNT_ATTEMPTS => {
                self.unmount_unconfirmed(operation, name, &message).await
            }
            Some(Some((reason, message))) => {
                let message = format!("{node} could not unmount: {message}");
                let problem = ControlError::new(crate::Status::Unavailable, &reason, message).0;
                Ok(Flow::Retry { problem, after: None, few: false }.alone())
            }
            None => {
                let order = Order::Unmount { mount: name.clone(), mount_id: mount.mount_id(), plan, force: revoked };
                Ok(Flow::Assign(node, Box::new(order), self.config.unmount_patience).alone())
            }
        }
    }

    /// The node did not confirm: the record says so, and the release goes on without it.
    pub(crate) async fn unmount_unconfirmed(
        &self,
        operation: &mut Operation,
        name: &MountName,
        why: &str,
    ) -> Result<Stepping> {
        let Stored { value: mut mount, version } = self.mount_of(name).await?;
        let node = mount.node.as_ref().map(ToString::to_string).unwrap_or_default();
        mount.ordered = false;
        mount.state_reason = format!("{node} did not confirm the unmount: {why}");
        mount.updated_at = self.now();
        let mut change = Transaction::new();
        change.update(&mount, version);
        let flow = match operation.purpose {
            Purpose::ReleaseMount { .. } => Flow::Next(crate::StepName::ProviderRelease),
            _ => Flow::Again,
        };
        Ok((flow, change))
    }

    pub(crate) async fn step_release_mount(
        &self,
        operation: &mut Operation,
        name: &MountName,
        revoked: bool,
    ) -> Result<Stepping> {
        let Stored { value: mut mount, version } = self.mount_of(name).await?;
        if let Some(flow) = self.release_at_provider(operation, &mount).await? {
            return Ok(flow.alone());
        }
        self.forget_secrets(&mount).await?;
        let mut change = Transaction::new();
        unindex_mount(&mut change, &mount);
        mount.state = if revoked { MountState::Revoked } else { MountState::Released };
        mount.operation = None;
        mount.updated_at = self.now();
        change.update(&mount, version);
        Ok((Flow::done(Response::Mount(Box::new(mount))), change))
    }

    /// Deletes what no node will redeem any more. A repeat finds nothing, which is no error.
    pub(super) async fn forget_secrets(&self, mount: &Mount) -> Result<()> {
        for secret in &mount.secrets {
            self.secrets.delete(&SecretName::parse(&secret.secret)?).await?;
        }
        Ok(())
    }
}
