//! The intent of a new namespace: placed, reserved and committed in one transaction.

use stowage_domain::{
    Bytes, ClassId, ClassName, Decision, Labels, Limits, Namespace, NamespaceId, NamespaceState, OperationName,
    Project, ProjectName, Protocol, Provider, StorageClass, Tenant,
    namespace::check_prefixes,
    placement::{Candidate, Verdict, Wish, decide},
};
use stowage_store::{Segments, Transaction};

use super::Started;
use crate::{
    Caller, Control, ControlError, Operation, Purpose, Result, Status, Stored, WriteOptions, ids,
    providers::serves,
    rows::{
        Book, CLASS_NAMESPACES, DEFAULT_CLASS, PROVIDER_NAMESPACES, Placement, Reads, Request, Row, Writes,
        index_native, provider_namespace,
    },
};

/// A new namespace.
#[derive(Debug, Clone)]
pub struct CreateNamespace {
    /// Who owns it.
    pub project: ProjectName,
    /// Its id.
    pub id: NamespaceId,
    /// The class; `None` for the region's default.
    pub class: Option<ClassName>,
    /// How it is reached; empty for all protocols of the class.
    pub protocols: Vec<Protocol>,
    /// Its limits.
    pub limits: Limits,
    /// Top-level directories; empty for the default ones.
    pub prefixes: Vec<String>,
    /// The platform's own.
    pub labels: Labels,
    /// Whether a delete is refused.
    pub deletion_protection: bool,
}

/// What a new namespace rests on, as it was read.
pub(super) struct Ground {
    pub(super) tenant: Stored<Tenant>,
    pub(super) project: Stored<Project>,
}

impl Control {
    /// Places, reserves and records a namespace; the operation then makes it.
    ///
    /// # Errors
    /// `UNKNOWN_CLASS`, `NO_PROVIDER_FITS` with each provider's reason, `PROJECT_QUOTA`, `TENANT_QUOTA`,
    /// `ALREADY_EXISTS`, `REQUEST_ID_CONFLICT`, wrong fields.
    pub async fn create_namespace(
        &self,
        caller: &Caller,
        command: CreateNamespace,
        options: WriteOptions,
    ) -> Result<Started> {
        caller.may_touch(&command.project)?;
        command.limits.check().map_err(|error| error.within("namespace"))?;
        check_prefixes(&command.prefixes)?;
        let request = Request::new(caller, &options, "create-namespace", &command, self.now())?;
        self.hand_in(caller, command, options.validate_only, request).await
    }

    /// What a repeated request is answered with.
    pub(super) async fn started(&self, operation: Operation) -> Result<Started> {
        let name = operation.purpose.namespace().cloned();
        let found = match &name {
            Some(name) => self.tables.find::<Namespace>(name).await?.map(|stored| stored.value),
            None => None,
        };
        let namespace = match (found, &operation.response) {
            (Some(namespace), _) => namespace,
            (None, Some(crate::Response::Namespace(namespace))) => (**namespace).clone(),
            (None, _) => return Err(ControlError::not_found(operation.purpose.resource())),
        };
        Ok(Started::running(operation, namespace))
    }

    /// Decides on one namespace and adds it to the change; the book holds what it and others of the same change reserve.
    /// A refusal leaves both as they were.
    pub(super) async fn intend_namespace(
        &self,
        caller: &Caller,
        command: &CreateNamespace,
        request: &Request,
        book: &mut Book,
        change: &mut Transaction,
    ) -> Result<(Operation, Namespace, Decision)> {
        let now = self.now();
        let name = command.project.namespace(command.id.clone());
        let ground = self.ground(&command.project).await?;
        let class = self.class_for(command.class.as_ref()).await?;
        class.value.admits(&command.limits).map_err(|error| error.within("namespace"))?;
        let protocols = chosen_protocols(&command.protocols, &class.value)?;
        if self.tables.find::<Namespace>(&name).await?.is_some() {
            return Err(ControlError::exists(name));
        }
        let bytes = command.limits.hard_bytes;
        let (decision, provider) = self.place(&class.value, &protocols, bytes, book).await?;
        let uid = ids::uid();
        let purpose = Purpose::CreateNamespace { namespace: name.clone() };
        let operation = self.intend(caller, purpose, &command.project, Some(provider.value.name.clone()))?;
        let namespace = Namespace {
            physical_id: ids::physical(&self.config.installation, &command.project, &uid),
            name: name.clone(),
            uid,
            class: Some(class.value.name.clone()),
            provider: provider.value.name.clone(),
            protocols,
            limits: command.limits,
            effective_limits: None,
            reserved: bytes,
            prefixes: check_prefixes(&command.prefixes)?,
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
        self.take_room(&ground, &provider.value, bytes, book).await?;
        self.write_new_namespace(change, &namespace, &decision, &ground, &provider);
        change.unchanged(&class);
        self.write_intent(change, caller, &operation, Some(request));
        Ok((operation, namespace, decision))
    }

    pub(super) fn write_new_namespace(
        &self,
        change: &mut Transaction,
        namespace: &Namespace,
        decision: &Decision,
        ground: &Ground,
        provider: &Stored<Provider>,
    ) {
        change.insert(namespace);
        change.insert(&Placement { name: namespace.name.clone(), decision: decision.clone() });
        change.unchanged(&ground.tenant);
        change.unchanged(&ground.project);
        change.unchanged(provider);
        change.index(PROVIDER_NAMESPACES, &provider_namespace(&namespace.provider, &namespace.name), "");
        index_native(change, namespace);
        if let Some(class) = &namespace.class {
            let key = Segments::of([class.storage_class.as_str(), &namespace.name.to_string()]);
            change.index(CLASS_NAMESPACES, &key, "");
        }
    }

    pub(super) async fn ground(&self, project: &ProjectName) -> Result<Ground> {
        Ok(Ground {
            tenant: self.tables.read::<Tenant>(&project.tenant_name()).await?,
            project: self.tables.read::<Project>(project).await?,
        })
    }

    /// The named class, or the region's default.
    pub(super) async fn class_for(&self, name: Option<&ClassName>) -> Result<Stored<StorageClass>> {
        let unknown = |what: String| {
            let mut error = ControlError::field("namespace.storage_class", what);
            error.0.reason = "UNKNOWN_CLASS".to_owned();
            error
        };
        let name = match name {
            Some(name) => name.clone(),
            None => match self.tables.lookup(DEFAULT_CLASS, &Segments::of(["default"])).await? {
                Some((id, _)) => ClassName::new(ClassId::parse(&id)?),
                None => return Err(unknown("there is no default class: name one".to_owned())),
            },
        };
        let class = self.tables.find::<StorageClass>(&name).await?;
        class.ok_or_else(|| unknown(format!("{name} is not there: see the list of storage classes")))
    }

    /// Chooses a provider; refuses with each one's reason when none fits.
    async fn place(
        &self,
        class: &StorageClass,
        protocols: &[Protocol],
        bytes: Bytes,
        book: &mut Book,
    ) -> Result<(Decision, Stored<Provider>)> {
        let mut all: Vec<(Stored<Provider>, stowage_domain::Ledger)> = Vec::new();
        let mut walk = self.tables.walk::<Row<Provider>>(Segments::new());
        while let Some(page) = walk.next().await? {
            for (Row(provider), version) in page {
                let ledger = book.ledger(&self.tables, &provider.name.to_string()).await?;
                all.push((Stored { value: provider, version }, ledger));
            }
        }
        let candidates: Vec<Candidate<'_>> =
            all.iter().map(|(provider, ledger)| Candidate { provider: &provider.value, ledger: *ledger }).collect();
        let decision = decide(&Wish { class, protocols, bytes }, &candidates, self.now());
        let chosen = decision.chosen.clone();
        if chosen.is_none()
            && let Some(error) = not_ready(protocols, &candidates, &decision)
        {
            return Err(error);
        }
        match all.into_iter().find(|(provider, _)| Some(&provider.value.name) == chosen.as_ref()) {
            Some((provider, _)) => Ok((decision, provider)),
            None => Err(no_provider(class, &decision)),
        }
    }

    /// Takes room for one more namespace in the tenant's, the project's and the provider's ledger: in all or in none.
    pub(super) async fn take_room(
        &self,
        ground: &Ground,
        provider: &Provider,
        bytes: Bytes,
        book: &mut Book,
    ) -> Result<()> {
        let (tenant, project) = (&ground.tenant.value, &ground.project.value);
        let capacity = provider.capacity().map(|(total, _)| total);
        let each = [
            (project.name.to_string(), project.byte_quota, "PROJECT_QUOTA"),
            (tenant.name.to_string(), tenant.byte_quota, "TENANT_QUOTA"),
            (provider.name.to_string(), capacity, "PROVIDER_CAPACITY"),
        ];
        let mut taken = Vec::with_capacity(each.len());
        for (of, limit, reason) in each {
            let ledger = book.ledger(&self.tables, &of).await?;
            let next = ledger.open(bytes, limit).map_err(|short| ControlError::quota(reason, &of, &short))?;
            taken.push((of, next));
        }
        taken.into_iter().for_each(|(of, next)| book.enter(&of, next));
        Ok(())
    }

    /// The operation that holds a namespace, as an error.
    pub(super) fn busy(name: impl std::fmt::Display, operation: &OperationName) -> ControlError {
        let what = format!("{operation} is changing it: wait for it, or cancel it");
        ControlError::precondition("OPERATION_IN_PROGRESS", name, what).with("operation", operation)
    }
}

fn chosen_protocols(asked: &[Protocol], class: &StorageClass) -> Result<Vec<Protocol>> {
    if let Some(missing) = asked.iter().find(|protocol| !class.protocols.contains(protocol)) {
        let rule = format!("{} is not offered by {}", missing.word(), class.name);
        return Err(ControlError::field("namespace.protocols", rule));
    }
    let mut protocols = if asked.is_empty() { class.protocols.clone() } else { asked.to_vec() };
    protocols.sort();
    protocols.dedup();
    Ok(protocols)
}

/// The answer of a provider that would serve a protocol were it set up, if none of the others got further than that.
fn not_ready(protocols: &[Protocol], candidates: &[Candidate<'_>], decision: &Decision) -> Option<ControlError> {
    let stopped =
        |verdict: &Verdict| verdict.filters.last().map(|filter| filter.filter.as_str()).unwrap_or_default().to_owned();
    if decision.verdicts.iter().any(|verdict| matches!(stopped(verdict).as_str(), "demands" | "capacity")) {
        return None;
    }
    let stopped_there = decision.verdicts.iter().filter(|verdict| stopped(verdict) == "protocols");
    let providers = stopped_there.filter_map(|v| candidates.iter().find(|c| c.provider.name == v.provider));
    let mut errors =
        providers.flat_map(|c| protocols.iter().filter_map(|protocol| serves(c.provider, *protocol).err()));
    errors.find(|error| error.reason() != "CAPABILITY_MISSING")
}

/// A full region is a quota failure, anything else a state that an operator must change.
fn no_provider(class: &StorageClass, decision: &Decision) -> ControlError {
    let refusals = decision.refusals();
    let full = !decision.verdicts.is_empty()
        && decision
            .verdicts
            .iter()
            .all(|verdict| verdict.filters.last().is_some_and(|filter| !filter.passed && filter.filter == "capacity"));
    if full {
        let message = format!("no provider of {} has room: {refusals}", class.name);
        let mut error = ControlError::new(Status::ResourceExhausted, "PROVIDER_CAPACITY", message);
        error.0.quotas.push(crate::QuotaViolation { subject: class.name.to_string(), description: refusals });
        return error;
    }
    ControlError::precondition("NO_PROVIDER_FITS", &class.name, refusals)
}
