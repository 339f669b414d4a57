//! Quota: whether it stops a writer, how soon usage shows, and whether it can be changed while in use.

use std::time::{Duration, Instant};

use anyhow::bail;
use stowage_client::proto as v1;

use super::{Run, files::Mounts};
use crate::cli::connection::call;

/// How long usage may take to show what was written.
const USAGE_PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at the usage.
const BETWEEN: Duration = Duration::from_millis(500);
const MIB: u64 = 1 << 20;

impl Run<'_> {
    /// Writes twice the quota, and changes it.
    pub(super) async fn quota(&self, mounts: &Mounts) {
        let quota = self.args.quota;
        if let (Some(writer), true) = (&mounts.writer, self.args.on_node.is_some()) {
            let blocks = (quota.saturating_mul(2) / MIB).max(1);
            let script = format!("dd if=/dev/zero of=shared/validate-big bs=1M count={blocks} conv=fsync 2>&1");
            let asked = format!("{} bytes are written into a quota of {quota}", blocks.saturating_mul(MIB));
            match self.on_node(writer, &format!("{script}; stat -c %s shared/validate-big >&2; exit 7")).await {
                // The script always ends with an error, so that what it says of the size comes back.
                Ok(_) => {}
                Err(error) => self.stopped(&asked, &format!("{error:#}"), quota),
            }
        } else {
            let remedy = "give --on-node and have an online node";
            self.journal.skip("quota.enforced", "no mount to write on", "it is believed as declared", remedy);
        }
        self.change_quota().await;
    }

    fn stopped(&self, asked: &str, seen: &str, quota: u64) {
        let size = seen.rsplit(' ').next().and_then(|word| word.parse::<u64>().ok());
        let Some(size) = size else {
            self.journal.fail("quota.enforced", asked, seen, "nothing is known of the quota", "look at the node");
            return;
        };
        let text = format!("the file ended at {size} bytes");
        // A backend counts in blocks and may lag behind a fast writer; an eighth more is still a quota.
        if size <= quota.saturating_add(quota / 8).saturating_add(MIB) {
            self.journal.note("quota.enforced", asked, &text, "a writer is stopped at its quota");
            self.journal.measured("quota.hard", true, format!("{asked}; {text}"));
        } else {
            let remedy = "do not rely on hard quotas here";
            self.journal.fail("quota.enforced", asked, &text, "a writer is not stopped", remedy);
            self.journal.measured("quota.hard", false, format!("{asked}; {text}"));
        }
    }

    async fn change_quota(&self) {
        let more = self.args.quota.saturating_mul(2);
        let change = async {
            let quota = Some(v1::Quota { hard_bytes: more, ..Default::default() });
            let request = v1::SetNamespaceQuotaRequest { name: self.namespace.clone(), quota, ..Default::default() };
            let mut client = self.session.client.namespaces();
            self.done(call!(client, set_namespace_quota, request)).await?;
            let request = v1::GetNamespaceRequest { name: self.namespace.clone(), ..Default::default() };
            let force = call!(client, get_namespace, request).effective_quota.map_or(0, |quota| quota.hard_bytes);
            if force < more {
                bail!("the quota in force is {force} bytes and {more} were asked for");
            }
            Ok(((), format!("in force {force} bytes")))
        };
        let asked = format!("SetNamespaceQuota to {more} bytes, while mounted");
        self.journal.step("quota.change", asked, "a quota grows while it is used", change).await;
    }

    /// Waits until the usage shows what was written.
    pub(super) async fn usage(&self, mounts: &Mounts) {
        let written = mounts.writer.is_some() && self.args.on_node.is_some();
        let least = if written { self.args.quota / 2 } else { 0 };
        let began = Instant::now();
        let look = async {
            loop {
                let name = format!("{}/usage", self.namespace);
                let request = v1::GetNamespaceUsageRequest { name, refresh: true };
                let usage = call!(self.session.client.namespaces(), get_namespace_usage, request);
                let bytes = usage.usages.iter().find(|usage| usage.dimension() == v1::Dimension::Bytes);
                match bytes {
                    Some(usage) if usage.used >= least => {
                        return Ok((began.elapsed(), format!("{} bytes, {}", usage.used, usage.basis)));
                    }
                    _ if began.elapsed() > USAGE_PATIENCE => bail!("it shows {bytes:?} after {USAGE_PATIENCE:?}"),
                    _ => tokio::time::sleep(BETWEEN).await,
                }
            }
        };
        let asked = format!("GetNamespaceUsage until it shows {least} bytes");
        let latency = self.journal.step("usage", asked, "usage shows what is written", look).await;
        self.journal.confirmed("usage", &latency, &format!("usage showed at least {least} bytes"));
        if let Some(latency) = latency {
            let seconds = v1::capability_value::Kind::Seconds(latency.as_secs());
            self.journal.constraint("usage", "usage.latency", seconds);
        }
    }
}
