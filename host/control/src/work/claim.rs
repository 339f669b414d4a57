//! A node's agent asks for work.

use std::time::Duration;

use stowage_domain::NodeName;
use stowage_store::{Segments, Transaction};

use super::{Lease, Work};
use crate::{
    Caller, Control, PageRequest, Result, ids,
    rows::{Reads, Writes},
};

/// How much, and how long to wait for the first piece.
#[derive(Debug, Clone)]
pub struct ClaimWork {
    /// The asking node.
    pub node: NodeName,
    /// Most pieces, at most 64; 0 for 8.
    pub max: usize,
    /// Longest wait, at most 60 s.
    pub wait: Duration,
}

/// Work with a fresh lease.
pub type ClaimedWork = Work;

const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Control {
    /// Work of the calling node alone, oldest first; empty when none came in time.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE` for anybody but that node's agent.
    pub async fn claim_work(&self, caller: &Caller, command: ClaimWork) -> Result<Vec<ClaimedWork>> {
        caller.must_be_node(&command.node)?;
        let max = if command.max == 0 { 8 } else { command.max.min(64) };
        let end = tokio::time::Instant::now() + command.wait.min(LONGEST_WAIT);
        let key = command.node.to_string();
        let topic = self.hub.topic(&key);
        let claimed = async {
            loop {
                let mut woken = std::pin::pin!(topic.notified());
                woken.as_mut().enable();
                let (claimed, lease_ends) = self.lease(&command.node, max).await?;
                if !claimed.is_empty() {
                    return Ok(claimed);
                }
                // Leased work comes back when its lease ends, which wakes nobody.
                let look = lease_ends.map_or(end, |wait| end.min(tokio::time::Instant::now() + wait));
                if tokio::time::timeout_at(look, woken).await.is_err() && tokio::time::Instant::now() >= end {
                    return Ok(Vec::new());
                }
            }
        }
        .await;
        self.hub.leave(&key, topic);
        claimed
    }

    /// Leases what is free; else tells when the first lease ends.
    async fn lease(&self, node: &NodeName, max: usize) -> Result<(Vec<Work>, Option<Duration>)> {
        loop {
            let now = self.now();
            let page = PageRequest { size: 256, token: String::new() };
            let all = self.tables.list::<Work>(&Segments::of([node.node.as_str()]), &page).await?;
            let mut change = Transaction::new();
            let mut claimed = Vec::new();
            let mut next: Option<u64> = None;
            for work in all.items {
                match &work.value.lease {
                    Some(lease) if lease.until > now => {
                        let wait = lease.until.since(now).0;
                        next = Some(next.map_or(wait, |next| next.min(wait)));
                    }
                    _ if claimed.len() < max => {
                        let mut leased = work.value;
                        leased.attempt = leased.attempt.saturating_add(1);
                        leased.lease =
                            Some(Lease { claim: ids::chosen("claim"), until: now.plus(self.config.work_lease) });
                        change.update(&leased, work.version);
                        claimed.push(leased);
                    }
                    _ => {}
                }
            }
            if claimed.is_empty() {
                return Ok((claimed, next.map(Duration::from_millis)));
            }
            match change.commit(&self.tables).await {
                Ok(_) => return Ok((claimed, None)),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
