//! Providers and plugins.

use stowage_control::{Caller, CreateProvider, PluginInfo, ProviderChanges, Stored, Update, WriteOptions};
use stowage_domain::{Provider, ProviderName, ProviderState};
use stowage_proto::v1::{
    self, CordonProviderRequest, CreateProviderRequest, DeleteProviderRequest, GetProviderRequest,
    InspectPluginRequest, ListCapabilitiesRequest, ListCapabilitiesResponse, ListCountersRequest, ListCountersResponse,
    ListPluginsRequest, ListPluginsResponse, ListProvidersRequest, ListProvidersResponse, PreflightProviderRequest,
    PreflightProviderResponse, ProbeProviderRequest, ProbeProviderResponse, RecordEvidenceRequest,
    RecordEvidenceResponse, UncordonProviderRequest, UpdateProviderRequest, provider_service_server::ProviderService,
};
use tonic::{Request, Response, Status};

use crate::{
    api::{Api, options},
    call::Call,
    convert::{
        errors::status,
        labels_from, names, needed, plugins,
        providers::{
            capability_to, config_from, counter_to, endpoints_from, finding_to, measurement_from, mode_from,
            plugin_from, to,
        },
        time,
    },
    mask,
};

impl Api {
    async fn provider(&self, caller: &Caller, stored: &Stored<Provider>) -> Result<v1::Provider, Status> {
        let ledger = self.control.provider_ledger(caller, &stored.value.name).await.map_err(status)?;
        Ok(to(&stored.value, ledger.reserved, stored.etag()))
    }

    async fn set_state(
        &self,
        caller: &Caller,
        name: &str,
        state: ProviderState,
        reason: String,
        options: WriteOptions,
    ) -> Result<Response<v1::Provider>, Status> {
        let name: ProviderName = names::read("name", name)?;
        let changed = self.control.set_provider_state(caller, &name, state, reason, options).await;
        Ok(Response::new(self.provider(caller, &changed.map_err(status)?).await?))
    }

    /// A page of a list that is whole in memory, sorted by its key.
    fn cut<T>(
        &self,
        (path, filter): (&str, &str),
        (size, token): (i32, &str),
        mut items: Vec<T>,
        key: impl Fn(&T) -> &str,
    ) -> Result<(Vec<T>, String), Status> {
        let page = self.page(path, filter, size, token)?;
        items.sort_by(|a, b| key(a).cmp(key(b)));
        items.retain(|item| key(item) > page.token.as_str());
        let more = items.len() > page.size;
        items.truncate(page.size);
        let last = items.last().filter(|_| more).map(|item| key(item).to_owned()).unwrap_or_default();
        Ok((items, self.next(path, filter, last)))
    }
}

fn plugin_to(info: &PluginInfo) -> v1::Plugin {
    let state = if info.refused.is_some() { v1::PluginState::Refused } else { v1::PluginState::Admitted };
    let plugin = v1::Plugin {
        name: format!("plugins/{}", info.name),
        digest: info.digest.clone(),
        contract: info.contract.clone(),
        interfaces: info.interfaces.clone(),
        state: state.into(),
        state_reason: info.refused.clone().unwrap_or_default(),
        load_time: Some(time::to(info.loaded_at)),
        ..v1::Plugin::default()
    };
    match &info.description {
        Some(description) => plugins::described(plugin, description),
        None => plugin,
    }
}

#[tonic::async_trait]
impl ProviderService for Api {
    async fn create_provider(&self, request: Request<CreateProviderRequest>) -> Result<Response<v1::Provider>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let id = names::read("provider_id", &message.provider_id)?;
        let provider = message.provider.ok_or_else(|| needed("provider"))?;
        let command = CreateProvider {
            id,
            plugin: plugin_from("provider.plugin", &provider.plugin)?,
            plugin_digest: provider.plugin_digest,
            config: config_from(provider.config),
            endpoints: endpoints_from(provider.endpoints),
            secrets: provider.secrets,
            region: provider.region,
            labels: labels_from("provider.labels", provider.labels)?,
        };
        let options = options(message.request_id, String::new(), message.validate_only)?;
        let stored = self.control.create_provider(&caller, command, options).await.map_err(status)?;
        Ok(Response::new(self.provider(&caller, &stored).await?))
    }

    async fn get_provider(&self, request: Request<GetProviderRequest>) -> Result<Response<v1::Provider>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: ProviderName = names::read("name", &message.name)?;
        let stored = self.control.get_provider(&caller, &name).await.map_err(status)?;
        Ok(Response::new(self.provider(&caller, &stored).await?))
    }

    async fn list_providers(
        &self,
        request: Request<ListProvidersRequest>,
    ) -> Result<Response<ListProvidersResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let caller = call.by_operator()?;
        let page = self.page(path, "", message.page_size, &message.page_token)?;
        let listed = self.control.list_providers(&caller, page).await.map_err(status)?;
        let mut providers = Vec::with_capacity(listed.items.len());
        for stored in &listed.items {
            providers.push(self.provider(&caller, stored).await?);
        }
        let next_page_token = self.next(path, "", listed.next);
        Ok(Response::new(ListProvidersResponse { providers, next_page_token, unreachable: Vec::new() }))
    }

    async fn update_provider(&self, request: Request<UpdateProviderRequest>) -> Result<Response<v1::Provider>, Status> {
        const FIELDS: &[&str] = &["config", "endpoints", "secrets", "labels", "plugin_digest"];
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let provider = message.provider.ok_or_else(|| needed("provider"))?;
        let name: ProviderName = names::read("provider.name", &provider.name)?;
        let mut changes = ProviderChanges::default();
        for field in mask::to_change(message.update_mask.as_ref(), &provider, FIELDS)? {
            match field {
                "config" => changes.config = Update::Set(config_from(provider.config.clone())),
                "endpoints" => changes.endpoints = Update::Set(endpoints_from(provider.endpoints.clone())),
                "secrets" => changes.secrets = Update::Set(provider.secrets.clone()),
                "labels" => changes.labels = Update::Set(labels_from("provider.labels", provider.labels.clone())?),
                _ => changes.plugin_digest = Update::Set(provider.plugin_digest.clone()),
            }
        }
        let options = options(message.request_id, provider.etag, message.validate_only)?;
        let stored = self.control.update_provider(&caller, &name, changes, options).await.map_err(status)?;
        Ok(Response::new(self.provider(&caller, &stored).await?))
    }

    async fn delete_provider(&self, request: Request<DeleteProviderRequest>) -> Result<Response<()>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: ProviderName = names::read("name", &message.name)?;
        let options = options(message.request_id, message.etag, message.validate_only)?;
        self.control.delete_provider(&caller, &name, options).await.map_err(status)?;
        Ok(Response::new(()))
    }

    async fn probe_provider(
        &self,
        request: Request<ProbeProviderRequest>,
    ) -> Result<Response<ProbeProviderResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: ProviderName = names::read("name", &message.name)?;
        let mode = mode_from(message.mode)?;
        let stored = self.control.probe_provider(&caller, &name, mode).await.map_err(status)?;
        let record = &stored.value;
        let counters = record.probe.as_ref().map(|probe| probe.counters.iter().map(counter_to).collect());
        Ok(Response::new(ProbeProviderResponse {
            provider: Some(self.provider(&caller, &stored).await?),
            capabilities: record.capabilities.iter().map(capability_to).collect(),
            counters: counters.unwrap_or_default(),
        }))
    }

    async fn preflight_provider(
        &self,
        request: Request<PreflightProviderRequest>,
    ) -> Result<Response<PreflightProviderResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: ProviderName = names::read("name", &message.name)?;
        let mode = mode_from(message.mode)?;
        let findings = self.control.preflight_provider(&caller, &name, mode).await.map_err(status)?;
        Ok(Response::new(PreflightProviderResponse {
            findings: findings.iter().map(finding_to).collect(),
            observe_time: Some(time::to(self.control.now())),
        }))
    }

    async fn cordon_provider(&self, request: Request<CordonProviderRequest>) -> Result<Response<v1::Provider>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let options = options(message.request_id, message.etag, false)?;
        self.set_state(&caller, &message.name, ProviderState::Cordoned, message.reason, options).await
    }

    async fn uncordon_provider(
        &self,
        request: Request<UncordonProviderRequest>,
    ) -> Result<Response<v1::Provider>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let options = options(message.request_id, message.etag, false)?;
        self.set_state(&caller, &message.name, ProviderState::Active, String::new(), options).await
    }

    async fn list_capabilities(
        &self,
        request: Request<ListCapabilitiesRequest>,
    ) -> Result<Response<ListCapabilitiesResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let caller = call.by_operator()?;
        let name: ProviderName = names::read("parent", &message.parent)?;
        let stored = self.control.get_provider(&caller, &name).await.map_err(status)?;
        let all = stored.value.capabilities.iter().map(capability_to).collect();
        let wanted = (message.page_size, message.page_token.as_str());
        let (capabilities, next_page_token) = self.cut((path, &message.parent), wanted, all, |one| &one.id)?;
        Ok(Response::new(ListCapabilitiesResponse { capabilities, next_page_token }))
    }

    async fn record_evidence(
        &self,
        request: Request<RecordEvidenceRequest>,
    ) -> Result<Response<RecordEvidenceResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let name: ProviderName = names::read("name", &message.name)?;
        let measurements =
            message.measurements.into_iter().enumerate().map(measurement_from).collect::<Result<Vec<_>, _>>()?;
        let options = options(message.request_id, String::new(), false)?;
        let stored = self.control.record_evidence(&caller, &name, measurements, options).await.map_err(status)?;
        let capabilities = stored.value.capabilities.iter().map(capability_to).collect();
        Ok(Response::new(RecordEvidenceResponse { capabilities }))
    }

    async fn list_counters(
        &self,
        request: Request<ListCountersRequest>,
    ) -> Result<Response<ListCountersResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let caller = call.by_operator()?;
        let name: ProviderName = names::read("parent", &message.parent)?;
        let stored = self.control.get_provider(&caller, &name).await.map_err(status)?;
        let all = stored.value.probe.iter().flat_map(|probe| &probe.counters).map(counter_to).collect();
        let wanted = (message.page_size, message.page_token.as_str());
        let (counters, next_page_token) = self.cut((path, &message.parent), wanted, all, |one| &one.counter)?;
        Ok(Response::new(ListCountersResponse { counters, next_page_token }))
    }

    async fn list_plugins(
        &self,
        request: Request<ListPluginsRequest>,
    ) -> Result<Response<ListPluginsResponse>, Status> {
        let (call, message) = Call::of(request)?;
        let path = call.rpc.path;
        let caller = call.by_operator()?;
        let all = self.control.list_plugins(&caller).await.map_err(status)?;
        let all = all.iter().map(|info| plugins::shortened(plugin_to(info))).collect();
        let wanted = (message.page_size, message.page_token.as_str());
        let (plugins, next_page_token) = self.cut((path, ""), wanted, all, |one| &one.name)?;
        Ok(Response::new(ListPluginsResponse { plugins, next_page_token }))
    }

    async fn inspect_plugin(&self, request: Request<InspectPluginRequest>) -> Result<Response<v1::Plugin>, Status> {
        let (call, message) = Call::of(request)?;
        let caller = call.by_operator()?;
        let plugin = plugin_from("name", &message.name)?;
        let info = self.control.inspect_plugin(&caller, &plugin).await.map_err(status)?;
        Ok(Response::new(plugin_to(&info)))
    }
}
