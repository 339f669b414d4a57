//! Making and adopting a namespace at its provider, and taking back what may have been made.

use std::sync::Arc;

use stowage_domain::{Namespace, NamespaceName, NamespaceState, Project, StorageClass, namespace::Native};
use stowage_ports::provider::{self as port, NativeRef, Provider};
use stowage_store::{Segments, Transaction};

use super::rows::Ends;
use crate::{
    Control, ControlError, Operation, Response, Result, Status, Stored, convert, ids,
    operations::{CallKind, Called, Flow, Stepping, progress, sort},
    rows::{Reads, TENANT_BINDINGS, Writes, index_native},
};

/// The interface of adapters that have an object of their own for a tenant.
const TENANTS: &str = "tenants";

/// The registered key by which a call names the secret that was made for the tenant.
const TENANT_SECRET: &str = "tenant.secret";
/// The reason by which an adapter asks for one. Adapters whose backend has no administrators of tenants never do.
const NO_TENANT_SECRET: &str = "NO_TENANT_SECRET";

fn wants_secret<T>(answer: &port::Answer<T>) -> bool {
    let Err(failure) = answer else { return false };
    matches!(&failure.error.kind, port::ErrorKind::NotReady(lack) if lack.reason == NO_TENANT_SECRET)
}

enum TenantRef {
    Bound(NativeRef),
    Stepping(Box<Stepping>),
}

impl Control {
    pub(crate) async fn step_create_namespace(
        &self,
        operation: &mut Operation,
        name: &NamespaceName,
    ) -> Result<Stepping> {
        let stored = self.namespace_of(name).await?;
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(unloadable(error).alone()),
        };
        let tenant = match self.tenant_ref(operation, name, &provider).await? {
            TenantRef::Bound(native) => native,
            TenantRef::Stepping(stepping) => return Ok(*stepping),
        };
        let spec = self.spec(&stored.value, tenant).await?;
        let (cx, call) = (operation.context(), operation.call());
        let answer = self.guard(operation, provider.create_namespace(&cx, &call, &spec)).await;
        self.made(operation, stored, &provider, answer).await
    }

    pub(crate) async fn step_adopt_namespace(
        &self,
        operation: &mut Operation,
        name: &NamespaceName,
        location: &str,
    ) -> Result<Stepping> {
        let stored = self.namespace_of(name).await?;
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(unloadable(error).alone()),
        };
        let tenant = match self.tenant_ref(operation, name, &provider).await? {
            TenantRef::Bound(native) => native,
            TenantRef::Stepping(stepping) => return Ok(*stepping),
        };
        let spec = self.spec(&stored.value, tenant).await?;
        let (cx, call) = (operation.context(), operation.call());
        let answer = self.guard(operation, provider.adopt_namespace(&cx, &call, location, &spec, false)).await;
        self.made(operation, stored, &provider, answer).await
    }

    /// What follows from the answer to a create or adopt.
    async fn made(
        &self,
        operation: &Operation,
        stored: Stored<Namespace>,
        provider: &Arc<dyn Provider>,
        answer: port::Answer<port::Progress>,
    ) -> Result<Stepping> {
        let native = match sort(operation, CallKind::Make, answer) {
            Called::Value(made) => match progress(made) {
                Ok(native) => native,
                Err(flow) => return Ok(flow.alone()),
            },
            Called::Flow(flow) => return Ok(flow.alone()),
            Called::Gone => {
                let message = "the provider answered that nothing is there to be made";
                return Ok(Flow::retry(ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message)).alone());
            }
            // Whether it was applied or not, the same call under the same owner is safe; what the look finds is known.
            Called::Unknown(flow) => return self.look(operation, stored, provider, flow).await,
        };
        self.seen(operation, stored, provider, native).await
    }

    /// After an unknown outcome: what bears our mark is ours and goes on at once; nothing found is tried again later.
    async fn look(
        &self,
        operation: &Operation,
        stored: Stored<Namespace>,
        provider: &Arc<dyn Provider>,
        flow: Flow,
    ) -> Result<Stepping> {
        let cx = operation.context();
        let answer = self.guard(operation, provider.find_namespace(&cx, &operation.owner)).await;
        match sort(operation, CallKind::Look, answer) {
            Called::Value(Some(native)) if stored.value.native.is_none() => {
                let mut namespace = stored.value;
                namespace.native = Some(Native { reference: native.0, location: String::new() });
                namespace.updated_at = self.now();
                let mut change = Transaction::new();
                change.update(&namespace, stored.version);
                Ok((Flow::Again, change))
            }
            // Found, and not finished by the call that followed: a pause, then the same call again.
            Called::Value(_) => Ok(flow.alone()),
            Called::Gone | Called::Flow(_) | Called::Unknown(_) => Ok(flow.alone()),
        }
    }

    /// Looks at what was made, and ends well only when it is there and ready.
    async fn seen(
        &self,
        operation: &Operation,
        stored: Stored<Namespace>,
        provider: &Arc<dyn Provider>,
        native: NativeRef,
    ) -> Result<Stepping> {
        if native.0.is_empty() || native.0.len() > NativeRef::MAX_BYTES {
            let message = format!("the provider's reference has {} bytes; 1 to 1024 are allowed", native.0.len());
            return Ok(Flow::retry(ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message)).alone());
        }
        let cx = operation.context();
        let answer = self.guard(operation, provider.inspect_namespace(&cx, &native)).await;
        let state = match sort(operation, CallKind::Look, answer) {
            Called::Value(state) => state,
            Called::Flow(Flow::Fail(problem)) => return Ok(Flow::Retry { problem, after: None, few: true }.alone()),
            Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
            Called::Gone => return Ok(Flow::Again.alone()),
        };
        if !matches!(state.lifecycle, port::Lifecycle::Ready | port::Lifecycle::Unknown) {
            let message = format!("the provider answered done and then calls it {:?}", state.lifecycle);
            let problem = ControlError::new(Status::Unavailable, "PROVIDER_NOT_DONE", message).0;
            return Ok(Flow::Retry { problem, after: None, few: false }.alone());
        }
        let mut namespace = stored.value;
        namespace.effective_limits = convert::effective(&state.effective_limits);
        namespace.native = Some(Native { reference: native.0, location: state.location });
        namespace.settle(NamespaceState::Ready, self.now());
        let mut change = Transaction::new();
        index_native(&mut change, &namespace);
        change.update(&namespace, stored.version);
        Ok((Flow::done(Response::Namespace(Box::new(namespace))), change))
    }

    /// Takes back what a failed create or adoption may have left, then gives the reservation back. What was adopted keeps
    /// its data; what was made has none that anybody was told of.
    pub(crate) async fn step_undo_namespace(
        &self,
        operation: &mut Operation,
        name: &NamespaceName,
    ) -> Result<Stepping> {
        let stored = self.namespace_of(name).await?;
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Flow::retry(error).alone()),
        };
        let cx = operation.context();
        let answer = self.guard(operation, provider.find_namespace(&cx, &operation.owner)).await;
        let found = match sort(operation, CallKind::Look, answer) {
            Called::Value(found) => found,
            Called::Gone => None,
            // An adapter that cannot look has what it told us last.
            Called::Flow(Flow::Fail(problem)) if problem.status == Status::Unimplemented => {
                stored.value.native.clone().map(|native| NativeRef(native.reference))
            }
            Called::Flow(Flow::Fail(problem)) => return Ok(Flow::Retry { problem, after: None, few: false }.alone()),
            Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
        };
        if let Some(native) = found {
            let adopted = matches!(operation.purpose, crate::Purpose::AdoptNamespace { .. });
            let data = if adopted { port::DataPolicy::Keep } else { port::DataPolicy::Purge };
            let call = operation.call();
            let answer = self.guard(operation, provider.delete_namespace(&cx, &call, &native, data)).await;
            match sort(operation, CallKind::Remove, answer) {
                Called::Value(removed) => {
                    if let Err(flow) = progress(removed) {
                        return Ok(flow.alone());
                    }
                }
                Called::Gone => {}
                Called::Flow(Flow::Fail(problem)) => {
                    return Ok(Flow::Retry { problem, after: None, few: false }.alone());
                }
                Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
            }
        }
        let mut namespace = stored.value;
        let mut change = Transaction::new();
        self.refund(&mut namespace, &mut change).await?;
        namespace.native = None;
        if let Some(problem) = &operation.error {
            namespace.fail(problem, self.now());
        }
        change.update(&namespace, stored.version);
        Ok((Flow::undone(operation), change))
    }

    /// The tenant's native object: empty where the adapter has none, made on first need. Its owner token is the tenant's
    /// and not the operation's, so two first namespaces at the same time make one object.
    async fn tenant_ref(
        &self,
        operation: &Operation,
        name: &NamespaceName,
        provider: &Arc<dyn Provider>,
    ) -> Result<TenantRef> {
        if !provider.interfaces().iter().any(|interface| interface == TENANTS) {
            return Ok(TenantRef::Bound(NativeRef(Vec::new())));
        }
        let at = operation.provider.as_ref().map(|provider| provider.provider.to_string()).unwrap_or_default();
        let key = Segments::of([&at, name.tenant.as_str()]);
        if let Some((text, _)) = self.tables.lookup(TENANT_BINDINGS, &key).await? {
            return Ok(TenantRef::Bound(NativeRef(hex::decode(text).unwrap_or_default())));
        }
        let mut call = operation.call();
        call.owner = format!("stw-{}", ids::digest(20, &[&self.config.installation, &at, name.tenant.as_str()]));
        let cx = operation.context();
        let mut answer = self.guard(operation, provider.ensure_tenant(&cx, &call, name.tenant.as_str(), &[])).await;
        if wants_secret(&answer)
            && let Some(at) = &operation.provider
        {
            // An administrator of the tenant's own, whose password the host makes and no adapter sees.
            let secret = self.make_principal_secret(at, &format!("swt-{}", ids::digest(12, &[&call.owner]))).await?;
            call.extensions.push((TENANT_SECRET.to_owned(), secret.to_string()));
            answer = self.guard(operation, provider.ensure_tenant(&cx, &call, name.tenant.as_str(), &[])).await;
        }
        Ok(match sort(operation, CallKind::Make, answer) {
            Called::Value(made) => match progress(made) {
                Ok(native) => {
                    let mut change = Transaction::new();
                    change.index(TENANT_BINDINGS, &key, &hex::encode(&native.0));
                    TenantRef::Stepping(Box::new((Flow::Again, change)))
                }
                Err(flow) => TenantRef::Stepping(Box::new(flow.alone())),
            },
            Called::Gone => TenantRef::Bound(NativeRef(Vec::new())),
            Called::Flow(Flow::Fail(problem)) if problem.status == Status::Unimplemented => {
                TenantRef::Bound(NativeRef(Vec::new()))
            }
            Called::Flow(flow) | Called::Unknown(flow) => TenantRef::Stepping(Box::new(flow.alone())),
        })
    }

    /// What the adapter is told.
    pub(super) async fn spec(&self, namespace: &Namespace, tenant: NativeRef) -> Result<port::NamespaceSpec> {
        let project = self.tables.read::<Project>(&namespace.name.project_name()).await?.value;
        let parameters = match &namespace.class {
            Some(class) => self.tables.find::<StorageClass>(class).await?.map(|class| class.value.parameters),
            None => None,
        };
        Ok(port::NamespaceSpec {
            tenant,
            project: namespace.name.project.to_string(),
            name: namespace.name.namespace.to_string(),
            physical_id: namespace.physical_id.clone(),
            protocols: convert::protocols(&namespace.protocols),
            limits: convert::limits(&namespace.limits),
            prefixes: namespace
                .prefixes
                .iter()
                .map(|prefix| prefix.as_str().trim_end_matches('/').to_owned())
                .collect(),
            posix: Some(convert::posix(project.posix)),
            labels: convert::pairs(namespace.labels.iter()),
            extensions: parameters.map(|all| convert::pairs(all.iter())).unwrap_or_default(),
        })
    }
}

/// A provider that cannot be loaded now may be so later: its plugin can be put back.
pub(super) fn unloadable(error: ControlError) -> Flow {
    Flow::Retry { problem: error.0, after: None, few: false }
}
