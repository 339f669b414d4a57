//! `stowage provider`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use stowage_client::proto as v1;

use super::connection::{Session, call, every};
use super::names::{PLUGIN, PROVIDER, full, split};
use super::output::{Column, Format, many, one};
use super::report::{self, Report, Row, Subject};
use super::validate::{self, Validate};
use super::values::{map, pair};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("PLUGIN", "/plugin"),
    ("STATE", "/state"),
    ("HEALTH", "/health"),
    ("VERSION", "/nativeVersion"),
    ("REGION", "/region"),
    ("LABELS", "/labels"),
    ("FREE OF", "/capacity/totalBytes"),
    ("RESERVED", "/capacity/reservedBytes"),
];

const DETAILS: &[Column] = &[
    ("Name", "/name"),
    ("Plugin", "/plugin"),
    ("Digest", "/pluginDigest"),
    ("State", "/state"),
    ("Reason", "/stateReason"),
    ("Health", "/health"),
    ("Components", "/components"),
    ("Version", "/nativeVersion"),
    ("Instance", "/instanceId"),
    ("Region", "/region"),
    ("Labels", "/labels"),
    ("Capacity", "/capacity/totalBytes"),
    ("Used", "/capacity/usedBytes"),
    ("Reserved", "/capacity/reservedBytes"),
    ("Probed", "/probeTime"),
];

const CAPABILITIES: &[Column] = &[
    ("CAPABILITY", "/id"),
    ("STATE", "/state"),
    ("BASIS", "/basis"),
    ("EVIDENCE", "/evidence"),
    ("REASON", "/reason"),
    ("REMEDY", "/remedy"),
];

const COUNTERS: &[Column] = &[("COUNTER", "/counter"), ("USED", "/used"), ("LIMIT", "/limit"), ("UNIT", "/unit")];

/// Backends.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Binds a plugin to a backend and probes it.
    Add(Box<Add>),
    /// Lists providers.
    List,
    /// Shows one provider.
    Get {
        /// PROVIDER
        name: String,
    },
    /// Asks the backend again what it is and can do.
    Probe {
        /// PROVIDER
        name: String,
    },
    /// Reports, read-only, what the backend is and what it lacks; `-o md` for a file.
    Preflight {
        /// PROVIDER
        name: String,
    },
    /// Measures by use what a probe cannot see: makes a disposable namespace, uses it, and deletes it again.
    Validate(Box<Validate>),
    /// Lists what the backend can do, and how that is known.
    Capabilities {
        /// PROVIDER
        name: String,
    },
    /// Lists how much of each limit is used.
    Counters {
        /// PROVIDER
        name: String,
    },
    /// Takes no new namespaces from now on.
    Cordon {
        /// PROVIDER
        name: String,
        /// Why, for the next operator.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Takes new namespaces again.
    Uncordon {
        /// PROVIDER
        name: String,
    },
    /// Forgets a provider that has no namespaces.
    Remove {
        /// PROVIDER
        name: String,
    },
}

/// A provider to add.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// PROVIDER
    name: String,
    /// The plugin that speaks to it; `stowage plugin list` shows them.
    #[arg(long)]
    plugin: String,
    /// SHA-256 that the plugin's file must have; what is found is pinned when absent.
    #[arg(long, default_value = "")]
    digest: String,
    /// The plugin's configuration as JSON; `stowage plugin inspect` shows its schema.
    #[arg(long, conflicts_with = "config_file")]
    config: Option<String>,
    /// File with the plugin's configuration.
    #[arg(long)]
    config_file: Option<PathBuf>,
    /// PURPOSE=URL; again for more URLs of a purpose, tried in order.
    #[arg(long = "endpoint", value_parser = pair)]
    endpoints: Vec<(String, String)>,
    /// Address ranges that the endpoints' names may resolve to; default: what they resolve to now.
    #[arg(long = "allow-range")]
    allowed_ranges: Vec<String>,
    /// PEM file of the authority that signed the endpoints' certificates.
    #[arg(long)]
    endpoint_ca: Option<PathBuf>,
    /// Allows http: endpoints.
    #[arg(long)]
    plain_http: bool,
    /// NAME=SECRET: which secret of the host's secret store stands for the plugin's secret NAME.
    #[arg(long = "secret", value_parser = pair)]
    secrets: Vec<(String, String)>,
    /// Region that it is in.
    #[arg(long, default_value = "")]
    region: String,
    /// KEY=VALUE, for storage classes to select by.
    #[arg(long = "label", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// Checks everything and changes nothing.
    #[arg(long)]
    validate_only: bool,
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut providers = session.client.providers();
    let show = |provider: &v1::Provider| one(session.format, provider, DETAILS);
    match command {
        Command::Add(add) => show(&call!(providers, create_provider, request(*add)?)),
        Command::List => {
            let all = every!(providers, list_providers, v1::ListProvidersRequest::default(), providers);
            many(session.format, &all, COLUMNS)
        }
        Command::Get { name } => {
            show(&call!(providers, get_provider, v1::GetProviderRequest { name: full(PROVIDER, &name)? }))
        }
        Command::Probe { name } => {
            let request =
                v1::ProbeProviderRequest { name: full(PROVIDER, &name)?, mode: v1::ProbeMode::ReadOnly.into() };
            let probed = call!(providers, probe_provider, request);
            if session.format == Format::Json {
                return one(session.format, &probed, &[]);
            }
            show(&probed.provider.unwrap_or_default())
        }
        Command::Preflight { name } => {
            let name = full(PROVIDER, &name)?;
            let request = v1::PreflightProviderRequest { name: name.clone(), mode: v1::ProbeMode::ReadOnly.into() };
            let answer = call!(providers, preflight_provider, request);
            let date = report::date(&answer.observe_time.unwrap_or_default());
            let rows = answer.findings.into_iter().map(finding).collect();
            Report::new("preflight", subject(session, &name).await?, date, rows).show(session.format)
        }
        Command::Validate(arguments) => validate::run(session, &arguments).await,
        Command::Capabilities { name } => {
            let request = v1::ListCapabilitiesRequest { parent: full(PROVIDER, &name)?, ..Default::default() };
            many(session.format, &every!(providers, list_capabilities, request, capabilities), CAPABILITIES)
        }
        Command::Counters { name } => {
            let request = v1::ListCountersRequest { parent: full(PROVIDER, &name)?, ..Default::default() };
            many(session.format, &every!(providers, list_counters, request, counters), COUNTERS)
        }
        Command::Cordon { name, reason } => {
            let request = v1::CordonProviderRequest { name: full(PROVIDER, &name)?, reason, ..Default::default() };
            show(&call!(providers, cordon_provider, request))
        }
        Command::Uncordon { name } => {
            let request = v1::UncordonProviderRequest { name: full(PROVIDER, &name)?, ..Default::default() };
            show(&call!(providers, uncordon_provider, request))
        }
        Command::Remove { name } => {
            let request = v1::DeleteProviderRequest { name: full(PROVIDER, &name)?, ..Default::default() };
            providers.delete_provider(request).await.map_err(stowage_client::Failure::from)?;
            Ok(())
        }
    }
}

/// Who a report is about.
pub(crate) async fn subject(session: &Session, name: &str) -> anyhow::Result<Subject> {
    let provider = call!(session.client.providers(), get_provider, v1::GetProviderRequest { name: name.to_owned() });
    let request = v1::InspectPluginRequest { name: provider.plugin.clone() };
    // A plugin that is gone can't say its version; the digest of the record still tells which it was.
    let version = session.client.providers().inspect_plugin(request).await.map(|answer| answer.into_inner().version);
    Ok(Subject::of(&provider, &version.unwrap_or_default()))
}

fn finding(finding: v1::Finding) -> Row {
    let outcome = finding.level().as_str_name().trim_start_matches("FINDING_LEVEL_").to_owned();
    let v1::Finding { check, asked, seen, follows, remedy, .. } = finding;
    Row { outcome, check, asked, seen, follows, remedy }
}

fn request(add: Add) -> anyhow::Result<v1::CreateProviderRequest> {
    let text = match (add.config, add.config_file) {
        (Some(text), _) => text,
        (None, Some(path)) => {
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?
        }
        (None, None) => "{}".to_owned(),
    };
    let serde_json::Value::Object(config) = serde_json::from_str(&text).context("the configuration is not JSON")?
    else {
        bail!("the configuration must be a JSON object");
    };
    let ca_pem = match &add.endpoint_ca {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?,
        None => String::new(),
    };
    let mut provider = v1::Provider {
        plugin: full(PLUGIN, &add.plugin)?,
        plugin_digest: add.digest,
        config: Some(stowage_proto::json_to_struct(&config)),
        secrets: map(add.secrets),
        region: add.region,
        labels: map(add.labels),
        ..Default::default()
    };
    for (purpose, url) in add.endpoints {
        let binding = provider.endpoints.entry(purpose).or_insert_with(|| v1::EndpointBinding {
            allowed_ranges: add.allowed_ranges.clone(),
            ca_pem: ca_pem.clone(),
            plain_http: add.plain_http,
            ..Default::default()
        });
        binding.urls.push(url);
    }
    let (_, provider_id) = split(PROVIDER, &add.name)?;
    Ok(v1::CreateProviderRequest {
        provider_id,
        provider: Some(provider),
        validate_only: add.validate_only,
        ..Default::default()
    })
}
