//! From an operation's purpose to the code that knows it.

use stowage_store::Transaction;

use super::{Flow, Operation, Purpose, StepName, step::Stepping};
use crate::{Control, ControlError, Problem, Result, Status};

impl Control {
    /// Takes the current step.
    pub(crate) async fn step(&self, operation: &mut Operation) -> Result<Stepping> {
        let purpose = operation.purpose.clone();
        match (&purpose, operation.step) {
            (Purpose::CreateNamespace { namespace }, StepName::ProviderCreate) => {
                self.step_create_namespace(operation, namespace).await
            }
            (Purpose::AdoptNamespace { namespace, location }, StepName::ProviderAdopt) => {
                self.step_adopt_namespace(operation, namespace, location).await
            }
            (Purpose::CreateNamespace { namespace } | Purpose::AdoptNamespace { namespace, .. }, StepName::Undo) => {
                self.step_undo_namespace(operation, namespace).await
            }
            (Purpose::SetLimits { namespace, limits }, StepName::ProviderSetLimits) => {
                self.step_set_limits(operation, namespace, limits).await
            }
            (Purpose::SetProtocols { namespace, protocols }, StepName::ProviderSetProtocols) => {
                self.step_set_protocols(operation, namespace, protocols).await
            }
            (Purpose::DeleteNamespace { namespace, data }, StepName::ProviderDelete) => {
                self.step_delete_namespace(operation, namespace, *data).await
            }
            (Purpose::DeleteNamespace { namespace, .. }, StepName::Forget) => {
                self.step_forget_namespace(operation, namespace).await
            }
            (Purpose::CreateMount { mount }, StepName::PrepareMount) => self.step_prepare_mount(operation, mount).await,
            (Purpose::CreateMount { mount }, StepName::NodeMount) => self.step_node_mount(operation, mount).await,
            (Purpose::CreateMount { mount }, StepName::Undo) => self.step_undo_mount(operation, mount).await,
            (Purpose::ReleaseMount { mount, revoked, .. }, StepName::NodeUnmount) => {
                self.step_node_unmount(operation, mount, *revoked).await
            }
            (Purpose::ReleaseMount { mount, revoked, .. }, StepName::ProviderRelease) => {
                self.step_release_mount(operation, mount, *revoked).await
            }
            (Purpose::ReleaseWorkload { workload }, StepName::ReleaseMounts) => {
                self.step_release_workload(operation, workload).await
            }
            (Purpose::RevokeGrant { grant }, StepName::ReleaseMounts) => self.step_revoke_grant(operation, grant).await,
            (Purpose::EnsureParent { parent }, StepName::EnsurePrincipal) => {
                self.step_ensure_principal(operation, parent).await
            }
            (Purpose::EnsureParent { parent }, StepName::ApplyEnvelope) => {
                self.step_apply_envelope(operation, parent).await
            }
            (Purpose::RetireParent { parent }, StepName::RetirePrincipal) => {
                self.step_retire_principal(operation, parent).await
            }
            (Purpose::RetireParent { parent }, StepName::ForgetParent) => {
                self.step_forget_parent(operation, parent).await
            }
            (Purpose::RevokeCredential { credential, .. }, StepName::ProviderRevoke) => {
                self.step_revoke_credential(operation, credential).await
            }
            (_, step) => {
                let message = format!("{} has no step {}", operation.purpose.kind().word(), step.word());
                Ok(Flow::fail(ControlError::new(Status::Internal, "NO_SUCH_STEP", message)).alone())
            }
        }
    }

    /// What becomes of a step whose node did not report in time.
    pub(crate) async fn node_timeout(&self, operation: &mut Operation) -> Result<Stepping> {
        let unmounting = match (&operation.purpose, operation.step) {
            (Purpose::ReleaseMount { mount, .. }, StepName::NodeUnmount)
            | (Purpose::CreateMount { mount }, StepName::Undo) => Some(mount.clone()),
            _ => None,
        };
        if let Some(mount) = unmounting {
            return self.unmount_unconfirmed(operation, &mount, "it was not heard of in time").await;
        }
        let message = "no node did its part in time";
        Ok(Flow::fail(ControlError::new(Status::Unavailable, "NODE_UNREACHABLE", message)).alone())
    }

    /// The state of the resource when its operation failed for good and there is nothing to take back.
    pub(crate) async fn failed(
        &self,
        operation: &Operation,
        change: &mut Transaction,
        problem: &Problem,
    ) -> Result<()> {
        match &operation.purpose {
            Purpose::CreateNamespace { namespace } | Purpose::AdoptNamespace { namespace, .. } => {
                self.namespace_failed(namespace, change, problem).await
            }
            Purpose::SetLimits { namespace, .. } => self.limits_failed(namespace, change, problem).await,
            Purpose::SetProtocols { namespace, .. } => self.protocols_failed(namespace, change, problem).await,
            Purpose::DeleteNamespace { namespace, .. } => self.namespace_failed(namespace, change, problem).await,
            Purpose::CreateMount { mount } | Purpose::ReleaseMount { mount, .. } => {
                self.mount_failed(mount, change, problem).await
            }
            Purpose::ReleaseWorkload { .. } | Purpose::RevokeGrant { .. } => Ok(()),
            Purpose::EnsureParent { parent } | Purpose::RetireParent { parent } => {
                self.parent_failed(parent, change).await
            }
            Purpose::RevokeCredential { credential, .. } => self.revoke_failed(credential, change, problem).await,
        }
    }

    /// Shows on the resource that a step will be tried again.
    pub(crate) async fn note_retry(
        &self,
        operation: &Operation,
        change: &mut Transaction,
        problem: &Problem,
    ) -> Result<()> {
        match operation.purpose.namespace() {
            Some(namespace) => {
                let next = Some(operation.next_at);
                self.note_namespace(namespace, change, problem.message.clone(), next, false).await
            }
            None => Ok(()),
        }
    }

    /// Shows on the resource that a node is waited for.
    pub(crate) async fn note_waiting(
        &self,
        operation: &Operation,
        change: &mut Transaction,
        reason: String,
    ) -> Result<()> {
        match operation.purpose.namespace() {
            Some(namespace) => self.note_namespace(namespace, change, reason, None, true).await,
            None => Ok(()),
        }
    }
}
