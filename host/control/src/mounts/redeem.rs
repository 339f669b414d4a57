//! A node exchanges a handle for its value: once, for its own plan, at the last moment.

use secrecy::SecretString;
use stowage_audit::Outcome;
use stowage_domain::{MountName, NodeName, UnixMillis};
use stowage_ports::SecretName;
use stowage_store::Transaction;

use super::{Mount, MountState};
use crate::{
    Caller, Control, ControlError, Result, Status,
    rows::{Reads, Writes},
};

/// The field of a sealed value.
const FIELD: &str = "value";

/// A secret for the node that may have it.
#[derive(Debug, Clone)]
pub struct RedeemedSecret {
    /// The value.
    pub value: SecretString,
    /// Until when the provider accepts it.
    pub expires_at: Option<UnixMillis>,
}

impl Control {
    /// Opens a mount's secret for the agent of the plan's node. The value is read, the redemption made durable, and only
    /// then the value answered: of two agents with the same token one gets it.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE` for anybody but that node; `SECRET_REDEEMED` the second time; `NOT_FOUND` for a handle that is not
    /// the plan's.
    pub async fn redeem_mount_secret(
        &self,
        caller: &Caller,
        node: &NodeName,
        mount: &MountName,
        handle: &str,
    ) -> Result<RedeemedSecret> {
        caller.must_be_node(node)?;
        let foreign = || {
            let message = format!("{mount} has no such secret for {node}");
            ControlError::new(Status::NotFound, "SECRET_NOT_FOUND", message)
        };
        let Some(stored) = self.tables.find::<Mount>(mount).await? else { return Err(foreign()) };
        let mut record = stored.value;
        if record.node.as_ref() != Some(node) {
            return Err(foreign());
        }
        if !matches!(record.state, MountState::Requested | MountState::Mounted | MountState::Stale) {
            let what = format!("it is {:?}", record.state);
            return Err(ControlError::precondition("MOUNT_ENDED", mount, what));
        }
        let secret = record.secrets.iter_mut().find(|secret| secret.handle == handle).ok_or_else(foreign)?;
        if secret.redeemed_at.is_some() {
            let what = "the secret was redeemed before, and works once";
            return Err(ControlError::precondition("SECRET_REDEEMED", mount, what));
        }
        secret.redeemed_at = Some(self.now());
        let name = SecretName::parse(&secret.secret)?;
        let value = self.secrets.get(&name, FIELD).await?;
        let mut change = Transaction::new();
        change.update(&record, stored.version);
        self.audit(&mut change, caller, "storage.mount.redeem-secret", mount, Outcome::Done, "");
        change.commit(&self.tables).await?;
        if let Err(error) = self.secrets.delete(&name).await {
            // The release of the mount deletes it again.
            tracing::warn!(mount = %mount, error = %error, "a redeemed secret could not be deleted yet");
        }
        let expires_at = record.plan.and_then(|plan| plan.valid_until).map(UnixMillis);
        Ok(RedeemedSecret { value, expires_at })
    }
}
