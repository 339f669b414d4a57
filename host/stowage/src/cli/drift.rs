//! `stowage drift`.

use clap::Subcommand;
use stowage_client::proto as v1;

use super::connection::{Session, call, every};
use super::names::{DRIFT, PROVIDER, full};
use super::output::{Column, many, one};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("KIND", "/kind"),
    ("SEVERITY", "/severity"),
    ("RESOURCE", "/resource"),
    ("SUBJECT", "/subject"),
    ("EVIDENCE", "/evidence"),
    ("SINCE", "/firstSeenTime"),
];

const DETAILS: &[Column] = &[
    ("Name", "/name"),
    ("Kind", "/kind"),
    ("Severity", "/severity"),
    ("State", "/state"),
    ("Resource", "/resource"),
    ("Subject", "/subject"),
    ("Evidence", "/evidence"),
    ("First seen", "/firstSeenTime"),
    ("Last seen", "/lastSeenTime"),
    ("Resolved", "/resolveTime"),
];

const SCAN: &[Column] = &[
    ("Found", "/kindCounts"),
    ("New", "/newCount"),
    ("Resolved", "/resolvedCount"),
    ("Listed", "/listedCount"),
    ("Namespaces", "/namespaceCount"),
    ("Mounts", "/mountCount"),
    ("Pages", "/pageCount"),
    ("Single looks", "/lookCount"),
    ("Incomplete", "/incompleteReason"),
];

/// Differences between what is believed and what a provider has.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists differences: the open ones, or those that are gone.
    List {
        /// PROVIDER; every provider when absent.
        provider: Option<String>,
        /// Only of this kind, such as quota-differs.
        #[arg(long, default_value = "")]
        kind: String,
        /// Those that are gone, kept for thirty days.
        #[arg(long)]
        resolved: bool,
    },
    /// Shows one difference with its evidence.
    Show {
        /// PROVIDER/DRIFT
        name: String,
    },
    /// Compares with the provider now. Changes nothing there.
    Scan {
        /// PROVIDER
        provider: String,
    },
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut drifts = session.client.drifts();
    match command {
        Command::List { provider, kind, resolved } => {
            let state = if resolved { v1::DriftState::Resolved } else { v1::DriftState::Open };
            let mut all = Vec::new();
            for parent in providers(session, provider).await? {
                let request =
                    v1::ListDriftsRequest { parent, kind: kind.clone(), state: state.into(), ..Default::default() };
                all.extend(every!(drifts.clone(), list_drifts, request, drifts));
            }
            many(session.format, &all, COLUMNS)
        }
        Command::Show { name } => {
            one(session.format, &call!(drifts, get_drift, v1::GetDriftRequest { name: full(DRIFT, &name)? }), DETAILS)
        }
        Command::Scan { provider } => {
            let request = v1::ScanDriftsRequest { name: full(PROVIDER, &provider)? };
            one(session.format, &call!(drifts, scan_drifts, request), SCAN)
        }
    }
}

async fn providers(session: &Session, named: Option<String>) -> anyhow::Result<Vec<String>> {
    if let Some(name) = named {
        return Ok(vec![full(PROVIDER, &name)?]);
    }
    let all = every!(session.client.providers(), list_providers, v1::ListProvidersRequest::default(), providers);
    Ok(all.into_iter().map(|provider| provider.name).collect())
}
