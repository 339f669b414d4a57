//! Taking away: a revoked grant, a released workload, a deleted namespace, and what the provider shows after it.

use anyhow::bail;
use stowage_client::proto as v1;

use super::{
    Run,
    files::{Mounted, Mounts},
    site::Site,
};
use crate::cli::connection::{call, every};

impl Run<'_> {
    /// Revokes the grant that the reader's mount rests on.
    pub(super) async fn revoke(&self, mounts: &Mounts) {
        let Some(reader) = &mounts.reader else {
            self.journal.skip("revoke.grant", "no mount rests on a grant", "revoking was not measured", "");
            return;
        };
        let revoke = async {
            let request = v1::RevokeGrantRequest { name: mounts.grant.clone(), ..Default::default() };
            let done = self.done(call!(self.session.client.grants(), revoke_grant, request)).await?;
            let seen = self.taken_away(reader, v1::MountState::Revoked, &done).await?;
            Ok(((), seen))
        };
        let asked = "RevokeGrant while a workload has a mount by it";
        let follows = "who loses a grant loses its mounts";
        let revoked = self.journal.step("revoke.grant", asked, follows, revoke).await;
        let evidence = "a grant was revoked, and the mount that rested on it was taken off its node";
        self.journal.confirmed("mounts.revoke", &revoked, evidence);
    }

    /// Releases the writer's workload with its two mounts.
    pub(super) async fn release(&self, _site: &Site, mounts: &Mounts) {
        let Some(writer) = &mounts.writer else { return };
        let workload = writer.plan.split("/mountPlans/").next().unwrap_or_default().to_owned();
        let release = async {
            let request = v1::ReleaseWorkloadRequest { name: workload, ..Default::default() };
            let done = self.done(call!(self.session.client.workloads(), release_workload, request)).await?;
            let mut seen = self.taken_away(writer, v1::MountState::Released, &done).await?;
            if let Some(second) = &mounts.second {
                seen = format!("{seen}; {}", self.taken_away(second, v1::MountState::Released, &done).await?);
            }
            Ok(((), seen))
        };
        let asked = "ReleaseWorkload while it has mounts";
        self.journal.step("release.workload", asked, "a workload's end takes its mounts along", release).await;
    }

    /// Checks that a mount has ended, at the host and, where it can be looked at, on its node.
    async fn taken_away(
        &self,
        mounted: &Mounted,
        state: v1::MountState,
        done: &v1::Operation,
    ) -> anyhow::Result<String> {
        let items = done.metadata.iter().flat_map(|metadata| &metadata.items);
        let told = items.filter(|item| item.resource == mounted.plan).map(|item| item.state.clone()).next();
        let request = v1::GetMountPlanRequest { name: mounted.plan.clone() };
        let found = call!(self.session.client.mounts(), get_mount_plan, request).state();
        if found != state {
            bail!("{} is {} instead of {}", mounted.plan, found.as_str_name(), state.as_str_name());
        }
        if self.args.on_node.is_some() && self.on_node(mounted, "true").await.is_ok() {
            bail!("{} is still there on {}", mounted.path, mounted.node);
        }
        let told = told.unwrap_or_else(|| "not itemized".to_owned());
        Ok(format!("{} on {}: {}, reported {told}", mounted.path, mounted.node, found.as_str_name()))
    }

    /// Deletes the namespace with its data.
    pub(super) async fn delete_namespace(&self) {
        let delete = async {
            let request = v1::DeleteNamespaceRequest {
                name: self.namespace.clone(),
                data_policy: v1::DataPolicy::Purge.into(),
                ..Default::default()
            };
            self.done(call!(self.session.client.namespaces(), delete_namespace, request)).await?;
            Ok(((), "gone".to_owned()))
        };
        let asked = "DeleteNamespace with its data";
        self.journal.step("namespace.delete", asked, "nothing of it is kept", delete).await;
    }

    /// Scans for drift: nothing of this run may differ.
    pub(super) async fn no_drift(&self, check: &str) {
        let scan = async {
            let mut client = self.session.client.drifts();
            let request = v1::ScanDriftsRequest { name: self.provider.clone() };
            let scanned = call!(client, scan_drifts, request);
            if !scanned.incomplete_reason.is_empty() {
                bail!("the provider's list broke off: {}", scanned.incomplete_reason);
            }
            let request = v1::ListDriftsRequest { parent: self.provider.clone(), ..Default::default() };
            let all = every!(client, list_drifts, request, drifts);
            let ours = |drift: &&v1::Drift| {
                drift.severity() != v1::DriftSeverity::Info
                    && (drift.resource.starts_with(&self.namespace)
                        || drift.resource.contains(&format!("/{}-", self.id())))
            };
            if let Some(drift) = all.iter().find(ours) {
                bail!("{} of {}: {}", drift.kind, drift.resource, drift.evidence);
            }
            let (listed, pages) = (scanned.listed_count, scanned.page_count);
            Ok(((), format!("{listed} listed in {pages} pages; {} differences, none of this run", all.len())))
        };
        let follows = "what the host believes is what the provider has";
        self.journal.step(check, "ScanDrifts, then ListDrifts", follows, scan).await;
    }
}
