//! Binding: what an operator configures.

use std::{collections::BTreeMap, sync::Arc};

use stowage_audit::Outcome;
use stowage_domain::{Labels, Provider, ProviderId, ProviderName, ProviderState, provider::EndpointBinding};
use stowage_ports::{provider as port, secrets::SecretName};
use stowage_store::{Segments, Transaction};

use crate::{
    Caller, Control, ControlError, Listed, PageRequest, PluginInfo, Result, Stored, Update, WriteOptions, convert,
    credentials::PROVIDER_PARENTS,
    ids,
    rows::{LedgerAt, PROVIDER_NAMESPACES, Reads, Request, Writes},
};

/// A new provider.
#[derive(Debug, Clone)]
pub struct CreateProvider {
    /// Its id.
    pub id: ProviderId,
    /// The plugin's name.
    pub plugin: String,
    /// Pinned digest; empty for that of the component found now.
    pub plugin_digest: String,
    /// Configuration as JSON text.
    pub config: String,
    /// Endpoints by purpose.
    pub endpoints: BTreeMap<String, EndpointBinding>,
    /// Secret names by the name that the plugin declares.
    pub secrets: BTreeMap<String, String>,
    /// Region.
    pub region: String,
    /// Labels.
    pub labels: Labels,
}

/// Changes of a provider.
#[derive(Debug, Clone, Default)]
pub struct ProviderChanges {
    /// Pinned digest; empty for that of the component found now.
    pub plugin_digest: Update<String>,
    /// Configuration.
    pub config: Update<String>,
    /// Endpoints.
    pub endpoints: Update<BTreeMap<String, EndpointBinding>>,
    /// Secret names.
    pub secrets: Update<BTreeMap<String, String>>,
    /// Labels.
    pub labels: Update<Labels>,
}

fn check_secrets(secrets: &BTreeMap<String, String>) -> Result<()> {
    for (key, name) in secrets {
        SecretName::parse(name).map_err(|e| ControlError::field(format!("provider.secrets[{key}]"), e.to_string()))?;
    }
    Ok(())
}

impl Control {
    /// Admits the plugin, checks its configuration and records the provider. The backend is not asked.
    ///
    /// # Errors
    /// `PLUGIN_NOT_FOUND`, the loader's reason for a refused component, `PROVIDER_CONFIG_INVALID` with the field,
    /// `ALREADY_EXISTS`.
    pub async fn create_provider(
        &self,
        caller: &Caller,
        command: CreateProvider,
        options: WriteOptions,
    ) -> Result<Stored<Provider>> {
        caller.may_touch_region()?;
        let now = self.now();
        let name = ProviderName::new(command.id.clone());
        let request = Request::new(caller, &options, "create-provider", &command, now)?;
        if request.answered(&self.tables).await?.is_some() {
            return self.tables.read::<Provider>(&name).await;
        }
        if self.tables.find::<Provider>(&name).await?.is_some() {
            return Err(ControlError::exists(name));
        }
        check_secrets(&command.secrets)?;
        let mut record = Provider {
            name: name.clone(),
            uid: ids::uid(),
            plugin: command.plugin,
            plugin_digest: command.plugin_digest,
            exchange_digest: String::new(),
            config: command.config,
            endpoints: command.endpoints,
            secrets: command.secrets,
            region: command.region,
            labels: command.labels,
            state: ProviderState::Active,
            state_reason: String::new(),
            capabilities: Vec::new(),
            pinned_ranges: BTreeMap::new(),
            probe: None,
            created_at: now,
            updated_at: now,
        };
        record.pinned_ranges = self.loader.pin(&record).await?;
        let provider = self.admit(&mut record).await?;
        if options.validate_only {
            return Ok(Stored { value: record, version: Default::default() });
        }
        // What a provider of this name has left would pass for this one's.
        let _one = self.binding.lock().await;
        if self.tables.find::<Provider>(&name).await?.is_some() {
            return Err(ControlError::exists(name));
        }
        self.forget_made_secrets(&name).await?;
        self.forget_drifts(&name).await?;
        self.forget_evidence(&name).await?;
        self.make_declared_secrets(&record, provider.description()).await?;
        let mut change = Transaction::new();
        change.insert(&record);
        request.claim(&mut change, &name);
        self.audit(&mut change, caller, "storage.provider.create", &name, Outcome::Done, "");
        change.commit(&self.tables).await?;
        self.look_at(&name).await;
        self.tables.read::<Provider>(&name).await
    }

    /// Pins the component, loads it and takes its declarations over.
    async fn admit(&self, record: &mut Provider) -> Result<Arc<dyn port::Provider>> {
        let plugin = self.loader.inspect(&record.plugin).await?;
        if record.plugin_digest.is_empty() {
            record.plugin_digest.clone_from(&plugin.digest);
        }
        record.exchange_digest.clone_from(&plugin.exchange_digest);
        let provider = self.load(record).await?;
        record.capabilities = convert::declared(&provider.description().capabilities);
        Ok(provider)
    }

    /// One provider.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn get_provider(&self, caller: &Caller, name: &ProviderName) -> Result<Stored<Provider>> {
        caller.may_touch_region()?;
        self.tables.read::<Provider>(name).await
    }

    /// Bytes that the hard limits of a provider's namespaces add up to, and their number.
    ///
    /// # Errors
    /// When the state store cannot be read.
    pub async fn provider_ledger(&self, caller: &Caller, name: &ProviderName) -> Result<stowage_domain::Ledger> {
        caller.may_touch_region()?;
        Ok(LedgerAt::read(&self.tables, name).await?.row.ledger)
    }

    /// Providers by name.
    ///
    /// # Errors
    /// A wrong page token.
    pub async fn list_providers(&self, caller: &Caller, page: PageRequest) -> Result<Listed<Stored<Provider>>> {
        caller.may_touch_region()?;
        self.tables.list::<Provider>(&Segments::new(), &page).await
    }

    /// Changes what is bound; the plugin is admitted and the configuration checked anew.
    ///
    /// # Errors
    /// As [`Control::create_provider`], `ETAG_MISMATCH`.
    pub async fn update_provider(
        &self,
        caller: &Caller,
        name: &ProviderName,
        changes: ProviderChanges,
        options: WriteOptions,
    ) -> Result<Stored<Provider>> {
        let stored = self.get_provider(caller, name).await?;
        let request = Request::new(caller, &options, "update-provider", &(name, &changes), self.now())?;
        if request.answered(&self.tables).await?.is_some() {
            return Ok(stored);
        }
        stored.check_etag(options.etag.as_deref(), name)?;
        let mut record = stored.value.clone();
        changes.plugin_digest.apply(&mut record.plugin_digest);
        changes.config.apply(&mut record.config);
        // Naming the endpoints again is how an operator accepts that their names lead elsewhere now.
        let pins_anew = matches!(changes.endpoints, Update::Set(_));
        changes.endpoints.apply(&mut record.endpoints);
        changes.secrets.apply(&mut record.secrets);
        changes.labels.apply(&mut record.labels);
        check_secrets(&record.secrets)?;
        if pins_anew {
            record.pinned_ranges.clear();
            record.pinned_ranges = self.loader.pin(&record).await?;
        }
        let probed = std::mem::take(&mut record.capabilities);
        let provider = self.admit(&mut record).await?;
        if record.plugin_digest == stored.value.plugin_digest {
            record.capabilities = probed;
        }
        record.updated_at = self.now();
        if options.validate_only {
            return Ok(Stored { value: record, version: stored.version });
        }
        self.make_declared_secrets(&record, provider.description()).await?;
        let mut change = Transaction::new();
        change.update(&record, stored.version);
        request.claim(&mut change, name);
        self.audit(&mut change, caller, "storage.provider.update", name, Outcome::Done, "");
        let version = change.commit(&self.tables).await?;
        Ok(Stored { value: record, version })
    }

    /// Takes a provider out of placement, or puts it back.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ETAG_MISMATCH`.
    pub async fn set_provider_state(
        &self,
        caller: &Caller,
        name: &ProviderName,
        state: ProviderState,
        reason: String,
        options: WriteOptions,
    ) -> Result<Stored<Provider>> {
        loop {
            let stored = self.get_provider(caller, name).await?;
            stored.check_etag(options.etag.as_deref(), name)?;
            if (stored.value.state, &stored.value.state_reason) == (state, &reason) {
                return Ok(stored);
            }
            let mut record = stored.value;
            record.state = state;
            record.state_reason.clone_from(&reason);
            record.updated_at = self.now();
            let mut change = Transaction::new();
            change.update(&record, stored.version);
            let action = match state {
                ProviderState::Active => "storage.provider.uncordon",
                ProviderState::Cordoned => "storage.provider.cordon",
            };
            self.audit(&mut change, caller, action, name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(version) => return Ok(Stored { value: record, version }),
                Err(error) if error.is_conflict() && options.etag.is_none() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Forgets a provider that has no namespaces.
    ///
    /// # Errors
    /// `PROVIDER_NOT_EMPTY`, `NOT_FOUND`, `ETAG_MISMATCH`.
    pub async fn delete_provider(&self, caller: &Caller, name: &ProviderName, options: WriteOptions) -> Result<()> {
        let request = Request::new(caller, &options, "delete-provider", name, self.now())?;
        if request.answered(&self.tables).await?.is_some() {
            return Ok(());
        }
        let stored = self.get_provider(caller, name).await?;
        stored.check_etag(options.etag.as_deref(), name)?;
        let prefix = Segments::of([name.provider.as_str()]);
        let held = self.tables.entries(PROVIDER_NAMESPACES, &prefix, None, 3).await?.items;
        if !held.is_empty() {
            let names: Vec<String> = held.iter().filter_map(|(key, _, _)| key.text_at(1)).collect();
            let what = format!("has namespaces, such as {}: delete them first", names.join(", "));
            return Err(ControlError::precondition("PROVIDER_NOT_EMPTY", name, what));
        }
        if options.validate_only {
            return Ok(());
        }
        self.retire_parents_at(caller, name).await?;
        let mut change = Transaction::new();
        change.remove::<Provider>(name, stored.version);
        change.require_no_entry(PROVIDER_PARENTS, &prefix);
        change.require_no_entry(PROVIDER_NAMESPACES, &prefix);
        request.claim(&mut change, name);
        self.audit(&mut change, caller, "storage.provider.delete", name, Outcome::Done, "");
        change.commit(&self.tables).await?;
        self.loaded.lock().remove(&name.to_string());
        if let Err(error) = self.forget_made_secrets(name).await {
            tracing::warn!(provider = %name, %error, "its secrets will be deleted by the next start");
        }
        if let Err(error) = self.forget_drifts(name).await {
            tracing::warn!(provider = %name, %error, "its drifts will be forgotten when its name is bound again");
        }
        Ok(())
    }

    /// Every plugin that this host has found.
    ///
    /// # Errors
    /// When the plugin directory cannot be read.
    pub async fn list_plugins(&self, caller: &Caller) -> Result<Vec<PluginInfo>> {
        caller.may_touch_region()?;
        Ok(self.loader.list().await?)
    }

    /// All about one plugin.
    ///
    /// # Errors
    /// `PLUGIN_NOT_FOUND`.
    pub async fn inspect_plugin(&self, caller: &Caller, plugin: &str) -> Result<PluginInfo> {
        caller.may_touch_region()?;
        Ok(self.loader.inspect(plugin).await?)
    }
}
