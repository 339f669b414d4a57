//! `stowage plugin`.

use clap::Subcommand;
use stowage_client::proto as v1;

use super::connection::{Session, call, every};
use super::names::{PLUGIN, full};
use super::output::{Column, Format, many, one};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("VENDOR", "/vendor"),
    ("VERSION", "/version"),
    ("CONTRACT", "/contract"),
    ("STATE", "/state"),
    ("INTERFACES", "/interfaces"),
];

const DETAILS: &[Column] = &[
    ("Name", "/name"),
    ("Vendor", "/vendor"),
    ("Version", "/version"),
    ("Digest", "/digest"),
    ("Contract", "/contract"),
    ("State", "/state"),
    ("Reason", "/stateReason"),
    ("Interfaces", "/interfaces"),
    ("Client kinds", "/clientKinds"),
    ("Description", "/description"),
    ("Config schema", "/configSchema"),
];

const EXCHANGES: &[Column] = &[
    ("EXCHANGE", "/id"),
    ("METHOD", "/method"),
    ("PATH", "/pathTemplate"),
    ("SAFE", "/safe"),
    ("SECRETS GO IN", "/secretSlots"),
    ("SECRETS COME OUT", "/sensitivePlaces"),
];

/// Plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the plugins that the host has found, and why it refused any.
    List,
    /// Shows a plugin: its configuration's schema, and everything that it can ever say to its backend.
    Inspect {
        /// PLUGIN
        name: String,
    },
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut providers = session.client.providers();
    match command {
        Command::List => {
            let request = v1::ListPluginsRequest::default();
            many(session.format, &every!(providers, list_plugins, request, plugins), COLUMNS)
        }
        Command::Inspect { name } => {
            let plugin = call!(providers, inspect_plugin, v1::InspectPluginRequest { name: full(PLUGIN, &name)? });
            one(session.format, &plugin, DETAILS)?;
            if session.format == Format::Json {
                return Ok(());
            }
            many(session.format, &plugin.exchanges, EXCHANGES)
        }
    }
}
