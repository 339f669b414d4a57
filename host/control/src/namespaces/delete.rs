//! Deleting a namespace: fenced by the intent, removed at the provider, then forgotten with its grants.

use stowage_domain::{DataPolicy, Grant, Namespace, NamespaceName, NamespaceState};
use stowage_ports::provider::NativeRef;
use stowage_store::{Segments, Transaction};

use super::{Started, provision::unloadable, rows::Ends};
use crate::{
    Caller, Control, ControlError, Operation, PageRequest, Purpose, Response, Result, Status, WriteOptions, convert,
    operations::{CallKind, Called, Flow, Stepping, progress, sort},
    rows::{
        CLASS_NAMESPACES, Keyed, NAMESPACE_MOUNTS, PROVIDER_NAMESPACES, Placement, Reads, Request, Row, Writes,
        provider_namespace, unindex_grant, unindex_native,
    },
};

/// Grants that one commit forgets; two writes each.
const GRANTS_AT_ONCE: usize = 40;

impl Control {
    /// Fences and deletes a namespace.
    ///
    /// # Errors
    /// `DELETION_PROTECTED`, `MOUNTED` naming the plans, `OPERATION_IN_PROGRESS`, `ETAG_MISMATCH`, `NOT_FOUND`.
    pub async fn delete_namespace(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        data: DataPolicy,
        options: WriteOptions,
    ) -> Result<Started> {
        caller.may_touch(&name.project_name())?;
        let request = Request::new(caller, &options, "delete-namespace", &(name, data), self.now())?;
        loop {
            if let Some(operation) = self.answered(&request).await? {
                return self.started(operation).await;
            }
            let stored = self.tables.read::<Namespace>(name).await?;
            stored.check_etag(options.etag.as_deref(), name)?;
            if stored.value.deletion_protection {
                let what = "it is protected: turn deletion_protection off first";
                return Err(ControlError::precondition("DELETION_PROTECTED", name, what));
            }
            if let Some(operation) = &stored.value.operation {
                return Err(Self::busy(name, operation));
            }
            self.refuse_mounted(name).await?;
            let purpose = Purpose::DeleteNamespace { namespace: name.clone(), data };
            let provider = stored.value.provider.clone();
            let operation = self.intend(caller, purpose, &name.project_name(), Some(provider))?;
            let mut namespace = stored.value;
            namespace.settle(NamespaceState::Deleting, self.now());
            namespace.operation = Some(operation.name.clone());
            if options.validate_only {
                return Ok(Started::would_be(namespace));
            }
            let mut change = Transaction::new();
            change.update(&namespace, stored.version);
            change.require_no_entry(NAMESPACE_MOUNTS, &Segments::of([&name.to_string()]));
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

    pub(super) async fn refuse_mounted(&self, name: &NamespaceName) -> Result<()> {
        let prefix = Segments::of([&name.to_string()]);
        let mounts = self.tables.entries(NAMESPACE_MOUNTS, &prefix, None, 10).await?.items;
        if mounts.is_empty() {
            return Ok(());
        }
        let mut error = ControlError::new(
            Status::FailedPrecondition,
            "MOUNTED",
            format!("{name} has mount plans: release them, or their workloads, first"),
        );
        for (_, mount, _) in mounts {
            error.0.preconditions.push(crate::PreconditionViolation {
                kind: "MOUNTED".to_owned(),
                subject: mount,
                description: format!("mounts {name}"),
            });
        }
        Err(error)
    }

    pub(crate) async fn step_delete_namespace(
        &self,
        operation: &mut Operation,
        name: &NamespaceName,
        data: DataPolicy,
    ) -> Result<Stepping> {
        let namespace = self.namespace_of(name).await?.value;
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(unloadable(error).alone()),
        };
        let cx = operation.context();
        let native = match namespace.native {
            Some(native) => NativeRef(native.reference),
            // A failed one that holds no reservation was taken back; any other is looked for by its mark.
            None => {
                let answer = self.guard(operation, provider.find_namespace(&cx, &namespace.owner)).await;
                match sort(operation, CallKind::Look, answer) {
                    Called::Value(Some(native)) => native,
                    Called::Value(None) | Called::Gone => return Ok(Flow::Next(crate::StepName::Forget).alone()),
                    Called::Flow(Flow::Fail(problem)) if problem.status == Status::Unimplemented => {
                        return Ok(Flow::Next(crate::StepName::Forget).alone());
                    }
                    Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
                }
            }
        };
        let call = operation.call();
        let data = convert::data_policy(data);
        let answer = self.guard(operation, provider.delete_namespace(&cx, &call, &native, data)).await;
        Ok(match sort(operation, CallKind::Remove, answer) {
            Called::Value(removed) => match progress(removed) {
                Ok(_) => Flow::Next(crate::StepName::Forget),
                Err(flow) => flow,
            },
            Called::Gone => Flow::Next(crate::StepName::Forget),
            Called::Flow(flow) | Called::Unknown(flow) => flow,
        }
        .alone())
    }

    /// Grants first, some in each commit; then the record and its room in one.
    pub(crate) async fn step_forget_namespace(
        &self,
        _operation: &mut Operation,
        name: &NamespaceName,
    ) -> Result<Stepping> {
        let mut change = Transaction::new();
        let prefix = Segments::of([name.tenant.as_str(), name.project.as_str(), name.namespace.as_str()]);
        let page = PageRequest { size: GRANTS_AT_ONCE, token: String::new() };
        let grants = self.tables.list::<Grant>(&prefix, &page).await?.items;
        if !grants.is_empty() {
            for grant in grants {
                unindex_grant(&mut change, &grant.value);
                change.remove::<Grant>(&grant.value.name, grant.version);
            }
            return Ok((Flow::Again, change));
        }
        let stored = self.namespace_of(name).await?;
        let mut namespace = stored.value;
        self.refund(&mut namespace, &mut change).await?;
        let now = self.now();
        namespace.settle(NamespaceState::Deleted, now);
        namespace.deleted_at = Some(now);
        change.remove::<Namespace>(name, stored.version);
        change.discard::<Row<Placement>>(&Placement::key_of(name));
        change.unindex(PROVIDER_NAMESPACES, &provider_namespace(&namespace.provider, name));
        unindex_native(&mut change, &namespace);
        if let Some(class) = &namespace.class {
            change.unindex(CLASS_NAMESPACES, &Segments::of([class.storage_class.as_str(), &name.to_string()]));
        }
        self.usage.forget(name);
        Ok((Flow::done(Response::Namespace(Box::new(namespace))), change))
    }
}
