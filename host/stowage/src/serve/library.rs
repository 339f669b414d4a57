//! The plugin directory: which plugins there are, and providers made of them.
//!
//! Every file is admitted when the host starts, so nothing is compiled on a request's path; a file that appears later is
//! admitted when it is first named. A refused plugin stays in the list with its reason.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use stowage_control::{LoadError, PluginInfo, ProviderLoader};
use stowage_domain::{Provider as ProviderRecord, UnixMillis};
use stowage_egress::{BindError, Egress, EgressLimits, Redactor, Resolver};
use stowage_plugin::{AdmitError, AdmitOptions, Admitted, CallLimits, Engine};
use stowage_ports::provider::{FieldFault, Provider};
use stowage_ports::{Clock, SecretName, Secrets, Store};
use stowage_store::{GuestLimits, StoreGuestState};
use tokio::sync::Mutex;

/// What all providers are made of.
pub(crate) struct Library {
    /// Directory of `<plugin>.wasm`.
    pub(crate) directory: PathBuf,
    /// Runs them.
    pub(crate) engine: Engine,
    /// Holds their secrets.
    pub(crate) secrets: Arc<dyn Secrets>,
    /// Holds their state.
    pub(crate) store: Arc<dyn Store>,
    /// Tells them the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Learns their secrets.
    pub(crate) redactor: Redactor,
    /// Looks up where their endpoints are.
    pub(crate) resolver: Arc<dyn Resolver>,
    /// The host's own listeners, which no plugin may call.
    pub(crate) forbidden: Vec<SocketAddr>,
    /// Read so far.
    pub(crate) shelf: Mutex<BTreeMap<String, Entry>>,
}

/// One plugin, admitted or refused.
#[derive(Clone)]
pub(crate) struct Entry {
    digest: String,
    loaded_at: UnixMillis,
    admitted: Result<Admitted, Refusal>,
}

#[derive(Clone)]
struct Refusal {
    reason: &'static str,
    message: String,
}

impl Library {
    /// Admits everything in the directory; what is refused is logged and listed.
    pub(crate) async fn read_all(&self) -> Result<(), LoadError> {
        for name in self.names()? {
            let entry = self.entry(&name).await?;
            match &entry.admitted {
                Ok(admitted) => {
                    tracing::info!(
                        plugin = name,
                        digest = entry.digest,
                        version = admitted.description().version,
                        "admitted"
                    );
                }
                Err(refusal) => tracing::warn!(plugin = name, reason = refusal.reason, refusal.message, "refused"),
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, LoadError> {
        let unreadable = |error: std::io::Error| {
            LoadError::Unavailable(format!("cannot read the plugin directory {}: {error}", self.directory.display()))
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "wasm")
                && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            {
                names.push(stem.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// A plugin by name, read and admitted when it has not been yet.
    async fn entry(&self, name: &str) -> Result<Entry, LoadError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(LoadError::NoPlugin(name.to_owned()));
        }
        let mut shelf = self.shelf.lock().await;
        if let Some(entry) = shelf.get(name) {
            return Ok(entry.clone());
        }
        let wasm = read(&self.directory.join(format!("{name}.wasm")), name).await?;
        let admitted = self.engine.admit(&wasm, AdmitOptions::default()).await;
        let digest = match &admitted {
            Ok(admitted) => sha256(admitted.digest()),
            Err(_) => String::new(),
        };
        let refused = |error: AdmitError| Refusal { reason: reason(&error), message: error.to_string() };
        let loaded_at = UnixMillis(self.clock.now_ms());
        let entry = Entry { digest, loaded_at, admitted: admitted.map_err(refused) };
        shelf.insert(name.to_owned(), entry.clone());
        Ok(entry)
    }

    /// The plugin of a record and the way out that the record binds it to.
    async fn way_out(&self, record: &ProviderRecord) -> Result<(Admitted, Arc<Egress>), LoadError> {
        let entry = self.entry(&record.plugin).await?;
        let admitted = entry.admitted.map_err(|refusal| refused(record, refusal.reason, refusal.message))?;
        if !record.plugin_digest.is_empty() && record.plugin_digest != entry.digest {
            let message = format!("its digest is {}, but {} is pinned", entry.digest, record.plugin_digest);
            return Err(refused(record, "DIGEST_MISMATCH", message));
        }
        let exchanges = stowage_egress::exchange_table_digest(admitted.description());
        if !record.exchange_digest.is_empty() && record.exchange_digest != exchanges {
            let message =
                format!("its exchanges have the digest {exchanges}, but {} was approved", record.exchange_digest);
            return Err(refused(record, "EXCHANGES_NOT_APPROVED", message));
        }
        let binding = stowage_egress::Binding {
            provider: record.name.provider.to_string(),
            description: admitted.description().clone(),
            endpoints: endpoints(record)?,
            secret_names: secret_names(&record.secrets)?,
            limits: EgressLimits::default(),
            forbidden: self.forbidden.clone(),
            redactor: self.redactor.clone(),
        };
        let (secrets, clock, resolver) =
            (Arc::clone(&self.secrets), Arc::clone(&self.clock), Arc::clone(&self.resolver));
        let exchange = Egress::bind_with_resolver(binding, secrets, clock, resolver).await.map_err(unbound)?;
        Ok((admitted, exchange))
    }

    fn info(&self, name: String, entry: Entry) -> PluginInfo {
        let (description, interfaces, exchange_digest, refused) = match entry.admitted {
            Ok(admitted) => {
                let exchanges = stowage_egress::exchange_table_digest(admitted.description());
                (Some(admitted.description().clone()), admitted.interfaces().to_vec(), exchanges, None)
            }
            Err(refusal) => (None, Vec::new(), String::new(), Some(refusal.message)),
        };
        PluginInfo {
            name,
            digest: entry.digest,
            contract: stowage_plugin::supported_range(),
            interfaces,
            description,
            exchange_digest,
            refused,
            loaded_at: entry.loaded_at,
        }
    }
}

#[async_trait]
impl ProviderLoader for Library {
    async fn load(&self, record: &ProviderRecord) -> Result<Arc<dyn Provider>, LoadError> {
        let (admitted, exchange) = self.way_out(record).await?;
        let name = record.name.provider.as_str();
        let state = StoreGuestState::new(Arc::clone(&self.store), name, GuestLimits::default(), BTreeMap::new());
        let binding = stowage_plugin::Binding {
            provider: name.to_owned(),
            config: serde_json::from_str(&record.config).map_err(|error| config_fault("", &error.to_string()))?,
            exchange,
            state: Arc::new(state),
            clock: Arc::clone(&self.clock),
            limits: CallLimits::default(),
        };
        self.engine.bind(&admitted, binding).map_err(|error| match error {
            AdmitError::Config { path, problem } => config_fault(&path, &problem),
            error => refused(record, reason(&error), error.to_string()),
        })
    }

    async fn pin(&self, record: &ProviderRecord) -> Result<BTreeMap<String, Vec<String>>, LoadError> {
        let (_, exchange) = self.way_out(record).await?;
        let texts = |(purpose, ranges): (String, Vec<_>)| (purpose, ranges.iter().map(ToString::to_string).collect());
        Ok(exchange.pinned_ranges().into_iter().map(texts).collect())
    }

    async fn inspect(&self, plugin: &str) -> Result<PluginInfo, LoadError> {
        Ok(self.info(plugin.to_owned(), self.entry(plugin).await?))
    }

    async fn list(&self) -> Result<Vec<PluginInfo>, LoadError> {
        let mut all = Vec::new();
        for name in self.names()? {
            let entry = self.entry(&name).await?;
            all.push(self.info(name, entry));
        }
        Ok(all)
    }
}

async fn read(path: &Path, name: &str) -> Result<Vec<u8>, LoadError> {
    tokio::fs::read(path).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => LoadError::NoPlugin(name.to_owned()),
        _ => LoadError::Unavailable(format!("cannot read {}: {error}", path.display())),
    })
}

fn sha256(digest: &str) -> String {
    format!("sha256:{}", digest.trim_start_matches("sha256:"))
}

fn refused(record: &ProviderRecord, reason: &str, message: String) -> LoadError {
    LoadError::Refused { plugin: record.plugin.clone(), reason: reason.to_owned(), message }
}

/// Where each purpose leads: to the pinned ranges, once there are any.
fn endpoints(record: &ProviderRecord) -> Result<Vec<stowage_egress::EndpointBinding>, LoadError> {
    let mut faults = Vec::new();
    let mut endpoints = Vec::new();
    for (purpose, binding) in &record.endpoints {
        let mut ranges = Vec::new();
        for text in record.pinned_ranges.get(purpose).unwrap_or(&binding.allowed_ranges) {
            match text.parse() {
                Ok(range) => ranges.push(range),
                Err(_) => faults.push(FieldFault {
                    field: format!("provider.endpoints[{purpose}].allowed_ranges"),
                    problem: format!("{text:?} is not an address range, such as 10.0.0.0/24"),
                }),
            }
        }
        endpoints.push(stowage_egress::EndpointBinding {
            purpose: purpose.clone(),
            urls: binding.urls.clone(),
            allowed_ranges: (!ranges.is_empty()).then_some(ranges),
            ca_pem: (!binding.ca_pem.is_empty()).then(|| binding.ca_pem.clone().into_bytes()),
            plain_http: binding.plain_http,
        });
    }
    if faults.is_empty() { Ok(endpoints) } else { Err(LoadError::Config(faults)) }
}

fn secret_names(bound: &BTreeMap<String, String>) -> Result<BTreeMap<String, SecretName>, LoadError> {
    let parse = |(name, secret): (&String, &String)| match SecretName::parse(secret) {
        Ok(secret) => Ok((name.clone(), secret)),
        Err(error) => Err(FieldFault { field: format!("provider.secrets[{name}]"), problem: error.to_string() }),
    };
    bound.iter().map(parse).collect::<Result<_, _>>().map_err(|fault| LoadError::Config(vec![fault]))
}

fn config_fault(path: &str, problem: &str) -> LoadError {
    let field = format!("provider.config{}", path.replace('/', "."));
    LoadError::Config(vec![FieldFault { field, problem: problem.to_owned() }])
}

fn unbound(error: BindError) -> LoadError {
    let field = match &error {
        BindError::EndpointMissing(_) | BindError::Endpoint { .. } => "provider.endpoints",
        BindError::SecretMissing(_) => "provider.secrets",
        BindError::Provider(_) => "provider.name",
        BindError::Table(_) => "provider.plugin",
    };
    LoadError::Config(vec![FieldFault { field: field.to_owned(), problem: error.to_string() }])
}

const fn reason(error: &AdmitError) -> &'static str {
    match error {
        AdmitError::NotAComponent(_) => "NOT_A_COMPONENT",
        AdmitError::TooLarge { .. } | AdmitError::Needs { .. } => "PLUGIN_TOO_LARGE",
        AdmitError::Digest { .. } => "DIGEST_MISMATCH",
        AdmitError::WrongVersion { .. } | AdmitError::Missing { .. } | AdmitError::Signature { .. } => "WORLD_MISMATCH",
        AdmitError::UnknownImport { .. } => "UNKNOWN_IMPORT",
        AdmitError::Description { .. } | AdmitError::Describe { .. } => "DESCRIPTION_INVALID",
        AdmitError::Exchanges { .. } => "EXCHANGES_NOT_APPROVED",
        _ => "PLUGIN_REFUSED",
    }
}

#[cfg(test)]
mod tests {
    use stowage_domain::{ProviderName, ProviderState, provider::EndpointBinding};

    use super::*;

    fn record(allowed: &[&str], pinned: &[&str]) -> ProviderRecord {
        let texts = |ranges: &[&str]| ranges.iter().map(|range| (*range).to_owned()).collect::<Vec<_>>();
        let endpoint = EndpointBinding {
            urls: vec!["https://backend.test".to_owned()],
            allowed_ranges: texts(allowed),
            ..EndpointBinding::default()
        };
        let pins = if pinned.is_empty() { BTreeMap::new() } else { [("control".to_owned(), texts(pinned))].into() };
        ProviderRecord {
            name: ProviderName::parse("providers/p").unwrap(),
            uid: String::new(),
            plugin: "p".to_owned(),
            plugin_digest: String::new(),
            exchange_digest: String::new(),
            config: "{}".to_owned(),
            endpoints: [("control".to_owned(), endpoint)].into(),
            pinned_ranges: pins,
            secrets: BTreeMap::new(),
            region: String::new(),
            labels: Default::default(),
            state: ProviderState::Active,
            state_reason: String::new(),
            capabilities: Vec::new(),
            probe: None,
            created_at: UnixMillis(0),
            updated_at: UnixMillis(0),
        }
    }

    #[test]
    fn a_pinned_endpoint_is_bound_to_its_pins_and_looks_no_name_up_anew() {
        let bound = |record: &ProviderRecord| endpoints(record).unwrap().remove(0).allowed_ranges;
        let range = |text: &str| Some(vec![text.parse().unwrap()]);
        assert_eq!(bound(&record(&[], &[])), None, "the first binding pins");
        assert_eq!(bound(&record(&["10.0.0.0/8"], &[])), range("10.0.0.0/8"));
        assert_eq!(bound(&record(&[], &["10.0.0.1/32"])), range("10.0.0.1/32"));
    }
}
