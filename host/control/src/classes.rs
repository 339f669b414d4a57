//! Storage classes.

use stowage_audit::Outcome;
use stowage_domain::{Bytes, ClassId, ClassName, Labels, Protocol, StorageClass};
use stowage_ports::store::Version;
use stowage_store::{Segments, Transaction};

use crate::{
    Caller, Control, ControlError, Listed, PageRequest, Result, Stored, Update, WriteOptions, ids,
    rows::{CLASS_NAMESPACES, DEFAULT_CLASS, Reads, Request, Writes},
};

/// A new class.
#[derive(Debug, Clone)]
pub struct CreateClass {
    /// Its id.
    pub id: ClassId,
    /// Everything else; fields that the host sets are ignored.
    pub fields: ClassChanges,
}

/// Fields of a class.
#[derive(Debug, Clone, Default)]
pub struct ClassChanges {
    /// For people.
    pub description: Update<String>,
    /// Protocols.
    pub protocols: Update<Vec<Protocol>>,
    /// Labels that a provider must bear.
    pub provider_selector: Update<Labels>,
    /// Region.
    pub region: Update<String>,
    /// Capabilities that a provider must have.
    pub demands: Update<Vec<String>>,
    /// Smallest hard limit.
    pub min_quota: Update<Option<Bytes>>,
    /// Largest hard limit.
    pub max_quota: Update<Option<Bytes>>,
    /// Whether several nodes may write.
    pub multi_writer: Update<bool>,
    /// Whether it is the default; the one that was before is so no more.
    pub is_default: Update<bool>,
    /// For the adapter.
    pub parameters: Update<Labels>,
    /// For mounts.
    pub mount_options: Update<Labels>,
    /// Labels.
    pub labels: Update<Labels>,
}

impl ClassChanges {
    fn apply(self, class: &mut StorageClass) {
        self.description.apply(&mut class.description);
        self.protocols.apply(&mut class.protocols);
        self.provider_selector.apply(&mut class.provider_selector);
        self.region.apply(&mut class.region);
        self.demands.apply(&mut class.demands);
        self.min_quota.apply(&mut class.min_quota);
        self.max_quota.apply(&mut class.max_quota);
        self.multi_writer.apply(&mut class.multi_writer);
        self.is_default.apply(&mut class.is_default);
        self.parameters.apply(&mut class.parameters);
        self.mount_options.apply(&mut class.mount_options);
        self.labels.apply(&mut class.labels);
        class.protocols.sort();
        class.protocols.dedup();
    }
}

fn default_key() -> Segments {
    Segments::of(["default"])
}

impl Control {
    /// Makes a class.
    ///
    /// # Errors
    /// `ALREADY_EXISTS`, wrong fields.
    pub async fn create_class(
        &self,
        caller: &Caller,
        command: CreateClass,
        options: WriteOptions,
    ) -> Result<Stored<StorageClass>> {
        caller.may_touch_region()?;
        let name = ClassName::new(command.id.clone());
        let now = self.now();
        let request = Request::new(caller, &options, "create-class", &command, now)?;
        if request.answered(&self.tables).await?.is_some() {
            return self.tables.read::<StorageClass>(&name).await;
        }
        if self.tables.find::<StorageClass>(&name).await?.is_some() {
            return Err(ControlError::exists(name));
        }
        let mut class = StorageClass {
            name: name.clone(),
            uid: ids::uid(),
            description: String::new(),
            protocols: Vec::new(),
            provider_selector: Labels::default(),
            region: String::new(),
            demands: Vec::new(),
            min_quota: None,
            max_quota: None,
            multi_writer: false,
            is_default: false,
            parameters: Labels::default(),
            mount_options: Labels::default(),
            labels: Labels::default(),
            created_at: now,
            updated_at: now,
        };
        command.fields.apply(&mut class);
        class.check()?;
        if options.validate_only {
            return Ok(Stored { value: class, version: Version::default() });
        }
        let mut change = Transaction::new();
        change.insert(&class);
        self.change_default(&mut change, None, &class).await?;
        request.claim(&mut change, &name);
        self.audit(&mut change, caller, "storage.class.create", &name, Outcome::Done, "");
        let version = change.commit(&self.tables).await?;
        Ok(Stored { value: class, version })
    }

    /// Keeps at most one class the default: the mark moves in the same commit.
    async fn change_default(
        &self,
        change: &mut Transaction,
        before: Option<&StorageClass>,
        class: &StorageClass,
    ) -> Result<()> {
        let was = before.is_some_and(|before| before.is_default);
        if was == class.is_default {
            return Ok(());
        }
        let marked = self.tables.lookup(DEFAULT_CLASS, &default_key()).await?;
        if let Some((_, version)) = &marked {
            change.require_entry(DEFAULT_CLASS, &default_key(), *version);
        }
        if !class.is_default {
            change.unindex(DEFAULT_CLASS, &default_key());
            return Ok(());
        }
        change.index(DEFAULT_CLASS, &default_key(), class.name.storage_class.as_str());
        if let Some((id, _)) = marked
            && let Some(mut other) = self.tables.find::<StorageClass>(&ClassName::new(ClassId::parse(&id)?)).await?
        {
            other.value.is_default = false;
            other.value.updated_at = self.now();
            change.update(&other.value, other.version);
        }
        Ok(())
    }

    /// One class.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn get_class(&self, _caller: &Caller, name: &ClassName) -> Result<Stored<StorageClass>> {
        self.tables.read::<StorageClass>(name).await
    }

    /// Classes by name: what is on offer is no secret.
    ///
    /// # Errors
    /// A wrong page token.
    pub async fn list_classes(&self, _caller: &Caller, page: PageRequest) -> Result<Listed<Stored<StorageClass>>> {
        self.tables.list::<StorageClass>(&Segments::new(), &page).await
    }

    /// Changes a class; namespaces stay where they are.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ETAG_MISMATCH`, wrong fields.
    pub async fn update_class(
        &self,
        caller: &Caller,
        name: &ClassName,
        changes: ClassChanges,
        options: WriteOptions,
    ) -> Result<Stored<StorageClass>> {
        caller.may_touch_region()?;
        let request = Request::new(caller, &options, "update-class", &(name, &changes), self.now())?;
        loop {
            let stored = self.get_class(caller, name).await?;
            if request.answered(&self.tables).await?.is_some() {
                return Ok(stored);
            }
            stored.check_etag(options.etag.as_deref(), name)?;
            let mut class = stored.value.clone();
            changes.clone().apply(&mut class);
            class.check()?;
            class.updated_at = self.now();
            if options.validate_only {
                return Ok(Stored { value: class, version: stored.version });
            }
            let mut change = Transaction::new();
            change.update(&class, stored.version);
            self.change_default(&mut change, Some(&stored.value), &class).await?;
            request.claim(&mut change, name);
            self.audit(&mut change, caller, "storage.class.update", name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(version) => return Ok(Stored { value: class, version }),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Forgets a class that no namespace uses.
    ///
    /// # Errors
    /// `CLASS_IN_USE`, `NOT_FOUND`, `ETAG_MISMATCH`.
    pub async fn delete_class(&self, caller: &Caller, name: &ClassName, options: WriteOptions) -> Result<()> {
        caller.may_touch_region()?;
        let request = Request::new(caller, &options, "delete-class", name, self.now())?;
        if request.answered(&self.tables).await?.is_some() {
            return Ok(());
        }
        let stored = self.get_class(caller, name).await?;
        stored.check_etag(options.etag.as_deref(), name)?;
        let prefix = Segments::of([name.storage_class.as_str()]);
        let used = self.tables.entries(CLASS_NAMESPACES, &prefix, None, 1).await?.items;
        if let Some((key, _, _)) = used.first() {
            let what = format!("namespaces use it, such as {}", key.text_at(1).unwrap_or_default());
            return Err(ControlError::precondition("CLASS_IN_USE", name, what));
        }
        if options.validate_only {
            return Ok(());
        }
        let mut change = Transaction::new();
        change.remove::<StorageClass>(name, stored.version);
        change.require_no_entry(CLASS_NAMESPACES, &prefix);
        if stored.value.is_default {
            change.unindex(DEFAULT_CLASS, &default_key());
        }
        request.claim(&mut change, name);
        self.audit(&mut change, caller, "storage.class.delete", name, Outcome::Done, "");
        change.commit(&self.tables).await?;
        Ok(())
    }
}
