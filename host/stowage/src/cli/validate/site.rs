//! What the measurements stand on: a class that leads to the provider, a second project, nodes, and what can be done.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use stowage_client::proto as v1;

use super::{Run, undo::Made};
use crate::cli::{
    connection::{call, every},
    names::{CLASS, NODE, full},
};

/// The ground of a run.
pub(super) struct Site {
    /// `storageClasses/{storage_class}`.
    pub(super) class: String,
    /// The project that gets a grant.
    pub(super) reader: String,
    /// Names of the nodes to mount on: none, one or two.
    pub(super) nodes: Vec<String>,
    /// What the provider can do, by id.
    pub(super) capabilities: BTreeMap<String, v1::Capability>,
}

impl Site {
    /// Finds or makes it all; `None` when the run cannot go on.
    pub(super) async fn prepare(run: &Run<'_>) -> Option<Self> {
        let capabilities = run.capabilities().await?;
        let class = run.class(&capabilities).await?;
        let reader = run.second_project().await?;
        let nodes = run.nodes().await?;
        Some(Self { class, reader, nodes, capabilities })
    }

    /// Whether the provider can do this as far as anybody knows.
    pub(super) fn can(&self, id: &str) -> bool {
        self.capabilities.get(id).is_some_and(|one| one.state() == v1::CapabilityState::Supported)
    }

    /// Why it cannot, and what to do.
    pub(super) fn lack(&self, id: &str) -> (String, String) {
        match self.capabilities.get(id) {
            None => (format!("the plugin declares no {id}"), String::new()),
            Some(one) if one.reason.is_empty() => (format!("{id}: {}", one.state().as_str_name()), one.remedy.clone()),
            Some(one) => (format!("{id}: {}", one.reason), one.remedy.clone()),
        }
    }
}

impl Run<'_> {
    async fn capabilities(&self) -> Option<BTreeMap<String, v1::Capability>> {
        let (session, name) = (self.session, self.provider.clone());
        let probe = async {
            let request = v1::ProbeProviderRequest { name, mode: v1::ProbeMode::ReadOnly.into() };
            let probed = call!(session.client.providers(), probe_provider, request);
            let provider = probed.provider.unwrap_or_default();
            let all: BTreeMap<_, _> = probed.capabilities.into_iter().map(|one| (one.id.clone(), one)).collect();
            Ok((all, format!("release {}, {}", provider.native_version, provider.health().as_str_name())))
        };
        self.journal.step("provider", "ProbeProvider, read-only", "the backend answers", probe).await
    }

    /// The class of the arguments, or one of the provider's own labels.
    async fn class(&self, capabilities: &BTreeMap<String, v1::Capability>) -> Option<String> {
        if let Some(class) = &self.args.class {
            let named = full(CLASS, class);
            let step = async { Ok((named?, "named by --class".to_owned())) };
            return self.journal.step("class", "--class", "namespaces of it are placed here", step).await;
        }
        let id = format!("{}-class", self.id());
        let name = format!("storageClasses/{id}");
        self.undo.made(Made::Class(name.clone()));
        let s3 = capabilities.get("namespaces.s3").is_some_and(|one| one.state() == v1::CapabilityState::Supported);
        let mut protocols = vec![v1::Protocol::Posix.into()];
        protocols.extend(s3.then_some(i32::from(v1::Protocol::S3)));
        let (session, provider) = (self.session, self.provider.clone());
        let make = async {
            let request = v1::GetProviderRequest { name: provider };
            let provider = call!(session.client.providers(), get_provider, request);
            let class = v1::StorageClass {
                description: "made to validate a provider, and deleted after it".to_owned(),
                protocols,
                provider_selector: provider.labels,
                region: provider.region,
                multi_writer: true,
                ..Default::default()
            };
            let request = v1::CreateStorageClassRequest {
                storage_class_id: id,
                storage_class: Some(class),
                ..Default::default()
            };
            let made = call!(session.client.storage_classes(), create_storage_class, request);
            Ok((made.name, "made from the provider's labels".to_owned()))
        };
        self.journal.step("class", "CreateStorageClass", "namespaces of it are placed by these labels", make).await
    }

    /// A project beside that of the namespace, with the same identity on files: it gets the grant.
    async fn second_project(&self) -> Option<String> {
        let project_id = format!("{}-reader", self.id());
        let (tenant, _) = self.project().split_once("/projects/")?;
        let (parent, owner) = (tenant.to_owned(), self.project().to_owned());
        self.undo.made(Made::Project(format!("{parent}/projects/{project_id}")));
        let session = self.session;
        let make = async {
            let owner = call!(session.client.tenants(), get_project, v1::GetProjectRequest { name: owner });
            let project = v1::Project {
                display_name: "made to validate a provider, and deleted after it".to_owned(),
                posix_identity: owner.posix_identity,
                ..Default::default()
            };
            let request = v1::CreateProjectRequest { parent, project_id, project: Some(project), ..Default::default() };
            let made = call!(session.client.tenants(), create_project, request);
            Ok((made.name, "made beside the namespace's".to_owned()))
        };
        self.journal.step("project", "CreateProject", "a second project can be granted access", make).await
    }

    async fn nodes(&self) -> Option<Vec<String>> {
        let (session, named) = (self.session, self.args.nodes.clone());
        let find = async {
            let all = every!(session.client.nodes(), list_nodes, v1::ListNodesRequest::default(), nodes);
            let online = |node: &&v1::Node| node.state() == v1::NodeState::Online;
            let mut found: Vec<String> = all.iter().filter(online).map(|node| node.name.clone()).collect();
            if !named.is_empty() {
                let named = named.iter().map(|name| full(NODE, name)).collect::<anyhow::Result<Vec<_>>>()?;
                if let Some(away) = named.iter().find(|name| !found.contains(name)) {
                    bail!("{away} is not online");
                }
                found = named;
            }
            found.truncate(2);
            let seen = if found.is_empty() { "no node is online".to_owned() } else { found.join(", ") };
            Ok((found, seen))
        };
        self.journal.step("nodes", "ListNodes", "mounts are measured on them", find).await
    }

    /// Makes the namespace, on this provider or not at all.
    pub(super) async fn create_namespace(&self, site: &Site) -> Option<()> {
        let (parent, namespace_id) = (self.project().to_owned(), self.id().to_owned());
        let request = v1::CreateNamespaceRequest {
            parent,
            namespace_id,
            namespace: Some(v1::Namespace {
                storage_class: site.class.clone(),
                protocols: vec![v1::Protocol::Posix.into()],
                quota: Some(v1::Quota { hard_bytes: self.args.quota, ..Default::default() }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let (provider, quota) = (self.provider.clone(), self.args.quota);
        let dry = v1::CreateNamespaceRequest { validate_only: true, ..request.clone() };
        let session = self.session;
        let place = async {
            let answer = call!(session.client.namespaces(), create_namespace, dry);
            let would_be: v1::Namespace = response(&answer)?;
            if would_be.provider != provider {
                bail!("it would be placed on {}: name a --class that leads to {provider} alone", would_be.provider);
            }
            Ok(((), format!("placed on {provider}")))
        };
        self.journal.step("placement", "CreateNamespace, validated only", "the class leads here", place).await?;
        self.undo.made(Made::Namespace(self.namespace.clone()));
        let name = self.namespace.clone();
        let make = async {
            self.done(call!(session.client.namespaces(), create_namespace, request)).await?;
            let request = v1::GetNamespaceRequest { name, ..Default::default() };
            let made = call!(session.client.namespaces(), get_namespace, request);
            let force = made.effective_quota.as_ref().map_or(0, |quota| quota.hard_bytes);
            if force < quota {
                bail!("the quota in force is {force} bytes and {quota} were asked for");
            }
            Ok(((), format!("{}; quota in force {force} bytes", made.state().as_str_name())))
        };
        let asked = format!("CreateNamespace with a quota of {quota} bytes");
        let made = self.journal.step("namespace.create", asked, "namespaces can be made", make).await;
        self.journal.confirmed("namespaces.posix", &made, "a namespace was made and is ready");
        made
    }
}

/// The response of an operation that is done at once.
pub(super) fn response<T: prost::Message + prost::Name + Default>(operation: &v1::Operation) -> anyhow::Result<T> {
    match &operation.result {
        Some(v1::operation::Result::Response(any)) => Ok(any.to_msg()?),
        Some(v1::operation::Result::Error(status)) => Err(stowage_client::Failure::from(status).into()),
        None => None.context("the operation has no response"),
    }
}
