//! What is checked, and what the checks make at it.

use std::time::Duration;

use sha2::{Digest, Sha256};
use stowage_ports::{
    Provider,
    provider::{
        Answer, Call, CallContext, DataPolicy, Dimension, Enforcement, Limit, LimitScope, NamespaceSpec, NativeRef,
        PosixIdentity, Progress, Protocol,
    },
};

use crate::{Broken, Ended, NodeHands, settle};

/// A provider under test.
pub struct Subject<'a> {
    /// The provider.
    pub provider: &'a dyn Provider,
    /// Does its node work, if it needs any.
    pub node: Option<&'a dyn NodeHands>,
    /// Name of the run: owners and native names follow from it, so that two runs do not meet.
    pub run: String,
    /// The tenant's native object; empty where the provider has none.
    pub tenant: NativeRef,
    /// Protocols of the namespaces that are made.
    pub protocols: Vec<Protocol>,
    /// Their byte limit.
    pub limit_bytes: u64,
    /// Who owns them.
    pub posix: Option<PosixIdentity>,
    /// Longest call.
    pub deadline: Duration,
}

/// A namespace that a check has made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The owner that it was made with.
    pub owner: String,
    /// What it was asked to be.
    pub spec: NamespaceSpec,
    /// Its reference.
    pub native: NativeRef,
}

impl<'a> Subject<'a> {
    /// POSIX namespaces of 64 MiB, without a tenant and without a node.
    #[must_use]
    pub fn new(provider: &'a dyn Provider, run: &str) -> Self {
        Self {
            provider,
            node: None,
            run: run.to_owned(),
            tenant: NativeRef(vec![]),
            protocols: vec![Protocol::Posix],
            limit_bytes: 64 << 20,
            posix: None,
            deadline: Duration::from_secs(30),
        }
    }

    /// Lets this node do the provider's node work.
    #[must_use]
    pub fn with_node(mut self, node: &'a dyn NodeHands) -> Self {
        self.node = Some(node);
        self
    }

    /// Under this tenant.
    #[must_use]
    pub fn with_tenant(mut self, tenant: NativeRef) -> Self {
        self.tenant = tenant;
        self
    }

    /// With these protocols.
    #[must_use]
    pub fn with_protocols(mut self, protocols: Vec<Protocol>) -> Self {
        self.protocols = protocols;
        self
    }

    /// Owned so.
    #[must_use]
    pub fn with_posix(mut self, posix: PosixIdentity) -> Self {
        self.posix = Some(posix);
        self
    }

    /// Whether the adapter exports an optional interface.
    #[must_use]
    pub fn exports(&self, interface: &str) -> bool {
        self.provider.interfaces().iter().any(|i| i == interface)
    }

    /// What calls run under.
    #[must_use]
    pub fn context(&self) -> CallContext {
        CallContext { request_id: format!("conformance/{}", self.run), deadline: Some(self.deadline), safe_only: false }
    }

    /// The owner of a check's change.
    #[must_use]
    pub fn owner(&self, tag: &str) -> String {
        format!("conformance-{}-{tag}", self.digest(tag, 12))
    }

    fn digest(&self, tag: &str, length: usize) -> String {
        let mut digest = hex::encode(Sha256::digest(format!("{}/{tag}", self.run)));
        digest.truncate(length);
        digest
    }

    /// A byte limit of the namespace.
    #[must_use]
    pub fn bytes(&self, value: u64) -> Limit {
        Limit {
            dimension: Dimension::Bytes,
            scope: LimitScope::Namespace,
            enforcement: Enforcement::Block,
            value,
            extensions: vec![],
        }
    }

    /// What a check's namespace should be.
    #[must_use]
    pub fn spec(&self, tag: &str) -> NamespaceSpec {
        let digest = self.digest(tag, 18);
        let (project, namespace) = digest.split_at(8);
        NamespaceSpec {
            tenant: self.tenant.clone(),
            project: "conformance".to_owned(),
            name: tag.to_owned(),
            physical_id: format!("{project}-{namespace}"),
            protocols: self.protocols.clone(),
            limits: vec![self.bytes(self.limit_bytes)],
            prefixes: vec!["shared".to_owned()],
            posix: self.posix,
            labels: vec![],
            extensions: vec![],
        }
    }

    /// Creates a namespace with this owner.
    pub async fn create(&self, owner: &str, spec: &NamespaceSpec) -> Result<Ended<NativeRef>, Broken> {
        settle::<Progress, _, _>(self, owner, |call| self.create_once(call, spec)).await
    }

    async fn create_once(&self, call: Call, spec: &NamespaceSpec) -> Answer<Progress> {
        self.provider.create_namespace(&self.context(), &call, spec).await
    }

    /// Creates the namespace of a check.
    pub async fn make(&self, tag: &str) -> Result<Made, Broken> {
        let (owner, spec) = (self.owner(tag), self.spec(tag));
        let native = self.create(&owner, &spec).await?.done("create")?;
        Ok(Made { owner, spec, native })
    }

    /// Deletes a namespace and its data.
    pub async fn delete(&self, native: &NativeRef, tag: &str) -> Result<Ended<NativeRef>, Broken> {
        let owner = self.owner(&format!("delete-{tag}"));
        settle::<Progress, _, _>(self, &owner, |call| async move {
            self.provider.delete_namespace(&self.context(), &call, native, DataPolicy::Purge).await
        })
        .await
    }
}
