//! `stowage class`.

use clap::{Args, Subcommand};
use stowage_client::proto as v1;

use super::connection::{Session, call, every};
use super::names::{CLASS, full, split};
use super::output::{Column, many, one};
use super::values::{bytes, map, pair, protocol};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("PROTOCOLS", "/protocols"),
    ("SELECTS", "/providerSelector"),
    ("REGION", "/region"),
    ("NEEDS", "/requiredCapabilities"),
    ("MULTI-WRITER", "/multiWriter"),
    ("DEFAULT", "/isDefault"),
];

/// Storage classes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a storage class.
    Create(Box<Create>),
    /// Lists storage classes.
    List,
    /// Shows one storage class.
    Get {
        /// CLASS
        name: String,
    },
    /// Deletes a storage class that no namespace uses.
    Delete {
        /// CLASS
        name: String,
    },
}

/// A class to make.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// CLASS
    name: String,
    /// For people.
    #[arg(long, default_value = "")]
    description: String,
    /// posix or s3; again for both.
    #[arg(long = "protocol", value_parser = protocol, required = true)]
    protocols: Vec<i32>,
    /// KEY=VALUE label that a provider must have.
    #[arg(long = "select", value_parser = pair)]
    selector: Vec<(String, String)>,
    /// Region that a provider must be in.
    #[arg(long, default_value = "")]
    region: String,
    /// Capability that a provider must have.
    #[arg(long = "need")]
    needs: Vec<String>,
    /// Largest quota of one namespace.
    #[arg(long, value_parser = bytes, default_value = "0")]
    max_quota: u64,
    /// Several nodes may write at once.
    #[arg(long)]
    multi_writer: bool,
    /// Taken when a namespace names no class.
    #[arg(long)]
    default: bool,
    /// KEY=VALUE mount option for all mounts of the class.
    #[arg(long = "mount-option", value_parser = pair)]
    mount_options: Vec<(String, String)>,
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut classes = session.client.storage_classes();
    match command {
        Command::Create(create) => {
            let (_, storage_class_id) = split(CLASS, &create.name)?;
            let class = v1::StorageClass {
                description: create.description,
                protocols: create.protocols,
                provider_selector: map(create.selector),
                region: create.region,
                required_capabilities: create.needs,
                max_quota_bytes: create.max_quota,
                multi_writer: create.multi_writer,
                is_default: create.default,
                mount_options: map(create.mount_options),
                ..Default::default()
            };
            let request =
                v1::CreateStorageClassRequest { storage_class_id, storage_class: Some(class), ..Default::default() };
            one(session.format, &call!(classes, create_storage_class, request), COLUMNS)
        }
        Command::List => {
            let request = v1::ListStorageClassesRequest::default();
            many(session.format, &every!(classes, list_storage_classes, request, storage_classes), COLUMNS)
        }
        Command::Get { name } => {
            let request = v1::GetStorageClassRequest { name: full(CLASS, &name)? };
            one(session.format, &call!(classes, get_storage_class, request), COLUMNS)
        }
        Command::Delete { name } => {
            let request = v1::DeleteStorageClassRequest { name: full(CLASS, &name)?, ..Default::default() };
            classes.delete_storage_class(request).await.map_err(stowage_client::Failure::from)?;
            Ok(())
        }
    }
}
