//! `stowage ns`.

use std::time::Duration;

use clap::{Args, Subcommand};
use stowage_client::proto as v1;

use super::connection::{Follow, Session, call, every};
use super::names::{CLASS, NAMESPACE, PROJECT, PROVIDER, full, split};
use super::output::{Column, Format, many, one};
use super::values::{bytes, duration, map, pair, protocol};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("CLASS", "/storageClass"),
    ("PROVIDER", "/provider"),
    ("STATE", "/state"),
    ("QUOTA", "/quota/hardBytes"),
    ("PROTOCOLS", "/protocols"),
];

const DETAILS: &[Column] = &[
    ("Name", "/name"),
    ("State", "/state"),
    ("Reason", "/stateReason"),
    ("Next retry", "/nextRetryTime"),
    ("Class", "/storageClass"),
    ("Provider", "/provider"),
    ("Location", "/location"),
    ("Physical id", "/physicalId"),
    ("Protocols", "/protocols"),
    ("Bucket", "/bucket"),
    ("Quota", "/quota/hardBytes"),
    ("Soft quota", "/quota/softBytes"),
    ("Effective quota", "/effectiveQuota/hardBytes"),
    ("Prefixes", "/prefixes"),
    ("Labels", "/labels"),
    ("Protected", "/deletionProtection"),
    ("Created", "/createTime"),
];

const USAGE: &[Column] =
    &[("DIMENSION", "/dimension"), ("USED", "/used"), ("LIMIT", "/limit"), ("STATE", "/state"), ("BASIS", "/basis")];

/// Namespaces.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a namespace.
    Create(Box<Create>),
    /// Shows one namespace, with the placement decision.
    Get {
        /// TENANT/PROJECT/NAMESPACE
        name: String,
    },
    /// Lists the namespaces of a project.
    List {
        /// TENANT/PROJECT
        project: String,
        /// Those that others share with it, instead of its own.
        #[arg(long)]
        shared: bool,
        /// Deleted ones too.
        #[arg(long)]
        show_deleted: bool,
    },
    /// Changes the quota.
    SetQuota {
        /// TENANT/PROJECT/NAMESPACE
        name: String,
        #[command(flatten)]
        quota: Quota,
        #[command(flatten)]
        follow: Follow,
    },
    /// Changes how it can be reached: opens its bucket, or takes it away. The data stays.
    SetProtocols {
        /// TENANT/PROJECT/NAMESPACE
        name: String,
        /// posix, s3; joined by commas. All of them from now on.
        #[arg(value_parser = protocol, value_delimiter = ',', required = true)]
        protocols: Vec<i32>,
        #[command(flatten)]
        follow: Follow,
    },
    /// Shows how much is used, and when that was seen.
    Usage {
        /// TENANT/PROJECT/NAMESPACE
        name: String,
        /// Asks the provider now instead of taking a recent answer.
        #[arg(long)]
        refresh: bool,
    },
    /// Changes labels or the protection against deletion.
    Update {
        /// TENANT/PROJECT/NAMESPACE
        name: String,
        /// KEY=VALUE; replaces all labels.
        #[arg(long = "label", value_parser = pair)]
        labels: Vec<(String, String)>,
        /// true or false.
        #[arg(long)]
        deletion_protection: Option<bool>,
    },
    /// Deletes a namespace.
    Delete {
        /// TENANT/PROJECT/NAMESPACE
        name: String,
        /// Deletes the data too; otherwise it stays at the provider.
        #[arg(long)]
        purge: bool,
        #[command(flatten)]
        follow: Follow,
    },
    /// Takes over what a provider already has.
    Adopt(Box<Adopt>),
}

/// A quota.
#[derive(Debug, Args)]
pub(crate) struct Quota {
    /// Bytes at which writes are refused, such as 100GiB.
    #[arg(long, value_parser = bytes)]
    quota: u64,
    /// Bytes from which the grace period runs.
    #[arg(long, value_parser = bytes)]
    soft_quota: Option<u64>,
    /// How long usage may stay above the soft quota, such as 7days.
    #[arg(long, value_parser = humantime::parse_duration, requires = "soft_quota")]
    grace: Option<Duration>,
    /// Files and directories at which creates are refused, where the provider can.
    #[arg(long)]
    inodes: Option<u64>,
}

impl Quota {
    fn wire(&self) -> v1::Quota {
        v1::Quota {
            hard_bytes: self.quota,
            soft_bytes: self.soft_quota,
            soft_grace: self.grace.map(duration),
            hard_inodes: self.inodes,
        }
    }
}

/// A namespace to make.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// TENANT/PROJECT/NAMESPACE
    name: String,
    /// Storage class; the region's default when absent.
    #[arg(long, default_value = "")]
    class: String,
    #[command(flatten)]
    quota: Quota,
    /// posix or s3; the class's protocols when absent.
    #[arg(long = "protocol", value_parser = protocol)]
    protocols: Vec<i32>,
    /// Directory to make beneath the root, such as shared/; a default set when absent.
    #[arg(long = "prefix")]
    prefixes: Vec<String>,
    /// KEY=VALUE
    #[arg(long = "label", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// Refuses deletion until this is taken back.
    #[arg(long)]
    deletion_protection: bool,
    /// Makes a repeat of this command safe.
    #[arg(long, default_value = "")]
    request_id: String,
    /// Checks everything and changes nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    follow: Follow,
}

/// Something to take over.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// TENANT/PROJECT/NAMESPACE
    name: String,
    /// Provider that has it.
    #[arg(long)]
    provider: String,
    /// Where it is, in the provider's words.
    #[arg(long)]
    location: String,
    #[command(flatten)]
    quota: Quota,
    /// Shows what would be recorded and changes nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    follow: Follow,
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut namespaces = session.client.namespaces();
    match command {
        Command::Create(create) => {
            let (parent, namespace_id) = split(NAMESPACE, &create.name)?;
            let class = &create.class;
            let namespace = v1::Namespace {
                storage_class: if class.is_empty() { String::new() } else { full(CLASS, class)? },
                quota: Some(create.quota.wire()),
                protocols: create.protocols,
                prefixes: create.prefixes,
                labels: map(create.labels),
                deletion_protection: create.deletion_protection,
                ..Default::default()
            };
            let request = v1::CreateNamespaceRequest {
                parent,
                namespace_id,
                namespace: Some(namespace),
                request_id: create.request_id,
                validate_only: create.validate_only,
            };
            let operation = call!(namespaces, create_namespace, request);
            ended(session, operation, &create.follow).await
        }
        Command::Get { name } => {
            let request = v1::GetNamespaceRequest {
                name: full(NAMESPACE, &name)?,
                read_mask: Some(prost_types::FieldMask { paths: vec!["*".to_owned()] }),
            };
            show(session, &call!(namespaces, get_namespace, request))
        }
        Command::List { project, shared: false, show_deleted } => {
            let request =
                v1::ListNamespacesRequest { parent: full(PROJECT, &project)?, show_deleted, ..Default::default() };
            many(session.format, &every!(namespaces, list_namespaces, request, namespaces), COLUMNS)
        }
        Command::List { project, shared: true, .. } => {
            let request = v1::ListSharedNamespacesRequest { parent: full(PROJECT, &project)?, ..Default::default() };
            let shared = every!(namespaces, list_shared_namespaces, request, shared_namespaces);
            let shared: Vec<_> = shared.into_iter().filter_map(|shared| shared.namespace).collect();
            many(session.format, &shared, COLUMNS)
        }
        Command::SetQuota { name, quota, follow } => {
            let request = v1::SetNamespaceQuotaRequest {
                name: full(NAMESPACE, &name)?,
                quota: Some(quota.wire()),
                ..Default::default()
            };
            let operation = call!(namespaces, set_namespace_quota, request);
            ended(session, operation, &follow).await
        }
        Command::SetProtocols { name, protocols, follow } => {
            let request =
                v1::SetNamespaceProtocolsRequest { name: full(NAMESPACE, &name)?, protocols, ..Default::default() };
            let operation = call!(namespaces, set_namespace_protocols, request);
            ended(session, operation, &follow).await
        }
        Command::Usage { name, refresh } => {
            let name = format!("{}/usage", full(NAMESPACE, &name)?);
            let request = v1::GetNamespaceUsageRequest { name, refresh };
            let usage = call!(namespaces, get_namespace_usage, request);
            if session.format == Format::Json {
                return one(session.format, &usage, &[]);
            }
            many(session.format, &usage.usages, USAGE)
        }
        Command::Update { name, labels, deletion_protection } => {
            let mut paths = Vec::new();
            let mut namespace = v1::Namespace { name: full(NAMESPACE, &name)?, ..Default::default() };
            if !labels.is_empty() {
                namespace.labels = map(labels);
                paths.push("labels".to_owned());
            }
            if let Some(protection) = deletion_protection {
                namespace.deletion_protection = protection;
                paths.push("deletion_protection".to_owned());
            }
            anyhow::ensure!(!paths.is_empty(), "nothing to change: give --label or --deletion-protection");
            let request = v1::UpdateNamespaceRequest {
                namespace: Some(namespace),
                update_mask: Some(prost_types::FieldMask { paths }),
                ..Default::default()
            };
            show(session, &call!(namespaces, update_namespace, request))
        }
        Command::Delete { name, purge, follow } => {
            let data_policy = if purge { v1::DataPolicy::Purge } else { v1::DataPolicy::Keep };
            let request = v1::DeleteNamespaceRequest {
                name: full(NAMESPACE, &name)?,
                data_policy: data_policy.into(),
                ..Default::default()
            };
            let operation = call!(namespaces, delete_namespace, request);
            ended(session, operation, &follow).await
        }
        Command::Adopt(adopt) => {
            let (parent, namespace_id) = split(NAMESPACE, &adopt.name)?;
            let request = v1::AdoptNamespaceRequest {
                parent,
                namespace_id,
                provider: full(PROVIDER, &adopt.provider)?,
                location: adopt.location,
                namespace: Some(v1::Namespace { quota: Some(adopt.quota.wire()), ..Default::default() }),
                validate_only: adopt.dry_run,
                ..Default::default()
            };
            let operation = call!(namespaces, adopt_namespace, request);
            ended(session, operation, &adopt.follow).await
        }
    }
}

async fn ended(session: &Session, operation: v1::Operation, follow: &Follow) -> anyhow::Result<()> {
    match session.follow(operation, follow).await? {
        Some(response) => show(session, &response.to_msg()?),
        None => Ok(()),
    }
}

/// A namespace, and in the table form how its provider was chosen.
fn show(session: &Session, namespace: &v1::Namespace) -> anyhow::Result<()> {
    one(session.format, namespace, DETAILS)?;
    let Some(placement) = namespace.placement.as_ref().filter(|_| session.format != Format::Json) else {
        return Ok(());
    };
    println!("Placement");
    for candidate in &placement.candidates {
        let chosen = if candidate.provider == placement.provider { "chosen" } else { "" };
        let score = candidate.score.map(|score| format!("score {score:.3}")).unwrap_or_default();
        println!("  {} {chosen} {score}", candidate.provider);
        for verdict in &candidate.verdicts {
            let word = if verdict.passed { "passed" } else { "failed" };
            println!("    {word} {}: {}", verdict.filter, verdict.detail);
        }
    }
    Ok(())
}
