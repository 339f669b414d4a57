//! What somebody holds on a namespace: ownership, and the active grants to all that they are.

use stowage_domain::{Grant, GrantName, NamespaceName, Principal, ProjectName, Workload};
use stowage_policy::Entitlement;
use stowage_store::Segments;

use crate::{
    Caller, Control, Result,
    rows::{Reads, SHARED_INTO, consumer},
};

impl Control {
    /// Everything that a workload holds: as itself, as its project, and as whom it acts for.
    pub(crate) async fn held_by_workload(
        &self,
        workload: &Workload,
        namespace: &NamespaceName,
    ) -> Result<Vec<Entitlement>> {
        let project = workload.name.project_name();
        let mut principals = vec![Principal::Workload(workload.name.clone()), Principal::Project(project.clone())];
        principals.extend(workload.principal.clone());
        self.held(&project, principals, namespace).await
    }

    /// Everything that a caller holds who acts for a project.
    pub(crate) async fn held_by_caller(
        &self,
        caller: &Caller,
        project: &ProjectName,
        namespace: &NamespaceName,
    ) -> Result<Vec<Entitlement>> {
        let mut principals = caller.principals();
        principals.push(Principal::Project(project.clone()));
        self.held(project, principals, namespace).await
    }

    async fn held(
        &self,
        project: &ProjectName,
        principals: Vec<Principal>,
        namespace: &NamespaceName,
    ) -> Result<Vec<Entitlement>> {
        let mut held = Vec::new();
        if namespace.project_name() == *project {
            held.push(Entitlement::ownership());
        }
        let mut consumers: Vec<String> = principals.iter().map(consumer).collect();
        consumers.sort();
        consumers.dedup();
        let now = self.now();
        for consumer in consumers {
            let prefix = Segments::of([&consumer, &namespace.to_string()]);
            let mut cursor = None;
            loop {
                let page = self.tables.entries(SHARED_INTO, &prefix, cursor.as_ref(), 1000).await?;
                for (_, name, _) in &page.items {
                    if let Some(grant) = self.tables.find::<Grant>(&GrantName::parse(name)?).await? {
                        held.extend(Entitlement::of_grant(&grant.value, &principals, now));
                    }
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(held)
    }
}
