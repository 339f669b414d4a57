//! What a node needs to mount the source of its steps: options and secrets that only the adapter knows.
//!
//! A storage of a tenant's own may open by the tenant's token alone. So among the arguments of its first step an adapter
//! may name `source.option.<option>` with a value and `source.secret.<option>` with a sealed handle. They are no arguments
//! of the verb: the agent gets them beside the steps, and redeems each handle once, as it does for a mount.

use secrecy::SecretString;
use stowage_audit::Outcome;
use stowage_domain::{NodeName, WorkName};
use stowage_ports::{SecretName, provider::NodeWork};
use stowage_store::Transaction;

use super::{Order, Work};
use crate::{Caller, Control, ControlError, RedeemedSecret, Result, Status, rows::Reads};

const OPTION: &str = "source.option.";
const SECRET: &str = "source.secret.";
/// The field of a sealed value.
const FIELD: &str = "value";

/// Options and handles of secrets, each by the mount option that it is the value of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceAccess {
    /// Options with their values.
    pub options: Vec<(String, String)>,
    /// Options with the handles of their values.
    pub secrets: Vec<(String, String)>,
}

impl SourceAccess {
    /// What the work's first step names.
    #[must_use]
    pub fn of(work: &NodeWork) -> Self {
        let mut access = Self::default();
        for (key, value) in work.steps.first().into_iter().flat_map(|step| &step.args) {
            if let Some(option) = key.strip_prefix(OPTION) {
                access.options.push((option.to_owned(), value.clone()));
            } else if let Some(option) = key.strip_prefix(SECRET) {
                access.secrets.push((option.to_owned(), value.clone()));
            }
        }
        access
    }

    /// Whether an argument is meant for the source and not for the verb.
    #[must_use]
    pub fn holds(key: &str) -> bool {
        key.starts_with(OPTION) || key.starts_with(SECRET)
    }
}

impl Control {
    /// Opens a secret of the work's source for the agent of the work's node. The value is read and deleted before it is
    /// answered, so that of two agents with the same token one gets it; an agent that lost it fails its work, and the next
    /// try of the operation brings a new one.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE` for anybody but that node; `SECRET_NOT_FOUND` for a handle that is not the work's, or was redeemed.
    pub async fn redeem_work_secret(
        &self,
        caller: &Caller,
        node: &NodeName,
        work: &WorkName,
        handle: &str,
    ) -> Result<RedeemedSecret> {
        caller.must_be_node(node)?;
        let foreign = || {
            let message = format!("{work} has no such secret for {node}, or it was redeemed before");
            ControlError::new(Status::NotFound, "SECRET_NOT_FOUND", message)
        };
        if work.node != node.node {
            return Err(foreign());
        }
        let Some(stored) = self.tables.find::<Work>(work).await? else { return Err(foreign()) };
        let Order::Steps(steps) = &stored.value.order else { return Err(foreign()) };
        let own = format!("sealed/{}/", stored.value.provider.provider);
        if !handle.starts_with(&own) || !SourceAccess::of(steps).secrets.iter().any(|(_, named)| named == handle) {
            return Err(foreign());
        }
        let name = SecretName::parse(handle)?;
        let value: SecretString = self.secrets.get(&name, FIELD).await.map_err(|_| foreign())?;
        self.secrets.delete(&name).await?;
        let mut change = Transaction::new();
        self.audit(&mut change, caller, "storage.work.redeem-secret", work, Outcome::Done, "");
        change.commit(&self.tables).await?;
        Ok(RedeemedSecret { value, expires_at: None })
    }
}

#[cfg(test)]
mod tests {
    use stowage_ports::provider::{MountSource, NodeStep};

    use super::*;

    #[test]
    fn access_is_read_from_the_first_step_and_is_no_argument_of_a_verb() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let step = |args| NodeStep { id: "1".to_owned(), verb: "stat".to_owned(), path: "a".to_owned(), args };
        let args = vec![pair("mark", "m"), pair("source.secret.token", "sealed/p/1"), pair("source.option.acl", "")];
        let late = vec![pair("source.secret.token", "sealed/p/2")];
        let source = MountSource::Other("x".to_owned());
        let access = SourceAccess::of(&NodeWork { source, steps: vec![step(args), step(late)] });
        assert_eq!(access.secrets, [pair("token", "sealed/p/1")]);
        assert_eq!(access.options, [pair("acl", "")]);
        assert!(SourceAccess::holds("source.secret.token") && !SourceAccess::holds("mark"));
    }
}
