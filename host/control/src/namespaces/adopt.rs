//! Adopting: something that a provider already has becomes a namespace.

use stowage_domain::{
    Bytes, ClassName, Decision, Labels, Limits, Namespace, NamespaceId, NamespaceState, ProjectName, Protocol,
    Provider, ProviderName, namespace::Native,
};
use stowage_ports::provider::{CallContext, NativeRef, Progress};
use stowage_store::Transaction;

use super::Started;
use crate::{
    Caller, Control, ControlError, Purpose, Result, Status, WriteOptions, ids,
    rows::{Book, Reads, Request, Writes},
};

/// What is taken over, and as what.
#[derive(Debug, Clone)]
pub struct AdoptNamespace {
    /// The future owner.
    pub project: ProjectName,
    /// Its id.
    pub id: NamespaceId,
    /// Who has it.
    pub provider: ProviderName,
    /// Where it is there, in the plugin's form.
    pub location: String,
    /// The class; `None` for none.
    pub class: Option<ClassName>,
    /// How it is reached; empty for POSIX.
    pub protocols: Vec<Protocol>,
    /// Its limits from now on.
    pub limits: Limits,
    /// The platform's own.
    pub labels: Labels,
    /// Whether a delete is refused.
    pub deletion_protection: bool,
}

/// What an adoption was answered with.
pub type Adoption = Started;

impl Control {
    /// Takes something over, by an operation. With `validate_only` the adapter is asked with safe exchanges alone, and the
    /// answer is the namespace as it would be recorded.
    ///
    /// # Errors
    /// `UNKNOWN_CLASS`, `PROJECT_QUOTA`, `ALREADY_EXISTS`, what the provider answered, wrong fields.
    pub async fn adopt_namespace(
        &self,
        caller: &Caller,
        command: AdoptNamespace,
        options: WriteOptions,
    ) -> Result<Adoption> {
        caller.may_touch(&command.project)?;
        command.limits.check().map_err(|error| error.within("namespace"))?;
        if command.location.is_empty()
            || command.location.len() > 1024
            || command.location.chars().any(char::is_control)
        {
            return Err(ControlError::field("location", "must be 1 to 1024 characters without control characters"));
        }
        let request = Request::new(caller, &options, "adopt-namespace", &command, self.now())?;
        let _turn = self.reserving.lock().await;
        loop {
            if let Some(operation) = self.answered(&request).await? {
                return self.started(operation).await;
            }
            let now = self.now();
            let name = command.project.namespace(command.id.clone());
            let ground = self.ground(&command.project).await?;
            let class = match &command.class {
                Some(class) => Some(self.class_for(Some(class)).await?),
                None => None,
            };
            let provider = self.tables.read::<Provider>(&command.provider).await?;
            if self.tables.find::<Namespace>(&name).await?.is_some() {
                return Err(ControlError::exists(name));
            }
            let bytes = command.limits.hard_bytes;
            let mut book = Book::default();
            self.take_room(&ground, &provider.value, bytes, &mut book).await?;
            let uid = ids::uid();
            let purpose = Purpose::AdoptNamespace { namespace: name.clone(), location: command.location.clone() };
            let operation = self.intend(caller, purpose, &command.project, Some(command.provider.clone()))?;
            let posix = vec![Protocol::Posix];
            let mut namespace = Namespace {
                physical_id: ids::physical(&self.config.installation, &command.project, &uid),
                name: name.clone(),
                uid,
                class: command.class.clone(),
                provider: command.provider.clone(),
                protocols: if command.protocols.is_empty() { posix } else { command.protocols.clone() },
                limits: command.limits,
                effective_limits: None,
                reserved: bytes,
                prefixes: Vec::new(),
                labels: command.labels.clone(),
                deletion_protection: command.deletion_protection,
                state: NamespaceState::Provisioning,
                state_reason: String::new(),
                next_retry_at: None,
                operation: Some(operation.name.clone()),
                owner: operation.owner.clone(),
                native: None,
                created_at: now,
                updated_at: now,
                deleted_at: None,
            };
            if options.validate_only {
                self.dry_run(caller, &command, &mut namespace, &operation.owner).await?;
                return Ok(Started::would_be(namespace));
            }
            let mut change = Transaction::new();
            let decision = Decision::by_hand(command.provider.clone(), now);
            self.write_new_namespace(&mut change, &namespace, &decision, &ground, &provider);
            book.write(&mut change);
            if let Some(class) = &class {
                change.unchanged(class);
            }
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

    /// Asks the adapter what it would take over; only safe exchanges may run.
    async fn dry_run(
        &self,
        caller: &Caller,
        command: &AdoptNamespace,
        namespace: &mut Namespace,
        owner: &str,
    ) -> Result<()> {
        let provider = self.provider(&command.provider).await?;
        let spec = self.spec(namespace, NativeRef(Vec::new())).await?;
        let cx = CallContext {
            request_id: caller.call_id.clone(),
            deadline: Some(crate::providers::PATIENCE),
            safe_only: true,
        };
        let call = stowage_ports::provider::Call { owner: owner.to_owned(), attempt: 1, ..Default::default() };
        let answer = provider.adopt_namespace(&cx, &call, &command.location, &spec, true).await;
        match crate::providers::value(&command.provider, answer)? {
            Progress::Done(native) => {
                namespace.native = Some(Native { reference: native.0, location: command.location.clone() });
                namespace.reserved = Bytes(0);
                Ok(())
            }
            Progress::NeedsNode(_) => {
                namespace.state_reason = "a node has to look at it; it was not looked at".to_owned();
                Ok(())
            }
            other => {
                let message = format!("the dry run was answered with {other:?} instead of done");
                Err(ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message))
            }
        }
    }
}
