//! Changing a namespace's limits. Growth is reserved by the intent; what is given back, only when the provider has agreed.

use stowage_domain::{Bytes, Limits, Namespace, NamespaceName, NamespaceState, Provider, StorageClass};
use stowage_ports::provider::NativeRef;
use stowage_store::Transaction;

use super::{Started, provision::unloadable, rows::Ends};
use crate::{
    Caller, Control, ControlError, Operation, Problem, Purpose, Response, Result, Stored, WriteOptions, convert,
    operations::{CallKind, Called, Flow, Stepping, progress, sort},
    rows::{Ledgers, Reads, Request, Writes},
};

impl Control {
    /// Changes the limits of a usable namespace.
    ///
    /// # Errors
    /// `PROJECT_QUOTA`, `TENANT_QUOTA`, `PROVIDER_CAPACITY`, `NAMESPACE_NOT_READY`, `OPERATION_IN_PROGRESS`,
    /// `ETAG_MISMATCH`, wrong fields.
    pub async fn set_namespace_limits(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        limits: Limits,
        options: WriteOptions,
    ) -> Result<Started> {
        caller.may_touch(&name.project_name())?;
        limits.check()?;
        let request = Request::new(caller, &options, "set-namespace-limits", &(name, limits), self.now())?;
        let _turn = self.reserving.lock().await;
        loop {
            if let Some(operation) = self.answered(&request).await? {
                return self.started(operation).await;
            }
            let stored = self.changeable(name, &options).await?;
            if let Some(class) = &stored.value.class
                && let Some(class) = self.tables.find::<StorageClass>(class).await?
            {
                class.value.admits(&limits)?;
            }
            let mut change = Transaction::new();
            let mut namespace = stored.value;
            self.grow(&mut namespace, limits.hard_bytes, &mut change).await?;
            let purpose = Purpose::SetLimits { namespace: name.clone(), limits };
            let provider = namespace.provider.clone();
            let operation = self.intend(caller, purpose, &name.project_name(), Some(provider))?;
            namespace.settle(NamespaceState::Updating, self.now());
            namespace.operation = Some(operation.name.clone());
            if options.validate_only {
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

    /// Reserves growth; a smaller limit keeps the larger reservation until the provider has agreed.
    async fn grow(&self, namespace: &mut Namespace, to: Bytes, change: &mut Transaction) -> Result<()> {
        if to <= namespace.reserved {
            return Ok(());
        }
        let ground = self.ground(&namespace.name.project_name()).await?;
        let provider = self.tables.read::<Provider>(&namespace.provider).await?;
        let ledgers = Ledgers::of(&self.tables, namespace).await?;
        let capacity = provider.value.capacity().map(|(total, _)| total);
        let each = [
            (&ledgers.project, ground.project.value.byte_quota, "PROJECT_QUOTA"),
            (&ledgers.tenant, ground.tenant.value.byte_quota, "TENANT_QUOTA"),
            (&ledgers.provider, capacity, "PROVIDER_CAPACITY"),
        ];
        for (at, limit, reason) in each {
            let next = at.row.ledger.grow(namespace.reserved, to, limit);
            at.write(change, next.map_err(|short| ControlError::quota(reason, &at.row.of, &short))?);
        }
        change.unchanged(&ground.project);
        change.unchanged(&ground.tenant);
        change.unchanged(&provider);
        namespace.reserved = to;
        Ok(())
    }

    pub(crate) async fn step_set_limits(
        &self,
        operation: &mut Operation,
        name: &NamespaceName,
        limits: &Limits,
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
        let (cx, call) = (operation.context(), operation.call());
        let answer =
            self.guard(operation, provider.set_namespace_limits(&cx, &call, &native, &convert::limits(limits))).await;
        let native = match sort(operation, CallKind::Change, answer) {
            Called::Value(changed) => match progress(changed) {
                Ok(native) => native,
                Err(flow) => return Ok(flow.alone()),
            },
            Called::Gone => native,
            Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
        };
        let answer = self.guard(operation, provider.inspect_namespace(&cx, &native)).await;
        let effective = match sort(operation, CallKind::Look, answer) {
            Called::Value(state) => convert::effective(&state.effective_limits),
            Called::Flow(Flow::Fail(problem)) => return Ok(Flow::Retry { problem, after: None, few: true }.alone()),
            Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
            Called::Gone => None,
        };
        let mut namespace = stored.value;
        let mut change = Transaction::new();
        namespace.limits = *limits;
        namespace.effective_limits = effective;
        self.settle_room(&mut namespace, limits.hard_bytes, &mut change).await?;
        namespace.settle(NamespaceState::Ready, self.now());
        if let Some(native_row) = &mut namespace.native {
            native_row.reference = native.0;
        }
        change.update(&namespace, stored.version);
        Ok((Flow::done(Response::Namespace(Box::new(namespace))), change))
    }

    async fn settle_room(&self, namespace: &mut Namespace, to: Bytes, change: &mut Transaction) -> Result<()> {
        if namespace.reserved != to {
            let ledgers = Ledgers::of(&self.tables, namespace).await?;
            ledgers.settle(change, namespace.reserved, to);
            namespace.reserved = to;
        }
        Ok(())
    }

    /// The change failed. Where the outcome is unknown the larger of both limits stays reserved.
    pub(crate) async fn limits_failed(
        &self,
        name: &NamespaceName,
        change: &mut Transaction,
        problem: &Problem,
    ) -> Result<()> {
        let Some(Stored { value: mut namespace, version }) = self.tables.find::<Namespace>(name).await? else {
            return Ok(());
        };
        let known = matches!(
            problem.reason.as_str(),
            "PROVIDER_INVALID"
                | "PROVIDER_TOO_LARGE"
                | "PROVIDER_CAPACITY_EXHAUSTED"
                | "PROVIDER_QUOTA_EXCEEDED"
                | "PROVIDER_UNSUPPORTED"
                | "PROVIDER_PERMISSION_DENIED"
                | "PROVIDER_NOT_READY"
        );
        if known {
            let before = namespace.limits.hard_bytes;
            self.settle_room(&mut namespace, before, change).await?;
        }
        namespace.settle(NamespaceState::Ready, self.now());
        namespace.state_reason = format!("the last change of its quota failed: {}", problem.message);
        change.update(&namespace, version);
        Ok(())
    }
}
