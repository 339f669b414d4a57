//! Changing how a namespace can be reached. The data stays where it is: a bucket is opened over the directory, or taken away.

use stowage_domain::{Namespace, NamespaceName, NamespaceState, Protocol, Provider, StorageClass};
use stowage_ports::provider::NativeRef;
use stowage_store::{Segments, Transaction};

use super::{Started, provision::unloadable, rows::Ends};
use crate::{
    Caller, Control, ControlError, Operation, Problem, Purpose, Response, Result, Stored, WriteOptions, convert,
    operations::{CallKind, Called, Flow, Stepping, progress, sort},
    providers::serves,
    rows::{NAMESPACE_MOUNTS, Reads, Request, Writes},
};

impl Control {
    /// Changes the protocols of a usable namespace.
    ///
    /// # Errors
    /// The reason of a capability that is not ready, such as `S3_NOT_ENABLED`; `CAPABILITY_MISSING`, `MOUNTED` when
    /// `posix` is to go, `NAMESPACE_NOT_READY`, `OPERATION_IN_PROGRESS`, `ETAG_MISMATCH`, wrong fields.
    pub async fn set_namespace_protocols(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        mut protocols: Vec<Protocol>,
        options: WriteOptions,
    ) -> Result<Started> {
        caller.may_touch(&name.project_name())?;
        protocols.sort();
        protocols.dedup();
        if protocols.is_empty() {
            return Err(ControlError::field("protocols", "must name at least one protocol"));
        }
        let request = Request::new(caller, &options, "set-namespace-protocols", &(name, &protocols), self.now())?;
        loop {
            if let Some(operation) = self.answered(&request).await? {
                return self.started(operation).await;
            }
            let stored = self.changeable(name, &options).await?;
            let mut change = Transaction::new();
            self.check_protocols(&stored.value, &protocols, &mut change).await?;
            let mut namespace = stored.value;
            let purpose = Purpose::SetProtocols { namespace: name.clone(), protocols: protocols.clone() };
            let provider = namespace.provider.clone();
            let operation = self.intend(caller, purpose, &name.project_name(), Some(provider))?;
            namespace.settle(NamespaceState::Updating, self.now());
            namespace.operation = Some(operation.name.clone());
            if options.validate_only {
                namespace.protocols = protocols;
                return Ok(Started::would_be(namespace));
            }
            change.update(&namespace, stored.version);
            self.write_intent(&mut change, caller, &operation, Some(&request));
            match change.commit(&self.tables).await {
                Ok(_) => {
                    self.queue.wake(&operation.name.operation);
                    return Ok(Started::running(operation, namespace));
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What comes must be offered by the class and served by the provider; what goes must not be in use.
    async fn check_protocols(&self, namespace: &Namespace, to: &[Protocol], change: &mut Transaction) -> Result<()> {
        let provider = self.tables.read::<Provider>(&namespace.provider).await?;
        let class = match &namespace.class {
            Some(class) => self.tables.find::<StorageClass>(class).await?,
            None => None,
        };
        for (index, protocol) in to.iter().enumerate().filter(|(_, protocol)| !namespace.protocols.contains(protocol)) {
            if let Some(class) = &class
                && !class.value.protocols.contains(protocol)
            {
                let rule = format!("{} is not offered by {}", protocol.word(), class.value.name);
                return Err(ControlError::field(format!("protocols[{index}]"), rule));
            }
            serves(&provider.value, *protocol)?;
        }
        if namespace.protocols.contains(&Protocol::Posix) && !to.contains(&Protocol::Posix) {
            self.refuse_mounted(&namespace.name).await?;
            change.require_no_entry(NAMESPACE_MOUNTS, &Segments::of([&namespace.name.to_string()]));
        }
        Ok(())
    }

    pub(crate) async fn step_set_protocols(
        &self,
        operation: &mut Operation,
        name: &NamespaceName,
        protocols: &[Protocol],
    ) -> Result<Stepping> {
        let stored = self.namespace_of(name).await?;
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(unloadable(error).alone()),
        };
        let Some(native) = stored.value.native.as_ref().map(|native| NativeRef(native.reference.clone())) else {
            let what = "it has no native object";
            return Ok(Flow::fail(ControlError::precondition("NAMESPACE_NOT_READY", name, what)).alone());
        };
        let (cx, call, wanted) = (operation.context(), operation.call(), convert::protocols(protocols));
        let answer = self.guard(operation, provider.set_namespace_protocols(&cx, &call, &native, &wanted)).await;
        let native = match sort(operation, CallKind::Change, answer) {
            Called::Value(changed) => match progress(changed) {
                Ok(native) => native,
                Err(flow) => return Ok(flow.alone()),
            },
            Called::Gone => native,
            Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
        };
        let mut namespace = stored.value;
        let mut change = Transaction::new();
        namespace.protocols = protocols.to_vec();
        namespace.settle(NamespaceState::Ready, self.now());
        if let Some(native_row) = &mut namespace.native {
            native_row.reference = native.0;
        }
        change.update(&namespace, stored.version);
        Ok((Flow::done(Response::Namespace(Box::new(namespace))), change))
    }

    /// The change failed: the namespace is reached as before.
    pub(crate) async fn protocols_failed(
        &self,
        name: &NamespaceName,
        change: &mut Transaction,
        problem: &Problem,
    ) -> Result<()> {
        let Some(Stored { value: mut namespace, version }) = self.tables.find::<Namespace>(name).await? else {
            return Ok(());
        };
        namespace.settle(NamespaceState::Ready, self.now());
        namespace.state_reason = format!("the last change of its protocols failed: {}", problem.message);
        change.update(&namespace, version);
        Ok(())
    }
}
