//! A namespace's record while an operation works on it.

use stowage_domain::{Bytes, Namespace, NamespaceName, NamespaceState, UnixMillis};
use stowage_store::Transaction;

use crate::{
    Control, ControlError, Problem, Result, Status, Stored, WriteOptions,
    rows::{Ledgers, Reads, Writes},
};

impl Control {
    /// The namespace of an operation: it cannot be gone while the operation is not.
    pub(super) async fn namespace_of(&self, name: &NamespaceName) -> Result<Stored<Namespace>> {
        self.tables.find::<Namespace>(name).await?.ok_or_else(|| {
            ControlError::new(Status::Internal, "NAMESPACE_LOST", format!("{name} has an operation and no record"))
        })
    }

    /// A namespace as a change may take it: as the caller knows it, ready, and in no other operation's hands.
    pub(super) async fn changeable(&self, name: &NamespaceName, options: &WriteOptions) -> Result<Stored<Namespace>> {
        let stored = self.tables.read::<Namespace>(name).await?;
        stored.check_etag(options.etag.as_deref(), name)?;
        if let Some(operation) = &stored.value.operation {
            return Err(Self::busy(name, operation));
        }
        if stored.value.state != NamespaceState::Ready {
            let what = format!("it is {:?}, and only a ready one can be changed", stored.value.state);
            return Err(ControlError::precondition("NAMESPACE_NOT_READY", name, what));
        }
        Ok(stored)
    }

    /// Shows why it is not done yet.
    pub(crate) async fn note_namespace(
        &self,
        name: &NamespaceName,
        change: &mut Transaction,
        reason: String,
        next_retry_at: Option<UnixMillis>,
        awaits_node: bool,
    ) -> Result<()> {
        let Some(Stored { value: mut namespace, version }) = self.tables.find::<Namespace>(name).await? else {
            return Ok(());
        };
        namespace.state = match namespace.state {
            NamespaceState::Provisioning if awaits_node => NamespaceState::AwaitingNode,
            NamespaceState::AwaitingNode if !awaits_node => NamespaceState::Provisioning,
            state => state,
        };
        namespace.state_reason = reason;
        namespace.next_retry_at = next_retry_at;
        namespace.updated_at = self.now();
        change.update(&namespace, version);
        Ok(())
    }

    /// It could not be made or deleted, and something of it may be at the provider: the reservation stays.
    pub(crate) async fn namespace_failed(
        &self,
        name: &NamespaceName,
        change: &mut Transaction,
        problem: &Problem,
    ) -> Result<()> {
        let Some(Stored { value: mut namespace, version }) = self.tables.find::<Namespace>(name).await? else {
            return Ok(());
        };
        namespace.fail(problem, self.now());
        change.update(&namespace, version);
        Ok(())
    }

    /// Gives the whole reservation back, once: nothing of it is at the provider. Every namespace that counts has reserved
    /// at least one byte, so zero means that it was given back before.
    pub(super) async fn refund(&self, namespace: &mut Namespace, change: &mut Transaction) -> Result<()> {
        if namespace.reserved > Bytes(0) {
            let ledgers = Ledgers::of(&self.tables, namespace).await?;
            ledgers.close(change, namespace.reserved);
            namespace.reserved = Bytes(0);
        }
        Ok(())
    }
}

/// What an operation does to the record in more than one place.
pub(super) trait Ends {
    fn settle(&mut self, state: NamespaceState, now: UnixMillis);
    fn fail(&mut self, problem: &Problem, now: UnixMillis);
}

impl Ends for Namespace {
    fn settle(&mut self, state: NamespaceState, now: UnixMillis) {
        self.state = state;
        self.state_reason.clear();
        self.next_retry_at = None;
        self.operation = None;
        self.updated_at = now;
    }

    fn fail(&mut self, problem: &Problem, now: UnixMillis) {
        self.settle(NamespaceState::Failed, now);
        self.state_reason.clone_from(&problem.message);
    }
}
