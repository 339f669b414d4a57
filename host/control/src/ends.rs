//! What ends by itself: workloads whose time has passed are released, what rests on an expired grant is taken away, and
//! credentials that have expired give their place back.
//!
//! The ends stand in one index by time, so one timer waits for the first and nothing is scanned. A host that was down at
//! the time does it when it is up again; the entry goes in the same commit that begins the release.

use std::time::Duration;

use stowage_domain::{CredentialName, Grant, GrantName, UnixMillis, WorkloadName};
use stowage_store::{Segments, Transaction};

use crate::{
    Caller, Control, Purpose, Result, Status, WriteOptions,
    rows::{EXPIRIES, Reads, Writes, expiry_key},
};

/// The longest sleep: the time of day may be set while it lasts.
const LONGEST: Duration = Duration::from_secs(600);
/// How long after trouble with the state store.
const PAUSE: Duration = Duration::from_secs(5);

impl Control {
    pub(crate) async fn watch_ends(&self) {
        loop {
            let sleep = match self.end_what_is_due().await {
                Ok(Some(next)) => Duration::from_millis(next.since(self.now()).0.max(1)).min(LONGEST),
                Ok(None) => LONGEST,
                Err(error) => {
                    tracing::warn!(error = %error, "what ends by itself could not be ended yet");
                    PAUSE
                }
            };
            tokio::select! {
                () = self.draining() => return,
                () = self.ends.notified() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Ends what is due; tells when the next is.
    async fn end_what_is_due(&self) -> Result<Option<UnixMillis>> {
        loop {
            let first = self.tables.entries(EXPIRIES, &Segments::new(), None, 1).await?.items.pop();
            let Some((key, _, _)) = first else { return Ok(None) };
            let at = UnixMillis(key.number_at(0).unwrap_or(0));
            if at > self.now() {
                return Ok(Some(at));
            }
            let name = key.text_at(1).unwrap_or_default();
            if let Ok(workload) = WorkloadName::parse(&name) {
                match self.release_workload(&Caller::host(), &workload, WriteOptions::default()).await {
                    Ok(_) => continue,
                    Err(error) if matches!(error.status(), Status::NotFound | Status::FailedPrecondition) => {}
                    Err(error) => return Err(error),
                }
            } else if let Ok(credential) = CredentialName::parse(&name) {
                match self.credential_due(&credential, at).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    // It was changed meanwhile: look again.
                    Err(error) if error.status() == Status::Aborted => continue,
                    Err(error) => return Err(error),
                }
            } else if let Ok(grant) = GrantName::parse(&name)
                && self.end_grant(&grant, at).await?
            {
                continue;
            }
            let mut change = Transaction::new();
            change.unindex(EXPIRIES, &key);
            change.commit(&self.tables).await?;
        }
    }

    /// Begins to take away what rests on an expired grant; `false` when the grant is not there any more.
    async fn end_grant(&self, name: &GrantName, at: UnixMillis) -> Result<bool> {
        let Some(grant) = self.tables.find::<Grant>(name).await? else { return Ok(false) };
        let purpose = Purpose::RevokeGrant { grant: name.clone() };
        let host = Caller::host();
        let operation = self.intend(&host, purpose, &name.namespace_name().project_name(), None)?;
        let mut change = Transaction::new();
        change.unchanged(&grant);
        change.unindex(EXPIRIES, &expiry_key(at, name));
        self.write_intent(&mut change, &host, &operation, None);
        change.commit(&self.tables).await?;
        self.queue.wake(&operation.name.operation);
        Ok(true)
    }
}
