//! `stowage tenant`.

use clap::Subcommand;
use stowage_client::proto as v1;

use super::connection::{Session, call, every};
use super::names::{TENANT, full, split};
use super::output::{Column, many, one};
use super::values::bytes;

const COLUMNS: &[Column] =
    &[("NAME", "/name"), ("DISPLAY NAME", "/displayName"), ("QUOTA", "/byteQuota"), ("RESERVED", "/bytesReserved")];

/// Tenants.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a tenant.
    Create {
        /// TENANT
        name: String,
        /// For people.
        #[arg(long, default_value = "")]
        display_name: String,
        /// Bytes that all its namespaces may reserve; no limit when absent.
        #[arg(long, value_parser = bytes)]
        quota: Option<u64>,
        /// Its namespaces may be shared with other tenants that allow it too.
        #[arg(long)]
        cross_tenant_sharing: bool,
    },
    /// Lists tenants.
    List,
    /// Shows one tenant.
    Get {
        /// TENANT
        name: String,
    },
    /// Deletes a tenant that has no projects.
    Delete {
        /// TENANT
        name: String,
    },
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut tenants = session.client.tenants();
    match command {
        Command::Create { name, display_name, quota, cross_tenant_sharing } => {
            let (_, tenant_id) = split(TENANT, &name)?;
            let tenant = v1::Tenant { display_name, byte_quota: quota, cross_tenant_sharing, ..Default::default() };
            let request = v1::CreateTenantRequest { tenant_id, tenant: Some(tenant), ..Default::default() };
            one(session.format, &call!(tenants, create_tenant, request), COLUMNS)
        }
        Command::List => {
            let request = v1::ListTenantsRequest::default();
            many(session.format, &every!(tenants, list_tenants, request, tenants), COLUMNS)
        }
        Command::Get { name } => {
            let request = v1::GetTenantRequest { name: full(TENANT, &name)? };
            one(session.format, &call!(tenants, get_tenant, request), COLUMNS)
        }
        Command::Delete { name } => {
            let request = v1::DeleteTenantRequest { name: full(TENANT, &name)?, ..Default::default() };
            tenants.delete_tenant(request).await.map_err(stowage_client::Failure::from)?;
            Ok(())
        }
    }
}
